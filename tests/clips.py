"""Small clips, as a phone would send them."""

from pathlib import Path

import av
import numpy as np

SIDES = (90, 160)
LONG = 4.0


def film(
    path: Path,
    seconds: float = LONG,
    frames: int = 30,
    codec: str = "h264",
    sound: str = "aac",
    sides: tuple[int, int] = SIDES,
    **told: str,
) -> Path:
    """A clip of growing red, with a tone of nothing; what is told stands in the file as its metadata."""
    with av.open(str(path), "w", format="mp4" if path.suffix == ".mp4" else "mov") as to:
        for name, words in told.items():
            to.metadata[name] = words
        video = to.add_stream(codec, rate=frames)
        assert isinstance(video, av.VideoStream)
        video.width, video.height, video.pix_fmt = *sides, "yuv420p"
        audio = to.add_stream(sound, rate=44_100) if sound else None
        for number in range(round(seconds * frames)):
            picture = np.full((sides[1], sides[0], 3), (number % 250, 90, 40), np.uint8)
            to.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        to.mux(video.encode())
        if isinstance(audio, av.AudioStream):
            for start in range(0, round(seconds * 44_100), 1024):
                silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
                silence.sample_rate, silence.pts = 44_100, start
                to.mux(audio.encode(silence))
            to.mux(audio.encode())
    return path


def on_its_side(path: Path) -> Path:
    """The same, held upright as a phone says it: the pictures lie, and a matrix in the file turns them."""
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    turned = (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    data[matrix : matrix + 36] = b"".join(number.to_bytes(4, "big", signed=True) for number in turned)
    path.write_bytes(data)
    return path
