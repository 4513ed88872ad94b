"""Captions by any server that speaks OpenAI's protocol: Ollama, llama.cpp, vLLM, LM Studio, or one on the internet."""

import base64
import io
import ipaddress
import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from zoetrope.errors import UserError

if TYPE_CHECKING:
    import httpx
    from PIL.Image import Image

SIDE = 1024
"""The longest side that is sent: models look at no more."""

_ANSWER_BYTES = 2**20
_BUSY = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
_KEY, _OPENAI_KEY = "ZOETROPE_CAPTION_KEY", "OPENAI_API_KEY"


@dataclass(frozen=True)
class Patience:
    """How long a server may take: a whole answer, a connection, how often it is asked, the pauses between (seconds)."""

    answer: float = 180.0
    connect: float = 10.0
    tries: int = 5
    pause: float = 1.0
    longest_pause: float = 60.0


class _Again(Exception):
    """Worth another try, after so many seconds if the server said how many."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


class ServerCaptioner:
    """Asks for one picture at a time, again with growing pauses where the server is busy."""

    def __init__(
        self,
        url: str,
        model: str | None = None,
        patience: Patience | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._patience = patience or Patience()
        self._wait = wait
        self._host = _host(url)
        self._url = url.rstrip("/").removesuffix("/chat/completions")
        self._key = key_for(url)
        self._client = _client(url, self._patience, self._key)
        self._model = model or self._only_model()
        self.name = f"model {self._model}"

    def describe(self, picture: "Image", instruction: str) -> str:
        """The model's answer to the instruction and the picture."""
        content: list[dict[str, Any]] = [
            {"type": "text", "text": instruction},
            {"type": "image_url", "image_url": {"url": data_url(picture)}},
        ]
        # Only what every such server knows: some refuse a temperature, others a limit by its older name.
        said = self._ask("POST", "/chat/completions", {"model": self._model, "messages": [_user(content)]})
        try:
            words = said["choices"][0]["message"].get("content") or ""
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise UserError(f"{self._host} did not answer as an OpenAI-compatible server does.") from error
        return words if isinstance(words, str) else ""

    def _only_model(self) -> str:
        """The server's model where it has one; several are a choice for a person."""
        said = self._ask("GET", "/models", None).get("data")
        found = [str(each.get("id")) for each in said if isinstance(each, dict)] if isinstance(said, list) else []
        if len(found) == 1:
            return found[0]
        known = f"it has {', '.join(found[:8])}" if found else "it names none itself"
        raise UserError(f"Say which model of {self._host} is to look, with --model NAME: {known}.")

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        """One answer, after as many tries as patience allows."""
        for attempt in range(self._patience.tries):
            try:
                return self._once(method, path, body)
            except _Again as again:
                reason = str(again)
                if attempt + 1 < self._patience.tries:
                    pause = self._patience.pause * 2**attempt if again.after is None else again.after
                    self._wait(min(pause, self._patience.longest_pause))
        raise UserError(f"{self._host} gave no caption in {self._patience.tries} tries ({reason}); try again later.")

    def _once(self, method: str, path: str, body: Mapping[str, Any] | None) -> dict[str, Any]:
        import httpx

        try:
            with self._client.stream(method, self._url + path, json=body) as response:
                data = self._read(response)
                self._judge(response, data)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise UserError(f"{self._host} cannot be reached ({_said(error)}): is the server running there?") from error
        except httpx.TimeoutException as error:
            raise _Again(f"no answer within {self._patience.answer:g} s") from error
        except httpx.HTTPError as error:
            raise _Again(f"the connection broke off: {_said(error)}") from error
        except httpx.InvalidURL as error:
            raise UserError(f"{self._url!r} is not an address ({_said(error)}).") from error
        return self._parsed(data)

    def _read(self, response: "httpx.Response") -> bytes:
        """The whole answer; a server that trickles or never ends is not waited for."""
        deadline = time.monotonic() + self._patience.answer
        data = bytearray()
        for piece in response.iter_bytes():
            data += piece
            if len(data) > _ANSWER_BYTES:
                raise UserError(f"{self._host} answered with more than {_ANSWER_BYTES:,} bytes, which is no caption.")
            if time.monotonic() > deadline:
                raise _Again(f"no answer within {self._patience.answer:g} s")
        return bytes(data)

    def _judge(self, response: "httpx.Response", data: bytes) -> None:
        code = response.status_code
        if code in _BUSY:
            raise _Again(f"it answered {code}", _seconds(response.headers.get("retry-after")))
        if code in (401, 403):
            raise UserError(f"{self._host} refused the request ({code}): {self._about_keys()}")
        if code == 404:
            raise UserError(
                f"{self._host} knows no such address or model (404): check the address, which often ends in /v1, "
                "and --model."
            )
        if not 200 <= code < 300:
            raise UserError(f"{self._host} answered {code}{self._complaint(data)}.")

    def _about_keys(self) -> str:
        if self._key:
            return "the key that was sent is not accepted there."
        return f"no key was sent; put one into {_KEY}, for a server here or one with an https address."

    def _complaint(self, data: bytes) -> str:
        """The server's own words, short, and never with the key that it may repeat."""
        try:
            said = json.loads(data)["error"]
            words = said["message"] if isinstance(said, dict) else said
        except (ValueError, KeyError, TypeError, RecursionError):
            return ""
        shown = " ".join(str(words).split())
        if self._key:
            shown = shown.replace(self._key, "…")
        return f": {shown[:200]}"

    def _parsed(self, data: bytes) -> dict[str, Any]:
        try:
            said = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{self._host} answered with something that is not JSON: is this its API?") from error
        if not isinstance(said, dict):
            raise UserError(f"{self._host} did not answer as an OpenAI-compatible server does.")
        return said


