"""Captions by a server, and each way in which a server fails."""

import base64
import io
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.wheel import cast
from tests.wheel.captioning import Reply, Server, error, running
from zoetrope.errors import UserError
from zoetrope.wheel import events as ev
from zoetrope.wheel.captioners import captioner_named
from zoetrope.wheel.captioners.server import SIDE, Patience, ServerCaptioner, data_url, key_for
from zoetrope.wheel.captioners.words import SCENE, NoCaption, caption_of
from zoetrope.wheel.captions import describe
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.persona import PersonaKind
from zoetrope.wheel.workspace import Workspace

SECRET = "sk-this-must-not-be-seen"
QUICK = Patience(answer=0.3, connect=1.0, tries=3, pause=1.0)


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Server()) as made:
        yield made


@pytest.fixture
def ada(tmp_path: Path) -> Workspace:
    workspace = cast.ada(tmp_path / "ada")
    add_sources(workspace, [cast.folder(tmp_path / "drawings", 3, captions=False)])
    return workspace


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ZOETROPE_CAPTION_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def eyes(server: Server, patience: Patience = QUICK) -> tuple[ServerCaptioner, list[float]]:
    """A captioner that only notes the pauses it would make."""
    pauses: list[float] = []
    return ServerCaptioner(server.url, "eyes", patience, pauses.append), pauses


def captions(workspace: Workspace) -> list[str]:
    return [entry.caption for entry in workspace.state().pictures.values()]


def look(server: Server, workspace: Workspace) -> tuple[int, list[str], list[float]]:
    captioner, pauses = eyes(server)
    described = describe(workspace, captioner, list(workspace.state().pictures.values()), SCENE)
    return described.written, described.remarks, pauses


def test_each_caption_is_an_event_of_its_own_that_names_the_model(server: Server, ada: Workspace) -> None:
    seen: list[int] = []
    captioner, _ = eyes(server)
    describe(ada, captioner, list(ada.state().pictures.values()), SCENE, seen.append)
    assert seen == [1, 2, 3]
    assert captions(ada) == ["ada, portrait, smiling, front, studio, soft light"] * 3
    said = [event for event in ada.log.read() if isinstance(event, ev.Captioned)]
    assert [event.by for event in said] == ["model eyes"] * 3
    assert len({event.batch for event in said}) == 3
    assert ada.caption_path(next(iter(ada.state().pictures.values()))).read_text(encoding="utf-8").startswith("ada, ")


def test_what_is_sent_is_the_instruction_and_a_small_bare_picture(server: Server, ada: Workspace) -> None:
    captioner, _ = eyes(server)
    large = Image.effect_noise((1600, 400), 60).convert("RGB")
    large.info["comment"] = "taken at home"
    captioner.describe(large, "say what you see")
    (asked,) = server.asked
    assert set(asked) == {"model", "messages"}
    text, picture = asked["messages"][0]["content"]
    assert text == {"type": "text", "text": "say what you see"}
    head, _, data = picture["image_url"]["url"].partition(",")
    raw = base64.b64decode(data)
    image = Image.open(io.BytesIO(raw))
    assert (head, image.format, image.size) == ("data:image/jpeg;base64", "JPEG", (SIDE, SIDE // 4))
    assert b"taken at home" not in raw
    assert not image.getexif()
    assert data_url(Image.new("RGB", (64, 64), "red")).startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    ("reply", "pauses"),
    [
        (error(429), [1.0]),
        (error(429, Retry_After="7"), [7.0]),
        (error(503, Retry_After="900"), [60.0]),
        (error(500), [1.0]),
        (Reply(drop=True), [1.0]),
        (Reply(delay=0.8), [1.0]),
    ],
    ids=["429", "retry-after", "long-retry-after", "500", "dropped", "hangs"],
)
def test_a_fault_that_passes_is_waited_for(server: Server, ada: Workspace, reply: Reply, pauses: list[float]) -> None:
    server.replies = [reply, Reply()]
    assert look(server, ada) == (3, [], pauses)


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        (error(500), r"in 3 tries \(it answered 500\)"),
        (error(429), r"in 3 tries \(it answered 429\)"),
        (Reply(delay=0.8), r"in 3 tries \(no answer within 0.3 s\)"),
        (error(401), r"refused the request \(401\): no key was sent; put one into ZOETROPE_CAPTION_KEY"),
        (error(404), r"no such address or model \(404\): check the address, which often ends in /v1"),
        (error(400, "eyes cannot see"), "answered 400: eyes cannot see"),
        (Reply(302, b"", headers=(("Location", "http://127.0.0.1:9/"),)), "answered 302"),
        (Reply(body=b"<html>hello"), "not JSON"),
        (Reply(body=b'{"choices": [{"message'), "not JSON"),
        (Reply(body=b"[1, 2]"), "did not answer as an OpenAI-compatible server"),
        (Reply(body=b'{"choices": []}'), "did not answer as an OpenAI-compatible server"),
        (Reply(body=b"x" * 2_000_000), "more than 1,048,576 bytes"),
    ],
    ids=["500", "429", "hang", "401", "404", "400", "redirect", "html", "torn", "list", "empty-choices", "flood"],
)
def test_a_fault_that_stays_is_a_sentence_and_what_was_written_is_kept(
    server: Server, ada: Workspace, reply: Reply, sentence: str
) -> None:
    server.replies = [Reply(), reply]
    with pytest.raises(UserError, match=sentence) as caught:
        look(server, ada)
    assert str(caught.value).endswith("What was written before is kept: captions of 1 of 3 pictures.")
    assert [bool(caption) for caption in captions(ada)] == [True, False, False]


