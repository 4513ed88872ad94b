"""JPEG files as a list of segments (ITU-T T.81, JFIF, Adobe)."""

import re
import struct
from collections.abc import Iterator

from zoetrope.media.containers import exif
from zoetrope.media.containers.common import (
    MAX_PARTS,
    MAX_PROFILE_BYTES,
    Stored,
    cut_off,
    damaged,
    profile_too_large,
)

MAGIC = b"\xff\xd8\xff"
# Ordinary progressive files have about ten; each scan walks all pixels again, so a thousand stall a server.
MAX_SCANS = 100

_TEM, _DHT, _DAC, _SOI, _EOI, _SOS, _DQT, _DNL, _DRI = 0x01, 0xC4, 0xCC, 0xD8, 0xD9, 0xDA, 0xDB, 0xDC, 0xDD
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_FRAMES = set(range(0xC0, 0xD0)) - {_DHT, 0xC8, _DAC}
_PIXEL_SEGMENTS = _FRAMES | {_DHT, _DAC, _SOS, _DQT, _DNL, _DRI}
# Compressed pixels escape 0xFF as FF00 and hold restart marks; any other mark ends them. Filling 0xFF before
# a mark are left where they are: a pattern with "+" would take quadratic time over a file full of them.
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_EXIF, _ICC = b"Exif\0\0", b"ICC_PROFILE\0"


def take_apart(data: bytes) -> Stored:
    """The parts of a JPEG file; whatever follows its end (previews, videos of the moment) is dropped."""
    kept: list[bytes] = [b"\xff\xd8"]
    frames: list[bytes] = []
    slices: list[tuple[int, bytes]] = []
    exifs: list[bytes] = []
    scans = 0
    for marker, body, pixels in _segments(data):
        scans += marker == _SOS
        if marker in _FRAMES:
            frames.append(body)
        if marker == _APP1 and body.startswith(_EXIF):
            exifs.append(body)
        if marker == _APP2 and body.startswith(_ICC):
            slices.append((body[len(_ICC)] if len(body) > len(_ICC) else 0, body[len(_ICC) + 2 :]))
        kept += _kept(marker, body, pixels)
    if not 1 <= scans <= MAX_SCANS:
        raise damaged("JPEG", "it holds no picture" if not scans else "its picture is split into too many scans")
    width, height = _size(frames)
    bare = b"".join([*kept, b"\xff\xd9"])
    turn = exif.orientation(exifs[0]) if exifs else 1
    return Stored("JPEG", width, height, bare, orientation=turn, profile=_profile(slices))


def _segments(data: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Each segment's mark, its body, and the compressed pixels that follow a scan's header."""
    at = 2
    for _ in range(MAX_PARTS):
        marker, at = _next_marker(data, at)
        if marker == _EOI:
            return
        if marker == _SOI:
            raise damaged("JPEG", "a second picture begins inside it")
        if marker == _TEM:
            continue
        length = int.from_bytes(data[at : at + 2])
        end = at + length
        if end > len(data):
            raise cut_off("JPEG")
        if length < 2:
            raise damaged("JPEG", "a segment has an impossible length")
        body, at = data[at + 2 : end], end
        stop = _find_marker(data, at).start() if marker == _SOS else at
        yield marker, body, data[at:stop]
        at = stop
    raise damaged("JPEG", "it is split into too many pieces")


def _find_marker(data: bytes, at: int) -> re.Match[bytes]:
    match = _MARKER.search(data, at)
    if match is None:
        raise cut_off("JPEG")
    return match


def _next_marker(data: bytes, at: int) -> tuple[int, int]:
    """The next mark and where it ends; stray bytes before it are skipped, as every decoder does."""
    end = _find_marker(data, at).end()
    return data[end - 1], end


def _kept(marker: int, body: bytes, pixels: bytes) -> list[bytes]:
    """The segment as it goes into the bare file: whole, shortened, or not at all."""
    if marker == _APP0 and body.startswith(b"JFIF\0") and len(body) >= 14:
        # The resolution is kept, the preview picture behind it is not.
        return [_segment(marker, body[:12] + b"\0\0")]
    if marker == _APP14 and body.startswith(b"Adobe") and len(body) >= 12:
        # This says how the colours were turned into components; without it they come out wrong.
        return [_segment(marker, body[:12])]
    return [_segment(marker, body), pixels] if marker in _PIXEL_SEGMENTS else []


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _size(frames: list[bytes]) -> tuple[int, int]:
    if len(frames) != 1 or len(frames[0]) < 6:
        raise damaged("JPEG", "its header is missing, broken or doubled")
    height, width = struct.unpack_from(">HH", frames[0], 1)
    if not (width and height):
        raise damaged("JPEG", "its header names no size")
    return width, height


def _profile(slices: list[tuple[int, bytes]]) -> bytes | None:
    """The colour profile, which is spread over segments that carry their number."""
    profile = b"".join(part for _, part in sorted(slices, key=lambda numbered: numbered[0]))
    if len(profile) > MAX_PROFILE_BYTES:
        raise profile_too_large("JPEG")
    return profile or None
