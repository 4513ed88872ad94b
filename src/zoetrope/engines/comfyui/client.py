"""What is asked of a ComfyUI server, a request at a time: bounded, without redirects, by the number it was found at."""

import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from zoetrope.engines.comfyui.addresses import Address
from zoetrope.engines.comfyui.workflow import Graph
from zoetrope.engines.engine import EngineLost
from zoetrope.errors import UserError

_MOST_JSON = 32 * 2**20
# What a page asks for: a server that says more of itself is none.
_MOST_ABOUT = 2**20
_MOST_PICTURE = 64 * 2**20
_LONGEST_SENTENCE = 300
_LONGEST_ANSWER = 120.0
"""Of a picture that is sent or fetched, in seconds; all else is short."""
_PATIENCE = 3.0
"""So many times what a server may be silent for, an exchange may take: a byte now and then is no answer."""
_WORDS: Mapping[type, str] = {httpx.ConnectError: "nothing listens there", httpx.ReadError: "it broke off"}
_PICTURES = "zoetrope"
"""The folder of a server's own that pictures are sent to."""


class Unreachable(EngineLost):
    """The server did not answer, or not as one does that is well: what was asked may have happened or not."""


class Refused(UserError):
    """The server will not draw this, whoever asks again."""


@dataclass(frozen=True)
class Saved:
    """A picture that a server saved, by its own words."""

    filename: str
    subfolder: str
    type: str


@dataclass(frozen=True)
class Queue:
    """Whose work a server has, by prompt."""

    running: tuple[str, ...]
    pending: tuple[str, ...]