@pytest.mark.parametrize(
    "words", ["", None, " \n", "I'm sorry, I can't describe people.", "<think>hmm</think>"], ids=repr
)
def test_a_picture_that_gets_no_words_is_left_for_later(server: Server, ada: Workspace, words: str | None) -> None:
    server.replies = [Reply(words=words), Reply()]
    written, remarks, _ = look(server, ada)
    assert written == 2
    assert remarks[0].startswith("ada-0.png has none: the model said")
    assert [bool(caption) for caption in captions(ada)] == [False, True, True]


def test_a_server_that_is_not_there_is_one_sentence_at_once() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    captioner = ServerCaptioner(f"http://127.0.0.1:{port}/v1", "eyes", QUICK)
    with pytest.raises(UserError, match=r"cannot be reached .*: is the server running there"):
        captioner.describe(Image.new("RGB", (32, 32)), SCENE)


def test_the_only_model_need_not_be_named(server: Server) -> None:
    assert ServerCaptioner(server.url, None, QUICK).name == "model eyes"
    server.models = ("eyes", "ears")
    with pytest.raises(UserError, match="with --model NAME: it has eyes, ears"):
        ServerCaptioner(server.url, None, QUICK)


def test_the_key_is_sent_and_never_shown(server: Server, ada: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOETROPE_CAPTION_KEY", SECRET)
    server.replies = [Reply(), error(400, f"wrong key {SECRET}"), error(401, SECRET)]
    for _ in range(2):
        with pytest.raises(UserError) as caught:
            look(server, ada)
        assert SECRET not in str(caught.value)
    assert server.headers[0]["authorization"] == f"Bearer {SECRET}"
    assert not [path for path in ada.folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("url", "ours", "openai"),
    [
        ("http://localhost:11434/v1", True, True),
        ("https://api.openai.com/v1", True, True),
        ("https://example.com/v1", True, False),
        ("https://api.openai.com.example.com/v1", True, False),
        ("http://192.168.0.7:11434/v1", False, False),
    ],
)
def test_where_a_key_may_go(url: str, ours: bool, openai: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "theirs")
    assert key_for(url) == ("theirs" if openai else "")
    monkeypatch.setenv("ZOETROPE_CAPTION_KEY", "ours")
    assert key_for(url) == ("ours" if ours else "")


@pytest.mark.parametrize("url", ["http://user:pass@localhost/v1", "http://localhost/v1?key=1"])
def test_a_key_in_the_address_is_refused(url: str) -> None:
    with pytest.raises(UserError, match="A key does not belong into the address"):
        ServerCaptioner(url, "eyes")


def test_without_httpx_the_extra_is_named(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(UserError, match=r"pip install 'zoetrope\[captions\]'"):
        ServerCaptioner(server.url, "eyes")


def test_neither_a_folder_nor_an_address() -> None:
    with pytest.raises(UserError, match="neither folder:PATH nor a server's address"):
        captioner_named("llava")
    with pytest.raises(UserError, match="names no server"):
        captioner_named("http:///v1", "eyes")


@pytest.mark.parametrize(
    ("reply", "caption"),
    [
        ('Caption: "portrait, smiling."', "ada, portrait, smiling"),
        ("Portrait of ADA,\n smiling, front", "Portrait of ADA, smiling, front"),
        ("<think>a girl?\n</think>\nstanding, park", "ada, standing, park"),
        ("**portrait, front**", "ada, portrait, front"),
        ("front, " * 1000, "ada, " + ", ".join(["front"] * 143)),
    ],
)
def test_what_becomes_of_a_reply(reply: str, caption: str, tmp_path: Path) -> None:
    persona = cast.ada(tmp_path / "ada").persona
    assert caption_of(reply, persona) == caption
    style = persona.model_copy(update={"kind": PersonaKind.style})
    assert caption_of(reply, style) == caption.removeprefix("ada, ")
    with pytest.raises(NoCaption):
        caption_of("...", persona)


def test_a_kill_in_the_middle_loses_one_caption_at_most(server: Server, ada: Workspace) -> None:
    server.replies = [Reply(), Reply(), Reply(delay=60)]
    command = [sys.executable, "-m", "zoetrope.cli", "caption", str(ada.folder), "--by", server.url]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while len(server.asked) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()
    assert [bool(caption) for caption in captions(ada)] == [True, True, False]
    server.replies = [Reply(words="sitting, sad")]
    assert captioner_named(server.url).name == "model eyes"
    assert look(server, ada)[0] == 3
