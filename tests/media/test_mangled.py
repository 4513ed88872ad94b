"""Mangled files: a sentence or a picture, in bounded memory, and never anything else."""

import struct
import subprocess
import sys
import tempfile
import time
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.media import seeds
from zoetrope.media.containers import png
from zoetrope.media.decode import Limits, decode
from zoetrope.media.errors import MediaError
from zoetrope.media.recipe import Recipe, read_recipe
from zoetrope.media.strip import strip_metadata

SEEDS = seeds.every_kind()
GARBAGE = [b"\0" * 40, b"\xff" * 40, b"\xff\xd8\xff\xd9", b"\xff\xff\xff\xff", b"IDAT", b"\x7f\xff\xff\xff", b"RIFF"]
# With two million pixels a lucky flip in a size still gives a picture, but not hundreds of megabytes each time.
LIMITS = Limits(max_pixels=2_000_000)
SIZES = [0, 1, 15, 17, 25, 1000, 0x3FFF, 0x7FFF, 0xFFFF, 2**24 - 1, 2**31 - 1, 2**32 - 1]


@pytest.fixture(scope="module", autouse=True)
def bounded_memory() -> Iterator[None]:
    """All that is mangled here together must not need much memory; Pillow's own is counted too."""
    resource = pytest.importorskip("resource")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown // (2**20 if sys.platform == "darwin" else 2**10) < 256


def cut(random: Random, data: bytes) -> bytes:
    """The file ends early."""
    return data[: random.randrange(len(data) + 1)]


def flip(random: Random, data: bytes) -> bytes:
    """Some bytes are others."""
    mangled = bytearray(data)
    for _ in range(random.randint(1, 8) if data else 0):
        mangled[random.randrange(len(data))] = random.randrange(256)
    return bytes(mangled)


def insert(random: Random, data: bytes) -> bytes:
    """Something foreign stands in the middle."""
    at = random.randrange(len(data) + 1)
    return data[:at] + random.choice([*GARBAGE, random.randbytes(9)]) + data[at:]


def splice(random: Random, data: bytes) -> bytes:
    """A piece of another file stands in place of a piece of this one."""
    at, other = random.randrange(len(data) + 1), SEEDS[random.choice(sorted(SEEDS))]
    start, length = random.randrange(len(other)), random.randrange(300)
    return data[:at] + other[start : start + length] + data[at + random.randrange(100) :]


def parts(data: bytes) -> list[bytes]:
    """A PNG's chunks, or the file cut where its kind puts its marks."""
    if data.startswith(png.MAGIC):
        try:
            return [png.MAGIC, *(png.write([(kind, bytes(body))])[8:] for kind, body in png.chunks(data))]
        except MediaError:
            return [data]
    mark = b"\xff" if data.startswith(b"\xff\xd8") else b"VP8"
    first, *rest = data.split(mark)
    return [first, *(mark + part for part in rest)]


def shuffle(random: Random, data: bytes) -> bytes:
    """A part is missing, doubled or elsewhere."""
    pieces = parts(data)
    piece = pieces.pop(random.randrange(len(pieces)))
    for _ in range(random.randrange(3)):
        pieces.insert(random.randrange(len(pieces) + 1), piece)
    return b"".join(pieces)


def resize(random: Random, data: bytes) -> bytes:
    """The header announces another size; often a huge one."""
    width, height = random.choice(SIZES), random.choice(SIZES)
    if data.startswith(png.MAGIC):
        return data[:16] + struct.pack(">II", width, height) + data[24:]
    for mark, skip, packed in [
        (b"\xff\xc0\0", 5, struct.pack(">HH", height & 0xFFFF, width & 0xFFFF)),
        (b"\xff\xc2\0", 5, struct.pack(">HH", height & 0xFFFF, width & 0xFFFF)),
        (b"VP8X", 12, struct.pack("<I", width)[:3] + struct.pack("<I", height)[:3]),
        (b"VP8 ", 14, struct.pack("<HH", width & 0xFFFF, height & 0xFFFF)),
        (b"VP8L", 9, struct.pack("<I", width)),
    ]:
        at = data.find(mark) + skip
        if at >= skip:
            return data[:at] + packed + data[at + len(packed) :]
    return data


def mend(random: Random, data: bytes) -> bytes:
    """Checksums and lengths fit again, so that the damage comes further in."""
    if data[:4] == b"RIFF":
        return data[:4] + struct.pack("<I", max(0, len(data) - 8)) + data[8:]
    if not data.startswith(png.MAGIC):
        return data
    mended, at = bytearray(data), 8
    while at + 12 <= len(data):
        length = min(int.from_bytes(data[at : at + 4]), len(data) - at - 12)
        mended[at : at + 4] = struct.pack(">I", length)
        mended[at + 8 + length : at + 12 + length] = struct.pack(">I", zlib.crc32(mended[at + 4 : at + 8 + length]))
        at += 12 + length
    return bytes(mended)


