"""Pictures and clips to hand to the server, and a shelf on a real socket from which it fetches them."""

import threading
from contextlib import suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from time import sleep
from typing import Any

from PIL import Image


@cache
def picture(
    width: int = 1080, height: int = 1080, colour: str = "teal", kind: str = "JPEG", mode: str = "RGB"
) -> bytes:
    """One plain picture."""
    buffer = BytesIO()
    Image.new(mode, (width, height), colour).save(buffer, kind)
    return buffer.getvalue()


def clip(
    seconds: float = 5, frames: int = 30, video: str = "avc1", sound: str = "mp4a", moov_first: bool = True
) -> bytes:
    """An MP4 whose index says this; its pictures are noughts, which nobody looks at."""
    tracks = _track("vide", video, seconds, int(seconds * frames)) + _track("soun", sound, seconds, int(seconds * 47))
    parts = [_box("moov", _box("mvhd", bytes(100)) + tracks), _box("mdat", bytes(1000))]
    return _box("ftyp", b"isom" + bytes(4) + b"isommp42") + b"".join(parts if moov_first else parts[::-1])


def _track(hand: str, codec: str, seconds: float, samples: int) -> bytes:
    scale = 1000
    head = _box("mdhd", bytes(12) + _words(scale, int(seconds * scale)) + bytes(4))
    hands = _box("hdlr", bytes(8) + hand.encode() + bytes(12))
    described = _box("stsd", _words(0, 1) + _box(codec, bytes(78)))
    times = _box("stts", _words(0, 1, samples, 1))
    return _box("trak", _box("mdia", head + hands + _box("minf", _box("stbl", described + times))))


def _words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in numbers)


def _box(kind: str, inner: bytes) -> bytes:
    return _words(8 + len(inner)) + kind.encode() + inner


class Shelf:
    """Serves what is put on it; a number stands for a status, or below 100 for so many seconds of silence."""

    def __init__(self) -> None:
        self.files: dict[str, bytes | float] = {}
        self.asked: list[str] = []
        shelf = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shelf.answer(self)

            def log_message(self, *_: Any) -> None:
                """Nothing is said on the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> "Shelf":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def put(self, name: str, what: bytes | float) -> str:
        """Its address."""
        self.files[name] = what
        return f"http://127.0.0.1:{self._server.server_port}/{name}"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        name = handler.path.partition("?")[0].strip("/")
        self.asked.append(name)
        there = self.files.get(name, 404)
        if isinstance(there, int | float) and there < 100:
            sleep(there)
        data = there if isinstance(there, bytes) else b""
        # Who asked may have given up.
        with suppress(OSError):
            handler.send_response(200 if isinstance(there, bytes) else max(int(there), 200))
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data)
            handler.wfile.flush()
