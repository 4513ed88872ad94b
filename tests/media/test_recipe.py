"""A recipe says one thing in one spelling, and stays with its picture."""

import io
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from tests.media import seeds
from zoetrope.media.containers import png
from zoetrope.media.errors import MediaError
from zoetrope.media.hashing import hash_file
from zoetrope.media.kinds import MediaKind
from zoetrope.media.recipe import Control, LoraUse, Recipe, png_bytes, read_recipe, save_picture

FULL = seeds.recipe(
    media=MediaKind.clip,
    negative_prompt="blurry",
    true_guidance=4.0,
    max_tokens=256,
    loras=(LoraUse(name="ada", sha256="cd" * 32, weight=0.8),),
    controls=(Control(kind="pose", sha256="ef" * 32, strength=0.5),),
    batch_size=4,
    batch_index=3,
    engine="comfyui",
    graph={"2": {"inputs": [1, 2.5, None, "ü"]}, "10": {}},
)
text = st.text(max_size=40)
number = st.floats(allow_nan=False, allow_infinity=False)
graphs = st.none() | st.dictionaries(text, st.recursive(text | number | st.none(), st.lists, max_leaves=5), max_size=3)


def test_the_canonical_spelling_is_fixed() -> None:
    # Recipes are found by this hash, so a change here is a new schema version.
    assert seeds.recipe().to_json() == (
        '{"batch_index":0,"batch_size":1,"controls":[],"engine":"local","graph":null,"guidance":3.5,"height":16,'
        '"loras":[],"max_tokens":null,"media":"image","model":{"family":"flux","name":"nano","sha256":"'
        + "ab"
        * 32
        + '"},"negative_prompt":"","prompt":"Ada, as a fox 🦊","schema_version":1,"seed":7,"steps":4,'
        '"true_guidance":1.0,"width":24}'
    )


@settings(max_examples=100, deadline=None)
@given(text, text, st.integers(0, 2**63 - 1), number.filter(lambda value: value >= 0), graphs)
def test_every_recipe_comes_back(
    prompt: str, negative: str, seed: int, guidance: float, graph: dict[str, Any] | None
) -> None:
    recipe = seeds.recipe(prompt=prompt, negative_prompt=negative, seed=seed, guidance=guidance, graph=graph)
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    assert again.sha256 == recipe.sha256
    assert png.text(png_bytes(Image.new("RGB", (1, 1)), recipe), "zoetrope") == recipe.to_json()


def test_spelling_does_not_change_the_hash_but_a_value_does() -> None:
    loose = json.dumps(dict(reversed(json.loads(FULL.to_json()).items())), indent=4)
    assert Recipe.from_json(loose) == FULL
    assert Recipe.from_json(loose).sha256 == FULL.sha256
    assert FULL.model_copy(update={"seed": 8}).sha256 != FULL.sha256


@pytest.mark.parametrize(
    "change",
    [
        {"seed": -1},
        {"seed": 2**63},
        {"steps": 0},
        {"guidance": -0.1},
        {"guidance": float("nan")},
        {"true_guidance": float("inf")},
        {"width": 0},
        {"height": 0},
        {"max_tokens": 0},
        {"batch_index": 1},
        {"batch_size": 0},
        {"host": "ada.local"},
        {"media": "sound"},
        {"schema_version": 2},
        {"schema_version": 0},
        {"loras": [{"name": "a", "sha256": "b", "weight": float("nan")}]},
        {"graph": {"a": float("nan")}},
        {"graph": {"a": object()}},
        {"graph": {"\ud800": 1}},
        {"prompt": "\ud800"},
    ],
)
def test_what_cannot_be_made_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        seeds.recipe(**change)


def test_a_recipe_cannot_be_changed_not_even_by_its_graph() -> None:
    graph = {"a": [1]}
    recipe = seeds.recipe(graph=graph)
    before = recipe.sha256
    graph["a"].append(2)
    assert recipe.sha256 == before
    with pytest.raises(ValidationError, match="frozen"):
        recipe.seed = 8


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("", "not valid JSON"),
        ("[1]", "not a JSON object"),
        ("{}", "model: Field required"),
        ('{"schema_version": 2, "new": 1}', "newer Zoetrope .*update"),
        (seeds.recipe().to_json().replace('"seed":7', '"seed":-7'), "seed: Input should be greater"),
        (seeds.recipe().to_json().replace("3.5", "NaN"), "not valid JSON"),
        (seeds.recipe().to_json().replace("3.5", "1e999"), "guidance: Input should be a finite"),
        (seeds.recipe().to_json().replace('"graph":null', '"graph":{"a":1e999}'), "graph"),
        (seeds.recipe().to_json().replace('"seed"', '"' + "x\\n" * 999 + '"'), "cannot be used"),
        ("[" * 100_000, "not valid JSON"),
        ('{"seed": ' + "9" * 5000 + "}", "not valid JSON"),
    ],
)
def test_bad_recipes_are_told_in_one_short_sentence(words: str, reason: str) -> None:
    with pytest.raises(MediaError, match=reason) as caught:
        Recipe.from_json(words)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_saving_writes_picture_and_sidecar(tmp_path: Path) -> None:
    path = tmp_path / "ab" / "ada.png"
    assert save_picture(seeds.scene(), FULL, path) == hash_file(path)
    assert read_recipe(path) == FULL
    assert sorted(file.name for file in path.parent.iterdir()) == ["ada.json", "ada.png"]
    assert hash_file(path.with_suffix(".json")) == FULL.sha256
    assert Image.open(path).tobytes() == seeds.scene().tobytes()


