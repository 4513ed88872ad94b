"""PNG files as a list of chunks (https://www.w3.org/TR/png-3/)."""

import struct
import zlib
from collections.abc import Iterable, Iterator

from zoetrope.media.containers import exif
from zoetrope.media.containers.common import (
    MAX_PARTS,
    MAX_PROFILE_BYTES,
    Stored,
    animated,
    cut_off,
    damaged,
    profile_too_large,
)

MAGIC = b"\x89PNG\r\n\x1a\n"
# A recipe with a large ComfyUI graph is some hundred kilobytes.
MAX_TEXT_BYTES = 4 * 2**20
# Samples per pixel and allowed bits per sample, by colour type.
_LAYOUTS = {0: (1, {1, 2, 4, 8, 16}), 2: (3, {8, 16}), 3: (1, {1, 2, 4, 8}), 4: (2, {8, 16}), 6: (4, {8, 16})}
# What a plain number says about colour, and how long it must be; no room for anything personal.
_COLOUR_CHUNKS = {b"cICP": 4, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32}
_READ_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"IEND", *_COLOUR_CHUNKS}
# Start column, start row, column step, row step of the seven interlacing passes.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_STEP = 2**20


def chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Each chunk's name and body; a damaged chunk that is not needed for the pixels is left out."""
    view, at = memoryview(data), len(MAGIC)
    for _ in range(MAX_PARTS):
        if at + 12 > len(data):
            raise cut_off("PNG")
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise cut_off("PNG")
        if zlib.crc32(view[at + 4 : end - 4]) == int.from_bytes(view[end - 4 : end]):
            yield kind, view[at + 8 : end - 4]
        elif _is_critical(kind):
            raise damaged("PNG", "a checksum is wrong")
        if kind == b"IEND":
            return
        at = end
    raise damaged("PNG", "it is split into too many pieces")


def _is_critical(kind: bytes) -> bool:
    return not kind[0] & 0x20


def write(parts: Iterable[tuple[bytes, bytes]]) -> bytes:
    """A PNG file of these chunks."""
    pieces = [MAGIC]
    for kind, body in parts:
        pieces += [
            struct.pack(">I", len(body)),
            kind,
            body,
            struct.pack(">I", zlib.crc32(body, zlib.crc32(kind))),
        ]
    return b"".join(pieces)


def take_apart(data: bytes) -> Stored:
    """The parts of a PNG file."""
    found, pixels = _collect(data)
    width, height, depth = _check_header(found[b"IHDR"])
    profile = _profile(found[b"iCCP"]) if b"iCCP" in found else None
    if b"iCCP" in found:
        # A profile overrules these; once it is taken out they would begin to speak.
        found = {kind: body for kind, body in found.items() if kind not in _COLOUR_CHUNKS}
    order = [b"IHDR", *_COLOUR_CHUNKS, b"PLTE", b"tRNS"]
    kept = [(kind, found[kind]) for kind in order if kind in found]
    return Stored(
        format="PNG",
        width=width,
        height=height,
        bare=write([*kept, (b"IDAT", pixels), (b"IEND", b"")]),
        orientation=exif.orientation(found.get(b"eXIf", b"")),
        profile=profile,
        depth=depth,
        lossless=True,
    )


def _collect(data: bytes) -> tuple[dict[bytes, bytes], bytes]:
    """The first of each chunk that bears on the pixels, and the compressed pixels."""
    found: dict[bytes, bytes] = {}
    pixels: list[memoryview] = []
    for kind, body in chunks(data):
        if not found and kind != b"IHDR":
            raise damaged("PNG", "its header is missing")
        if kind == b"acTL":
            raise animated("PNG")
        if kind == b"IDAT":
            pixels.append(body)
        elif kind in _READ_CHUNKS and _COLOUR_CHUNKS.get(kind, len(body)) == len(body):
            found.setdefault(kind, bytes(body))
        elif _is_critical(kind):
            raise damaged("PNG", "it holds a part that no standard knows")
    return found, b"".join(pixels)


