"""The calls that publish, and that read what was published."""

import base64
from bisect import bisect_left
from collections.abc import Callable
from typing import Any

import httpx

from tests.studio.publishing.graph_clock import DAY, said
from tests.studio.publishing.graph_desk import Asked, Desk, chosen
from tests.studio.publishing.graph_errors import Refusal
from tests.studio.publishing.graph_files import reencoded
from tests.studio.publishing.graph_truth import FACEBOOK, INSTAGRAM, Container, Post
from tests.studio.publishing.graph_wire import Answer

# What publishing a published container answers; the page does not say which, and none may lead to a new post.
_ALREADY = ("2207006", "2207008", "2207032", "2207053")


class Posts(Desk):
    """What is live, or becomes so."""

    async def publish(self, asked: Asked) -> dict[str, Any]:
        account = self.owned(asked, "publish")
        name = asked.params.get("creation_id", "")
        asked.line.about = name
        container = self.truth.containers.get(name)
        if container is None or container.account is not account:
            raise Refusal("2207006")
        asked.line.caption = container.params.get("caption", "")
        self._publishable(container)
        if account.restricted:
            raise Refusal("2207050")
        if account.used(self.now) >= account.posts_a_day:
            raise Refusal("9/2207042")
        return {"id": self._live(asked, container).id}

    def _publishable(self, container: Container) -> None:
        status = container.status(self.now)
        if container.kind == "child":
            raise Refusal("2207028", "An item of a carousel is not published by itself")
        if status == "EXPIRED":
            raise Refusal("2207020")
        if status == "IN_PROGRESS":
            raise Refusal("2207027")
        if status == "ERROR":
            raise Refusal(container.failure)
        if status == "PUBLISHED" and not self._doubled(container):
            raise Refusal(self.chance.choice(_ALREADY))

    def _doubled(self, container: Container) -> bool:
        since = self.now - (container.published or 0)
        return self.options.doubles and since <= self.options.doubles_within

    def _live(self, asked: Asked, container: Container) -> Post:
        dies = asked.plan.dies
        late = self.chance.uniform(0, self.faults.late_most) if dies else 0.0
        post = self.truth.publish(container, self.now + late)
        asked.line.made.append(post.id)
        container.published = container.published or self.now
        if dies:
            container.died, container.failure = True, dies
            raise Refusal(dies)
        return post

    async def limit(self, asked: Asked) -> dict[str, Any]:
        account = self.owned(asked, "publish")
        login = asked.login or account.login
        if login == INSTAGRAM and not self.options.limit_on_instagram:
            raise Refusal("100", "Tried accessing nonexisting field (content_publishing_limit)")
        config = {"quota_total": account.posts_a_day, "quota_duration": int(DAY)}
        known: dict[str, Any] = {"quota_usage": account.used(self.now), "config": config}
        fields = asked.fields if "fields" in asked.params else ["quota_usage"]
        return {"data": [chosen(known, fields)]}

    async def account(self, asked: Asked) -> dict[str, Any]:
        account = self.owned(asked, "basic")
        known: dict[str, Any] = {
            "id": account.id,
            "user_id": account.id,
            "username": account.username,
            "name": account.username,
        }
        known |= {"account_type": "BUSINESS", "media_count": account.live_until(self.now)}
        return chosen(known, asked.fields, account.id)

    async def pages(self, asked: Asked) -> dict[str, Any]:
        """The Facebook page that an account hangs on."""
        account = self.allowed(asked, "basic")
        if account.login != FACEBOOK:
            raise Refusal("100", "Tried accessing nonexisting field (accounts)")
        page = {"id": f"1{account.id}", "name": account.username, "instagram_business_account": {"id": account.id}}
        return {"data": [page]}

    async def posts(self, asked: Asked) -> dict[str, Any]:
        return self._page(asked, lambda post: self.options.stories_in_media or post.product != "STORY")

    async def stories(self, asked: Asked) -> dict[str, Any]:
        yesterday = self.now - DAY
        return self._page(asked, lambda post: post.product == "STORY" and post.live > yesterday)

    def _page(self, asked: Asked, wanted: Callable[[Post], bool]) -> dict[str, Any]:
        """Newest first, so many a page."""
        account = self.owned(asked, "basic")
        posts = account.posts
        index = account.live_until(self.now - asked.plan.stale)
        if "after" in asked.params:
            index = min(index, bisect_left(posts, self._last(asked).sort, key=lambda post: post.sort))
        found: list[Post] = []
        while index and len(found) <= asked.limit:
            index -= 1
            if wanted(posts[index]):
                found.append(posts[index])
        return self._paged(asked, found)

    def _last(self, asked: Asked) -> Post:
        """Of the page before."""
        try:
            return self.truth.posts[base64.urlsafe_b64decode(asked.params["after"]).decode()]
        except (KeyError, ValueError):
            raise Refusal("100", "The parameter after is no cursor") from None

    def _paged(self, asked: Asked, found: list[Post]) -> dict[str, Any]:
        more, found = len(found) > asked.limit, found[: asked.limit]
        answer: dict[str, Any] = {"data": [chosen(self._shown(post), asked.fields, post.id) for post in found]}
        if found:
            before, after = (base64.urlsafe_b64encode(post.id.encode()).decode() for post in (found[0], found[-1]))
            answer["paging"] = {"cursors": {"before": before, "after": after}}
            if more:
                params = asked.params | {"after": after}
                answer["paging"]["next"] = f"{self.url}{asked.request.path}?{httpx.QueryParams(params)}"
        return answer

    async def media(self, asked: Asked) -> dict[str, Any]:
        """One post."""
        post = self.post(asked, "basic")
        return chosen(self._shown(post), asked.fields, post.id)

    def post(self, asked: Asked, need: str) -> Post:
        account = self.allowed(asked, need)
        post = self.truth.posts.get(asked.parts[0])
        if post is None or post.account is not account or self.now - asked.plan.stale < post.live:
            raise Refusal("100/33")
        return post

    def _shown(self, post: Post) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": post.id,
            "media_type": post.kind,
            "media_product_type": post.product,
            "timestamp": said(post.live),
            "permalink": (post.parent or post).permalink,
            "shortcode": (post.parent or post).shortcode,
            "username": post.account.username,
            "media_url": self._media_url(post),
            "caption": post.caption or None,
            "alt_text": post.container.params.get("alt_text"),
            "comments_count": len(post.comments),
            "is_ai_generated": post.container.params.get("is_ai_generated", "false") == "true",
            "children": {"data": [{"id": child.id} for child in post.children]} if post.children else None,
            "thumbnail_url": self._cdn(post.container.cover, "jpg") if post.container.cover else None,
        }
        return shown

    def _media_url(self, post: Post) -> str:
        part = post.container.parts[0]
        if part.media:
            return self._cdn(part.media, "mp4" if part.video else "jpg")
        return part.params.get("image_url") or part.params.get("video_url") or ""

    def _cdn(self, digest: str, ending: str) -> str:
        return f"{self.url}/cdn/{digest}.{ending}"

    async def cdn(self, asked: Asked) -> Answer:
        digest, _, ending = asked.parts[1].partition(".")
        if digest not in self.truth.files:
            return Answer(404, kind="text/plain")
        data = self.truth.files[digest]
        if ending == "mp4":
            return Answer(200, data, "video/mp4")
        return Answer(200, reencoded(data), "image/jpeg")
