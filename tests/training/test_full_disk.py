"""A disk that fills while a training runs: one sentence, and whatever was finished before is kept."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.training.runs import SETTINGS, Silent, model, order
from tests.wheel import cast
from zoetrope.errors import UserError
from zoetrope.media.files import write_together
from zoetrope.models.loras import open_lora
from zoetrope.training.loop import METRICS, STATE, Moment
from zoetrope.training.run import train_lora
from zoetrope.training.state import append_line


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path, leave: int = 0) -> None:
    """Take all the room there is, but for some bytes."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize - leave
    (disk / "ballast").write_bytes(b"x" * max(0, free))


class Filling(Silent):
    """Fills the disk as soon as a step is told."""

    def __init__(self, disk: Path, step: int, leave: int = 0) -> None:
        super().__init__()
        self._disk, self._step, self._leave = disk, step, leave

    def moment(self, moment: Moment) -> None:
        super().moment(moment)
        if moment.step == self._step:
            fill(self._disk, self._leave)


@pytest.mark.parametrize(
    ("change", "file"),
    [
        ({"steps": 20, "checkpoint_every": 10}, STATE),
        ({"steps": 20, "checkpoint_every": 20, "sample_every": 10}, "000010-0.png"),
        ({"steps": 20, "checkpoint_every": 20, "keep_every": 10}, "000010.safetensors"),
    ],
)
def test_whatever_finds_no_room_is_named_and_the_training_goes_on_later(
    tmp_path: Path, disk: Path, change: dict[str, int], file: str
) -> None:
    found = model(tmp_path)
    begun = order(tmp_path, found, "disk/out", SETTINGS.model_copy(update={"steps": 5, "checkpoint_every": 5}))
    train_lora(begun, Silent())
    kept = (disk / "out" / STATE).read_bytes()
    settings = SETTINGS.model_copy(update=change)
    more = replace(begun, settings=settings, samples=("ada",), resume=True)
    with pytest.raises(UserError, match=f"{file} could not be written .*No space left on device") as told:
        train_lora(more, Filling(disk, 10))
    assert "\n" not in str(told.value)
    assert (disk / "out" / STATE).read_bytes() == kept
    assert not list(disk.rglob("*.tmp"))
    (disk / "ballast").unlink()
    sheet = train_lora(more, Silent())
    assert sheet["steps"] == 20
    steps = [json.loads(line)["step"] for line in (disk / "out" / METRICS).read_text().splitlines()]
    assert steps == [5, 10, 20]


def test_an_export_without_room_leaves_the_pair_before_it(tmp_path: Path, disk: Path) -> None:
    begun = order(tmp_path, model(tmp_path), "disk/out")
    before = train_lora(begun, Silent())["sha256"]
    pair = [disk / "out" / f"ada{suffix}" for suffix in (".safetensors", ".json")]
    old = [path.read_bytes() for path in pair]
    # There will be room for the checkpoint, and none for a header with so many words.
    settings = SETTINGS.model_copy(update={"steps": 9, "checkpoint_every": 9})
    more = replace(begun, settings=settings, trigger="ada" * 100_000, resume=True)
    with pytest.raises(UserError, match=r"ada\.safetensors could not be written .*No space left"):
        train_lora(more, Filling(disk, 9, 200_000))
    assert [path.read_bytes() for path in pair] == old
    assert open_lora(pair[0]).sha256 == before == json.loads(old[1])["sha256"]


def test_where_one_file_of_a_pair_finds_no_room_neither_changes(disk: Path) -> None:
    one, other = disk / "ada.safetensors", disk / "ada.json"
    write_together({one: b"old", other: b"old"})
    with pytest.raises(UserError, match=r"ada\.json could not be written .*No space left"):
        write_together({one: b"x" * 100_000, other: b"x" * 2**20})
    assert one.read_bytes() == other.read_bytes() == b"old"
    assert sorted(path.name for path in disk.iterdir()) == ["ada.json", "ada.safetensors"]


def test_a_line_of_metrics_without_room_is_told(disk: Path) -> None:
    # As long as a page, so that the next line needs another.
    (disk / METRICS).write_bytes(b"x" * 4096)
    fill(disk)
    with pytest.raises(UserError, match=r"\(No space left on device\); the last checkpoint was kept"):
        append_line(disk / METRICS, {"step": 10})


def test_the_command_says_one_line_and_ends_with_2(tmp_path: Path, disk: Path) -> None:
    model(tmp_path)
    cast.folder(tmp_path / "data", 3)
    fill(disk, leave=100_000)
    arguments = ["train", "--model", "dev", "--data", str(tmp_path / "data"), "--output", str(disk / "out")]
    arguments += ["--steps", "4", "--rank", "8", "--resolution", "32", "--precision", "fp32", "--json"]
    done = subprocess.run([sys.executable, "-m", "zoetrope.cli", *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ""
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert "No space left on device" in errors[0]
    assert "Traceback" not in done.stderr