class Client:
    """One server. Never sends what would touch other people's work there: no `clear`, no interrupt without a name."""

    def __init__(self, address: Address, timeout: float = 10.0, longest: float | None = None) -> None:
        self.address, self._timeout = address, timeout
        self._longest = _PATIENCE * timeout if longest is None else longest
        self._http = self._opened()

    def _opened(self) -> httpx.Client:
        # Cookies, proxies and redirects would lead elsewhere than where somebody looked.
        return httpx.Client(
            base_url=self.address.base,
            # Packed, a small answer could be a huge one.
            headers={"Host": self.address.origin, "User-Agent": "zoetrope", "Accept-Encoding": "identity"},
            timeout=self._timeout,
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def submit(self, graph: Graph, prompt_id: str, client_id: str) -> None:
        """Have a graph drawn under this name. Sent twice it is drawn twice: look before asking again."""
        said = {"prompt": graph, "client_id": client_id, "prompt_id": prompt_id}
        status, told = self._json("POST", "/prompt", said)
        if status == 400:
            raise Refused(refusal(told, graph))
        if status != 200:
            raise Refused(f"ComfyUI at {self.address.url} answered {status} and drew nothing.")
        if told.get("prompt_id") != prompt_id:
            raise Refused(f"ComfyUI at {self.address.url} is too old: it does not let us name what it draws.")
        if told.get("node_errors"):
            # Some of its outputs would be drawn and some silently not.
            self.give_up(prompt_id)
            raise Refused(refusal(told, graph))

    def history(self, prompt_id: str) -> dict[str, Any] | None:
        """What became of a prompt, if the server knows."""
        told = self._asked("GET", f"/history/{prompt_id}")
        entry = told.get(prompt_id)
        return entry if isinstance(entry, dict) else None

    def queue(self) -> Queue:
        told = self._asked("GET", "/queue")
        return Queue(*(tuple(_ids(told.get(f"queue_{kind}"))) for kind in ("running", "pending")))

    def give_up(self, prompt_id: str) -> None:
        """Neither begin this prompt nor go on with it; others' are left alone."""
        self._json("POST", "/queue", {"delete": [prompt_id]})
        # A server of old that knows no names would stop whatever runs.
        if prompt_id in self.queue().running:
            self._json("POST", "/interrupt", {"prompt_id": prompt_id})

    def upload(self, name: str, data: bytes) -> str:
        """Send a picture; what nodes call it."""
        files = {"image": (name, data, "image/png")}
        folder = {"subfolder": _PICTURES, "overwrite": "1"}
        status, told = self._sent("POST", "/upload/image", longest=_LONGEST_ANSWER, files=files, data=folder)
        if status != 200:
            raise Refused(f"{self.address.host} did not take the picture before as an upload.")
        said = _object(told)
        where, file = str(said.get("subfolder") or ""), str(said.get("name") or name)
        return f"{where}/{file}" if where else file

    def view(self, saved: Saved) -> bytes:
        """The bytes of a picture that was saved there."""
        asked = {"filename": saved.filename, "subfolder": saved.subfolder, "type": saved.type}
        status, data = self._sent("GET", "/view", _MOST_PICTURE, _LONGEST_ANSWER, params=asked)
        if status != 200:
            raise Unreachable(f"{self.address.host} has lost the picture that it had drawn.")
        return data

    def loras(self) -> list[str]:
        """The LoRAs that it offers."""
        status, told = self._sent("GET", "/models/loras")
        names = _parsed(told) if status == 200 else []
        return [str(name) for name in names] if isinstance(names, list) else []

    def lora_words(self, name: str) -> dict[str, Any]:
        """What the header of one of its LoRAs says."""
        status, told = self._sent("GET", "/view_metadata/loras", params={"filename": name})
        found = _parsed(told) if status == 200 else None
        return found if isinstance(found, dict) else {}

    def kind(self, name: str) -> dict[str, Any] | None:
        """What a class of nodes takes and gives; none where the server has no such class."""
        found = self._asked("GET", f"/object_info/{quote(name, safe='')}").get(name)
        return found if isinstance(found, dict) else None

    def about(self) -> str:
        """Its version; whatever answers otherwise is no ComfyUI."""
        told = self._asked("GET", "/system_stats", _MOST_ABOUT)
        system = told.get("system")
        if not isinstance(system, dict) or "devices" not in told:
            raise Refused(f"What answers at {self.address.url} is no ComfyUI.")
        return one_line(str(system.get("comfyui_version") or "unknown"))[:40]

    def _asked(self, method: str, path: str, most: int | None = None) -> dict[str, Any]:
        status, told = self._json(method, path, most=most)
        if status != 200:
            raise Unreachable(f"{self.address.host} answered {status} where ComfyUI would not.")
        return told

    def _json(
        self, method: str, path: str, said: Mapping[str, Any] | None = None, most: int | None = None
    ) -> tuple[int, dict[str, Any]]:
        status, data = self._sent(method, path, most, json=said)
        return status, _object(data) if data.strip() else {}

    def _sent(
        self, method: str, path: str, most: int | None = None, longest: float | None = None, **said: Any
    ) -> tuple[int, bytes]:
        http = self._http
        # Each read has its own time limit; only a closed connection ends what trickles in.
        over = threading.Timer(longest or self._longest, http.close)
        over.daemon = True
        over.start()
        try:
            with http.stream(method, path, extensions=self._named(), **said) as answer:
                data = b"".join(_within(answer, most or _MOST_JSON))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            late = http.is_closed or isinstance(error, httpx.TimeoutException)
            why = "it took too long" if late else _WORDS.get(type(error), type(error).__name__)
            raise Unreachable(f"ComfyUI at {self.address.url} does not answer ({why}).") from error
        finally:
            over.cancel()
            if http.is_closed:
                self._http = self._opened()
        if answer.status_code >= 500 or answer.is_redirect:
            raise Unreachable(f"ComfyUI at {self.address.url} answered {answer.status_code}.")
        return answer.status_code, data

    def _named(self) -> dict[str, Any]:
        """A certificate is checked for the name that was typed, though the connection goes to a number."""
        return {"sni_hostname": self.address.host} if self.address.secure else {}


def _within(answer: httpx.Response, most: int) -> Iterator[bytes]:
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise Refused("A server's answer is packed, which was not asked for; it was not read.")
    there = 0
    for part in answer.iter_raw():
        there += len(part)
        if there > most:
            raise Refused(f"A server's answer is larger than {most:,} bytes; it was not read.")
        yield part


def _parsed(data: bytes) -> Any:
    try:
        found = json.loads(data)
        # Half a letter could be shown, kept and sent on by nobody.
        json.dumps(found, ensure_ascii=False).encode()
        return found
    except (ValueError, RecursionError):
        return None


def _object(data: bytes) -> dict[str, Any]:
    told = _parsed(data)
    if not isinstance(told, dict):
        raise Unreachable("A server's answer cannot be read.")
    return told


def _ids(rows: object) -> Iterator[str]:
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, list) and len(row) > 1:
            yield str(row[1])


def refusal(told: Mapping[str, Any], graph: Graph) -> str:
    """One sentence on what a server will not draw, at the node where it says so."""
    for name, node in _mapping(told.get("node_errors")).items():
        faults = _mapping(node).get("errors")
        fault = _mapping(faults[0]) if isinstance(faults, list) and faults else {}
        said = ": ".join(str(part) for part in (fault.get("message"), fault.get("details")) if part)
        return _short(f"ComfyUI refuses node {called(graph, str(name))}: {said or 'it does not say why'}.")
    error = told.get("error")
    fault = _mapping(error)
    said = " ".join(str(part) for part in (fault.get("message"), fault.get("details")) if part) or str(error or "")
    return _short(f"ComfyUI refuses this workflow: {said or 'it does not say why'}.")


def called(graph: Graph, name: str) -> str:
    """A node by its number and what it does, as people find it."""
    node = graph.get(name)
    title = node and (node.get("_meta", {}).get("title") or node.get("class_type"))
    return f"{name} ({title})" if title else name


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def one_line(text: str) -> str:
    """What a server says, as it can be shown and kept: no database takes a NUL."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _short(text: str) -> str:
    plain = one_line(text)
    return plain if len(plain) <= _LONGEST_SENTENCE else plain[: _LONGEST_SENTENCE - 1] + "…"
