"""`zoetrope persona`, `caption`, `review`, `keep`, `reject`, `correct`."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.wheel import cast
from zoetrope.cli import app
from zoetrope.wheel.workspace import open_workspace, personas_folder


def run(*arguments: str | Path, code: int = 0, keys: str = "") -> Any:
    result = CliRunner().invoke(app, list(map(str, arguments)), input=keys)
    assert result.exit_code == code, result.output
    return result


def told(*arguments: str | Path, code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", code=code).stdout)


@pytest.fixture
def ada(tmp_path: Path) -> Path:
    run("persona", "new", "ada", "--kind", "drawn", "--consent", "fictional")
    run("persona", "add", "ada", cast.folder(tmp_path / "drawings"))
    return tmp_path


@pytest.mark.usefixtures("ada")
def test_from_new_to_kept() -> None:
    assert [each["name"] for each in told("persona", "list")["personas"]] == ["ada"]
    assert told("keep", "ada", "ada-0.png")["kept"] == [told("persona", "status", "ada")["pictures"][0]["sha256"]]
    told("reject", "ada", "ada-1.png", "--reason", "hands")
    told("correct", "ada", "ada-2.png", "--instruction", "longer hair")
    pictures = told("persona", "status", "ada")["pictures"]
    assert [each["decision"] for each in pictures] == ["kept", "rejected", "corrected"]
    assert len(told("persona", "undo", "ada")["undone"]) == 1
    kinds = [event["kind"] for event in told("persona", "log", "ada")["events"]]
    assert kinds[-4:] == ["kept", "rejected", "corrected", "undone"]
    assert told("persona", "doctor", "ada") == {"healthy": True, "findings": []}


@pytest.mark.usefixtures("ada")
def test_the_terminal_reviewer_works_by_single_keys() -> None:
    run("review", "ada", keys="k\nu\nr\nhands\nx\ns\nc\nbrighter\n")
    pictures = told("persona", "status", "ada")["pictures"]
    assert [(each["decision"], each["reason"]) for each in pictures] == [
        ("rejected", "hands"),
        ("waiting", None),
        ("corrected", None),
    ]
    page = Path(told("review", "ada")["page"])
    assert "scene 1" in page.read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal takes a Unix")
@pytest.mark.usefixtures("ada")
def test_at_a_terminal_a_key_needs_no_enter() -> None:
    import pty
    import termios

    ours, theirs = pty.openpty()
    asked = subprocess.Popen([sys.executable, "-m", "zoetrope.cli", "review", "ada"], stdin=theirs, stderr=theirs)
    for key in (b"k", b"s", b"k"):
        read_until(ours, b"]")
        # What is typed before it listens for single keys is thrown away.
        while termios.tcgetattr(theirs)[3] & termios.ICANON:
            time.sleep(0.01)
        os.write(ours, key)
    assert asked.wait() == 0
    assert [each["decision"] for each in told("persona", "status", "ada")["pictures"]] == ["kept", "waiting", "kept"]


def read_until(terminal: int, sign: bytes) -> None:
    while sign not in os.read(terminal, 1):
        pass


@pytest.mark.usefixtures("ada")
def test_going_back_to_a_skipped_picture_takes_nothing_back() -> None:
    run("review", "ada", keys="s\nu\nk\ns\nu\nu\nr\nhands\nq\n")
    pictures = told("persona", "status", "ada")["pictures"]
    assert [each["decision"] for each in pictures] == ["rejected", "waiting", "waiting"]


def test_going_back_takes_back_the_decision_and_not_what_others_did_since(
    ada: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def typed() -> Iterator[str]:
        yield "k"
        (ada / "late.png").write_bytes(cast.picture(9))
        run("persona", "add", "ada", ada / "late.png")
        yield from "uq"

    keys = typed()
    monkeypatch.setattr("typer.prompt", lambda *_, **__: next(keys))
    run("review", "ada")
    assert [each["decision"] for each in told("persona", "status", "ada")["pictures"]] == ["waiting"] * 4


@pytest.mark.usefixtures("ada")
def test_words_in_brackets_and_commands_to_the_terminal_are_shown_as_they_are() -> None:
    # Typed at the command it would become one plain line; a record of another hand may hold anything.
    workspace = open_workspace("ada")
    workspace.caption({workspace.find("ada-0.png").sha256: "[/b] :cat: \x1b]0;title\x07"}, "person")
    assert r"[/b] :cat: \x1b]0;title\x07" in run("persona", "status", "ada").stdout
    assert r"[/b] :cat: \x1b]0;title\x07" in run("persona", "log", "ada").stdout
    run("caption", "ada", "ada-0.png", "--text", "a\x1b]0;title\x07 b\n")
    assert told("persona", "status", "ada")["pictures"][0]["caption"] == "a ]0;title b"


def test_a_folder_in_brackets_is_a_folder(tmp_path: Path) -> None:
    begun = run(
        "persona", "new", "eve", "--kind", "drawn", "--consent", "fictional", "--folder", tmp_path / "[x" / "b]"
    )
    assert "[x/b]" in begun.stdout


@pytest.mark.usefixtures("ada")
def test_a_damaged_persona_does_not_hide_the_others() -> None:
    run("persona", "new", "eve", "--kind", "drawn", "--consent", "fictional")
    (personas_folder() / "eve" / "events.jsonl").write_text("{}\n", encoding="utf-8")
    listed = told("persona", "list")
    assert [each["name"] for each in listed["personas"]] == ["ada"]
    assert "eve/events.jsonl line 1 is not an event" in listed["faults"][0]
    assert "eve/events.jsonl" in run("persona", "list").stdout


@pytest.mark.usefixtures("ada")
def test_where_nothing_was_decided_no_undo_is_promised() -> None:
    run("keep", "ada", "--all")
    assert run("keep", "ada", "--all").stdout == "0 kept, as nothing waits for a decision.\n"


def test_a_name_longer_than_any_file_is_no_persona() -> None:
    assert "no persona called" in run("persona", "status", "a" * 300, code=2).stderr


@pytest.mark.usefixtures("ada")
def test_captions_from_a_template_and_what_is_wrong_with_them(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "side_view.png").write_bytes(cast.picture(7))
    run("persona", "add", "ada", tmp_path / "more")
    assert "1 of 4 pictures have no caption." in told("caption", "ada")["lint"]
    assert told("caption", "ada", "--template", "drawing of [trigger], [name]")["captioned"] == 1
    assert told("persona", "status", "ada")["pictures"][3]["caption"] == "drawing of ada, side view"
    said = told("caption", "ada", "ada-0.png", "--text", "a girl")
    assert said["lint"] == ["1 caption lacks the trigger 'ada'."]
    assert said["tags"]["side view"] == 1


@pytest.mark.usefixtures("ada")
def test_what_was_decided_can_be_decided_otherwise_and_stays_in_the_log() -> None:
    run("persona", "new", "eve", "--kind", "drawn", "--consent", "fictional", "--scorer", "nano_identity")
    assert 'scorers = ["nano_identity"]' in (personas_folder() / "eve" / "persona.toml").read_text(encoding="utf-8")
    said = told("persona", "set", "ada", "--trigger", "zoeada", "--scorer", "nano_identity")
    assert [(each["field"], each["before"], each["after"]) for each in said["changed"]] == [
        ("trigger", "ada", "zoeada"),
        ("scorers", "", "nano_identity"),
    ]
    assert said["lint"] == ["3 captions lack the trigger 'zoeada'."]
    assert told("persona", "set", "ada", "--trigger", "zoeada")["changed"] == []
    assert [event["kind"] for event in told("persona", "log", "ada")["events"]][-2:] == ["changed", "changed"]
    assert told("persona", "doctor", "ada") == {"healthy": True, "findings": []}


@pytest.mark.usefixtures("ada")
def test_an_older_persona_is_migrated() -> None:
    (personas_folder() / "ada" / "migrations.json").unlink()
    assert "`zoetrope persona migrate ada`" in run("persona", "status", "ada", code=2).stderr
    done = told("persona", "migrate", "ada")
    assert done["applied"][0] == "0001_manifests_say_repeats"
    assert told("persona", "migrate", "ada") == {"applied": [], "known": done["applied"]}
    assert len(told("persona", "status", "ada")["pictures"]) == 3


@pytest.mark.usefixtures("ada")
def test_sources_of_a_model(tmp_path: Path) -> None:
    prompts = tmp_path / "prompts.txt"
    prompts.write_text("# begin\n\nportrait of [trigger], smiling\n", encoding="utf-8")
    command = ("persona", "sources", "ada", "--from-model", "nano-flux", "--prompts", prompts)
    assert told(*command, "--seed", "5") == {"added": ["nano-flux-001.png"], "known": []}
    assert told("persona", "status", "ada")["pictures"][-1]["caption"] == "portrait of ada, smiling"
    prompts.write_bytes("café".encode("latin-1"))
    assert "is not UTF-8 text" in run(*command, code=2).stderr
    prompts.write_text("# nothing\n", encoding="utf-8")
    assert "holds no prompts" in run(*command, code=2).stderr
    prompts.unlink()
    assert "could not be read (No such file" in run(*command, code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["persona", "new", "eve", "--kind", "photoreal"], "may be a real person"),
        (["persona", "new", "eve", "--kind", "drawn", "--consent", "granted"], "is none of self"),
        (["persona", "new", "eve", "--kind", "oil", "--consent", "self"], "kind"),
        (["persona", "new", "eve", "--kind", "drawn", "--consent", "self", "--base", "nano-flax"], "nano-flux"),
        (["persona", "new", "ada", "--kind", "drawn", "--consent", "self"], "already there"),
        (["persona", "add", "ada", "nowhere"], "There is no file or folder nowhere"),
        (["persona", "status", "eve"], "There is no persona called 'eve'; there are ada."),
        (["persona", "set", "ada"], "Say what to change"),
        (["persona", "set", "ada", "--scorer", "nose"], "There is no scorer called 'nose'"),
        (["persona", "set", "ada", "--editor", "nano-flux"], "nano-flux draws from words alone"),
        (["persona", "set", "ada", "--trigger", "a,b"], "cannot be a trigger"),
        (["persona", "migrate", "eve"], "There is no persona called 'eve'"),
        (["keep", "ada"], "Name pictures, or give --all"),
        (["keep", "ada", "zzz.png"], "ada has no picture called 'zzz.png'"),
        (["reject", "ada", "ada-0.png", "--reason", "ugly"], "There is no reason called 'ugly'"),
        (["correct", "ada", "ada-0.png"], "Say what to correct"),
        (["caption", "ada", "--text", "words"], "Name the one picture"),
        (["caption", "ada", "ada-0.png", "--template", " "], "The template is empty"),
    ],
)
@pytest.mark.usefixtures("ada")
def test_a_mistake_is_one_sentence(arguments: list[str], sentence: str) -> None:
    result = run(*arguments, code=2)
    assert sentence in result.stderr
    assert len(result.stderr.splitlines()) == 1
