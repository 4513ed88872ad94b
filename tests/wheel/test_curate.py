"""Every finding of `curate`, on drawings whose faults were made on purpose."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from tests.wheel import cast
from zoetrope.errors import UserError
from zoetrope.judging.scorer import Vectors
from zoetrope.models.catalogue import Catalogue
from zoetrope.wheel import curate as room
from zoetrope.wheel import events as ev
from zoetrope.wheel import review
from zoetrope.wheel.alike import spare
from zoetrope.wheel.curatepage import page
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.persona import PersonaKind, write_persona
from zoetrope.wheel.workspace import PERSONA, Workspace
from zoetrope.world.captions import caption
from zoetrope.world.drawer import draw
from zoetrope.world.figure import Identity, Scene

ADA = Identity(skin="pale", hair_colour="red", hair_style="long", clothes="green hoodie", mark="star")
SCENES = {
    "front": Scene(expression="smiling", background="beach"),
    "turned": Scene(expression="angry", yaw="three_quarter_left", background="park"),
    "right": Scene(expression="sad", yaw="profile_right", background="room"),
    "sitting": Scene(framing="sitting", background="studio"),
    "night": Scene(yaw="three_quarter_right", background="night"),
}


def drawing(scene: Scene, side: int = 256) -> Image.Image:
    return draw(ADA, scene, side).image


def encoded(image: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def drawings(tmp_path: Path) -> Path:
    folder = tmp_path / "drawings"
    folder.mkdir()
    for name, scene in SCENES.items():
        (folder / f"{name}.png").write_bytes(encoded(drawing(scene)))
        (folder / f"{name}.txt").write_text(caption(None, scene, "ada"), encoding="utf-8")
    return folder


def looked(tmp_path: Path, drawings: Path, kind: str = "drawn") -> room.Curation:
    workspace = taken_in(tmp_path, drawings, kind)
    return room.curate(workspace, Catalogue().find("nano-flux"))


def taken_in(tmp_path: Path, drawings: Path, kind: str = "drawn") -> Workspace:
    workspace = cast.ada(tmp_path / "ada")
    write_persona(workspace.folder / PERSONA, workspace.persona.model_copy(update={"kind": PersonaKind(kind)}))
    add_sources(workspace, [drawings])
    return workspace


def said(found: room.Curation, name: str) -> str:
    return "; ".join(remark.said for remark in found.remarks[name])


def test_a_good_set_has_no_remarks_but_what_is_missing(tmp_path: Path, drawings: Path) -> None:
    found = looked(tmp_path, drawings)
    assert (found.pairs, [each for each in found.remarks.values() if each]) == ([], [])
    assert found.coverage is not None
    assert found.coverage.missing[0] == "no left profile yet"
    assert "no T-pose yet" in found.coverage.missing
    assert found.notes == ["Faces were not measured: the scorer nano_identity does not look for them."]
    assert len(found.todo) == 1
    assert found.todo[0].startswith("No left profile yet, ")


COPIES = {
    "again.jpg": lambda image: encoded(image, "JPEG", quality=70),
    "blur.png": lambda image: encoded(image.filter(ImageFilter.GaussianBlur(4))),
    "small.png": lambda image: encoded(image.resize((128, 128), Image.Resampling.LANCZOS)),
    "darker.png": lambda image: encoded(ImageEnhance.Brightness(image).enhance(0.7)),
}


@pytest.mark.parametrize("name", COPIES)
@pytest.mark.parametrize("original", ["front", "right", "sitting"])
def test_a_copy_is_found_and_the_better_one_named(tmp_path: Path, drawings: Path, name: str, original: str) -> None:
    (drawings / name).write_bytes(COPIES[name](drawing(SCENES[original])))
    found = looked(tmp_path, drawings)
    assert [{pair.better.name, pair.worse.name} for pair in found.pairs] == [{f"{original}.png", name}]
    (gone,) = spare(found.looks, found.pairs)
    assert gone == found.pairs[0].worse.name
    assert f"zoetrope reject ada {gone} --reason other" in " ".join(found.todo)
    if name in ("blur.png", "small.png"):
        assert gone == name


def test_the_least_of_three_alike_are_spare_and_the_best_stays(tmp_path: Path, drawings: Path) -> None:
    original = drawing(SCENES["front"])
    (drawings / "again.jpg").write_bytes(COPIES["again.jpg"](original))
    (drawings / "small.png").write_bytes(COPIES["small.png"](original))
    found = looked(tmp_path, drawings)
    assert len(found.pairs) == 3
    gone = spare(found.looks, found.pairs)
    assert len(gone) == 2
    assert "small.png" in gone


@pytest.mark.parametrize("original", ["turned", "right", "sitting"])
def test_a_mirrored_picture_is_no_duplicate(tmp_path: Path, drawings: Path, original: str) -> None:
    (drawings / "mirrored.png").write_bytes(encoded(ImageOps.mirror(drawing(SCENES[original]))))
    found = looked(tmp_path, drawings)
    assert found.pairs == []
    assert [{one.name, other.name} for one, other in found.mirrors] == [{f"{original}.png", "mirrored.png"}]
    assert any("the mirror image of" in said(found, name) for name in ("mirrored.png", f"{original}.png"))


def test_two_profiles_that_mirror_each_other_are_as_they_should_be(tmp_path: Path, drawings: Path) -> None:
    (drawings / "left.png").write_bytes(encoded(ImageOps.mirror(drawing(SCENES["right"]))))
    (drawings / "left.txt").write_text("portrait of ada, left profile", encoding="utf-8")
    assert looked(tmp_path, drawings).mirrors == []


def test_another_expression_is_another_picture_if_the_caption_says_so(tmp_path: Path, drawings: Path) -> None:
    calm = Scene(expression="neutral", background="beach")
    (drawings / "calm.png").write_bytes(encoded(drawing(calm)))
    (drawings / "calm.txt").write_text(caption(None, calm, "ada"), encoding="utf-8")
    workspace = taken_in(tmp_path, drawings)
    model = Catalogue().find("nano-flux")
    assert room.curate(workspace, model).pairs == []
    (workspace.folder / "sources" / "calm.txt").write_text("a drawing of ada", encoding="utf-8")
    assert len(room.curate(workspace, model).pairs) == 1, "an edited caption counts, though nothing was recorded"
    assert workspace.find("calm.png").caption == caption(None, calm, "ada")


def test_blur_is_judged_within_the_set(tmp_path: Path, drawings: Path) -> None:
    blurred = drawing(Scene(expression="angry", framing="standing", background="beach"))
    (drawings / "blurred.png").write_bytes(encoded(blurred.filter(ImageFilter.GaussianBlur(5))))
    found = looked(tmp_path, drawings)
    assert {name for name, remarks in found.remarks.items() if remarks} == {"blurred.png"}
    assert "of this set's usual sharpness" in said(found, "blurred.png")
    assert "zoetrope reject ada blurred.png --reason artifact" in " ".join(found.todo)


def test_of_few_pictures_sharpness_is_not_judged(tmp_path: Path, drawings: Path) -> None:
    for name in ("turned", "right", "sitting"):
        (drawings / f"{name}.png").unlink()
    found = looked(tmp_path, drawings)
    assert any("Sharpness was not judged" in note for note in found.notes)
    assert not any(found.remarks.values())


def test_dark_and_bright_pictures(tmp_path: Path, drawings: Path) -> None:
    other = drawing(Scene(framing="tpose", background="park"))
    (drawings / "dark.png").write_bytes(encoded(ImageEnhance.Brightness(other).enhance(0.15)))
    washed = Image.blend(
        drawing(Scene(framing="standing", background="room")), Image.new("RGB", (256, 256), "white"), 0.9
    )
    (drawings / "washed.png").write_bytes(encoded(washed))
    found = looked(tmp_path, drawings)
    assert "very dark" in said(found, "dark.png")
    assert "very bright" in said(found, "washed.png")
    assert "blurred" not in said(found, "dark.png")
    assert "zoetrope reject ada dark.png washed.png --reason light" in " ".join(found.todo)


@pytest.mark.parametrize(("kind", "told"), [("photoreal", "plain white"), ("drawn", "")])
def test_clipped_light_is_a_fault_of_photographs_only(tmp_path: Path, drawings: Path, kind: str, told: str) -> None:
    half = drawing(Scene(framing="tpose", background="park"))
    half.paste("white", (0, 0, 256, 110))
    (drawings / "half.png").write_bytes(encoded(half))
    found = looked(tmp_path, drawings, kind)
    assert said(found, "half.png") == (f"41% of it is {told}" if told else "")


def test_a_picture_smaller_than_training_uses(tmp_path: Path, drawings: Path) -> None:
    (drawings / "small.png").write_bytes(encoded(drawing(Scene(framing="tpose"), side=48)))
    assert "48×48 is less than the 64×64 that training uses" in said(looked(tmp_path, drawings), "small.png")


class Faces:
    """Finds a face wherever a picture is not upside down: here, where its top is brighter than its bottom."""

    name: ClassVar[str] = "sface"

    def embed(self, images: "Sequence[Image.Image]") -> Vectors:
        return np.stack([self._row(np.asarray(image.convert("L"), dtype=np.float32)) for image in images])

    def _row(self, grey: Any) -> Any:
        half = len(grey) // 2
        row = np.zeros(8, np.float32)
        row[int(grey.sum()) % 8] = float(grey[:half].mean() > grey[half:].mean())
        return row


def test_pictures_without_a_face_where_a_scorer_looks_for_them(
    tmp_path: Path, drawings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in drawings.iterdir():
        path.unlink()
    light = Image.linear_gradient("L").convert("RGB")
    (drawings / "face.png").write_bytes(encoded(ImageOps.flip(light)))
    (drawings / "nobody.png").write_bytes(encoded(light))
    monkeypatch.setattr(room, "scorer_named", lambda name: Faces())
    found = looked(tmp_path, drawings)
    assert {look.name: look.face for look in found.looks} == {"face.png": True, "nobody.png": False}
    assert said(found, "nobody.png") == "no face was found"
    assert "zoetrope reject ada nobody.png --reason identity" in " ".join(found.todo)
    assert not any("Faces were not measured" in note for note in found.notes)


def test_a_scorer_that_is_not_there_leaves_the_rest(tmp_path: Path, drawings: Path) -> None:
    workspace = taken_in(tmp_path, drawings)
    write_persona(workspace.folder / PERSONA, workspace.persona.model_copy(update={"scorers": ("nobody",)}))
    found = room.curate(workspace, Catalogue().find("nano-flux"))
    assert len(found.looks) == 5
    assert "There is no scorer called 'nobody'" in found.notes[0]


def test_refused_and_synthetic_pictures_are_not_looked_at(tmp_path: Path, drawings: Path) -> None:
    workspace = taken_in(tmp_path, drawings)
    review.reject(workspace, [workspace.find("front.png")], ev.Reason.other, "person")
    with workspace.locked():
        sha256, file = workspace.store(encoded(drawing(Scene(framing="tpose"))))
    workspace.record([ev.Added(sha256=sha256, file=file, origin=ev.Origin.synthetic, depth=1)])
    found = room.curate(workspace, Catalogue().find("nano-flux"))
    assert sorted(look.name for look in found.looks) == ["night.png", "right.png", "sitting.png", "turned.png"]


def test_a_style_has_no_angles_to_cover(tmp_path: Path, drawings: Path) -> None:
    assert looked(tmp_path, drawings, "style").coverage is None


def test_a_missing_file_is_a_note_and_the_rest_is_judged(tmp_path: Path, drawings: Path) -> None:
    workspace = taken_in(tmp_path, drawings)
    (workspace.folder / "sources" / "front.png").unlink()
    found = room.curate(workspace, Catalogue().find("nano-flux"))
    assert len(found.looks) == 4
    assert any(note.startswith("front.png was left out") for note in found.notes)


def test_without_pictures_there_is_nothing_to_say(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="zoetrope persona add ada"):
        room.curate(cast.ada(tmp_path / "ada"), Catalogue().find("nano-flux"))


def test_the_page_shows_every_picture_pair_and_gap(tmp_path: Path, drawings: Path) -> None:
    (drawings / "again.jpg").write_bytes(COPIES["again.jpg"](drawing(SCENES["front"])))
    (drawings / "again.txt").write_text("<b>ada</b> & friends", encoding="utf-8")
    text = page(looked(tmp_path, drawings))
    assert text.count("<img ") == 6 + 2
    assert "<code>zoetrope reject ada " in text
    assert "&lt;b&gt;ada&lt;/b&gt; &amp; friends" in text
    assert text.count('<td class="none">') == 16 + 2
    assert "<script" not in text
    assert 'src="http' not in text
