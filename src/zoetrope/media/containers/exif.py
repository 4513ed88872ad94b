"""The one thing that EXIF says about pixels."""

import struct

_ORIENTATION = 0x0112
_SHORT = 3


def orientation(exif: bytes) -> int:
    """Which way up the picture is (1 to 8); broken EXIF counts as upright, as it does in browsers."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        return _orientation_in_first_folder(tiff, order)
    except struct.error:
        return 1


def _orientation_in_first_folder(tiff: bytes, order: str) -> int:
    (folder,) = struct.unpack_from(order + "I", tiff, 4)
    (entries,) = struct.unpack_from(order + "H", tiff, folder)
    for index in range(entries):
        tag, kind, _count, value = struct.unpack_from(order + "HHIH", tiff, folder + 2 + 12 * index)
        if tag == _ORIENTATION:
            return int(value) if kind == _SHORT and 1 <= value <= 8 else 1
    return 1