def data_url(picture: "Image") -> str:
    """The picture alone, small enough, as text: PNG or JPEG, whichever is shorter, without metadata."""
    from PIL import Image

    small = picture.convert("RGB")
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    small.info = {}
    kinds = {"png": _encoded(small, "PNG"), "jpeg": _encoded(small, "JPEG", quality=90)}
    kind, data = min(kinds.items(), key=lambda pair: len(pair[1]))
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _encoded(image: "Image", kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _user(content: list[dict[str, Any]]) -> dict[str, Any]:
    return {"role": "user", "content": content}


def _client(url: str, patience: Patience, key: str) -> "httpx.Client":
    try:
        import httpx
    except ImportError as error:
        raise UserError("--by with a server's address needs httpx: pip install 'zoetrope[captions]'.") from error
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    timeout = httpx.Timeout(patience.answer, connect=patience.connect)
    # A proxy for the internet would look for this machine's own server on itself.
    return httpx.Client(headers=headers, timeout=timeout, trust_env=not _is_here(url))


def key_for(url: str) -> str:
    """The key from the environment, as far as it may go to this server.

    OpenAI's key goes to OpenAI and to this machine alone: any other server would only learn it. No key travels
    unencrypted.
    """
    if not (url.startswith("https://") or _is_here(url)):
        return ""
    name = urlsplit(url).hostname or ""
    openai = name == "api.openai.com" or name.endswith(".api.openai.com") or _is_here(url)
    key = os.environ.get(_KEY) or (os.environ.get(_OPENAI_KEY) if openai else "") or ""
    key = key.strip()
    if not key.isascii() or not key.isprintable():
        raise UserError(f"The key in {_KEY} or {_OPENAI_KEY} has characters that no key has; copy it again.")
    return key


def _host(url: str) -> str:
    """The part of an address that may be shown: a path or a query might hold a secret."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError as error:
        raise UserError("This is not a server's address; it looks like http://localhost:11434/v1.") from error
    if not parts.hostname:
        raise UserError("This address names no server; it looks like http://localhost:11434/v1.")
    if parts.username or parts.password or parts.query:
        raise UserError(f"A key does not belong into the address, where it would be shown: put it into {_KEY}.")
    return f"{parts.scheme}://{parts.hostname}{port}"


def _is_here(url: str) -> bool:
    name = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"


def _seconds(text: str | None) -> float | None:
    """What `Retry-After` says in seconds; a date is left to our own pauses."""
    return float(text) if text and text.isascii() and text.isdigit() else None


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
