"""A Graph API of Instagram for tests: real HTTP, a scaled clock, faults from a seed, and a ledger of the truth.

Written from the facts page alone. Everything is on one port; a host's name may stand before the path (`instagram_url`,
`facebook_url`, `rupload_url`), and then only tokens of its login are good there. The version may be left out.

| method and path | call | what it is |
|---|---|---|
| POST /{v}/{ig}/media | create | a container |
| GET /{v}/{container}?fields= | status | status_code, status, video_status |
| POST /ig-api-upload/{v}/{container} | upload | a video's bytes, from `offset` on |
| POST /{v}/{ig}/media_publish?creation_id= | publish | a post of a container |
| GET /{v}/{ig}/content_publishing_limit | limit | quota_usage, config; Facebook login |
| GET /{v}/{ig}/media, GET /{v}/{ig}/stories | posts, stories | posts, newest first, by pages |
| GET /{v}/{media}?fields= | media | one post |
| GET, POST /{v}/{media}/comments | comments, comment | what is said under it |
| GET /{v}/{media}/insights?metric= | insights | numbers, as far as there are any |
| GET /{v}/{ig}, /{v}/me, /{v}/me/accounts | account, account, pages | whose token it is |
| GET, POST /oauth/access_token | exchange | a code → 1 h; fb_exchange_token |
| GET /access_token, GET /refresh_access_token | exchange, refresh | ig_exchange_token, ig_refresh_token |
| GET /cdn/{name} | cdn | what media_url and thumbnail_url point to |

`with Graph(seed=1) as graph:` starts one in a thread; `graph.truth` makes accounts and tokens and holds what really
happened, `graph.faults` says what goes wrong, `graph.on_call` is told of every request before it is handled, after it
was handled and after its answer was written.
"""

import asyncio
import json
import random
import re
from collections.abc import Callable
from typing import Any

from tests.studio.publishing.graph_calls import Calls
from tests.studio.publishing.graph_clock import MINUTE, Clock
from tests.studio.publishing.graph_desk import Asked, Options, sent
from tests.studio.publishing.graph_echoes import Audience
from tests.studio.publishing.graph_errors import WAITS, Refusal
from tests.studio.publishing.graph_faults import STATUSES, Faults, Plan
from tests.studio.publishing.graph_truth import FACEBOOK, INSTAGRAM, Truth
from tests.studio.publishing.graph_wire import Answer, Request, Server, Unreadable, told

# Called in the server's thread with the call's name, the phase (before, handled, answered) and the request.
Hook = Callable[[str, str, Request], None]
HOSTS = {"graph.instagram.com": INSTAGRAM, "graph.facebook.com": FACEBOOK, "rupload.facebook.com": ""}
_VERSION = re.compile(r"v\d+\.\d+$")
_EDGES = {
    ("POST", "media"): "create",
    ("GET", "media"): "posts",
    ("GET", "stories"): "stories",
    ("POST", "media_publish"): "publish",
    ("GET", "content_publishing_limit"): "limit",
    ("GET", "comments"): "comments",
    ("POST", "comments"): "comment",
    ("GET", "insights"): "insights",
    ("GET", "accounts"): "pages",
}
_TOKENS = {
    ("GET", "access_token"): "exchange",
    ("GET", "oauth/access_token"): "exchange",
    ("POST", "oauth/access_token"): "exchange",
    ("GET", "refresh_access_token"): "refresh",
}


