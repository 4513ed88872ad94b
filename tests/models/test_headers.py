"""Safetensors headers: what is read, and what is refused without being opened further."""

import contextlib
import json
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from zoetrope.errors import UserError
from zoetrope.models.headers import HEADER_LIMIT, read_header


def test_names_shapes_and_metadata_are_read(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(2, 3), "b": torch.zeros(4)}, tmp_path / "x.safetensors", metadata={"who": "Ada"})
    header = read_header(tmp_path / "x.safetensors")
    assert dict(header.shapes) == {"a": (2, 3), "b": (4,)}
    assert dict(header.metadata) == {"who": "Ada"}
    assert header.parameters == 10


def test_a_pickle_under_a_safe_name_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(2)}, tmp_path / "x.safetensors")
    with pytest.raises(UserError, match="not a safetensors file"):
        read_header(tmp_path / "x.safetensors")


def _file(path: Path, header: object, data: bytes = b"") -> Path:
    said = json.dumps(header).encode()
    path.write_bytes(len(said).to_bytes(8, "little") + said + data)
    return path


@pytest.mark.parametrize(
    "header",
    [
        [],
        {"a": 1},
        {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}},
        {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 0]}},
        {"a": {"dtype": "NO", "shape": [1], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [float("inf")], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [1.5], "data_offsets": [0, 4]}},
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0.0, 4.0]}},
        {"__metadata__": {"a": 1}},
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, header: object) -> None:
    with pytest.raises(UserError, match="not a safetensors file"):
        read_header(_file(tmp_path / "x.safetensors", header, b"\0" * 4))


def test_an_endless_header_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "x.safetensors").open("wb") as file:
        file.write((HEADER_LIMIT + 1).to_bytes(8, "little"))
        file.truncate(HEADER_LIMIT * 2)
    with pytest.raises(UserError):
        read_header(tmp_path / "x.safetensors")


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200), claimed=st.integers(0, 2**64 - 1))
def test_mangled_files_raise_only_our_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, claimed: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "mangled.safetensors"
    for raw in (data, claimed.to_bytes(8, "little") + data, len(data).to_bytes(8, "little") + data):
        path.write_bytes(raw)
        # Any other error ends the test.
        with contextlib.suppress(UserError):
            read_header(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.safetensors cannot be read"):
        read_header(tmp_path / "gone.safetensors")
