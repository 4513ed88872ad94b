"""Pictures from outside into a workspace: files, folders, ZIP archives. All of them or none."""

import io
import itertools
import lzma
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from zoetrope.errors import UserError
from zoetrope.media.decode import Limits, decode
from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited, write_atomic, write_text_atomic
from zoetrope.media.hashing import hash_bytes
from zoetrope.media.kinds import PICTURE_SUFFIXES
from zoetrope.wheel import events as ev
from zoetrope.wheel.strays import find_strays, forget, noted, put_aside
from zoetrope.wheel.words import MOST_BYTES as MOST_CAPTION_BYTES
from zoetrope.wheel.words import on_one_line
from zoetrope.wheel.workspace import Workspace

SMALLEST_SIDE = 32
MOST_FILES = 5000
MOST_BYTES = 2 * 2**30
# What zipfile lets through of its own, of the operating system's and of each compression's errors.
_BROKEN_ZIP: tuple[type[Exception], ...] = (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, lzma.LZMAError)
_BROKEN_ZIP += (NotImplementedError, EOFError, ValueError, OSError)


@dataclass(frozen=True)
class Found:
    """A picture as it was found, and its caption where one lay beside it."""

    name: str
    data: bytes
    caption: str | None
    # Whose words the caption is.
    by: str = "file"

    @property
    def sha256(self) -> str:
        return hash_bytes(self.data)


@dataclass(frozen=True)
class Intake:
    """What came in, and what was there already."""

    added: tuple[str, ...]
    known: tuple[str, ...]

    def told(self) -> str:
        """In a sentence or two."""
        added = "1 source" if len(self.added) == 1 else f"{len(self.added)} sources"
        # A caption that came with one is not taken: somebody may have edited its own.
        known = "1 was there already and keeps its words" if len(self.known) == 1 else ""
        known = known or f"{len(self.known)} were there already and keep their words"
        return f"{added} added. {known}." if self.known else f"{added} added."


def add_sources(workspace: Workspace, paths: Sequence[Path]) -> Intake:
    """Take pictures in as sources, each once, with the captions beside them."""
    found = [picture for path in paths for picture in read_pictures(path)]
    if not found:
        raise UserError(f"There are no pictures in {', '.join(map(str, paths))}: PNG, JPEG and WebP are taken.")
    return take_in(workspace, found)


def take_in(workspace: Workspace, found: Sequence[Found]) -> Intake:
    """Copy pictures in as sources, with their captions: all of them or none."""
    with workspace.locked():
        put_aside(workspace)
        held = set(workspace.state().pictures)
        fresh: dict[str, Found] = {}
        known = []
        for picture in found:
            if picture.sha256 in held or picture.sha256 in fresh:
                known.append(picture.name)
            else:
                fresh[picture.sha256] = picture
        _copy_in(workspace, _named(workspace.folder, fresh.values()))
    return Intake(tuple(picture.name for picture in fresh.values()), tuple(known))


def _named(folder: Path, fresh: Iterable[Found]) -> dict[str, Found]:
    """Each picture by the file it will be."""
    # On a Mac and on Windows, Ada.png and ada.png are one file.
    stems = {path.stem.casefold() for path in (folder / ev.SOURCES).glob("*")}
    named = {}
    for picture in fresh:
        stem = _free_stem(stems, picture)
        stems.add(stem.casefold())
        named[f"{ev.SOURCES}/{stem}{Path(picture.name).suffix.lower()}"] = picture
    return named


def _copy_in(workspace: Workspace, named: Mapping[str, Found]) -> None:
    paths = [workspace.folder / relative for relative in named]
    try:
        with noted(workspace.folder, {relative: picture.sha256 for relative, picture in named.items()}):
            for path, picture in zip(paths, named.values(), strict=True):
                write_atomic(path, picture.data)
                if picture.caption:
                    write_text_atomic(path.with_suffix(".txt"), picture.caption + "\n")
            workspace.log.append(_events(named))
    except BaseException:
        # A full disk or Ctrl-C halfway: what was copied is in no event, so it goes again; the originals are elsewhere.
        unnamed = set(find_strays(workspace))
        for path in paths:
            if path in unnamed:
                path.with_suffix(".txt").unlink(missing_ok=True)
                path.unlink()
        forget(workspace.folder)
        raise


