"""One account's calls: bounded, without redirects, secrets in no sentence; what is not an answer is `Lost`."""

import json
import logging
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from zoetrope.studio.publishing.channels.instagram.errors import do_of, hushed, number, sentence
from zoetrope.studio.publishing.channels.seam import Lost, Refused

HOSTS = {"instagram": "https://graph.instagram.com", "facebook": "https://graph.facebook.com"}
UPLOADS = "https://rupload.facebook.com"
# Where a login's code is handed in, if not at the host itself.
_CODES = {HOSTS["instagram"]: "https://api.instagram.com"}
_MOST = 4 * 2**20
_A_PART = 2**20
# An exchange may take so many times as long as one read.
_PATIENCE, _AN_HOUR = 3, 3600.0
_USAGE = "X-Business-Use-Case-Usage"


class Client:
    """Speaks for one account."""

    def __init__(
        self,
        token: str,
        version: str,
        base: str = HOSTS["instagram"],
        uploads: str = UPLOADS,
        timeout: float = 20.0,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._base, self._uploads, self._version, self._token = base, uploads, version, token
        # It would write whole addresses down: what is signed, and those few that hold a secret.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._headers = {"User-Agent": "zoetrope", "Accept-Encoding": "identity", **(headers or {})}
        self._timeout = timeout
        self._http = self._opened()

    def _opened(self) -> httpx.Client:
        about: dict[str, Any] = {"headers": self._headers, "timeout": self._timeout, "verify": _trusted()}
        return httpx.Client(**about, follow_redirects=False, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **asked: Any) -> dict[str, Any]:
        """Read something."""
        return self._answer("GET", f"{self._base}/{self._version}/{path}", self._bearer(), params=_said(asked))

    def post(self, path: str, **said: Any) -> dict[str, Any]:
        """Have something done. It may have been done although `Lost` is raised."""
        return self._answer("POST", f"{self._base}/{self._version}/{path}", self._bearer(), data=_said(said))

    def renew(self, path: str, *, secret: str = "", **asked: Any) -> dict[str, Any]:
        """Another token for this one. These calls have no version and are documented with the token as a parameter."""
        said = _said(asked | {"client_secret": secret or None, "access_token": self._token})
        return self._answer("GET", f"{self._base}/{path}", {}, hidden=(secret,), params=said)

    def redeem(self, path: str, *, hidden: Sequence[str], **said: Any) -> dict[str, Any]:
        """Hand in what a login gave; none of what is hidden is ever said again."""
        where = f"{_CODES.get(self._base, self._base)}/{path}"
        return self._answer("POST", where, {}, hidden=hidden, data=_said(said))

    def upload(
        self, container: str, file: Path, offset: int = 0, alive: Callable[[], None] = lambda: None
    ) -> dict[str, Any]:
        """Send a video's bytes, from where the last try ended; `alive` is called for each part of them."""
        where, size = f"{self._uploads}/ig-api-upload/{self._version}/{container}", file.stat().st_size
        headers = {"Authorization": f"OAuth {self._token}", "offset": str(offset), "file_size": str(size)}
        headers |= {"Content-Length": str(size - offset), "Content-Type": "application/octet-stream"}
        return self._answer("POST", where, headers, longest=_AN_HOUR, content=_read_from(file, offset, alive))

    def fetch(self, address: str, most: int) -> bytes:
        """A picture as the account shows it; the token does not travel there."""
        with self._lost(), self._ending(), self._http.stream("GET", address) as response:
            if response.status_code != 200:
                raise Lost(f"The picture was answered with {response.status_code}.")
            return _read(response, most)

    def hushed(self, text: str) -> str:
        """What the other end says, without the token."""
        return hushed(text, (self._token,))

    def _bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _answer(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        hidden: Sequence[str] = (),
        longest: float = 0,
        **rest: Any,
    ) -> dict[str, Any]:
        with self._lost(), self._ending(longest), self._http.stream(method, url, headers=headers, **rest) as response:
            told = _parsed(_read(response, _MOST))
            status, usage = response.status_code, response.headers.get(_USAGE, "")
        error = _error(told)
        if error is not None:
            self._refuse(status, error, usage, (self._token, *hidden))
        if status != 200:
            raise Lost(f"Instagram answered {status} without saying why.")
        return told

    def _refuse(self, status: int, error: Mapping[str, Any], usage: str, hidden: Sequence[str]) -> None:
        code, subcode = number(error.get("code")), number(error.get("error_subcode"))
        do = do_of(status, code, subcode)
        # It may repeat what it was sent.
        raise Refused(sentence(error, hidden), do, status, code, subcode, _rest(usage))

    @contextmanager
    def _ending(self, longest: float = 0) -> Iterator[None]:
        """Each read has a time limit of its own, which what trickles in never reaches: a closed connection ends it."""
        over = threading.Timer(longest or _PATIENCE * self._timeout, self._http.close)
        over.daemon = True
        over.start()
        try:
            yield
        finally:
            over.cancel()
            if self._http.is_closed:
                self._http = self._opened()

    @contextmanager
    def _lost(self) -> Iterator[None]:
        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            # What httpx says may hold the address, and that what was asked.
            raise Lost(f"Instagram did not answer ({type(error).__name__}).") from None


def _read_from(file: Path, offset: int, alive: Callable[[], None]) -> Iterator[bytes]:
    with file.open("rb") as from_:
        from_.seek(offset)
        while part := from_.read(_A_PART):
            alive()
            yield part


def _error(told: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What stands in an answer's error; the hosts of logins say it without an envelope."""
    error = told.get("error")
    if isinstance(error, dict):
        return error
    return {"message": told["error_message"], "code": told.get("code")} if "error_message" in told else None


@cache
def _trusted() -> ssl.SSLContext:
    """Whose certificates count: reading them takes longer than most calls, so it is done once."""
    return httpx.create_ssl_context(trust_env=False)


def _said(said: Mapping[str, Any]) -> dict[str, str]:
    """As forms carry it."""
    plain = {True: "true", False: "false"}
    return {
        name: plain[value] if isinstance(value, bool) else str(value)
        for name, value in said.items()
        if value is not None
    }


def _read(response: httpx.Response, most: int) -> bytes:
    data = bytearray()
    for chunk in response.iter_bytes():
        data += chunk
        if len(data) > most:
            raise Lost("The answer is larger than any that was expected.")
    return bytes(data)


def _parsed(data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        raise Lost("The answer is no JSON.") from None
    if not isinstance(told, dict):
        raise Lost("The answer is not of the expected form.")
    return told


def _rest(usage: str) -> float | None:
    """Seconds for which the account is to be left alone, by the header that says minutes for each use."""
    try:
        told = json.loads(usage) if usage else {}
        minutes = [
            float(each["estimated_time_to_regain_access"])
            for uses in told.values()
            for each in uses
            if each.get("estimated_time_to_regain_access")
        ]
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
    return 60 * min(max(minutes), 24 * 60) if minutes else None
