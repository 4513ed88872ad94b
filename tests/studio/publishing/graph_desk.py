"""What every call needs: who asks, what for, how strict and how slow the server is."""

import math
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import httpx

from tests.studio.publishing.graph_clock import MINUTE, said
from tests.studio.publishing.graph_errors import Refusal
from tests.studio.publishing.graph_faults import Faults, Plan
from tests.studio.publishing.graph_truth import PERMISSIONS, Account, Call, Token, Truth
from tests.studio.publishing.graph_wire import Request


@dataclass
class Options:
    """How strict the server is, and how slow."""

    # Fetch what addresses are given and look into it and into uploads.
    check_files: bool = True
    # Real seconds for a fetch.
    patience: float = 5.0
    # Scaled seconds of processing, half of it to one and a half times.
    image_delay: float = 5.0
    video_delay: float = 60.0
    # A container published again within so many scaled seconds makes a second post. Never so by default.
    doubles: bool = False
    doubles_within: float = 60.0
    # content_publishing_limit is documented for graph.facebook.com alone.
    limit_on_instagram: bool = False
    # Stories have a list of their own, which the facts page does not name.
    stories_in_media: bool = False
    app_id: str = "app"
    app_secret: str = "app-secret"


@dataclass
class Asked:
    """One delivery of a request, with all that its handling needs."""

    request: Request
    # The address without host and version.
    parts: list[str]
    # Of the host that was called; none where it does not say.
    login: str
    plan: Plan
    line: Call

    @property
    def params(self) -> dict[str, str]:
        return self.request.params

    @property
    def limit(self) -> int:
        """How many rows a page has."""
        wanted = self.params.get("limit", "25")
        if not wanted.isdecimal():
            raise Refusal("100", "The parameter limit is a number")
        return min(int(wanted), 100)

    @property
    def fields(self) -> list[str]:
        return [name for name in self.params.get("fields", "id").split(",") if name]


class Desk:
    """Where a request is received; its subclasses each handle some of the calls."""

    def __init__(self, truth: Truth, faults: Faults, options: Options, seed: int) -> None:
        self.truth = truth
        self.faults = faults
        self.options = options
        self.seed = seed
        # The server's own address, and its way to let something go on beside; known when it listens.
        self.url = ""
        self.begin: Callable[[Coroutine[Any, Any, None]], None] = lambda work: work.close()
        self.chance = random.Random(seed)
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        if self._client:
            await self._client.aclose()

    @property
    def now(self) -> float:
        return self.truth.clock.now()

    def fetcher(self) -> httpx.AsyncClient:
        """With it the server fetches what it is given the address of."""
        if self._client is None:
            # Tests serve plain HTTP, and to read whom to trust takes long.
            self._client = httpx.AsyncClient(
                timeout=self.options.patience, follow_redirects=True, trust_env=False, verify=False
            )
        return self._client

    def allowed(self, asked: Asked, need: str, text: str = "") -> Account:
        """Whose valid token was sent, or is this one, with the permission for it."""
        token = self.known(asked, text)
        if token.revoked:
            raise Refusal("190/460", "Error validating access token: the session has been invalidated")
        if self.now >= token.ends:
            raise Refusal("190/463", f"Error validating access token: Session has expired on {said(token.ends)}")
        if not PERMISSIONS[token.account.login][need] <= token.permissions:
            raise Refusal("10")
        asked.line.account = token.account.id
        self._rested(token.account)
        return token.account

    def known(self, asked: Asked, text: str = "") -> Token:
        """The token that was sent, or this one, at the host where it is known."""
        token = self.truth.tokens.get(text or sent(asked.request))
        if token is None or asked.login not in {"", token.account.login}:
            raise Refusal("190", "Invalid OAuth access token - Cannot parse access token")
        return token

    def _rested(self, account: Account) -> None:
        until, why = account.rests
        if self.now < until:
            raise Refusal(why, minutes=math.ceil((until - self.now) / MINUTE))

    def owned(self, asked: Asked, need: str) -> Account:
        """As `allowed`, and the address is that account's."""
        account = self.allowed(asked, need)
        if asked.parts[0] not in {account.id, "me"}:
            raise Refusal("10" if asked.parts[0] in self.truth.accounts else "100/33")
        return account


def sent(request: Request) -> str:
    """The text of the token that came with a request."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    return text if scheme in {"Bearer", "OAuth"} else request.params.get("access_token", "")


def chosen(known: dict[str, Any], fields: list[str], name: str = "") -> dict[str, Any]:
    """The fields that were asked for, without those that have no value, and the id."""
    for field in fields:
        if field not in known:
            raise Refusal("100", f"Tried accessing nonexisting field ({field})")
    chosen = {field: known[field] for field in fields if known[field] is not None}
    return chosen | {"id": name} if name else chosen
