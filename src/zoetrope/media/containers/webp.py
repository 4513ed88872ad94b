"""WebP files as a list of RIFF chunks (RFC 9649)."""

import struct
from collections.abc import Iterator

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

_ANIMATION, _ALPHA = 0x02, 0x10


def begins_like_one(data: bytes) -> bool:
    """Whether these bytes claim to be a WebP file."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    end, at = 8 + int.from_bytes(data[4:8], "little"), 12
    if end > len(data):
        raise cut_off("WEBP")
    for _ in range(MAX_PARTS):
        if at + 8 > end:
            return
        kind, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > end:
            raise cut_off("WEBP")
        yield kind, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    raise damaged("WEBP", "it is split into too many pieces")


def take_apart(data: bytes) -> Stored:
    """The parts of a WebP file."""
    found: dict[bytes, bytes] = {}
    for kind, body in _chunks(data):
        found.setdefault(kind, body)
    canvas = _canvas(found[b"VP8X"]) if b"VP8X" in found else None
    if found.keys() & {b"ANIM", b"ANMF"}:
        raise animated("WEBP")
    pixels = b"VP8L" if b"VP8L" in found else b"VP8 "
    width, height = _pixel_size(pixels, found.get(pixels, b""))
    if canvas not in (None, (width, height)):
        raise damaged("WEBP", "it names two different sizes")
    profile = found.get(b"ICCP")
    if profile and len(profile) > MAX_PROFILE_BYTES:
        raise profile_too_large("WEBP")
    return Stored(
        format="WEBP",
        width=width,
        height=height,
        bare=_bare(found, pixels),
        orientation=exif.orientation(found.get(b"EXIF", b"")),
        profile=profile,
        lossless=pixels == b"VP8L",
    )


def _canvas(body: bytes) -> tuple[int, int]:
    if len(body) < 10:
        raise damaged("WEBP", "its header is too short")
    if body[0] & _ANIMATION:
        raise animated("WEBP")
    return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")


def _pixel_size(kind: bytes, body: bytes) -> tuple[int, int]:
    """The size that the compressed pixels themselves name."""
    if kind == b"VP8L" and len(body) >= 5 and body[0] == 0x2F:
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and len(body) >= 10 and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", body, 6)
        if width & 0x3FFF and height & 0x3FFF:
            return width & 0x3FFF, height & 0x3FFF
    raise damaged("WEBP", "it holds no picture")


def _bare(found: dict[bytes, bytes], pixels: bytes) -> bytes:
    """The pixels and their alpha; the header then announces no EXIF, XMP or profile any more."""
    parts = [(pixels, found[pixels])]
    if b"VP8X" in found:
        header = found[b"VP8X"]
        alpha = [(b"ALPH", found[b"ALPH"])] if b"ALPH" in found and pixels == b"VP8 " else []
        parts = [(b"VP8X", bytes([header[0] & _ALPHA, 0, 0, 0]) + header[4:10]), *alpha, *parts]
    body = b"".join(struct.pack("<4sI", kind, len(part)) + part + b"\0" * (len(part) % 2) for kind, part in parts)
    return struct.pack("<4sI4s", b"RIFF", 4 + len(body), b"WEBP") + body
