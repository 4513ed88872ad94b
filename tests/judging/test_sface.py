"""SFace: which files, which face, and no face; on stand-ins that OpenCV really loads."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests import onnx
from zoetrope.errors import UserError
from zoetrope.judging.scorers import scorer_named
from zoetrope.judging.scorers.sface import DETECTOR, largest, weights_file

DETECTOR_FILE, RECOGNISER_FILE = "face_detection_yunet_2023mar.onnx", "face_recognition_sface_2021dec.onnx"
# Eyes, nose and corners of the mouth about the middle of a face, in shares of its side: SFace turns by them.
_LANDMARKS = ((-0.2, -0.15), (0.2, -0.15), (0.0, 0.05), (-0.15, 0.25), (0.15, 0.25))
# For each of YuNet's three grids: the colour it takes for a face (in BGR), and the side of such a face in cells.
_GRIDS = {8: ((0, 1, 0), 5), 16: ((0, 0, 0), 1), 32: ((0, 0, 1), 5)}


def detector() -> bytes:
    """Takes a patch of pure green for a small face and one of pure red for a large one."""
    nodes: list[bytes] = []
    weights: list[bytes] = []
    gives: dict[str, list[int]] = {}
    for stride, (colour, side) in _GRIDS.items():
        landmarks = [offset * side for point in _LANDMARKS for offset in point]
        biases = {"cls": [0.0], "obj": [1.0], "bbox": [0.0, 0.0, *[math.log(side)] * 2], "kps": landmarks}
        for kind, bias in biases.items():
            name, width = f"{kind}_{stride}", len(bias)
            kernel = np.zeros((width, 3, stride, stride), np.float32)
            if kind == "cls":
                kernel[0] = ((2 * np.array(colour, np.float32) - 1) * any(colour) / 255 / stride**2)[:, None, None]
            weights += [onnx.tensor(f"{name}_w", kernel), onnx.tensor(f"{name}_b", np.array(bias, np.float32))]
            weights += [onnx.tensor(f"{name}_s", np.array([1, -1, width], np.int64))]
            sizes = {"kernel_shape": [stride] * 2, "strides": [stride] * 2, "pads": [0] * 4}
            nodes += [
                onnx.node("Conv", ["input", f"{name}_w", f"{name}_b"], f"{name}_c", **sizes),
                onnx.node("Transpose", [f"{name}_c"], f"{name}_t", perm=[0, 2, 3, 1]),
                onnx.node("Reshape", [f"{name}_t", f"{name}_s"], name),
            ]
            gives[name] = [1, (320 // stride) ** 2, width]
    return onnx.model(nodes, weights, [1, 3, 320, 320], gives)


def recogniser() -> bytes:
    """The mean colour of a face, as 128 numbers."""
    kernel = np.zeros((128, 3, 112, 112), np.float32)
    kernel[:3] = np.eye(3, dtype=np.float32)[:, :, None, None] / 112**2
    weights = [onnx.tensor("w", kernel), onnx.tensor("b", np.zeros(128, np.float32))]
    sizes = {"kernel_shape": [112] * 2, "strides": [1] * 2, "pads": [0] * 4}
    conv = onnx.node("Conv", ["input", "w", "b"], "c", **sizes)
    return onnx.model([conv, onnx.node("Flatten", ["c"], "fc1")], weights, [1, 3, 112, 112], {"fc1": [1, 128]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / DETECTOR_FILE).write_bytes(detector())
    (tmp_path / RECOGNISER_FILE).write_bytes(recogniser())
    return tmp_path


def picture(*patches: tuple[int, int, int, str], side: int = 320) -> Image.Image:
    """A black picture with squares: x, y, side, colour."""
    image = Image.new("RGB", (side, side))
    for x, y, width, colour in patches:
        ImageDraw.Draw(image).rectangle((x, y, x + width - 1, y + width - 1), fill=colour)
    return image


GREEN, RED = (32, 32, 40, "#00ff00"), (160, 160, 160, "#ff0000")


def test_the_largest_face_counts_and_no_face_is_a_row_of_zeros(folder: Path) -> None:
    rows = scorer_named(f"sface:{folder}").embed([picture(GREEN), picture(GREEN, RED), picture()])

    assert rows.shape == (3, 128)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1, 0], abs=1e-5)
    assert rows[0, :3] == pytest.approx([0, 1, 0], abs=0.05)
    assert rows[1, :3] == pytest.approx([1, 0, 0], abs=0.05)


def test_a_large_picture_is_searched_smaller_and_read_at_full_size(folder: Path) -> None:
    large = picture((640, 640, 640, "#ff0000"), (1200, 1200, 80, "#0000ff"), side=1280)
    whole = scorer_named(f"sface:{folder}").embed([large])[0]
    assert whole[:3] == pytest.approx([1, 0, 0], abs=0.15)


def test_no_pictures_give_no_rows(folder: Path) -> None:
    rows = scorer_named(f"sface:{folder}").embed([])
    assert rows.shape == (0, 128)


def test_the_largest_of_the_detected_is_chosen() -> None:
    faces = np.zeros((2, 15), np.float32)
    faces[0, 2:4], faces[1, 2:4] = (30, 40), (20, 61)
    found = largest(faces)
    assert found is not None
    assert np.array_equal(found, faces[1])
    assert largest(None) is None
    assert largest(faces[:0]) is None


def test_the_newest_weights_of_full_precision_are_taken(tmp_path: Path) -> None:
    names = ("_2022mar", "_2023mar", "_2023mar_int8", "_2023mar_int8bq")
    for name in names:
        (tmp_path / f"face_detection_yunet{name}.onnx").touch()
    assert weights_file(tmp_path, DETECTOR).name == "face_detection_yunet_2023mar.onnx"


def test_what_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(UserError, match=r"sface needs a folder with face_detection_yunet.*sface:FOLDER"):
        scorer_named("sface")
    with pytest.raises(UserError, match="nowhere is not a folder"):
        scorer_named(f"sface:{folder / 'nowhere'}")
    (folder / RECOGNISER_FILE).unlink()
    with pytest.raises(UserError, match=r"holds no face_recognition_sface\*\.onnx"):
        scorer_named(f"sface:{folder}")


@pytest.mark.parametrize("file", [DETECTOR_FILE, RECOGNISER_FILE])
def test_spoilt_weights_are_named(folder: Path, file: str) -> None:
    (folder / file).write_bytes(b"version https://git-lfs.github.com/spec/v1")
    with pytest.raises(UserError, match=f"{file} cannot be used by OpenCV"):
        scorer_named(f"sface:{folder}").embed([picture(RED)])


def test_without_opencv_the_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(UserError, match=r"pip install 'zoetrope\[faces\]'"):
        scorer_named(f"sface:{folder}")
