"""Where curves and samples also go, besides metrics.jsonl."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from zoetrope.errors import UserError


class Tracker(Protocol):
    """A place that shows curves."""

    def log(self, step: int, values: Mapping[str, float]) -> None: ...

    def picture(self, step: int, name: str, path: Path) -> None: ...

    def close(self) -> None: ...


class _WandB:
    """Weights & Biases; a run leaves this machine only with WANDB_API_KEY set, or WANDB_MODE=online."""

    def __init__(self, run: Path, settings: Mapping[str, Any]) -> None:
        try:
            import wandb
        except ImportError as error:
            raise UserError("--tracker wandb needs wandb: pip install 'zoetrope[wandb]'.") from error
        self._wandb: Any = wandb
        # Otherwise its own start would stop and ask for a login.
        os.environ.setdefault("WANDB_MODE", "online" if os.environ.get("WANDB_API_KEY") else "offline")
        os.environ.setdefault("WANDB_SILENT", "true")
        run.mkdir(parents=True, exist_ok=True)
        self._run = wandb.init(project="zoetrope", name=run.name, dir=str(run), config=dict(settings))

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def picture(self, step: int, name: str, path: Path) -> None:
        self._run.log({f"samples/{name}": self._wandb.Image(str(path))}, step=step)

    def close(self) -> None:
        self._run.finish()


class _TensorBoard:
    """TensorBoard's event files, in the run's own folder."""

    def __init__(self, run: Path, settings: Mapping[str, Any]) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UserError("--tracker tensorboard needs tensorboard: pip install 'zoetrope[tensorboard]'.") from error
        self._writer: Any = SummaryWriter(str(run / "tensorboard"))
        self._writer.add_text("settings", str(dict(settings)))

    def log(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def picture(self, step: int, name: str, path: Path) -> None:
        import numpy as np
        from PIL import Image

        self._writer.add_image(f"samples/{name}", np.asarray(Image.open(path)), step, dataformats="HWC")

    def close(self) -> None:
        self._writer.close()


_TRACKERS: dict[str, Callable[[Path, Mapping[str, Any]], Tracker]] = {"wandb": _WandB, "tensorboard": _TensorBoard}


def open_tracker(name: str, run: Path, settings: Mapping[str, Any]) -> Tracker:
    """The tracker called `name`."""
    if name not in _TRACKERS:
        raise UserError(f"There is no tracker called {name!r}; there are {', '.join(_TRACKERS)}.")
    try:
        return _TRACKERS[name](run, settings)
    except OSError as error:
        said = f"{name} cannot write into {run} ({error.strerror or error}); nothing was trained."
        raise UserError(said) from error
