"""A post in Instagram's words."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from zoetrope.media.decode import decode
from zoetrope.media.errors import MediaError
from zoetrope.studio.publishing.channels.instagram.client import Client
from zoetrope.studio.publishing.channels.instagram.errors import do_of, number
from zoetrope.studio.publishing.channels.seam import Lost, Parcel, Seen, Shot, Standing, Told
from zoetrope.studio.publishing.looks import look_of

_STANDINGS = {
    "IN_PROGRESS": Standing.IN_PROGRESS,
    "FINISHED": Standing.FINISHED,
    "ERROR": Standing.ERROR,
    "EXPIRED": Standing.EXPIRED,
    "PUBLISHED": Standing.PUBLISHED,
}
_KINDS = {"FEED": "image", "STORY": "story", "REELS": "reel"}
_NUMBER = re.compile(r"\w{1,200}", re.ASCII)
_LONGEST_LINK = 300
_A_PAGE, _MOST_PAGES = 50, 10
_LARGEST_PICTURE = 16 * 2**20
_SEEN = "id,caption,media_type,media_product_type,timestamp,media_url,thumbnail_url,permalink"


@dataclass(frozen=True)
class Usage:
    """How many posts of a day are used up, and how many there are."""

    used: int
    total: int


class Instagram:
    """One account. `address` says where the other end may fetch a picture, for as long as it takes; clips are sent."""

    def __init__(self, client: Client, account: str, address: Callable[[Shot], str]) -> None:
        self._client, self._account, self._address = client, account, address

    def parts(self, parcel: Parcel) -> int:
        return len(parcel.shots) if parcel.kind == "carousel" else 0

    def part(self, parcel: Parcel, number: int) -> str:
        shot = parcel.shots[number]
        said = {"image_url": self._address(shot), "is_carousel_item": True, "alt_text": shot.alt or None}
        return self._made(**said)

    def whole(self, parcel: Parcel, parts: Sequence[str]) -> str:
        # The label is left away where there is none to show: an account may not know the word yet.
        said: dict[str, Any] = {"is_ai_generated": True} if parcel.labelled else {}
        if parcel.kind == "carousel":
            return self._made(media_type="CAROUSEL", children=",".join(parts), caption=parcel.text, **said)
        shot = parcel.shots[0]
        said |= {"upload_type": "resumable"} if shot.moves else {"image_url": self._address(shot)}
        if parcel.kind == "story":
            return self._made(media_type="STORIES", **said)
        if parcel.kind == "reel":
            return self._made(media_type="REELS", caption=parcel.text, **said)
        return self._made(caption=parcel.text, alt_text=shot.alt or None, **said)

    def _made(self, **said: Any) -> str:
        return _id(self._client.post(f"{self._account}/media", **said))

    def hand_over(self, parcel: Parcel, container: str, alive: Callable[[], None]) -> None:
        file = parcel.shots[0].file
        came = _came(self._client.get(container, fields="video_status"))
        try:
            if came is not None and came < file.stat().st_size:
                self._client.upload(container, file, came, alive)
        except OSError as error:
            raise Lost("The clip's file cannot be read.") from error

    def stands(self, container: str) -> Told:
        told = self._client.get(container, fields="status_code,status")
        standing = _STANDINGS.get(str(told.get("status_code")))
        if standing is None:
            raise Lost("Instagram did not say how the container stands.")
        if standing is not Standing.ERROR:
            return Told(standing)
        words = " ".join(str(told.get("status") or "").split())
        return Told(standing, do_of(400, None, _subcode(words)), f"Instagram: {self._client.hushed(words)[:250]}")

    def publish(self, container: str) -> str:
        return _id(self._client.post(f"{self._account}/media_publish", creation_id=container))

    def recent(self, since: datetime) -> list[Seen]:
        found: list[Seen] = []
        asked: dict[str, Any] = {"fields": _SEEN, "since": int(since.timestamp())}
        for path in (f"{self._account}/media", f"{self._account}/stories"):
            for rows in self._pages(path, **asked):
                page = [_seen(row) for row in rows]
                found += page
                if page and page[-1].at < since:
                    break
        return found

    def _pages(self, path: str, **asked: Any) -> Iterator[list[dict[str, Any]]]:
        """A list, a page after the other."""
        after = None
        for _ in range(_MOST_PAGES):
            told = self._client.get(path, **asked, limit=_A_PAGE, after=after)
            rows = told.get("data")
            yield [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
            after = _after(told)
            if after is None:
                return

    def look(self, seen: Seen) -> bytes:
        try:
            return look_of(decode(self._client.fetch(seen.address, _LARGEST_PICTURE)).image) if seen.address else b""
        except MediaError:
            return b""

    def link(self, media: str) -> str:
        link = str(self._client.get(media, fields="permalink").get("permalink") or "")
        # It becomes a link of a page.
        return link if link.startswith("https://") and len(link) <= _LONGEST_LINK else ""

    def commented(self, media: str, text: str) -> bool:
        pages = self._pages(f"{media}/comments", fields="text")
        return any(str(row.get("text") or "").strip() == text.strip() for rows in pages for row in rows)

    def comment(self, media: str, text: str) -> None:
        self._client.post(f"{media}/comments", message=text)

    def room(self) -> int | None:
        usage = self.usage()
        return None if usage is None else usage.total - usage.used

    def usage(self) -> Usage | None:
        """Of the posts within a day, by the account's own count; None where it does not say."""
        told = self._client.get(f"{self._account}/content_publishing_limit", fields="quota_usage,config")
        try:
            row = told["data"][0]
            return Usage(int(row["quota_usage"]), int(row["config"]["quota_total"]))
        except (KeyError, IndexError, TypeError, ValueError):
            return None


def _id(told: dict[str, Any]) -> str:
    """A number of theirs; an answer without one is none."""
    found = told.get("id")
    # It becomes a part of addresses.
    if not isinstance(found, str) or not _NUMBER.fullmatch(found):
        raise Lost("Instagram's answer names nothing.")
    return found


def _came(told: dict[str, Any]) -> int | None:
    """How many bytes of a clip are there; None where all of them are."""
    phases = told.get("video_status")
    sending = phases.get("uploading_phase") if isinstance(phases, dict) else None
    if not isinstance(sending, dict):
        return 0
    came = sending.get("bytes_transferred")
    # Left away as long as nothing came.
    return None if sending.get("status") == "complete" else came if isinstance(came, int) and came > 0 else 0


def _seen(row: dict[str, Any]) -> Seen:
    kind = _KINDS.get(str(row.get("media_product_type")), "")
    if kind == "image" and row.get("media_type") == "CAROUSEL_ALBUM":
        kind = "carousel"
    try:
        at = datetime.strptime(str(row.get("timestamp")), "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        raise Lost("Instagram did not say when something was posted.") from None
    shown = "thumbnail_url" if row.get("media_type") == "VIDEO" else "media_url"
    return Seen(_id(row), str(row.get("caption") or ""), kind, at, str(row.get(shown) or ""))


def _after(told: dict[str, Any]) -> str | None:
    paging = told.get("paging")
    if not isinstance(paging, dict) or not paging.get("next"):
        return None
    cursors = paging.get("cursors")
    return str(cursors.get("after")) if isinstance(cursors, dict) and cursors.get("after") else None


def _subcode(words: str) -> int | None:
    """The status of a container that went wrong carries its subcode somewhere in its words."""
    digits = "".join(each if each.isdigit() else " " for each in words).split()
    return next((number(int(each)) for each in digits if each.startswith("2207") and len(each) == 7), None)
