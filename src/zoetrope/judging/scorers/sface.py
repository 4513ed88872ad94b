"""Faces by OpenCV: YuNet finds them, SFace says whose they are. For photographs."""

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from zoetrope.errors import UserError
from zoetrope.judging.scorer import Vectors, unit

if TYPE_CHECKING:
    from PIL.Image import Image

DETECTOR = "face_detection_yunet*.onnx"
RECOGNISER = "face_recognition_sface*.onnx"
WIDTH = 128
# YuNet learned faces up to 300 pixels high; a portrait's are larger, so it looks at a smaller copy.
_LONGEST = 640
_SIDE = 320


class SFace:
    """The largest face of a picture, turned upright, as 128 numbers; zeros where there is none."""

    name: ClassVar[str] = "sface"
    needs: ClassVar[str] = f"a folder with {DETECTOR} and {RECOGNISER}"

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UserError(f"{folder} is not a folder.")
        self._files = (weights_file(folder, DETECTOR), weights_file(folder, RECOGNISER))
        self._cv = _opencv()

    def embed(self, images: "Sequence[Image]") -> Vectors:
        rows = [self._row(np.asarray(image.convert("RGB"))[:, :, ::-1].copy()) for image in images]
        return unit(np.stack(rows)) if rows else np.zeros((0, WIDTH), np.float32)

    def _row(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        face = largest(self._faces(picture))
        if face is None:
            return np.zeros(WIDTH, np.float32)
        with self._reading(self._files[1]):
            upright = self._recogniser.alignCrop(picture, face)
            found: NDArray[np.float32] = self._recogniser.feature(upright).ravel().astype(np.float32)
        return found

    def _faces(self, picture: NDArray[np.uint8]) -> "NDArray[np.float32] | None":
        """A row a face, in the picture's own pixels: x, y, width, height, five landmarks, how sure."""
        height, width = picture.shape[:2]
        scale = min(1.0, _LONGEST / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        with self._reading(self._files[0]):
            small = self._cv.resize(picture, size, interpolation=self._cv.INTER_AREA) if scale < 1 else picture
            self._detector.setInputSize(size)
            faces: NDArray[np.float32] | None = self._detector.detect(small)[1]
        if faces is not None:
            faces[:, :14] /= scale
        return faces

    @cached_property
    def _detector(self) -> Any:
        return self._cv.FaceDetectorYN.create(str(self._files[0]), "", (_SIDE, _SIDE))

    @cached_property
    def _recogniser(self) -> Any:
        return self._cv.FaceRecognizerSF.create(str(self._files[1]), "")

    @contextmanager
    def _reading(self, file: Path) -> Iterator[None]:
        try:
            yield
        except self._cv.error as error:
            raise UserError(f"{file} cannot be used by OpenCV {self._cv.__version__}; is it whole?") from error


def largest(faces: "NDArray[np.float32] | None") -> "NDArray[np.float32] | None":
    """The face that covers most of the picture."""
    return None if faces is None or not len(faces) else faces[np.argmax(faces[:, 2] * faces[:, 3])]


def weights_file(folder: Path, pattern: str) -> Path:
    """The newest file of this name (they carry their year), whole numbers only where there is nothing finer."""
    files = sorted(folder.glob(pattern), key=lambda file: ("int8" not in file.name, file.name))
    if not files:
        raise UserError(f"{folder} holds no {pattern}; it can be had from OpenCV's model zoo.")
    return files[-1]


def _opencv() -> Any:
    try:
        found: Any = importlib.import_module("cv2")
    except ImportError as error:
        raise UserError("The scorer sface needs OpenCV: pip install 'zoetrope[faces]'.") from error
    # OpenCV 5 warns of each network that its new engine has only one kind of target.
    found.utils.logging.setLogLevel(found.utils.logging.LOG_LEVEL_ERROR)
    return found