def _events(named: Mapping[str, Found]) -> list[ev.Event]:
    events: list[ev.Event] = []
    for relative, picture in named.items():
        events.append(ev.Added(sha256=picture.sha256, file=relative, origin=ev.Origin.source))
        if picture.caption:
            events.append(ev.Captioned(sha256=picture.sha256, text=picture.caption, by=picture.by))
    return events


def read_pictures(path: Path) -> Iterator[Found]:
    """The pictures of a file, a folder or a ZIP archive, checked; the first bad one ends it with a sentence."""
    if path.is_dir():
        inside = sorted(each for each in path.rglob("*") if each.suffix.lower() in PICTURE_SUFFIXES and each.is_file())
        yield from (_from_disk(each) for each in inside if not each.name.startswith("."))
    elif path.suffix.lower() == ".zip":
        yield from _from_zip(path)
    elif path.is_file() and path.suffix.lower() in PICTURE_SUFFIXES:
        yield _from_disk(path)
    elif path.exists():
        raise UserError(f"{path} is not a picture, a folder or a ZIP: PNG, JPEG and WebP are taken.")
    else:
        raise UserError(f"There is no file or folder {path}.")


def _from_disk(path: Path) -> Found:
    beside = path.with_suffix(".txt")
    words = read_limited(beside, MOST_CAPTION_BYTES) if beside.is_file() else None
    return _checked(str(path), path.name, read_limited(path, Limits().max_bytes), words, str(beside))


def _from_zip(path: Path) -> Iterator[Found]:
    data = read_limited(path, MOST_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {info.filename: info for info in archive.infolist() if not info.is_dir()}
            _check_members(path, members.values())
            for name, info in sorted(members.items()):
                inner = PurePosixPath(name)
                if (
                    inner.suffix.lower() not in PICTURE_SUFFIXES
                    or inner.name.startswith(".")
                    or "__MACOSX" in inner.parts
                ):
                    continue
                beside = members.get(str(inner.with_suffix(".txt")))
                words = _member(archive, beside, MOST_CAPTION_BYTES) if beside else None
                picture = _member(archive, info, Limits().max_bytes)
                yield _checked(f"{path}: {name}", inner.name, picture, words, f"{path}: {inner.with_suffix('.txt')}")
    except _BROKEN_ZIP as error:
        raise UserError(f"{path} is not a readable ZIP archive; nothing was added.") from error
    except RuntimeError as error:
        raise UserError(f"{path} is encrypted or uses a compression that is not known here.") from error


def _check_members(path: Path, members: Iterable[zipfile.ZipInfo]) -> None:
    every = list(members)
    if len(every) > MOST_FILES:
        raise UserError(f"{path} holds {len(every):,} files; at most {MOST_FILES:,} are taken.")
    if sum(info.file_size for info in every) > MOST_BYTES:
        raise UserError(f"{path} would unpack to more than {MOST_BYTES // 2**30} GB; nothing was added.")
    for info in every:
        parts = PurePosixPath(info.filename.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts:
            raise UserError(f"{path} names a file outside itself ({info.filename!a}); nothing was added.")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    # What the header announces may be a lie: never more is unpacked than is allowed.
    with archive.open(info) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise UserError(f"{info.filename} in the archive is larger than the {most:,} bytes allowed.")
    return data


def _checked(shown: str, name: str, data: bytes, words: bytes | None, words_shown: str) -> Found:
    try:
        image = decode(data).image
    except MediaError as error:
        raise UserError(f"{shown}: {error} Nothing was added.") from error
    if min(image.size) < SMALLEST_SIDE:
        size = f"{image.width}x{image.height}"
        raise UserError(f"{shown} is {size} pixels, and at least {SMALLEST_SIDE} a side are needed. Nothing was added.")
    try:
        caption = on_one_line(words.decode("utf-8-sig")) if words is not None else None
    except UnicodeDecodeError as error:
        raise UserError(
            f"{words_shown} is not UTF-8 text; save it as UTF-8 and try again. Nothing was added."
        ) from error
    except UserError as error:
        raise UserError(f"{words_shown}: {error}") from error
    return Found(name, data, caption)


def _free_stem(taken: Container[str], picture: Found) -> str:
    """The picture's own name made safe for any file system, numbered when it is taken."""
    plain = unicodedata.normalize("NFKD", Path(picture.name).stem).encode("ascii", "ignore").decode()
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-")[:80] or picture.sha256[:12]
    # A caption belongs to a stem, so no two pictures share one.
    numbered = (f"{stem}-{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([stem], numbered) if name.casefold() not in taken)