def _check_header(header: bytes) -> tuple[int, int, int]:
    """Width, height and bits per sample."""
    if len(header) != 13:
        raise damaged("PNG", "its header is too short or too long")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", header)
    known = colour in _LAYOUTS and depth in _LAYOUTS[colour][1]
    if not known or compression or filtering or interlace > 1:
        raise damaged("PNG", "its header names a format that does not exist")
    if not (0 < width < 2**31 and 0 < height < 2**31):
        raise damaged("PNG", "its header names an impossible size")
    return width, height, depth


def _profile(body: bytes) -> bytes | None:
    """The colour profile, or None when it is broken: the pixels are still good without it."""
    _name, _, rest = body.partition(b"\0")
    try:
        profile, rest_waits = _inflate(rest[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return None
    if rest_waits:
        raise profile_too_large("PNG")
    return profile


def _inflate(data: bytes, max_bytes: int) -> tuple[bytes, bool]:
    """At most `max_bytes` of what is compressed here, and whether there is more."""
    inflater = zlib.decompressobj()
    plain = inflater.decompress(data, max_bytes)
    return plain, bool(inflater.unconsumed_tail)


def text(data: bytes, key: str) -> str | None:
    """The text that a PNG file keeps under a key, if it does."""
    wanted = key.encode("latin-1")
    for kind, body in chunks(data):
        if kind in {b"tEXt", b"zTXt", b"iTXt"}:
            name, _, rest = bytes(body).partition(b"\0")
            if name == wanted:
                return _decode_text(kind, rest)
    return None


def _decode_text(kind: bytes, rest: bytes) -> str:
    packed = kind == b"zTXt" or (kind == b"iTXt" and rest[:1] == b"\1")
    if kind == b"zTXt":
        rest = rest[1:]
    elif kind == b"iTXt":
        # Compression flag and method, then the language and the translated key, each closed by a zero.
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    try:
        plain, rest_waits = _inflate(rest, MAX_TEXT_BYTES) if packed else (rest, len(rest) > MAX_TEXT_BYTES)
        decoded = plain.decode("utf-8" if kind == b"iTXt" else "latin-1")
    except (zlib.error, UnicodeDecodeError) as error:
        raise damaged("PNG", "its text cannot be read") from error
    if rest_waits:
        raise damaged("PNG", f"its text is longer than {MAX_TEXT_BYTES:,} bytes")
    return decoded


def check_pixels(stored: Stored) -> None:
    """Refuse a file whose compressed pixels end too early; Pillow would fill the rest with black."""
    for _ in _raw_pixels(stored):
        pass


def pack_again(stored: Stored) -> bytes:
    """The bare file with its pixels compressed anew, so that nothing can hide behind their end."""
    deflater = zlib.compressobj()
    packed = b"".join([*(deflater.compress(raw) for raw in _raw_pixels(stored)), deflater.flush()])
    return write((kind, packed if kind == b"IDAT" else bytes(body)) for kind, body in chunks(stored.bare))


def _raw_pixels(stored: Stored) -> Iterator[bytes]:
    """The unpacked pixels in small pieces, as those of a large picture are hundreds of megabytes."""
    parts = dict(chunks(stored.bare))
    packed, missing = bytes(parts[b"IDAT"]), _raw_bytes(parts[b"IHDR"])
    inflater = zlib.decompressobj()
    while missing:
        try:
            raw = inflater.decompress(packed, min(_STEP, missing))
        except zlib.error as error:
            raise damaged("PNG", "its pixels cannot be unpacked") from error
        if not raw:
            raise cut_off("PNG")
        yield raw
        packed, missing = inflater.unconsumed_tail, missing - len(raw)


def _raw_bytes(header: memoryview) -> int:
    """How many bytes the pixels of this header take, each row with its filter byte."""
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", header)
    bits = depth * _LAYOUTS[colour][0]
    total = 0
    for left, top, across, down in _PASSES if interlace else ((0, 0, 1, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total
