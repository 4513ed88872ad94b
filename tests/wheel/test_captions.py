"""What is wrong with captions, in sentences."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.wheel import cast
from zoetrope.wheel import events as ev
from zoetrope.wheel.captions import lint, strays
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.persona import Persona
from zoetrope.wheel.state import Entry


@pytest.fixture
def ada(tmp_path: Path) -> Persona:
    return cast.ada(tmp_path / "ada").persona


def entries(captions: Sequence[str]) -> list[Entry]:
    return [Entry(str(n), f"sources/{n}.png", ev.Origin.source, caption=text) for n, text in enumerate(captions)]


PLACES = ("park", "beach", "room", "night", "café", "street", "kitchen", "garage", "forest", "stairs")


def test_good_captions_have_no_faults(ada: Persona) -> None:
    assert lint(ada, entries([f"portrait of ada, smiling, front, {place}" for place in PLACES]), 40) == []


@pytest.mark.parametrize(("share", "bound"), [(9, True), (8, False)])
def test_a_phrase_in_most_captions_binds(ada: Persona, share: int, bound: bool) -> None:
    told = [f"ada, {place}" + (", red scarf" if n < share else "") for n, place in enumerate(PLACES)]
    said = f"{share} of 10 captions say 'red scarf': if it belongs to ada, leave it out, so that the trigger means it."
    assert lint(ada, entries(told)) == ([said] if bound else [])


def test_looks_are_found_in_sentences_too(ada: Persona) -> None:
    persona = ada.model_copy(update={"looks": "a girl, long red hair"})
    told = [f"a photo of ada with long red hair in the {place}" for place in PLACES]
    (said,) = lint(persona, entries(told))
    assert "10 of 10 captions say 'long red hair'" in said


def test_captions_longer_than_the_base_reads(ada: Persona) -> None:
    told = [f"ada, {place}" for place in PLACES[:-1]] + ["ada, " + " ".join(f"word{n}" for n in range(30))]
    assert lint(ada, entries(told), None) == []
    (said,) = lint(ada, entries(told), 40)
    assert said.startswith("1 captions, such as that of 9.png, are longer than the about 30 words")
    assert lint(ada, entries(told), 77) == []


def test_a_caption_without_its_picture(tmp_path: Path) -> None:
    workspace = cast.ada(tmp_path / "ada")
    add_sources(workspace, [cast.folder(tmp_path / "drawings")])
    assert strays(workspace) == []
    (workspace.folder / "sources" / "ada-9.txt").write_text("ada", encoding="utf-8")
    assert strays(workspace) == ["sources/ada-9.txt has no picture beside it: nobody reads it."]
