"""Small trainings for tests, on tiny FLUX folders."""

from pathlib import Path

from tests import tiny
from tests.wheel import cast
from zoetrope.models.catalogue import Catalogue, Model
from zoetrope.training.dataset import read_dataset
from zoetrope.training.loop import Moment
from zoetrope.training.preflight import Preflight
from zoetrope.training.run import Order
from zoetrope.training.settings import Precision, Settings

SETTINGS = Settings(
    steps=6, rank=2, lr=0.02, warmup=1, resolutions=(32,), batch_size=2, checkpoint_every=3, precision=Precision.fp32
)


class Silent:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.said: list[Preflight] = []
        self.moments: list[Moment] = []

    def preflight(self, said: Preflight) -> None:
        self.said.append(said)

    def stage(self, name: str, done: int, total: int) -> None:
        pass

    def moment(self, moment: Moment) -> None:
        self.moments.append(moment)


def model(tmp_path: Path, kind: str = "dev") -> Model:
    family = "flux_kontext" if kind == "kontext" else "flux"
    return Catalogue().add(kind, family, tiny.copied(kind, tmp_path / f"model-{kind}"))


def order(tmp_path: Path, found: Model, output: str = "out", settings: Settings = SETTINGS) -> Order:
    data = tmp_path / "data"
    if not data.exists():
        cast.folder(data, 4)
    return Order(found, read_dataset(data), tmp_path / output, "ada", settings)
