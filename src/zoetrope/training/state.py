"""A training at rest: weights, averages and optimizers in one safetensors file, and the log beside it."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoetrope.errors import UserError
from zoetrope.media.files import write_atomic

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer


def store(
    path: Path,
    weights: "Mapping[str, Tensor]",
    average: "Mapping[str, Tensor]",
    optimizers: "Sequence[Optimizer]",
    progress: Mapping[str, Any],
) -> None:
    """Write everything that going on needs, whole or not at all."""
    from safetensors.torch import save

    tensors = {f"weight.{name}": weight.detach() for name, weight in weights.items()}
    tensors |= {f"average.{name}": weight for name, weight in average.items()}
    for i, optimizer in enumerate(optimizers):
        for j, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{j}.{key}": _as_tensor(value) for key, value in state.items()}
    plain = {name: tensor.contiguous() for name, tensor in tensors.items()}
    groups = [_group_settings(optimizer) for optimizer in optimizers]
    write_atomic(path, save(plain, {"progress": json.dumps(dict(progress)), "groups": json.dumps(groups)}))


def restore(
    path: Path, weights: "Mapping[str, Tensor]", average: "Mapping[str, Tensor]", optimizers: "Sequence[Optimizer]"
) -> dict[str, Any] | None:
    """Put everything back where it was; the progress, or None when nothing was stored yet."""
    if not path.exists():
        return None
    from safetensors import SafetensorError

    try:
        return _read(path, weights, average, optimizers)
    except (SafetensorError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise UserError(
            f"The checkpoint {path} is damaged or of another training; it was kept: --anew throws it away."
        ) from error


def read_progress(path: Path) -> dict[str, Any] | None:
    """How far a stored training is, without its weights."""
    if not path.exists():
        return None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as stored:
            progress: dict[str, Any] = json.loads(stored.metadata()["progress"])
            return progress
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise UserError(f"The checkpoint {path} is damaged; it was kept: --anew throws it away.") from error


def _read(
    path: Path, weights: "Mapping[str, Tensor]", average: "Mapping[str, Tensor]", optimizers: "Sequence[Optimizer]"
) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(path, "pt") as stored:
        states: list[dict[int, dict[str, Tensor]]] = [{} for _ in optimizers]
        for key in stored.keys():  # noqa: SIM118 - safe_open is no mapping
            kind, _, rest = key.partition(".")
            tensor = stored.get_tensor(key)
            if kind == "weight":
                weights[rest].data.copy_(tensor)
            elif kind == "average":
                average[rest].copy_(tensor)
            else:
                i, j, name = rest.split(".")
                states[int(i)].setdefault(int(j), {})[name] = tensor
        groups = json.loads(stored.metadata()["groups"])
        for optimizer, state, said in zip(optimizers, states, groups, strict=True):
            fresh = optimizer.state_dict()["param_groups"]
            restored = [group | known for group, known in zip(fresh, said, strict=True)]
            optimizer.load_state_dict({"state": state, "param_groups": restored})
        progress: dict[str, Any] = json.loads(stored.metadata()["progress"])
        return progress


def _group_settings(optimizer: "Optimizer") -> list[dict[str, Any]]:
    """What an optimizer keeps beside its tensors; Prodigy keeps its step size there."""
    kinds = (bool, int, float, str, tuple, list, type(None))
    return [
        {key: value for key, value in group.items() if key != "params" and isinstance(value, kinds)}
        for group in optimizer.param_groups
    ]


def _as_tensor(value: Any) -> "Tensor":
    import torch

    return value if isinstance(value, torch.Tensor) else torch.tensor(value)


def append_line(path: Path, said: Mapping[str, Any]) -> None:
    """One line of a log of JSON objects."""
    line = json.dumps({key: round(value, 6) if isinstance(value, float) else value for key, value in said.items()})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log:
            log.write(line + "\n")
    except OSError as error:
        raise UserError(f"{path} could not be written ({error.strerror}); the last checkpoint was kept.") from error


def forget_after(path: Path, step: int, name: str | None = None) -> None:
    """Drop the log lines of steps that a killed run made after its last checkpoint: they are made again."""
    if not path.exists():
        return
    kept = [said for said in read_log(path) if said.get("name") != name or said["step"] <= step]
    write_atomic(path, "".join(json.dumps(said) + "\n" for said in kept).encode())


def read_log(path: Path) -> list[dict[str, Any]]:
    """The lines of a log that say at which step; one that a power cut tore or that is damaged is passed over."""
    found = []
    for line in path.read_bytes().splitlines() if path.is_file() else ():
        with suppress(ValueError, RecursionError):
            said = json.loads(line)
            if isinstance(said, dict) and isinstance(said.get("step"), int):
                found.append(said)
    return found
