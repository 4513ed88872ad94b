"""What people give by mistake, and what machines do at the worst moment: one sentence, and nothing half done.

The commands are real, each in a process of its own; after each the doctor is content.
"""

import os
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.wheel import cast
from zoetrope.wheel import review
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.workspace import Workspace


def zoetrope(*words: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "zoetrope.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def refused(*words: object) -> str:
    """The one sentence that a command ends with, and exit code 2."""
    done = zoetrope(*words)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    sentence = done.stderr.splitlines()[-1]
    assert sentence.startswith("Error: ")
    assert "Traceback" not in done.stderr
    return sentence


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but the locks."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def well(folder: Path) -> bool:
    return zoetrope("persona", "doctor", folder).returncode == 0


def small(folder: Path) -> Path:
    (folder / "small.png").write_bytes(cast.picture(0, side=2))
    (folder / "small.txt").write_text("portrait of ada", encoding="utf-8")
    return folder


def huge(folder: Path) -> Path:
    """20,000 × 10,000 white pixels in 24 KB, written by hand: no test needs 200 MB for it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + b"\xff" * 2500
    header = struct.pack(">IIBBBBB", 20_000, 10_000, 1, 0, 0, 0, 0)
    pixels = zlib.compress(row * 10_000, 9)
    whole = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    (folder / "huge.png").write_bytes(whole)
    (folder / "huge.txt").write_text("portrait of ada", encoding="utf-8")
    return folder


def latin(folder: Path) -> Path:
    cast.folder(folder)
    (folder / "ada-1.txt").write_bytes("café".encode("latin-1"))
    return folder


def words_only(folder: Path) -> Path:
    (folder / "one.txt").write_text("portrait of ada", encoding="utf-8")
    return folder


def empty(folder: Path) -> Path:
    return folder


def corrupt_zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "set.zip", "w") as made:
        made.writestr("one.png", cast.picture(1))
    whole = (folder / "set.zip").read_bytes()
    (folder / "set.zip").write_bytes(whole[: len(whole) // 2])
    return folder / "set.zip"


def escaping_zip(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "set.zip", "w") as made:
        made.writestr("one.png", cast.picture(1))
        made.writestr("../two.png", cast.picture(2))
    return folder / "set.zip"


FOLDERS = [
    (empty, "There are no pictures in", "holds no pictures"),
    (words_only, "There are no pictures in", "holds no pictures"),
    (latin, "ada-1.txt is not UTF-8 text", "ada-1.txt is not UTF-8 text"),
    (small, "2x2 pixels, and at least 32 a side", "2x2 pixels are too few"),
    (huge, "20000x10000 pixels; at most", "20000x10000 pixels; at most"),
]


@pytest.fixture
def given(tmp_path: Path) -> Path:
    (tmp_path / "given").mkdir()
    return tmp_path / "given"


@pytest.fixture
def ada(tmp_path: Path) -> Workspace:
    return cast.ada(tmp_path / "ada")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        *((make, adding) for make, adding, _ in FOLDERS),
        (corrupt_zip, "is not a readable ZIP archive; nothing was added"),
        (escaping_zip, "names a file outside itself ('../two.png'); nothing was added"),
    ],
)
def test_what_cannot_be_added_changes_nothing(
    make: Callable[[Path], Path], sentence: str, given: Path, ada: Workspace
) -> None:
    before = contents(ada.folder)
    assert sentence in refused("persona", "add", ada.folder, make(given))
    assert contents(ada.folder) == before
    assert not (ada.folder.parent / "two.png").exists()
    assert well(ada.folder)


@pytest.mark.parametrize(("make", "sentence"), [(make, training) for make, _, training in FOLDERS])
def test_what_cannot_be_trained_on_leaves_no_output(
    make: Callable[[Path], Path], sentence: str, given: Path, tmp_path: Path
) -> None:
    out = tmp_path / "lora"
    assert sentence in refused("train", "--data", make(given), "--model", "nano-flux", "--output", out)
    assert not out.exists()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one and a half megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1536k", "none", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a disk to fill cannot be mounted here: it takes root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path, leaving: int) -> None:
    """Take what is free, down to `leaving` bytes."""
    free = os.statvfs(folder)
    (folder / "filler").write_bytes(b"\0" * (free.f_bavail * free.f_frsize - leaving))


def noise(folder: Path, count: int) -> Path:
    """Pictures that compress badly."""
    from PIL import Image

    for number in range(count):
        Image.frombytes("RGB", (160, 160), os.urandom(160 * 160 * 3)).save(folder / f"noise-{number}.png")
        (folder / f"noise-{number}.txt").write_text("portrait of ada", encoding="utf-8")
    return folder


def test_a_disk_that_is_full_while_adding(disk: Path, given: Path) -> None:
    ada = cast.ada(disk / "ada")
    before = contents(ada.folder)
    fill(disk, 250_000)
    assert "No space left on device" in refused("persona", "add", ada.folder, noise(given, 6))
    assert contents(ada.folder) == before
    assert well(ada.folder)
    (disk / "filler").unlink()
    assert zoetrope("persona", "add", ada.folder, given).returncode == 0
    assert well(ada.folder)


def taught(folder: Path, drawings: Path) -> Workspace:
    """A workspace that is ready to be trained."""
    ada = cast.ada(folder)
    add_sources(ada, [cast.folder(drawings)])
    review.keep(ada, list(ada.state().pictures.values()), "person")
    return ada


def test_a_disk_that_is_full_while_training(disk: Path, given: Path) -> None:
    ada = taught(disk / "ada", given)
    fill(disk, 200_000)
    assert "No space left on device" in refused("train", ada.folder, "--steps", 2)
    assert not ada.state().versions
    assert not list(ada.folder.rglob(".*.tmp"))
    assert not list(ada.folder.rglob("*.safetensors"))
    assert well(ada.folder)


def test_a_loss_that_is_no_number(tmp_path: Path, given: Path) -> None:
    """Provoked by an alpha of 10³⁸, whose gradient is endless at once."""
    ada = taught(tmp_path / "ada", given)
    sentence = refused("train", ada.folder, "--steps", 3, "--alpha", "1e38", "--checkpoint-every", 1)
    assert "The loss stopped being a number at step 1" in sentence
    assert not ada.state().versions
    assert not list(ada.folder.rglob("*.safetensors"))
    assert well(ada.folder)
    assert zoetrope("train", ada.folder, "--steps", 2).returncode == 0
    assert [version.number for version in ada.state().versions] == [1]
    assert well(ada.folder)


def test_a_second_training_of_the_same_persona(tmp_path: Path, given: Path) -> None:
    ada = taught(tmp_path / "ada", given)
    before = contents(ada.folder)
    with ada.training():
        assert "ada is being trained already; wait for it" in refused("train", ada.folder, "--steps", 2)
        assert contents(ada.folder) == before
        assert well(ada.folder)
    assert well(ada.folder)


def test_a_name_that_no_file_can_have_is_refused_before_the_training(tmp_path: Path) -> None:
    data, output = cast.folder(tmp_path / "data"), tmp_path / "lora"
    said = refused("train", "--model", "nano-flux", "--data", data, "--output", output, "--name", "a" * 300)
    assert "at most 100 letters" in said
    assert not output.exists()
