"""ONNX files by hand, for stand-ins that OpenCV really loads: just enough of the format, without its library.

The field numbers are those of onnx.proto.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def field(number: int, value: int | float | str | bytes) -> bytes:
    """One field of a protobuf message."""
    if isinstance(value, float):
        return _varint(number << 3 | 5) + np.float32(value).tobytes()
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def node(kind: str, inputs: Sequence[str], output: str, **attributes: Sequence[int]) -> bytes:
    """A layer with lists of whole numbers for attributes."""
    names = [*(field(1, name) for name in inputs), field(2, output), field(3, output), field(4, kind)]
    return b"".join([*names, *(field(5, _attribute(name, values)) for name, values in attributes.items())])


def tensor(name: str, values: NDArray[np.float32] | NDArray[np.int64]) -> bytes:
    """Weights."""
    kind = 7 if values.dtype == np.int64 else 1
    dims = b"".join(field(1, side) for side in values.shape)
    return dims + field(2, kind) + field(8, name) + field(9, values.tobytes())


def model(
    nodes: Sequence[bytes], weights: Sequence[bytes], takes: Sequence[int], gives: Mapping[str, Sequence[int]]
) -> bytes:
    """A whole file; its input is called `input`."""
    graph = [*(field(1, each) for each in nodes), field(2, "made"), *(field(5, each) for each in weights)]
    graph += [field(11, _value("input", takes)), *(field(12, _value(name, shape)) for name, shape in gives.items())]
    return field(1, 8) + field(8, field(2, 13)) + field(7, b"".join(graph))


def _attribute(name: str, values: Sequence[int]) -> bytes:
    return field(1, name) + b"".join(field(8, value) for value in values) + field(20, 7)


def _value(name: str, shape: Sequence[int]) -> bytes:
    sides = b"".join(field(1, field(1, side)) for side in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, sides)))


def _varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
