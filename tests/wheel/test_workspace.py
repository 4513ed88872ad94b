"""Workspaces: an append-only record, one writer, undo, and what crashes leave behind."""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.wheel import cast
from zoetrope.errors import UserError
from zoetrope.wheel import events as ev
from zoetrope.wheel import review
from zoetrope.wheel.doctor import examine
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.persona import make_persona
from zoetrope.wheel.state import Decision, derive
from zoetrope.wheel.workspace import PERSONA, Workspace, new_workspace, open_workspace, personas_folder


@pytest.fixture
def ada(tmp_path: Path) -> Workspace:
    workspace = cast.ada(tmp_path / "ada")
    add_sources(workspace, [cast.folder(tmp_path / "drawings")])
    return workspace


def test_sources_keep_their_bytes_names_and_captions(ada: Workspace) -> None:
    entries = list(ada.state().pictures.values())
    assert [entry.file for entry in entries] == [f"sources/ada-{index}.png" for index in range(3)]
    assert [ada.path(entry).read_bytes() for entry in entries] == [cast.picture(index) for index in range(3)]
    assert entries[1].caption == "portrait of ada, scene 1"
    assert {entry.decision for entry in entries} == {Decision.waiting}


def test_the_same_picture_comes_in_once(ada: Workspace, tmp_path: Path) -> None:
    (tmp_path / "drawings" / "again.png").write_bytes(cast.picture(0))
    taken = add_sources(ada, [tmp_path / "drawings"])
    assert (taken.added, len(taken.known)) == ((), 4)
    assert len(ada.state().pictures) == 3


def test_another_picture_of_the_same_name_gets_its_own(ada: Workspace, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "ada-0.png").write_bytes(cast.picture(9))
    add_sources(ada, [other])
    assert list(ada.state().pictures.values())[-1].file == "sources/ada-0-2.png"


def test_decisions_and_their_undo(ada: Workspace) -> None:
    first, second, third = ada.state().pictures.values()
    review.keep(ada, [first, second], "person")
    review.reject(ada, [third], ev.Reason.hands, "person")
    assert [entry.decision.value for entry in ada.state().pictures.values()] == ["kept", "kept", "rejected"]
    ada.undo()
    assert [entry.decision.value for entry in ada.state().pictures.values()] == ["kept", "kept", "waiting"]
    ada.undo()
    assert not ada.state().of(Decision.kept)


def test_a_setting_is_taken_back_like_any_step(ada: Workspace) -> None:
    ada.change(looks="red hair", scorers=("dino:a", "clip:b"))
    ada.change(looks="blue hair")
    ada.undo()
    assert (ada.persona.looks, ada.persona.scorers) == ("red hair", ("dino:a", "clip:b"))
    ada.undo()
    assert (ada.persona.looks, ada.persona.scorers) == ("", ())
    assert examine(ada) == []
    assert len(ada.state().pictures) == 3, "the step before was not touched"


def test_everything_can_be_undone_and_then_nothing(ada: Workspace) -> None:
    ada.undo()
    assert not ada.state().pictures
    with pytest.raises(UserError, match="nothing left to undo"):
        ada.undo()


def test_a_step_is_taken_back_once_and_only_while_it_is_the_last_where_that_is_asked(ada: Workspace) -> None:
    first, second, _ = ada.state().pictures.values()
    step = review.keep(ada, [first], "person")[0].batch
    review.keep(ada, [second], "person")
    with pytest.raises(UserError, match="Another step came after"):
        ada.undo(step, only_last=True)
    assert len(ada.state().of(Decision.kept)) == 2
    ada.undo(step)
    with pytest.raises(UserError, match="taken back already"):
        ada.undo(step)
    with pytest.raises(UserError, match="no step 999"):
        ada.undo(999)
    assert len(ada.state().of(Decision.kept)) == 1