MANGLERS = [cut, flip, insert, splice, shuffle, resize]
hurts = st.lists(st.sampled_from([*MANGLERS, mend]), min_size=1, max_size=4)
luck = st.integers(0, 2**32 - 1)
names = st.sampled_from(sorted(SEEDS))
often = settings(max_examples=900, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def mangle(data: bytes, hurts: list[Callable[[Random, bytes], bytes]], luck: int) -> bytes:
    """Hurt a file a few times, then often mend its checksums."""
    random = Random(luck)
    for hurt in hurts:
        data = hurt(random, data)
    return mend(random, data) if luck % 2 else data


def outcome(action: Callable[[], object]) -> object | None:
    """What an action gives, or None where it is refused; a warning or another error is a fault of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return action()
        except MediaError as error:
            refusal = error
    assert str(refusal)
    assert "\n" not in str(refusal)
    # A warning turned into an error inside would look like a refusal.
    assert not isinstance(refusal.__cause__, Warning), refusal.__cause__
    return None


@often
@given(names, hurts, luck)
def test_decode(name: str, hurts: list[Callable[[Random, bytes], bytes]], luck: int) -> None:
    data = mangle(SEEDS[name], hurts, luck)
    picture = outcome(lambda: decode(data, LIMITS))
    if picture is not None:
        again = decode(data, LIMITS)
        assert again.image.mode == "RGB"
        assert again.alpha is None or (again.alpha.mode, again.alpha.size) == ("L", again.image.size)


@often
@given(names, hurts, luck)
def test_strip_metadata(name: str, hurts: list[Callable[[Random, bytes], bytes]], luck: int) -> None:
    data = mangle(SEEDS[name], hurts, luck)
    stripped = outcome(lambda: strip_metadata(data, LIMITS))
    if isinstance(stripped, bytes):
        before, after = decode(data, LIMITS), decode(stripped, LIMITS)
        assert before.image.size == after.image.size
        assert (before.alpha is None) == (after.alpha is None)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@often
@given(st.sampled_from(["recipe.png", "recipe.png", "told.png", "plain.jpg", "moving.png"]), hurts, luck)
def test_read_recipe_from_a_picture(
    folder: Path, name: str, hurts: list[Callable[[Random, bytes], bytes]], luck: int
) -> None:
    (folder / name).write_bytes(mangle(SEEDS[name], hurts, luck))
    recipe = outcome(lambda: read_recipe(folder / name))
    assert recipe is None or isinstance(recipe, Recipe)


@often
@given(hurts.filter(lambda hurts: shuffle not in hurts), luck)
def test_read_recipe_from_a_sidecar(folder: Path, hurts: list[Callable[[Random, bytes], bytes]], luck: int) -> None:
    (folder / "side.json").write_bytes(mangle(seeds.recipe(graph={"1": [{}]}).to_json().encode(), hurts, luck))
    recipe = outcome(lambda: read_recipe(folder / "side.png"))
    assert recipe is None or (isinstance(recipe, Recipe) and Recipe.from_json(recipe.to_json()) == recipe)


@pytest.mark.parametrize("name", sorted(SEEDS))
def test_the_manglers_leave_some_pictures_and_refuse_others(name: str) -> None:
    # Otherwise the tests above would try only one of the two ways out.
    tries = [mangle(SEEDS[name], [MANGLERS[luck % len(MANGLERS)]], luck) for luck in range(120)]
    results = [outcome(lambda data=data: decode(data, LIMITS)) for data in tries]  # type: ignore[misc]
    assert None in results
    assert name.startswith("moving") or any(results)


def bombs() -> dict[str, bytes]:
    """Small files that claim or unpack to hundreds of megabytes."""
    plain, packed = SEEDS["plain.png"], zlib.compress(b"\0" * (200 * 2**20), 9)
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    wide = struct.pack("<I", 16383)[:3]
    return {
        "text.png": seeds.with_chunk(plain, b"zTXt", b"zoetrope\0\0" + packed),
        "international-text.png": seeds.with_chunk(plain, b"iTXt", b"zoetrope\0\1\0\0\0" + packed),
        "profile.png": seeds.with_chunk(plain, b"iCCP", b"p\0\0" + packed),
        "hidden.png": png.write([(b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")]),
        "size.png": mend(Random(), plain[:16] + struct.pack(">II", 60_000, 60_000) + plain[24:]),
        "chunk.png": plain[:33] + b"\x7f\xff\xff\xff" + plain[37:],
        "size.jpg": SEEDS["plain.jpg"].replace(
            b"\xff\xc0\0\x11\x08\0\x10\0\x18", b"\xff\xc0\0\x11\x08\xff\xdc\xff\xdc"
        ),
        "size.webp": SEEDS["alpha.webp"].replace(b"\x17\0\0\x0f\0\0", wide + wide),
    }


CHILD = """
import resource, sys
from pathlib import Path
from zoetrope.media.decode import decode
from zoetrope.media.errors import MediaError
from zoetrope.media.recipe import read_recipe
from zoetrope.media.strip import strip_metadata

def peak():
    # Kilobytes on Linux, bytes on macOS.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 2**10)

good, path = Path(sys.argv[1]), Path(sys.argv[2])
strip_metadata(good.read_bytes())
before = peak()
for action in (lambda: decode(path.read_bytes()), lambda: strip_metadata(path.read_bytes()), lambda: read_recipe(path)):
    try:
        action()
    except MediaError:
        pass
print(peak() - before)
"""


@pytest.mark.parametrize("name", sorted(bombs()))
def test_bombs_do_not_fill_the_memory(name: str, tmp_path: Path) -> None:
    (tmp_path / "good.png").write_bytes(SEEDS["told.png"])
    (tmp_path / name).write_bytes(bombs()[name])
    command = [sys.executable, "-c", CHILD, str(tmp_path / "good.png"), str(tmp_path / name)]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert grown < 40


@pytest.mark.parametrize("data", [b"\xff\xd8" + b"\xff" * 2**22, b"\xff\xd8\xff\xda\0\2" + b"\xff" * 2**22])
def test_a_jpeg_of_marks_only_is_refused_at_once(data: bytes) -> None:
    start = time.monotonic()
    with pytest.raises(MediaError, match="cut off"):
        decode(data)
    assert time.monotonic() - start < 5