def test_the_same_pixels_and_recipe_give_the_same_bytes() -> None:
    dirty = seeds.scene()
    dirty.info = {"icc_profile": seeds.srgb_profile(), "dpi": (9, 9), "exif": seeds.exif(), "gamma": 1.0}
    assert png_bytes(dirty, FULL) == png_bytes(seeds.scene(), FULL)
    assert png_bytes(seeds.scene(), FULL) != png_bytes(seeds.scene(), seeds.recipe())


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "RGBA", "CMYK", "YCbCr"])
def test_pictures_of_any_mode_can_be_saved(mode: str) -> None:
    image = seeds.scene(mode)
    saved = Image.open(io.BytesIO(png_bytes(image, FULL)))
    wanted = "RGBA" if mode in {"LA", "RGBA"} else "RGB"
    assert saved.convert(wanted).tobytes() == image.convert(wanted).tobytes()


def test_a_transparent_colour_is_saved_as_transparency() -> None:
    image = Image.new("RGB", (1, 1), (9, 8, 7))
    image.info["transparency"] = (9, 8, 7)
    assert Image.open(io.BytesIO(png_bytes(image, FULL))).getpixel((0, 0)) == (9, 8, 7, 0)


def test_other_tools_read_the_parameters() -> None:
    found = Image.open(io.BytesIO(png_bytes(seeds.scene(), FULL))).info["parameters"]
    assert found == (
        "Ada, as a fox 🦊\nNegative prompt: blurry\n"
        "Steps: 4, CFG scale: 3.5, Seed: 7, Size: 24x16, Model hash: ababababab, Model: nano, "
        'True CFG scale: 4.0, Lora hashes: "ada: cdcdcdcdcdcd (0.8)", Version: Zoetrope'
    )


def test_a_zero_in_the_prompt_does_not_cut_the_parameters_short() -> None:
    image = Image.open(io.BytesIO(png_bytes(seeds.scene(), seeds.recipe(prompt="a\0b"))))
    assert image.info["parameters"].startswith("a b\nSteps: 4")


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt"])
def test_the_recipe_is_found_in_any_kind_of_text(tmp_path: Path, kind: bytes) -> None:
    words = seeds.recipe(prompt="plain").to_json().encode()
    packed = zlib.compress(words)
    bodies = {b"tEXt": b"\0" + words, b"zTXt": b"\0\0" + packed, b"iTXt": b"\0\1\0de\0\0" + packed}
    picture = seeds.with_chunk(seeds.encoded(seeds.scene(), "PNG"), kind, b"zoetrope" + bodies[kind])
    (tmp_path / "a.png").write_bytes(picture)
    assert read_recipe(tmp_path / "a.png").prompt == "plain"


@pytest.mark.parametrize("picture", [None, seeds.encoded(seeds.scene(), "PNG"), b"\x89PNG\r\n\x1a\n torn", b"a clip"])
def test_the_sidecar_speaks_where_the_picture_is_silent(tmp_path: Path, picture: bytes | None) -> None:
    path = tmp_path / "ada.mp4"
    if picture is not None:
        path.write_bytes(picture)
    with pytest.raises(MediaError, match=r"neither ada\.mp4 holds one nor is there a ada\.json"):
        read_recipe(path)
    (tmp_path / "ada.json").write_text(FULL.to_json(), encoding="utf-8")
    assert read_recipe(path) == FULL


def test_the_picture_speaks_before_the_sidecar(tmp_path: Path) -> None:
    save_picture(seeds.scene(), FULL, tmp_path / "a.png")
    (tmp_path / "a.json").write_text(seeds.recipe().to_json(), encoding="utf-8")
    assert read_recipe(tmp_path / "a.png") == FULL


@pytest.mark.parametrize("sidecar", [b"\xff\xfe", b"{}", b" " * (4 * 2**20 + 1)])
def test_a_bad_sidecar_is_named(tmp_path: Path, sidecar: bytes) -> None:
    (tmp_path / "ada.json").write_bytes(sidecar)
    with pytest.raises(MediaError, match="ada"):
        read_recipe(tmp_path / "ada.png")


def test_only_png_is_saved(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"saved as \.png"):
        save_picture(seeds.scene(), FULL, tmp_path / "ada.jpg")
    assert list(tmp_path.iterdir()) == []
