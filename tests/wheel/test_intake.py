"""Pictures from outside: all of them or none, and one sentence when one is bad."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.wheel import cast
from zoetrope.errors import UserError
from zoetrope.media.files import write_atomic
from zoetrope.wheel.doctor import examine
from zoetrope.wheel.intake import add_sources


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return path


def test_a_zip_with_captions(tmp_path: Path) -> None:
    ada = cast.ada(tmp_path / "ada")
    members = {"set/one.png": cast.picture(1), "set/one.txt": b"portrait of ada", "__MACOSX/one.png": b"x"}
    taken = add_sources(ada, [archive(tmp_path / "set.zip", members)])
    assert taken.added == ("one.png",)
    assert next(iter(ada.state().pictures.values())).caption == "portrait of ada"


def test_a_picture_that_is_there_already_keeps_its_words(tmp_path: Path) -> None:
    ada, given = cast.ada(tmp_path / "ada"), cast.folder(tmp_path / "given", 2)
    (given / "ada-0.txt").write_text("ada, sitting", encoding="utf-8")
    assert add_sources(ada, [given]).told() == "2 sources added."
    (given / "ada-0.txt").write_text("ada, standing", encoding="utf-8")
    (given / "new.png").write_bytes(cast.picture(7))
    assert add_sources(ada, [given]).told() == "1 source added. 2 were there already and keep their words."
    (given / "ada-1.png").unlink()
    (given / "new.png").unlink()
    assert add_sources(ada, [given]).told() == "0 sources added. 1 was there already and keeps its words."
    assert next(iter(ada.state().pictures.values())).caption == "ada, sitting"


def test_names_that_differ_in_capitals_alone_are_told_apart(tmp_path: Path) -> None:
    ada = cast.ada(tmp_path / "ada")
    add_sources(ada, [archive(tmp_path / "set.zip", {"Ada.png": cast.picture(1), "ada.png": cast.picture(2)})])
    assert [entry.file for entry in ada.state().pictures.values()] == ["sources/Ada.png", "sources/ada-2.png"]


def test_a_caption_is_one_line_of_characters_that_can_be_seen(tmp_path: Path) -> None:
    ada, given = cast.ada(tmp_path / "ada"), cast.folder(tmp_path / "given", 1)
    (given / "ada-0.txt").write_bytes(b"portrait\r\nof\0\x1b ada, \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x8e\xa8\n")
    add_sources(ada, [given])
    assert next(iter(ada.state().pictures.values())).caption == "portrait of ada, \N{WOMAN}\u200d\N{ARTIST PALETTE}"


def tiny(path: Path) -> Path:
    (path / "tiny.png").write_bytes(cast.picture(0, side=2))
    return path / "tiny.png"


def huge(path: Path) -> Path:
    buffer = io.BytesIO()
    Image.new("1", (20000, 10000)).save(buffer, "PNG")
    (path / "huge.png").write_bytes(buffer.getvalue())
    return path / "huge.png"


def latin(path: Path) -> Path:
    folder = cast.folder(path / "latin")
    (folder / "ada-1.txt").write_bytes("café".encode("latin-1"))
    return folder


def corrupt(path: Path) -> Path:
    whole = archive(path / "whole.zip", {"one.png": cast.picture(1)})
    (path / "corrupt.zip").write_bytes(whole.read_bytes()[:-30])
    return path / "corrupt.zip"


def flipped(path: Path) -> Path:
    whole = bytearray(archive(path / "whole.zip", {"one.png": cast.picture(1)}).read_bytes())
    whole[60] ^= 0xFF
    (path / "flipped.zip").write_bytes(whole)
    return path / "flipped.zip"


def unpackable(path: Path) -> Path:
    """Deflated data of a kind of block that there is not."""
    whole = bytearray(archive(path / "whole.zip", {"one.png": cast.picture(1)}).read_bytes())
    whole[30 + len("one.png")] = 0xFF
    (path / "unpackable.zip").write_bytes(whole)
    return path / "unpackable.zip"


def unpackable_lzma(path: Path) -> Path:
    with zipfile.ZipFile(path / "whole.zip", "w", zipfile.ZIP_LZMA) as made:
        made.writestr("one.png", cast.picture(1))
    whole = bytearray((path / "whole.zip").read_bytes())
    whole[50:60] = b"\xff" * 10
    (path / "lzma.zip").write_bytes(whole)
    return path / "lzma.zip"


def escaping(path: Path) -> Path:
    return archive(path / "escape.zip", {"../../one.png": cast.picture(1)})


def endless_words(path: Path) -> Path:
    folder = cast.folder(path / "endless")
    (folder / "ada-1.txt").write_text("word " * 1000, encoding="utf-8")
    return folder


def empty(path: Path) -> Path:
    (path / "empty").mkdir()
    return path / "empty"


def words_only(path: Path) -> Path:
    folder = empty(path)
    (folder / "one.txt").write_text("alone", encoding="utf-8")
    return folder


def not_a_picture(path: Path) -> Path:
    folder = cast.folder(path / "mixed")
    (folder / "zz.png").write_bytes(b"GIF89a")
    return folder


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (tiny, "is 2x2 pixels, and at least 32 a side"),
        (huge, "pixels are allowed"),
        (latin, "ada-1.txt is not UTF-8 text"),
        (endless_words, "ada-1.txt: That is 4,999 characters, and at most 2,000"),
        (corrupt, "is not a readable ZIP archive"),
        (flipped, "is not a readable ZIP archive"),
        (unpackable, "is not a readable ZIP archive"),
        (unpackable_lzma, "is not a readable ZIP archive"),
        (escaping, "names a file outside itself"),
        (empty, "There are no pictures in"),
        (words_only, "There are no pictures in"),
        (not_a_picture, "zz.png"),
        (lambda path: path / "nowhere", "There is no file or folder"),
    ],
)
def test_bad_input_is_one_sentence_and_changes_nothing(
    make: Callable[[Path], Path], sentence: str, tmp_path: Path
) -> None:
    ada = cast.ada(tmp_path / "ada")
    given = tmp_path / "given"
    given.mkdir()
    with pytest.raises(UserError, match=sentence):
        add_sources(ada, [make(given)])
    assert not ada.state().pictures
    assert not list((ada.folder / "sources").iterdir())
    assert examine(ada) == []


def test_a_full_disk_leaves_nothing_half_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = cast.ada(tmp_path / "ada")
    given = cast.folder(tmp_path / "given", 4)
    left = iter(range(3))

    def failing(path: Path, data: bytes) -> None:
        if next(left, None) is None:
            raise UserError("No space left on device.")
        write_atomic(path, data)

    monkeypatch.setattr("zoetrope.wheel.intake.write_atomic", failing)
    with pytest.raises(UserError, match="No space left"):
        add_sources(ada, [given])
    monkeypatch.undo()
    assert not list((ada.folder / "sources").iterdir())
    assert examine(ada) == []
    assert len(add_sources(ada, [given]).added) == 4
