"""What a folder trains on, in which sizes, and in which order."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.wheel import cast
from zoetrope.errors import UserError
from zoetrope.training.batches import Batches
from zoetrope.training.dataset import Item, Shown, arrange, bucket, load, read_dataset
from zoetrope.training.preflight import caption_remarks
from zoetrope.training.settings import make_settings


def test_kohya_folders_repeat(tmp_path: Path) -> None:
    cast.folder(tmp_path / "10_ada girl", 1)
    (tmp_path / "2_other").mkdir()
    (tmp_path / "2_other" / "x.png").write_bytes(cast.picture(5))
    (tmp_path / "2_other" / "x.txt").write_text("[trigger] in a park", encoding="utf-8")
    found = read_dataset(tmp_path, trigger="ada")
    assert [(item.repeats, item.caption) for item in found.items] == [
        (10, "portrait of ada, scene 0"),
        (2, "ada in a park"),
    ]


def test_what_is_left_out_is_told_with_the_reason(tmp_path: Path) -> None:
    cast.folder(tmp_path, 2)
    (tmp_path / "bare.png").write_bytes(cast.picture(5))
    (tmp_path / "copy.png").write_bytes(cast.picture(0))
    (tmp_path / "copy.txt").write_text("again", encoding="utf-8")
    (tmp_path / "tiny.png").write_bytes(cast.picture(0, side=4))
    (tmp_path / "tiny.txt").write_text("small", encoding="utf-8")
    (tmp_path / "bad.png").write_bytes(b"not a picture")
    (tmp_path / "bad.txt").write_text("bad", encoding="utf-8")
    found = read_dataset(tmp_path)
    assert len(found.items) == 2
    reasons = {dropped.path.name: dropped.reason for dropped in found.dropped}
    assert reasons["bare.png"] == "it has no .txt beside it"
    assert reasons["copy.png"] == "the same picture as ada-0.png"
    assert reasons["tiny.png"] == "4x4 pixels are too few"
    assert set(reasons) == {"bare.png", "copy.png", "tiny.png", "bad.png"}


def test_folders_that_cannot_be_trained_on(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no folder"):
        read_dataset(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no pictures"):
        read_dataset(tmp_path / "empty")
    cast.folder(tmp_path / "bare", 2, captions=False)
    with pytest.raises(UserError, match=r"nothing to train on: ada-0\.png: it has no \.txt"):
        read_dataset(tmp_path / "bare")
    latin = cast.folder(tmp_path / "latin", 1)
    (latin / "ada-0.txt").write_bytes("café".encode("latin-1"))
    with pytest.raises(UserError, match="is not UTF-8"):
        read_dataset(latin)


@pytest.mark.parametrize(
    ("size", "resolution", "wanted"),
    [
        ((64, 64), 64, (64, 64)),
        ((1000, 500), 512, (720, 368)),
        ((500, 1000), 512, (368, 720)),
        ((5000, 100), 512, (720, 368)),
        ((100, 100), 512, (96, 96)),
    ],
)
def test_buckets_keep_shape_and_area(size: tuple[int, int], resolution: int, wanted: tuple[int, int]) -> None:
    found = bucket(size, resolution, 16)
    assert found == wanted


def test_a_picture_fills_its_bucket_and_keeps_its_mask(tmp_path: Path) -> None:
    image = Image.new("RGBA", (100, 50), (255, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 50, 50))
    image.save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("half", encoding="utf-8")
    item = read_dataset(tmp_path).items[0]
    picture = load(item, (32, 32))
    assert item.masked
    assert picture.image.size == (32, 32)
    assert picture.alpha is not None
    assert picture.alpha.getextrema() == (0, 255)


def shown(count: int, size: tuple[int, int] = (64, 64), repeats: int = 1) -> list[Shown]:
    return [Shown(Item(Path(f"{i}.png"), f"{size}{i}", size, "", repeats), size) for i in range(count)]


def test_an_epoch_shows_everything_as_often_as_asked() -> None:
    every = [*shown(5, repeats=2), *shown(3, (32, 64))]
    batches = Batches(every, 2, seed=1)
    epoch = [batches.at(step) for step in range(batches.per_epoch)]
    assert all(len(batch) == 2 and len({every[i].size for i in batch}) == 1 for batch in epoch)
    counts = [sum(batch.count(i) for batch in epoch) for i in range(8)]
    assert counts[:5] == [2] * 5
    assert sum(counts[5:]) == 4
    assert min(counts[5:]) == 1


def test_a_step_is_the_same_whoever_asks() -> None:
    one, other = Batches(shown(7), 3, seed=1), Batches(shown(7), 3, seed=1)
    assert one.at(50) == other.at(50)
    assert [one.at(i) for i in range(9)] != [Batches(shown(7), 3, seed=2).at(i) for i in range(9)]


def test_a_batch_larger_than_the_dataset_is_filled_up() -> None:
    assert sorted(set(Batches(shown(3), 8, seed=1).at(0))) == [0, 1, 2]
    assert len(Batches(shown(3), 8, seed=1).at(0)) == 8


def test_resolutions_that_come_to_the_same_size_count_once() -> None:
    assert len(arrange([each.item for each in shown(2)], (64, 512), 8)) == 2


def test_captions_that_teach_the_wrong_thing_are_told() -> None:
    assert caption_remarks(["ada", "eve"], "ada") == ["1 of 2 captions lack the trigger 'ada'."]
    assert "are the same" in caption_remarks(["ada", "ada"], "")[0]
    assert "Every caption is empty" in caption_remarks([""], "")[0]


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"steps": 0}, "steps cannot be 0"),
        ({"optimizer": "sgd"}, "optimizer cannot be 'sgd'"),
        ({"lr": float("nan")}, "lr cannot be"),
        ({"resolutions": (8,)}, "This cannot be trained: resolutions must be from 16"),
    ],
)
def test_settings_that_make_no_sense(chosen: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        make_settings(**chosen)