class Graph(Server):
    """Both hosts, on one port."""

    def __init__(
        self,
        seed: int = 0,
        clock: Clock | None = None,
        options: Options | None = None,
        audience: Audience | None = None,
    ) -> None:
        super().__init__()
        self.clock = clock or Clock()
        self.truth = Truth(self.clock)
        self.faults = Faults(seed)
        self.options = options or Options()
        self.on_call: Hook | None = None
        self._calls = Calls(self.truth, self.faults, self.options, seed)
        self._calls.audience = audience
        self._calls.begin = self.begin
        self._traces = random.Random(seed)

    def __enter__(self) -> "Graph":
        self.start()
        return self

    def start(self) -> str:
        self._calls.url = super().start()
        return self.url

    async def close(self) -> None:
        await super().close()
        await self._calls.close()

    @property
    def instagram_url(self) -> str:
        return f"{self.url}/graph.instagram.com"

    @property
    def facebook_url(self) -> str:
        return f"{self.url}/graph.facebook.com"

    @property
    def rupload_url(self) -> str:
        return f"{self.url}/rupload.facebook.com"

    async def answer(self, request: Request) -> Answer:
        login, parts = _address(request.path)
        request.call = self._name(request.method, parts)
        self._tell("before", request)
        plan = self.faults.plan(request.call)
        request.line = self.truth.note(request.call, parts[0] if parts else "")
        asked = Asked(request, parts, login, plan, request.line)
        asked.line.fault = " ".join(each for each in (plan.before, plan.after, plan.dies, "twice" * plan.twice) if each)
        answer = await self._before(asked)
        if answer is None:
            answer = await self._delivered(asked)
            self._tell("handled", request)
            answer = await self._after(plan, answer)
        return answer

    def answered(self, request: Request, answer: Answer) -> None:
        request.line.answered = answer.status
        self._tell("answered", request)

    def cut_short(self, request: Request) -> None:
        _, parts = _address(request.path)
        if self._name(request.method, parts) == "upload":
            self._calls.broken_off(parts[-1], request)

    def _tell(self, phase: str, request: Request) -> None:
        if self.on_call:
            self.on_call(request.call, phase, request)

    def _name(self, method: str, parts: list[str]) -> str:
        """What a request is, by its address."""
        path = "/".join(parts)
        if (method, path) in _TOKENS:
            return _TOKENS[method, path]
        if method == "POST" and parts[:1] == ["ig-api-upload"] and len(parts) in {2, 3}:
            return "upload"
        if method == "GET" and len(parts) == 1:
            return self._thing(parts[0])
        if method == "GET" and parts[:1] == ["cdn"] and len(parts) == 2:
            return "cdn"
        return _EDGES.get((method, parts[1]), "unknown") if len(parts) == 2 else "unknown"

    def _thing(self, name: str) -> str:
        if name == "me" or name in self.truth.accounts:
            return "account"
        if name in self.truth.containers:
            return "status"
        return "media" if name in self.truth.posts else "read"

    async def _before(self, asked: Asked) -> Answer | None:
        """What comes instead of handling, if anything."""
        what = asked.plan.before
        if what == "stuck":
            await asyncio.sleep(self.faults.delay)
        if what in {"", "stuck"}:
            return None
        if what == "cut":
            asked.request.body = asked.request.body[: len(asked.request.body) // 2]
            self._calls.broken_off(asked.parts[-1], asked.request)
        if what in {"reset", "cut"}:
            return Answer(None)
        return _broken(what) if what in STATUSES else self._refused(self._told_to_wait(asked, Refusal(what)))

    def _told_to_wait(self, asked: Asked, refusal: Refusal) -> Refusal:
        """An account that has to wait is told so until the time has passed."""
        token = self.truth.tokens.get(sent(asked.request))
        if token and self.faults.rest and refusal.code in WAITS and not refusal.subcode:
            token.account.rests = self.clock.now() + self.faults.rest * MINUTE, refusal.name
            refusal.minutes = self.faults.rest
        return refusal

    async def _delivered(self, asked: Asked) -> Answer:
        answers = [await self._handled(asked) for _ in range(2 if asked.plan.twice else 1)]
        return answers[-1] if asked.plan.second else answers[0]

    async def _handled(self, asked: Asked) -> Answer:
        try:
            found = await getattr(self._calls, asked.request.call)(asked)
        except Unreadable:
            return self._refused(Refusal("100", "The body is not what its header says"))
        except Refusal as refusal:
            asked.line.outcomes.append(refusal.name)
            return self._refused(refusal)
        asked.line.outcomes.append("ok")
        return found if isinstance(found, Answer) else told(found)

    async def _after(self, plan: Plan, answer: Answer) -> Answer:
        """What comes instead of the answer, if anything."""
        if plan.after == "late":
            await asyncio.sleep(self.faults.delay)
        if plan.after in {"", "late"}:
            return answer
        if plan.after in {"lost", "hung"}:
            return Answer(None, silence=self.faults.silence if plan.after == "hung" else 0.0)
        return _broken(plan.after) if plan.after in STATUSES else self._refused(Refusal(plan.after))

    def _refused(self, refusal: Refusal) -> Answer:
        headers: dict[str, str] = {}
        if refusal.minutes is not None:
            usage: dict[str, Any] = {"type": "instagram", "call_count": 100, "total_cputime": 25, "total_time": 25}
            usage["estimated_time_to_regain_access"] = refusal.minutes
            headers["X-Business-Use-Case-Usage"] = json.dumps({"app": [usage]})
        return told(refusal.body(f"A{self._traces.getrandbits(64):016x}"), refusal.status, headers)


def _address(path: str) -> tuple[str, list[str]]:
    """Which login's host a path is for, and its parts without host and version."""
    parts = [part for part in path.split("/") if part]
    login = HOSTS[parts.pop(0)] if parts and parts[0] in HOSTS else ""
    return login, [part for index, part in enumerate(parts) if index > 1 or not _VERSION.match(part)]


def _broken(status: str) -> Answer:
    """As a proxy says it, not the API."""
    return Answer(int(status), f"<html><body>{status}</body></html>".encode(), "text/html; charset=utf-8")


__all__ = ["Clock", "Graph", "Options", "Plan"]
