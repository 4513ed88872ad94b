"""A model folder as diffusers lays it out, judged and measured before anything in it is loaded."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from zoetrope.errors import UserError
from zoetrope.media.hashing import hash_bytes, hash_folder
from zoetrope.models.headers import read_header

INDEX = "model_index.json"
NOTES = "zoetrope.json"
_JSON_LIMIT = 4 * 2**20
_PICKLES = {".bin", ".ckpt", ".pt", ".pth", ".pkl", ".pickle"}
# What a component's loader reads, and so what its hash is made of.
_READ = (".json", ".safetensors", ".txt", ".model")
# Components that a pipeline may be saved without.
_OPTIONAL = frozenset({"image_encoder", "feature_extractor"})
# Ends of the names of classes that hold no weights of their own.
_WEIGHTLESS = ("Tokenizer", "TokenizerFast", "Scheduler", "Processor", "ProcessorPil", "Extractor")


def read_json(path: Path) -> dict[str, Any]:
    """A small JSON object from a model folder, or a sentence that names the file."""
    try:
        if path.stat().st_size > _JSON_LIMIT:
            raise UserError(f"{path} is too large to be a model's configuration.")
        said = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not readable JSON.") from error
    if not isinstance(said, dict):
        raise UserError(f"{path} does not hold a JSON object.")
    return said


def read_index(folder: Path) -> dict[str, Any]:
    """What `model_index.json` names."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder.")
    if not (folder / INDEX).is_file():
        raise UserError(f"{folder} holds no {INDEX}, so it is not a diffusers model folder.")
    return read_json(folder / INDEX)


def components(index: Mapping[str, Any]) -> dict[str, str]:
    """Every component that the index asks to load, with its class as `library.Class`."""
    named = {}
    for part, entry in index.items():
        if part.startswith("_") or entry is None or entry == [None, None]:
            continue
        is_pair = isinstance(entry, list) and len(entry) == 2 and all(isinstance(word, str) for word in entry)
        named[part] = ".".join(entry) if is_pair else repr(entry)[:60]
    return named


def check_classes(folder: Path, allowed: Mapping[str, frozenset[str]]) -> None:
    """Refuse any class or library that the family does not name: loading one would run its code."""
    named = components(read_index(folder))
    for part, class_name in named.items():
        if class_name not in allowed.get(part, frozenset()):
            raise UserError(f"{folder / INDEX} asks for {part} = {class_name}, which is not a class known here.")
    for part in allowed:
        if part not in named and part not in _OPTIONAL:
            raise UserError(f"{folder / INDEX} names no {part}.")


def check_weights(folder: Path) -> None:
    """Refuse a folder whose weights are missing or lie in pickles only."""
    for part, class_name in components(read_index(folder)).items():
        if not class_name.endswith(_WEIGHTLESS):
            require_safetensors(folder / part)


def require_safetensors(folder: Path) -> None:
    """Refuse one component's folder where no weights can be opened."""
    if any(file.suffix == ".safetensors" for file in _files(folder)):
        return
    if any(file.suffix in _PICKLES for file in _files(folder)):
        raise UserError(f"{folder} holds pickled weights only; only safetensors are opened.")
    raise UserError(f"{folder} holds no safetensors weights.")


def parameters(folder: Path) -> dict[str, int]:
    """How many numbers each component's weights hold."""
    counts = {}
    for part in components(read_index(folder)):
        counts[part] = sum(read_header(file).parameters for file in _weight_files(folder, part))
    return {part: count for part, count in counts.items() if count}


def layer_shapes(folder: Path, part: str) -> dict[str, tuple[int, int]]:
    """Each linear layer of a component, as (numbers out, numbers in)."""
    shapes: dict[str, tuple[int, int]] = {}
    for file in _weight_files(folder, part):
        for name, shape in read_header(file).shapes.items():
            if name.endswith(".weight") and len(shape) == 2:
                shapes[name.removesuffix(".weight")] = (shape[0], shape[1])
    return shapes


def fingerprint(folder: Path) -> str:
    """Changes whenever a file of the model is written again; cheap where the content hash is not."""
    files = sorted(file for pattern in _patterns(folder) for file in folder.glob(pattern))
    stats = [(str(file.relative_to(folder)), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    return hash_bytes(json.dumps(stats).encode())


def content_hash(folder: Path) -> str:
    """One hash for the configuration and the weights; notes and pictures beside them do not count."""
    return hash_folder(folder, _patterns(folder))


def _patterns(folder: Path) -> list[str]:
    parts = components(read_index(folder))
    return [INDEX, *(f"{part}/*{suffix}" for part in parts for suffix in _READ)]


def _weight_files(folder: Path, part: str) -> list[Path]:
    return sorted(file for file in _files(folder / part) if file.suffix == ".safetensors")


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from (file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