@pytest.mark.parametrize("failing", ["words.write_text_atomic", "events.EventLog.append"])
def test_a_caption_that_cannot_be_written_is_not_recorded(
    ada: Workspace, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, before = next(iter(ada.state().pictures.values())), ada.log.read()

    def full(*_: object) -> None:
        raise UserError("No space left on device.")

    monkeypatch.setattr(f"zoetrope.wheel.{failing}", full)
    with pytest.raises(UserError, match="No space left"):
        ada.caption({entry.sha256: "something else"}, "person")
    monkeypatch.undo()
    assert ada.log.read() == before
    assert ada.take_in_edits() == []
    assert ada.caption_path(entry).read_text(encoding="utf-8") == "portrait of ada, scene 0\n"


@pytest.mark.parametrize("failing", ["persona.write_text_atomic", "events.EventLog._write"])
def test_a_change_that_cannot_be_written_is_not_recorded(
    ada: Workspace, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ada.log.read()
    monkeypatch.setattr(f"zoetrope.wheel.{failing}", no_room)
    with pytest.raises(UserError, match="No space left"):
        ada.change(looks="blue hair")
    monkeypatch.undo()
    assert (ada.log.read(), ada.persona.looks) == (before, "")
    assert examine(ada) == []


@pytest.mark.parametrize("failing", ["words.write_text_atomic", "persona.write_text_atomic", "events.EventLog._write"])
def test_a_step_that_cannot_be_taken_back_stays_whole(
    ada: Workspace, failing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = next(iter(ada.state().pictures.values()))
    if failing.startswith("persona"):
        ada.change(looks="blue hair")
    else:
        ada.caption({entry.sha256: "something else"}, "person")
    before, caption, persona = ada.log.read(), ada.caption_path(entry).read_bytes(), ada.persona
    monkeypatch.setattr(f"zoetrope.wheel.{failing}", no_room)
    with pytest.raises(UserError, match="No space left"):
        ada.undo()
    monkeypatch.undo()
    assert (ada.log.read(), ada.caption_path(entry).read_bytes(), ada.persona) == (before, caption, persona)
    ada.undo()
    assert (ada.persona.looks, ada.caption_path(entry).read_text()) == ("", "portrait of ada, scene 0\n")
    assert examine(ada) == []


def no_room(*_: object, **__: object) -> None:
    raise UserError("No space left on device.")


def test_a_folder_where_a_caption_belongs_is_one_sentence(ada: Workspace) -> None:
    entry = next(iter(ada.state().pictures.values()))
    ada.caption_path(entry).unlink()
    ada.caption_path(entry).mkdir()
    before = ada.log.read()
    with pytest.raises(UserError, match="could not be written"):
        ada.caption({entry.sha256: "words"}, "person")
    assert ada.log.read() == before


@pytest.mark.parametrize(
    ("text", "told"), [("x" * 3000, "3,000 characters, and at most 2,000"), ("x" * 70_000, "larger than the 65,536")]
)
def test_a_caption_file_without_measure_is_one_sentence(ada: Workspace, text: str, told: str) -> None:
    path = ada.caption_path(next(iter(ada.state().pictures.values())))
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=f"^{path.name}.*{told}"):
        ada.take_in_edits()


def test_a_hand_written_caption_becomes_one_line(ada: Workspace) -> None:
    entry = next(iter(ada.state().pictures.values()))
    ada.caption_path(entry).write_text("ada,\n in a\x1b park\0\n", encoding="utf-8")
    assert ada.take_in_edits() == [entry.sha256]
    assert ada.find(entry.sha256).caption == "ada, in a park"
    assert ada.take_in_edits() == []


def test_half_a_character_is_one_sentence(ada: Workspace) -> None:
    entry, before = next(iter(ada.state().pictures.values())), ada.log.read()
    with pytest.raises(UserError, match="not valid Unicode; nothing was recorded"):
        review.correct(ada, entry, "person", instruction="\udcff")
    with pytest.raises(UserError, match="not valid Unicode"):
        ada.change(looks="\udcff")
    assert (ada.log.read(), ada.persona.looks) == (before, "")


def test_undoing_a_caption_brings_the_file_back(ada: Workspace) -> None:
    entry = next(iter(ada.state().pictures.values()))
    ada.caption({entry.sha256: "something else"}, "person")
    assert ada.caption_path(entry).read_text(encoding="utf-8") == "something else\n"
    ada.undo()
    assert ada.caption_path(entry).read_text(encoding="utf-8") == "portrait of ada, scene 0\n"


def test_an_undo_keeps_what_was_written_by_hand_since(ada: Workspace) -> None:
    entry = next(iter(ada.state().pictures.values()))
    ada.caption({entry.sha256: "something else"}, "person")
    ada.caption_path(entry).write_text("by hand", encoding="utf-8")
    assert [event.kind for event in ada.undo()] == ["captioned"]
    assert ada.caption_path(entry).read_text(encoding="utf-8").strip() == "by hand"
    ada.undo()
    assert ada.caption_path(entry).read_text(encoding="utf-8").strip() == "portrait of ada, scene 0"


def test_a_hand_edited_caption_is_taken_in(ada: Workspace) -> None:
    entry = next(iter(ada.state().pictures.values()))
    ada.caption_path(entry).write_text("by hand", encoding="utf-8")
    assert ada.take_in_edits() == [entry.sha256]
    assert ada.state().pictures[entry.sha256].caption == "by hand"
    assert ada.take_in_edits() == []


def test_a_torn_last_line_is_left_out_and_repaired(ada: Workspace) -> None:
    before = ada.log.read()
    with ada.log.path.open("ab") as file:
        file.write(b'{"number": 99, "kind": "ke')
    assert ada.log.read() == before
    ada.record([ev.Kept(sha256=before[1].sha256, by="person")])  # type: ignore[union-attr]
    assert [event.number for event in ada.log.read()] == list(range(1, len(before) + 2))


def test_a_last_event_without_its_line_break_counts(ada: Workspace) -> None:
    before = ada.state()
    ada.log.path.write_bytes(ada.log.path.read_bytes().rstrip(b"\n"))
    assert ada.state() == before
    assert examine(ada) == []
    ada.caption({next(iter(before.pictures)): "more"}, "person")
    assert [event.number for event in ada.log.read()] == list(range(1, len(ada.log.read()) + 1))
    assert next(iter(ada.state().pictures.values())).caption == "more"


def test_an_altered_record_is_named_and_kept(ada: Workspace) -> None:
    data = ada.log.path.read_bytes()
    ada.log.path.write_bytes(data.replace(b'"number":2', b'"number":7'))
    with pytest.raises(UserError, match=r"^ada/events\.jsonl line 2 is numbered 7"):
        ada.state()
    ada.log.path.write_bytes(data.replace(b'"added"', b'"eaten"', 1))
    with pytest.raises(UserError, match="line 2 is not an event; it was kept"):
        ada.state()


def test_an_untouched_record_is_not_read_again(ada: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    time.sleep(0.15)
    known = ada.log.known()
    monkeypatch.setattr(ev.EventLog, "_bytes", lambda self: pytest.fail("read again"))
    assert ada.log.known() is known
    monkeypatch.undo()
    size, changed = ada.log.path.stat().st_size, ada.log.path.stat().st_mtime
    ada.log.path.write_bytes(ada.log.path.read_bytes().replace(b"scene 1", b"scene 8"))
    os.utime(ada.log.path, (changed, changed))
    assert ada.log.path.stat().st_size == size
    assert "scene 8" in str(ada.log.known()), "not even a changed file that claims to be old is taken for the old one"


def test_a_record_altered_above_what_was_read_is_noticed(ada: Workspace) -> None:
    first = next(iter(ada.state().pictures.values()))
    ada.caption({first.sha256: "one thing"}, "person")
    assert ada.state().pictures[first.sha256].caption == "one thing"
    text = ada.log.path.read_text(encoding="utf-8")
    ada.log.path.write_text(text.replace("one thing", "or other"), encoding="utf-8")
    assert ada.state().pictures[first.sha256].caption == "or other"
    ada.log.path.write_text(text.replace("one thing", "shorter"), encoding="utf-8")
    assert ada.state().pictures[first.sha256].caption == "shorter"


@given(steps=st.lists(st.sampled_from(["keep", "reject", "caption", "undo", "look"]), max_size=25), seed=st.integers())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_remembered_is_what_the_whole_record_tells(ada: Workspace, steps: list[str], seed: int) -> None:
    rng = random.Random(seed)
    for step in steps:
        entry = rng.choice(list(derive(ada.log.read()).pictures.values()) or [None])
        if step == "undo":
            with suppress(UserError):
                ada.undo()
        elif step == "look" or entry is None:
            ada.state().pictures.clear()
        elif step == "caption":
            ada.caption({entry.sha256: str(rng.random())}, "person")
        else:
            getattr(review, step)(ada, [entry], *([ev.Reason.hands] if step == "reject" else []), "person")
        whole = ada.folder / f"{step}-{rng.random()}.jsonl"
        whole.write_bytes(ada.log.path.read_bytes())
        assert ada.state() == derive(ev.EventLog(whole).read())


def test_a_newer_record_asks_for_an_update(ada: Workspace) -> None:
    ada.log.path.write_bytes(ada.log.path.read_bytes().replace(b'"schema_version":1', b'"schema_version":3', 1))
    with pytest.raises(UserError, match="newer Zoetrope"):
        ada.state()
    toml = ada.folder / PERSONA
    said = toml.read_text(encoding="utf-8")
    toml.write_text(said.replace("schema_version = 1", "schema_version = 9"), encoding="utf-8")
    with pytest.raises(UserError, match=r"persona\.toml was written by a newer Zoetrope"):
        _ = ada.persona
    toml.unlink()
    with pytest.raises(UserError, match=r"^ada/persona\.toml could not be read"):
        _ = ada.persona


def test_a_second_writer_waits_for_the_first(ada: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoetrope.wheel.workspace._PATIENCE_SECONDS", 60.0)
    locked, waited = threading.Event(), threading.Event()

    def first() -> None:
        with Workspace(ada.folder).locked():
            locked.set()
            time.sleep(0.3)
            waited.set()

    thread = threading.Thread(target=first)
    thread.start()
    assert locked.wait(60)
    ada.record([ev.Changed(field="looks", before="", after="red hair")])
    assert waited.is_set()
    thread.join()


def test_a_second_writer_is_told_after_a_moment(ada: Workspace) -> None:
    code = (
        "import sys; from pathlib import Path; from zoetrope.wheel.workspace import Workspace\n"
        f"w = Workspace(Path({str(ada.folder)!r}))\n"
        "try: w.record([])\n"
        "except Exception as error: print(error)\n"
    )
    with ada.locked():
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Somebody else is at work on ada" in done.stdout
    assert str(ada.folder) not in done.stdout


def test_granted_consent_keeps_its_document(tmp_path: Path) -> None:
    paper = tmp_path / "signed.pdf"
    paper.write_bytes(b"yes")
    persona = make_persona(name="rui", kind="photoreal", trigger="rui", base="b", consent={"kind": "granted"})
    workspace = new_workspace(tmp_path / "rui", persona, paper)
    assert workspace.persona.consent.document == "consent/signed.pdf"
    (workspace.folder / "consent" / "signed.pdf").write_bytes(b"no")
    assert ["consent" in finding.what for finding in examine(workspace)] == [True]


def test_a_failed_beginning_leaves_nothing(tmp_path: Path) -> None:
    persona = make_persona(name="rui", kind="photoreal", trigger="rui", base="b", consent={"kind": "granted"})
    with pytest.raises(UserError, match="could not be read"):
        new_workspace(tmp_path / "rui", persona, tmp_path / "missing.pdf")
    assert not (tmp_path / "rui").exists()


@pytest.mark.parametrize("name", ["", "Ada", "../ada", "a b", "x" * 60])
def test_names_that_are_not_folders_everywhere(name: str) -> None:
    with pytest.raises(UserError, match="cannot be a persona's name"):
        make_persona(name=name, kind="drawn", trigger="ada", base="b", consent={"kind": "fictional"})


def test_a_name_that_trainings_take_is_refused(tmp_path: Path) -> None:
    persona = make_persona(name="state", kind="drawn", trigger="state", base="nano-flux", consent={"kind": "fictional"})
    with pytest.raises(UserError, match="No persona can be called 'state'"):
        new_workspace(tmp_path / "state", persona)
    assert not (tmp_path / "state").exists()


def test_a_persona_is_found_by_name_or_path(tmp_path: Path) -> None:
    made = cast.ada(personas_folder() / "ada")
    assert open_workspace("ada").folder == made.folder
    assert open_workspace(str(made.folder)).name == "ada"
    with pytest.raises(UserError, match="no persona called 'eve'; there are ada"):
        open_workspace("eve")


def test_a_corrected_picture_waits_for_review_in_its_own_right(ada: Workspace, tmp_path: Path) -> None:
    entry = next(iter(ada.state().pictures.values()))
    better = tmp_path / "better.png"
    better.write_bytes(cast.picture(5))
    review.correct(ada, entry, "person", picture=better)
    state = ada.state()
    assert state.pictures[entry.sha256].decision is Decision.corrected
    replacement = state.pictures[state.pictures[entry.sha256].replacement or ""]
    assert (replacement.origin, replacement.decision) == (ev.Origin.correction, Decision.waiting)
    assert replacement.caption == entry.caption
    with pytest.raises(UserError, match="Say what to correct: an instruction in words"):
        review.correct(ada, entry, "person")


def test_the_doctor_finds_and_mends(ada: Workspace) -> None:
    assert examine(ada) == []
    first, second, third = ada.state().pictures.values()
    ada.path(first).write_bytes(b"altered")
    ada.path(second).unlink()
    ada.caption_path(third).unlink()
    (ada.folder / "sources" / ".abc.tmp").write_bytes(b"half")
    (ada.folder / "sources" / "stray.png").write_bytes(cast.picture(8))
    with ada.log.path.open("ab") as file:
        file.write(b'{"torn')
    findings = examine(ada, rebuild=True)
    told = {finding.what.split(":")[0]: finding.mended for finding in findings}
    assert told == {
        "The last event was torn by a crash and was cut off.": True,
        "sources/.abc.tmp was left by a crash and was removed.": True,
        "sources/ada-0.png was altered": False,
        "sources/ada-1.png is missing": False,
        "sources/stray.png is in no event": False,
        "sources/ada-2.txt was written again from the events.": True,
    }
    assert [finding.mended for finding in examine(ada)] == [False] * 3


NO_PICTURES = ("", ".", "sources", "persona.toml", "exports/ada_v1.png", f"sources/{'n' * 300}.png")


@pytest.mark.parametrize(
    "file", ["../victim.png", "/tmp/victim.png", "sources/../../victim.png", "C:\\victim.png", *NO_PICTURES]
)
def test_events_of_a_stranger_name_no_file_outside_the_workspace(ada: Workspace, file: str) -> None:
    stray = ev.Added.model_construct(number=8, batch=8, sha256="0" * 64, file=file, origin=ev.Origin.source)
    with ada.log.path.open("a", encoding="utf-8") as log:
        log.write(stray.model_dump_json() + "\n")
    with pytest.raises(UserError, match="line 8 is not an event"):
        ada.caption({"0" * 64: "words"}, "person")


def test_a_line_of_brackets_without_end_is_one_sentence(ada: Workspace) -> None:
    with ada.log.path.open("a", encoding="utf-8") as log:
        log.write("[" * 100_000 + "\n")
    with pytest.raises(UserError, match="line 8 is not an event"):
        ada.state()


def test_a_score_that_is_no_number_is_no_event(ada: Workspace) -> None:
    with ada.log.path.open("a", encoding="utf-8") as log:
        log.write('{"number":8,"batch":8,"kind":"carded","round":1,"scores":{"likeness":NaN}}\n')
    with pytest.raises(UserError, match="line 8 is not an event"):
        ada.state()


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        ("a = " + "[" * 100_000, r"it is not TOML"),
        ("name = x", r"line 1"),
        ('name = "A B"', r"cannot be a persona's name"),
    ],
)
def test_what_is_wrong_with_a_persona_file_is_said(ada: Workspace, toml: str, why: str) -> None:
    (ada.folder / PERSONA).write_text(toml, encoding="utf-8")
    with pytest.raises(UserError, match=rf"is not readable \(.*{why}.*\); it was kept"):
        _ = ada.persona


def test_a_persona_of_odd_characters_can_be_read_again(tmp_path: Path) -> None:
    document = tmp_path / "signed 🦊.pdf"
    document.write_bytes(b"yes")
    looks = 'a "fox" 🦊 \x7f \x1b \\ \n'
    consent = {"kind": "granted"}
    fox = make_persona(name="fox", kind="photoreal", trigger="fox", base="nano-flux", looks=looks, consent=consent)
    persona = new_workspace(tmp_path / "fox", fox, document).persona
    assert (persona.looks, persona.consent.document) == (looks, "consent/signed 🦊.pdf")


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
def test_a_consent_without_end_is_not_waited_for(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "endless.pdf")
    persona = make_persona(name="fox", kind="drawn", trigger="fox", base="nano-flux", consent={"kind": "granted"})
    with pytest.raises(UserError, match=r"endless\.pdf"):
        new_workspace(tmp_path / "fox", persona, tmp_path / "endless.pdf")
    assert not (tmp_path / "fox").exists()
