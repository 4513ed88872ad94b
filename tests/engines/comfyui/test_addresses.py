"""Where a server may be: what somebody typed must not make us knock at doors that only we can reach."""

import gzip
import socket
import threading
import time
from contextlib import suppress
from typing import Any

import pytest

from tests.engines.comfyui.wire import Answer, Request, Server
from zoetrope.engines.comfyui.addresses import found, spelled
from zoetrope.engines.comfyui.client import Client, Refused, Unreachable
from zoetrope.errors import UserError


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8188",
        "file:///etc/passwd",
        "ftp://example.com",
        "http://",
        "http://ada:secret@example.com",
        "http://example.com/?x=1",
        "http://example.com/#x",
        "http://example.com/../x",
        "http://example.com/a%2f",
        "http://example.com:99999",
        "http://example.com\r\nX: y",
        "http://exämple.com",
        "http://[::1",
        "http://example.com\\@127.0.0.1",
        "http://" + "x" * 300,
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UserError, match="is no address of a server"):
        spelled(url)


def test_an_address_has_one_spelling() -> None:
    assert spelled(" http://Example.com:80/comfy/ ") == "http://example.com/comfy"
    assert spelled("http://[::1]:8188") == "http://[::1]:8188"


_RESOLVE = socket.getaddrinfo


def resolving(monkeypatch: pytest.MonkeyPatch, *numbers: str) -> None:
    def rows(host: str, port: int, *_: Any, **more: Any) -> list[Any]:
        if not more:
            # Somebody connects: a number is what it is.
            return _RESOLVE(host, port, *_)
        return [(socket.AF_INET6 if ":" in each else socket.AF_INET, 1, 6, "", (each, port)) for each in numbers]

    monkeypatch.setattr(socket, "getaddrinfo", rows)


def test_localhost_is_where_comfyui_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "::1", "127.0.0.1")
    assert found("http://localhost:8188", near=True).base == "http://127.0.0.1:8188"
    resolving(monkeypatch, "::1")
    assert found("http://localhost:8188", near=True).base == "http://[::1]:8188"


NEAR = [
    "127.0.0.1",
    "10.1.2.3",
    "192.168.0.7",
    "172.16.0.1",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "fec0::1",
    "2002:7f00:1::",
]
NOWHERE = ["169.254.169.254", "0.0.0.0", "224.0.0.1", "fe80::1", "::", "ff02::1", "::ffff:169.254.169.254", "240.0.0.1"]
NOWHERE += ["2002:a9fe:a9fe::", "168.63.129.16"]


@pytest.mark.parametrize("number", NEAR)
def test_this_machine_and_its_network_are_for_whoever_may(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    resolving(monkeypatch, number)
    assert found("http://comfy.example", near=True).number == number
    with pytest.raises(UserError, match="only whoever opened this studio"):
        found("http://comfy.example", near=False)


@pytest.mark.parametrize("number", NOWHERE)
def test_some_addresses_are_for_nobody(monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    resolving(monkeypatch, number)
    with pytest.raises(UserError, match="where no server of yours can be"):
        found("http://comfy.example", near=True)


def test_one_bad_address_among_good_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, "93.184.216.34", "127.0.0.1")
    with pytest.raises(UserError):
        found("http://comfy.example", near=False)


class Saying(Server):
    """Answers each request alike."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self.answers = list(answers)

    async def answer(self, request: Request) -> Answer:
        return self.answers.pop(0)


def asked(answer: Answer) -> str:
    with Saying(answer) as server:
        client = Client(found(server.url, near=True), timeout=2)
        return client.about()


def test_a_name_that_changes_its_meaning_leads_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    with Saying(Answer(200, b'{"system": {}, "devices": []}')) as server:
        resolving(monkeypatch, "127.0.0.1")
        client = Client(found(f"http://comfy.example:{server.port}", near=True), timeout=2)
        resolving(monkeypatch, "169.254.169.254")
        assert client.about() == "unknown"
        # It still hears its own name.
        assert server.requests[0].headers["host"] == f"comfy.example:{server.port}"


def test_a_redirect_is_not_followed() -> None:
    with pytest.raises(Unreachable, match="302"):
        asked(Answer(302))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'"x"', b'{"system": []}', b"{" * 10_000])
def test_what_is_no_comfyui_is_not_taken_for_one(body: bytes) -> None:
    with pytest.raises((Unreachable, Refused)):
        asked(Answer(200, body))


def test_a_packed_answer_is_not_unpacked() -> None:
    with pytest.raises(Refused, match="packed"):
        asked(Answer(200, gzip.compress(b" " * 10**6), headers="Content-Encoding: gzip\r\n"))


@pytest.mark.parametrize("before", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"])
def test_a_trickle_is_not_waited_for(before: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=trickle, args=(listening, before), daemon=True).start()
        near = found(f"http://127.0.0.1:{listening.getsockname()[1]}", near=True)
        client = Client(near, timeout=2, longest=0.5)
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(Unreachable, match="too long"):
                client.about()
            assert time.monotonic() - began < 2


def trickle(listening: socket.socket, before: bytes) -> None:
    """A server that says a letter now and then, to whoever asks."""
    while True:
        with suppress(OSError):
            asking, _ = listening.accept()
            threading.Thread(target=dribble, args=(asking, before), daemon=True).start()
        if listening.fileno() < 0:
            return


def dribble(asking: socket.socket, before: bytes) -> None:
    with suppress(OSError), asking:
        asking.recv(65536)
        asking.sendall(before)
        while True:
            asking.sendall(b"a")
            time.sleep(0.1)


@pytest.mark.parametrize("sign", ["\0", "\x01", "\x7f", "\u00e9"])
def test_an_address_has_no_signs_that_cannot_be_seen(sign: str) -> None:
    with pytest.raises(UserError, match="no address of a server"):
        spelled(f"http://127.0.0.1:8188/a{sign}")


def test_what_a_server_says_can_be_kept() -> None:
    assert asked(Answer(200, b'{"system": {"comfyui_version": "1.0\\u0000\\u001b[2J"}, "devices": []}')) == "1.0 [2J"


@pytest.mark.parametrize("body", [b'{"prompt_id": "another"}', b'{"prompt_id": null}', b"{}"])
def test_a_server_that_names_work_itself_draws_nothing(body: bytes) -> None:
    with Saying(Answer(200, body)) as server, pytest.raises(Refused, match="too old"):
        Client(found(server.url, near=True)).submit({}, "mine", "mine")


@pytest.mark.parametrize("status", [403, 404, 413])
def test_a_refusal_of_another_kind_is_one(status: int) -> None:
    with Saying(Answer(status, b"{}")) as server, pytest.raises(Refused, match=str(status)):
        Client(found(server.url, near=True)).submit({}, "mine", "mine")


def test_half_a_letter_is_no_answer() -> None:
    with pytest.raises(Unreachable, match="cannot be read"):
        asked(Answer(200, b'{"system": {"comfyui_version": "\\ud800"}, "devices": []}'))


def test_an_endless_answer_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoetrope.engines.comfyui.client._MOST_ABOUT", 1000)
    with pytest.raises(Refused, match="larger than"):
        asked(Answer(200, b" " * 2000))
