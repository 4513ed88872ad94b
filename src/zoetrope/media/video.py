"""Clips from strangers: bounded, read to their end, without a word about themselves, or refused with a sentence."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoetrope.media.errors import MediaError

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.stream import Stream
    from PIL.Image import Image

_VIDEOS, _SOUNDS = {"h264": "6", "hevc": "39-40"}, {"aac"}
"""What phones and networks play; of each, the units that only tell something, as its encoder's settings."""
_SLACK = 0.25


@dataclass(frozen=True)
class ClipLimits:
    """How large a clip may be."""

    max_bytes: int = 300 * 10**6
    max_side: int = 4096
    max_seconds: float = 15 * 60


@dataclass(frozen=True)
class Clip:
    """What a clip shows: upright, how long, how many pictures a second, and its first one."""

    width: int
    height: int
    seconds: float
    frames: float
    first: "Image"


def bare_clip(source: Path, target: Path, limits: ClipLimits | None = None) -> Clip:
    """Write an MP4 of the same pictures and sound without a word besides, its index first; the same file always."""
    limits = limits or ClipLimits()
    with _telling(source.name), _opened(source, limits) as clip:
        video, sound = clip.streams.best("video"), clip.streams.best("audio")
        width, height = _checked(video, sound, limits)
        seconds, count = _copied(clip, [each for each in (video, sound) if each is not None], target)
        if seconds > limits.max_seconds:
            raise MediaError(f"It is {seconds:,.0f} seconds long; at most {limits.max_seconds:,.0f} are taken.")
        first = _first(target)
    turned = first.size != (width, height) and first.size != (height, width)
    if turned or seconds <= 0:
        raise MediaError(f"{source.name} names another size than its pictures have.")
    return Clip(*first.size, round(seconds, 3), round(count / seconds, 3), first)


@contextlib.contextmanager
def _telling(name: str) -> Iterator[None]:
    """Turn whatever a bad file leads to into one sentence."""
    try:
        import av
    except ImportError as error:
        raise MediaError("Clips need PyAV: pip install 'zoetrope[studio]'.") from error
    try:
        yield
    except MediaError as error:
        raise MediaError(f"{name}: {error}") from error
    except av.FFmpegError as error:
        if isinstance(error, OSError) and error.errno == 28:
            raise MediaError("The disk is full: make room, then send it again.") from error
        raise MediaError(f"{name} cannot be read to its end as a clip: MP4 and MOV are taken.") from error
    except (ValueError, IndexError, StopIteration, MemoryError) as error:
        raise MediaError(f"{name} cannot be read to its end as a clip: MP4 and MOV are taken.") from error


@contextlib.contextmanager
def _opened(path: Path, limits: ClipLimits) -> "Iterator[InputContainer]":
    import av

    size = path.stat().st_size
    if size > limits.max_bytes:
        raise MediaError(f"It has {size:,} bytes; at most {limits.max_bytes:,} are taken.")
    # By name: a playlist, which some other format reads, could name this machine's files.
    with av.open(str(path), format="mov", metadata_errors="ignore") as clip:
        yield clip


def _checked(video: "Stream | None", sound: "Stream | None", limits: ClipLimits) -> tuple[int, int]:
    """Its size, if this is something that people's devices play."""
    if video is None:
        raise MediaError("It shows nothing: there are no moving pictures in it.")
    if _codec(video) not in _VIDEOS or (sound and _codec(sound) not in _SOUNDS):
        raise MediaError("It is not of H.264 or HEVC, with AAC where it has sound: convert it first.")
    width, height = int(video.codec_context.width), int(video.codec_context.height)  # type: ignore[attr-defined]
    if not 0 < min(width, height) <= max(width, height) <= limits.max_side:
        raise MediaError(f"It is {width} × {height}; a side has at most {limits.max_side:,} pixels.")
    return width, height


def _codec(stream: "Stream") -> str:
    """None that is known has no context at all."""
    return str(stream.codec_context.name) if stream.codec_context else ""


def _copied(clip: "InputContainer", streams: "list[Stream]", target: Path) -> tuple[float, int]:
    """Its packets as they are, into another file; how long the pictures are, and how many."""
    import av
    from av.bitstream import BitStreamFilterContext

    options = {"movflags": "+faststart", "fflags": "+bitexact"}
    seconds, count = 0.0, 0
    with av.open(str(target), "w", format="mp4", options=options) as to:
        into = {each.index: to.add_stream_from_template(each) for each in streams}
        for each in into.values():
            each.metadata.clear()
        video = streams[0]
        told = f"filter_units=remove_types={_VIDEOS[_codec(video)]}"
        silent = BitStreamFilterContext(told, video, into[video.index])
        for packet in clip.demux(streams):
            if packet.dts is None:
                continue
            key = packet.stream.index
            if key == video.index:
                count += 1
                seconds = max(seconds, _ends(packet))
            _put(to, silent.filter(packet) if key == video.index else [packet], into[key])
        _put(to, silent.filter(None), into[video.index])
    if count < video.frames or seconds < _length(video) - _SLACK:
        raise MediaError("It is cut off: send the whole file.")
    return seconds, count


def _put(to: "OutputContainer", packets: "Iterable[Packet[Stream]]", stream: "Stream") -> None:
    for packet in packets:
        packet.stream = stream
        to.mux(packet)


def _ends(packet: "Packet[Stream]") -> float:
    """When what a packet shows is over."""
    begins = packet.pts if packet.pts is not None else packet.dts or 0
    return float((begins - (packet.stream.start_time or 0) + (packet.duration or 0)) * packet.time_base)


def _length(stream: "Stream") -> float:
    return float((stream.duration or 0) * (stream.time_base or 0))


def _first(path: Path) -> "Image":
    """The first picture, upright."""
    import av

    with av.open(str(path), format="mov") as clip:
        frame = next(clip.decode(video=0))
        image: Image = frame.to_image()  # type: ignore[no-untyped-call]
    return image.rotate(frame.rotation, expand=True) if frame.rotation else image
