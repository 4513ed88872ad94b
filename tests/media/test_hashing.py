"""A hash follows what a file holds and nothing else."""

import hashlib
import os
from pathlib import Path

import pytest

from zoetrope.media.errors import MediaError
from zoetrope.media.hashing import hash_bytes, hash_file, hash_folder


def fill(folder: Path, names: list[str]) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}")
    return folder


def test_bytes_and_file_agree_with_sha256(tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "a").write_bytes(data)
    assert hash_file(tmp_path / "a") == hash_bytes(data) == hashlib.sha256(data).hexdigest()


def test_a_missing_file_is_told_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="could not be read"):
        hash_file(tmp_path / "none")


def test_a_folder_hashes_alike_wherever_it_lies_and_however_it_was_filled(tmp_path: Path) -> None:
    names = ["model_index.json", "vae/b.safetensors", "vae/a.safetensors"]
    one, two = fill(tmp_path / "one", names), fill(tmp_path / "two", names[::-1])
    assert hash_folder(one) == hash_folder(two)


def test_a_folder_s_hash_changes_with_a_name_or_a_byte(tmp_path: Path) -> None:
    folder = fill(tmp_path, ["a", "b"])
    before = hash_folder(folder)
    (folder / "a").write_text("content of A")
    changed = hash_folder(folder)
    (folder / "b").rename(folder / "c")
    assert len({before, changed, hash_folder(folder)}) == 3


def test_only_matching_files_outside_dot_folders_count(tmp_path: Path) -> None:
    folder = fill(tmp_path, ["a.safetensors", "README.md", ".cache/x.safetensors"])
    before = hash_folder(folder, ["**/*.safetensors"])
    (folder / "README.md").write_text("changed")
    (folder / ".cache/x.safetensors").write_text("changed")
    assert hash_folder(folder, ["**/*.safetensors", "*.safetensors"]) == before


def test_a_folder_without_a_match_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="holds no file"):
        hash_folder(tmp_path, ["*.safetensors"])


def test_an_unchanged_file_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path, ["a", "b"])
    before = hash_folder(folder)
    read: list[Path] = []

    def counted(path: Path) -> str:
        read.append(path)
        return "changed"

    monkeypatch.setattr("zoetrope.media.hashing.hash_file", counted)
    assert hash_folder(folder) == before
    assert read == []
    (folder / "b").write_text("longer content of b")
    assert hash_folder(folder) != before
    assert [path.name for path in read] == ["b"]
