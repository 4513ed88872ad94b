"""The calls about a post that is live: comments and insights."""

import math
import random
from collections.abc import Callable
from typing import Any

from tests.studio.publishing.graph_clock import HOUR, said
from tests.studio.publishing.graph_desk import Asked, chosen
from tests.studio.publishing.graph_errors import Refusal
from tests.studio.publishing.graph_posts import Posts
from tests.studio.publishing.graph_truth import Comment, Post

_METRICS = {
    "reach",
    "views",
    "likes",
    "comments",
    "saved",
    "shares",
    "follows",
    "profile_visits",
    "total_interactions",
}
_REEL_METRICS = _METRICS | {"ig_reels_avg_watch_time"}
_SUMMED = ("likes", "comments", "saved", "shares")
# A metric of a post, its hours since it was published: a number, or none while there is none.
Audience = Callable[[Post, str, float], float | None]


class Echoes(Posts):
    """What comes back from those who saw a post."""

    # A test's own audience, if it has one.
    audience: Audience | None = None

    async def comment(self, asked: Asked) -> dict[str, Any]:
        post = self.post(asked, "basic")
        text = asked.params.get("message", "")
        if not text or post.product == "STORY":
            raise Refusal("100", "The parameter message is required, and a story has no comments")
        made = self.truth.comment(post, text)
        asked.line.made.append(made.id)
        return {"id": made.id}

    async def comments(self, asked: Asked) -> dict[str, Any]:
        post = self.post(asked, "basic")
        at = self.now - asked.plan.stale
        there = [comment for comment in reversed(post.comments) if comment.at <= at]
        return {"data": [chosen(_commented(comment), asked.fields, comment.id) for comment in there]}

    async def insights(self, asked: Asked) -> dict[str, Any]:
        post = self.post(asked, "insights")
        known = _REEL_METRICS if post.product == "REELS" else _METRICS
        wanted = [name for name in asked.params.get("metric", "").split(",") if name]
        if not wanted or not known.issuperset(wanted):
            wrong = next((name for name in wanted if name not in known), "")
            raise Refusal("100", f"metric must be one of {', '.join(sorted(known))}; not {wrong}")
        hours = (self.now - asked.plan.stale - post.live) / HOUR
        return {"data": [row for name in wanted if (row := self._metric(post, name, hours))]}

    def _metric(self, post: Post, name: str, hours: float) -> dict[str, Any] | None:
        """Left out while there is no number: that is not 0."""
        value = (self.audience or self._usual)(post, name, hours)
        if value is None:
            return None
        about = {"period": "lifetime", "title": name.replace("_", " ").capitalize(), "description": ""}
        row = {"name": name, "values": [{"value": value}], "id": f"{post.id}/insights/{name}/lifetime"}
        return row | about

    def _usual(self, post: Post, name: str, hours: float) -> float | None:
        """Grows for days, and is there after a delay of up to 48 hours."""
        if name == "total_interactions":
            parts = [self._usual(post, each, hours) for each in _SUMMED]
            return None if None in parts else sum(each or 0 for each in parts)
        if name == "comments":
            return float(len(post.comments))
        chance = random.Random(f"{self.seed} {post.id} {name}")
        if hours < 48 * chance.random() ** 3:
            return None
        return int(chance.lognormvariate(5, 1) * (1 - math.exp(-hours / 24)))


def _commented(comment: Comment) -> dict[str, Any]:
    username = comment.post.account.username
    return {"id": comment.id, "text": comment.text, "timestamp": said(comment.at), "username": username}
