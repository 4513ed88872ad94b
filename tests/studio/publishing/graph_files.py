"""Pictures and clips as Instagram takes them: fetched from where they are said to be, and looked into."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import av
import httpx
from PIL import Image, ImageCms

from tests.studio.publishing.graph_errors import Refusal

IMAGE_BYTES, VIDEO_BYTES = 8 * 2**20, 300 * 2**20
NARROW, WIDE = 320, 1440
TALL, BROAD = 4 / 5, 1.91
# A pixel of rounding is no other ratio.
_SLACK = 0.01
_SECONDS, _FRAMES = (3, 15 * 60), (23, 60)
_VIDEOS, _SOUNDS = {"avc1", "avc3", "hvc1", "hev1"}, {"mp4a"}


async def fetched(client: httpx.AsyncClient, url: str, most: int) -> bytes:
    """What is at an address, and not much more of it than is allowed."""
    data = bytearray()
    try:
        async with client.stream("GET", url) as response:
            if response.status_code != 200:
                raise Refusal("2207052", f"The media could not be fetched: HTTP {response.status_code}")
            async for chunk in response.aiter_bytes():
                data += chunk
                if len(data) > most:
                    break
    except httpx.TimeoutException:
        raise Refusal("2207003") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise Refusal("2207052") from None
    return bytes(data)


def check_image(data: bytes, ratio: bool = True) -> None:
    """Refuse what is no JPEG, too large, of a forbidden shape, or not in sRGB."""
    if len(data) > IMAGE_BYTES:
        raise Refusal("2207004")
    image = _opened(data)
    if image.width > WIDE:
        raise Refusal("2207004", f"The image is {image.width} pixels wide, and at most {WIDE} are allowed")
    if image.width < NARROW:
        raise Refusal("2207009", f"The image is {image.width} pixels wide, and at least {NARROW} are needed")
    shape = image.width / image.height
    if ratio and not TALL - _SLACK <= shape <= BROAD + _SLACK:
        raise Refusal("2207009")


def _opened(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(data), formats=["JPEG"])
            image.load()
    except (OSError, Image.DecompressionBombWarning):
        raise Refusal("2207005") from None
    profile = image.info.get("icc_profile")
    if image.mode not in {"RGB", "L"} or (profile and "srgb" not in _profile(profile).lower()):
        raise Refusal("2207005", "The image is not in the sRGB colour space")
    return image


def _profile(data: bytes) -> str:
    try:
        return ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(BytesIO(data)))
    except ImageCms.PyCMSError:
        return ""


def reencoded(data: bytes) -> bytes:
    """As Instagram hands a picture out: the same to look at, and of other bytes."""
    buffer = BytesIO()
    Image.open(BytesIO(data)).convert("RGB").save(buffer, "JPEG", quality=82)
    return buffer.getvalue()


def first_picture(data: bytes) -> bytes:
    """What is shown of a clip before it plays; nothing of one that shows none."""
    buffer = BytesIO()
    try:
        with av.open(BytesIO(data), "r", format="mov") as clip:
            next(clip.decode(video=0)).to_image().save(buffer, "JPEG")  # type: ignore[no-untyped-call]
    except (av.FFmpegError, StopIteration, IndexError):
        return b""
    return buffer.getvalue()


@dataclass(frozen=True)
class _Track:
    hand: str
    codec: str
    seconds: float
    samples: int


def check_video(data: bytes) -> int:
    """Refuse what is no reel; otherwise how long it is, in milliseconds."""
    if len(data) > VIDEO_BYTES:
        raise Refusal("2207026", "The video is larger than 300 MB")
    try:
        tracks = _tracks(data)
    except (LookupError, ValueError, ZeroDivisionError):
        raise Refusal("2207026") from None
    seen = [track for track in tracks if track.hand == "vide"]
    heard = [track for track in tracks if track.hand == "soun"]
    if len(seen) != 1 or seen[0].codec not in _VIDEOS or any(track.codec not in _SOUNDS for track in heard):
        raise Refusal("2207026", "The video is not H.264 or HEVC with AAC")
    if not _SECONDS[0] <= seen[0].seconds <= _SECONDS[1]:
        raise Refusal("2207026", f"The video is {seen[0].seconds:.1f} seconds long")
    if not _FRAMES[0] <= seen[0].samples / seen[0].seconds <= _FRAMES[1]:
        raise Refusal("2207026", "The video has not 23 to 60 frames a second")
    return int(seen[0].seconds * 1000)


def _tracks(data: bytes) -> list[_Track]:
    """Of an MP4 or MOV whose index stands before its pictures."""
    outer = [(kind, inner) for kind, inner in _boxes(memoryview(data)) if kind in {"moov", "mdat"}]
    if [kind for kind, _ in outer][:1] != ["moov"]:
        raise Refusal("2207026", "The video's moov does not come first")
    return [_track(inner) for kind, inner in _boxes(outer[0][1]) if kind == "trak"]


def _track(data: memoryview) -> _Track:
    media = dict(_boxes(dict(_boxes(data))["mdia"]))
    table = dict(_boxes(dict(_boxes(media["minf"]))["stbl"]))
    head = media["mdhd"]
    at, wide = (20, 8) if head[0] == 1 else (12, 4)
    scale, length = _number(head[at : at + 4]), _number(head[at + 4 : at + 4 + wide])
    times = table["stts"]
    samples = sum(_number(times[8 + 8 * row : 12 + 8 * row]) for row in range(_number(times[4:8])))
    return _Track(_letters(media["hdlr"][8:12]), _letters(table["stsd"][12:16]), length / scale, samples)


def _boxes(data: memoryview) -> Iterator[tuple[str, memoryview]]:
    at = 0
    while at + 8 <= len(data):
        size, head = _number(data[at : at + 4]), 8
        if size == 1:
            size, head = _number(data[at + 8 : at + 16]), 16
        size = size or len(data) - at
        if size < head or at + size > len(data):
            raise ValueError("a box is cut off")
        yield _letters(data[at + 4 : at + 8]), data[at + head : at + size]
        at += size


def _number(data: memoryview) -> int:
    return int.from_bytes(data, "big")


def _letters(data: memoryview) -> str:
    return bytes(data).decode("latin-1")
