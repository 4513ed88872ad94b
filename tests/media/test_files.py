"""A file is the old one or the new one, and nothing is left lying about."""

import errno
import json
import os
from pathlib import Path

import pytest

from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited, write_atomic, write_json_atomic, write_text_atomic


def test_a_file_and_its_folder_are_written(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.bin"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["a.bin"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_failed_write_leaves_the_old_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, error: BaseException
) -> None:
    path = tmp_path / "a.bin"
    write_atomic(path, b"old")

    def fail(*args: object) -> None:
        raise error

    monkeypatch.setattr(os, step, fail)
    expected = MediaError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MediaError, match=r"could not be written .*; what was there before is unchanged"):
        write_atomic(tmp_path / "file" / "a.bin", b"")


def test_others_may_read_what_was_written(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a", b"")
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_json_is_readable_and_comes_back(tmp_path: Path) -> None:
    value = {"name": "Ada ü", "parts": [1, 2.5, None]}
    write_json_atomic(tmp_path / "a.json", value)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == value
    assert "ü" in text
    assert text.endswith("}\n")


@pytest.mark.parametrize("value", [float("nan"), object(), {1: 1, "a": 2}])
def test_what_json_cannot_say_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(MediaError, match="cannot be said in JSON"):
        write_json_atomic(tmp_path / "a.json", value)
    assert os.listdir(tmp_path) == []


def test_text_that_is_not_unicode_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="not valid Unicode"):
        write_text_atomic(tmp_path / "a.txt", "\ud800")


def test_reading_stops_at_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_limited(tmp_path / "a", 5) == b"12345"
    with pytest.raises(MediaError, match="larger than the 4 bytes"):
        read_limited(tmp_path / "a", 4)


@pytest.mark.parametrize("name", ["none", ".", "x" * 300, "pipe"])
def test_only_files_are_read(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(MediaError, match="is not a file"):
        read_limited(tmp_path / name, 10)
