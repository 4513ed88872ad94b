"""The calls before a post: containers, what is fetched for them, resumable uploads."""

import math
from typing import Any

from tests.studio.publishing.graph_clock import DAY, MINUTE
from tests.studio.publishing.graph_desk import Asked, Desk, chosen
from tests.studio.publishing.graph_errors import Refusal
from tests.studio.publishing.graph_files import (
    IMAGE_BYTES,
    VIDEO_BYTES,
    check_image,
    check_video,
    fetched,
    first_picture,
)
from tests.studio.publishing.graph_rules import children_of, kind_of
from tests.studio.publishing.graph_truth import Account, Container
from tests.studio.publishing.graph_wire import Request

_STATUS = {
    "IN_PROGRESS": "In Progress: Media is still being processed.",
    "FINISHED": "Finished: Media has been uploaded and it is ready to be published.",
    "EXPIRED": "Expired: The container was not published within 24 hours.",
    "PUBLISHED": "Published: Media has been successfully published.",
}


class Containers(Desk):
    """What is on its way to be a post."""

    async def create(self, asked: Asked) -> dict[str, Any]:
        account = self.owned(asked, "publish")
        params = {name: value for name, value in asked.params.items() if name != "access_token" and value != ""}
        asked.line.caption = params.get("caption", "")
        self._room(account)
        made = Container("", account, kind_of(params), params, self.now, failure=asked.plan.fails)
        if made.kind == "carousel":
            made.children = [self._child(account, name) for name in children_of(params)]
        made.video = bool({"video_url", "upload_type"} & params.keys())
        await self._look(made)
        made.made = self.now
        self.truth.contain(made)
        asked.line.made.append(made.id)
        self._process(made)
        answer = {"id": made.id}
        if made.uploaded is not None:
            answer["uri"] = f"https://rupload.facebook.com/ig-api-upload/{made.id}"
        return answer

    def _room(self, account: Account) -> None:
        """For one more container today."""
        recent = account.made_since(self.now - DAY)
        if len(recent) >= account.containers_a_day:
            wait = math.ceil((recent[0] + DAY - self.now) / MINUTE)
            raise Refusal("80002", "There have been too many calls to this Instagram account", wait)

    def _child(self, account: Account, name: str) -> Container:
        child = self.truth.containers.get(name)
        if child is None or child.account is not account:
            raise Refusal("2207006")
        if child.kind != "child":
            raise Refusal("2207028", f"{name} is no item of a carousel")
        status = child.status(self.now)
        if status == "EXPIRED":
            raise Refusal("2207020")
        if status == "IN_PROGRESS":
            raise Refusal("2207027")
        if status == "ERROR":
            raise Refusal(child.failure)
        return child

    async def _look(self, made: Container) -> None:
        """Pictures are fetched while the client waits."""
        if made.params.get("upload_type"):
            made.uploaded = bytearray()
        if not self.options.check_files:
            return
        if url := made.params.get("image_url"):
            made.media = await self._picture(url, ratio=made.kind != "story")
        if url := made.params.get("cover_url"):
            made.cover = await self._picture(url, ratio=False)

    async def _picture(self, url: str, ratio: bool) -> str:
        data = await fetched(self.fetcher(), url, IMAGE_BYTES)
        check_image(data, ratio)
        return self.truth.keep(data)

    def _process(self, made: Container) -> None:
        if made.uploaded is not None:
            return
        if "video_url" in made.params and self.options.check_files:
            self.begin(self._fetch_video(made))
        else:
            made.ready = made.made + self._delay(made)

    def _delay(self, made: Container) -> float:
        usual = self.options.video_delay if made.video else self.options.image_delay
        return usual * self.chance.uniform(0.5, 1.5)

    async def _fetch_video(self, made: Container) -> None:
        """A video is fetched while the container is in progress."""
        try:
            data = await fetched(self.fetcher(), made.params["video_url"], VIDEO_BYTES)
            self._look_into_video(made, data)
        except Refusal as refusal:
            made.failure = refusal.name
        made.ready = max(made.made + self._delay(made), self.now)

    def _look_into_video(self, made: Container, data: bytes) -> None:
        made.length_ms = check_video(data)
        offset = made.params.get("thumb_offset")
        if offset is not None and "cover_url" not in made.params and int(offset) >= made.length_ms:
            raise Refusal("2207057")
        made.media = self.truth.keep(data)

    async def status(self, asked: Asked) -> dict[str, Any]:
        """Of a container."""
        account = self.allowed(asked, "basic")
        container = self.truth.containers[asked.parts[0]]
        at = self.now - asked.plan.stale
        if container.account is not account or at < container.made:
            raise Refusal("100/33")
        code = container.status(at)
        failure = container.failure.rpartition("/")[2]
        known = {
            "id": container.id,
            "status_code": code,
            "status": _STATUS.get(code, f"Error: Media upload has failed with error code {failure}"),
        }
        if container.uploaded is not None:
            phase = "complete" if container.ready else "in_progress"
            uploading = {"status": phase, "bytes_transferred": len(container.uploaded)}
            return chosen(known | {"video_status": {"uploading_phase": uploading}}, asked.fields, container.id)
        return chosen(known, asked.fields, container.id)

    async def upload(self, asked: Asked) -> dict[str, Any]:
        """The bytes of a video, from the offset on at which the last attempt broke off."""
        account = self.allowed(asked, "publish")
        container = self.truth.containers.get(asked.parts[-1])
        if container is None or container.account is not account or container.uploaded is None:
            raise Refusal("2207006")
        if not asked.request.headers.get("authorization", "").startswith("OAuth "):
            raise Refusal("190", "The header Authorization is missing: OAuth and the access token")
        if container.status(self.now) == "EXPIRED":
            raise Refusal("2207020")
        size = self._taken(container, asked.request)
        if len(container.uploaded) == size and container.ready is None:
            self._uploaded(container)
        return {"success": True, "message": "Upload successful."}

    def _taken(self, container: Container, request: Request) -> int:
        assert container.uploaded is not None
        offset, size = (request.headers.get(name, "") for name in ("offset", "file_size"))
        if not offset.isdecimal() or not size.isdecimal():
            raise Refusal("100", "The headers offset and file_size are required")
        there = len(container.uploaded)
        if int(offset) != there:
            raise Refusal("2207053", f"The offset is {offset}, and {there} bytes are there")
        if there + len(request.body) > int(size) or int(size) > VIDEO_BYTES:
            raise Refusal("2207053", "More bytes came than file_size says, or than are allowed")
        container.uploaded += request.body
        return int(size)

    def _uploaded(self, container: Container) -> None:
        data = bytes(container.uploaded or b"")
        try:
            if self.options.check_files:
                self._look_into_video(container, data)
            else:
                container.media = self.truth.keep(data)
            if not container.cover and (first := first_picture(data)):
                container.cover = self.truth.keep(first)
        except Refusal as refusal:
            container.failure = refusal.name
        container.ready = self.now + self._delay(container)

    def broken_off(self, name: str, request: Request) -> None:
        """What had come of an upload stays."""
        container = self.truth.containers.get(name)
        there = container.uploaded if container else None
        if there is not None and request.headers.get("offset") == str(len(there)):
            there += request.body
