"""`zoetrope caption --by`; by hand and by template it is tried in test_persona.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_persona import run, told
from tests.wheel import cast, vlm
from tests.wheel.captioning import Reply, Server, error, running


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Server()) as made:
        yield made


@pytest.fixture(autouse=True)
def ada(tmp_path: Path) -> None:
    run("persona", "new", "ada", "--kind", "drawn", "--consent", "fictional")
    run("persona", "add", "ada", cast.folder(tmp_path / "with", 1))
    bare = cast.folder(tmp_path / "bare", 3, captions=False)
    (bare / "ada-0.png").unlink()
    run("persona", "add", "ada", bare)


def captions() -> list[str]:
    return [each["caption"] for each in told("persona", "status", "ada")["pictures"]]


def test_only_what_has_no_caption_unless_again(server: Server) -> None:
    server.replies = [Reply(words="smiling, front"), Reply(words="sad, front")]
    first = told("caption", "ada", "--by", server.url)
    assert (first["captioned"], first["remarks"]) == (2, [])
    assert captions() == ["portrait of ada, scene 0", "ada, smiling, front", "ada, sad, front"]
    assert told("caption", "ada", "--by", server.url)["captioned"] == 0
    assert told("caption", "ada", "ada-0.png", "--by", server.url)["captioned"] == 0
    assert len(server.asked) == 2
    again = told("caption", "ada", "ada-0.png", "--by", server.url, "--again", "--instruction", "what is it?")
    assert again["captioned"] == 1
    assert server.asked[-1]["messages"][0]["content"][0]["text"] == "what is it?"
    assert told("caption", "ada", "--by", server.url, "--again")["captioned"] == 3
    assert captions() == ["ada, sad, front"] * 3
    run("persona", "undo", "ada")
    assert captions()[2] == "ada, sad, front"


def test_refused_pictures_are_not_sent(server: Server) -> None:
    run("reject", "ada", "ada-1.png")
    assert told("caption", "ada", "--by", server.url, "--again")["captioned"] == 2


def test_a_fault_is_one_sentence_and_exit_2(server: Server) -> None:
    server.replies = [Reply(), error(404)]
    result = run("caption", "ada", "--by", server.url, code=2)
    said = [line for line in result.stderr.splitlines() if line.startswith("Error:")]
    assert len(said) == 1
    assert said[0].endswith("What was written before is kept: captions of 1 of 2 pictures.")
    assert captions()[1:] == ["ada, portrait, smiling, front, studio, soft light", ""]


def test_a_picture_without_words_is_a_note(server: Server) -> None:
    server.replies = [Reply(words=""), Reply()]
    assert "Note: ada-1.png has none: the model said nothing." in run("caption", "ada", "--by", server.url).stdout


def test_a_model_in_a_folder(tmp_path: Path) -> None:
    said = told("caption", "ada", "--by", f"folder:{vlm.saved('idefics3', tmp_path / 'eyes')}")
    assert said["captioned"] + len(said["remarks"]) == 2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--by", "llava"], "neither folder:PATH nor a server's address"),
        (["--by", "folder:nowhere"], "holds no config.json"),
        (["--by", "http://localhost/v1", "--text", "words"], "Give one of --text, --template and --by"),
        (["--again"], "go with --by"),
        (["--template", "x", "--model", "eyes"], "go with --by"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: list[str], sentence: str) -> None:
    result = run("caption", "ada", *arguments, code=2)
    assert sentence in result.stderr.splitlines()[-1]


def test_a_stray_caption_is_noted(own_home: Path) -> None:
    (own_home / "zoetrope" / "personas" / "ada" / "sources" / "gone.txt").write_text("ada", encoding="utf-8")
    assert "sources/gone.txt has no picture beside it: nobody reads it." in told("caption", "ada")["lint"]
