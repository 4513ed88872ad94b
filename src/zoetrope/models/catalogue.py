"""Which models there are: those shipped in the package and those a person named. Nothing is ever downloaded."""

import difflib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from zoetrope.errors import UserError
from zoetrope.home import home
from zoetrope.media.files import write_atomic
from zoetrope.media.recipe import ModelRef
from zoetrope.models import folders
from zoetrope.models.families import FAMILIES, family_named
from zoetrope.models.family import Defaults, Family, Notes, Pipeline
from zoetrope.models.memory import MemoryPlan, Offload, Quantize, WeightSizes, Wish, detect, plan_for, quantizers

SHIPPED = Path(__file__).parent / "nano"
_NAME = re.compile(r"[a-z0-9]+([-_.][a-z0-9]+)*")
_NAME_LIMIT = 64


class Entry(BaseModel):
    """One model in `catalogue.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str
    path: str
    sha256: str
    fingerprint: str
    quantize: Quantize | None = None
    offload: Offload | None = None


@dataclass(frozen=True)
class Model:
    """A model that can be loaded."""

    name: str
    family: Family
    folder: Path
    shipped: bool
    wish: Wish = field(default_factory=Wish)

    @property
    def sha256(self) -> str:
        """The hash of configuration and weights, computed again only when a file changed."""
        return content_hash(self.folder, folders.fingerprint(self.folder))

    @property
    def ref(self) -> ModelRef:
        return ModelRef(name=self.name, family=self.family.name, sha256=self.sha256)

    @property
    def defaults(self) -> Defaults:
        return self.family.defaults(self.folder)

    @property
    def notes(self) -> Notes:
        return self.family.notes(self.folder)

    @property
    def weights(self) -> WeightSizes:
        return WeightSizes.of(folders.parameters(self.folder))

    def plan(self) -> MemoryPlan:
        """How this model is held on this machine."""
        return plan_for(self.weights, detect(), self.wish, quantizers())

    def load(self, plan: MemoryPlan | None = None) -> Pipeline:
        """The diffusers pipeline, on its device, with its own progress bar off."""
        return self.family.load(self.folder, plan or self.plan())


_known_hashes: dict[tuple[Path, str], str] = {}


def content_hash(folder: Path, fingerprint: str) -> str:
    """The folder's hash, remembered as long as its fingerprint stays."""
    key = (folder, fingerprint)
    if key not in _known_hashes:
        _known_hashes[key] = folders.content_hash(folder)
    return _known_hashes[key]


class Catalogue:
    """The shipped models and those in `catalogue.toml` of the data folder."""

    def __init__(self, folder: Path | None = None, shipped: Path = SHIPPED) -> None:
        self.file = (folder or home()) / "catalogue.toml"
        self._shipped = shipped

    def models(self) -> list[Model]:
        """Every model, the shipped ones first."""
        own = (self._own(name, entry) for name, entry in sorted(self._entries().items()))
        return [*self._shipped_models(), *own]

    def find(self, name: str) -> Model:
        models = {model.name: model for model in self.models()}
        if name in models:
            self._remember(models[name])
            return models[name]
        near = difflib.get_close_matches(name, models, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else "see `zoetrope models list`."
        raise UserError(f"There is no model called {name!r}; {hint}")

    def add(self, name: str, family: str, path: Path, wish: Wish | None = None) -> Model:
        """Take a folder into the catalogue once it is found safe and of this family. Its files stay where they are."""
        wish = wish or Wish()
        self._check_name(name)
        folder = path.expanduser().resolve()
        family_named(family).check(folder)
        if not str(folder).isprintable():
            raise UserError(f"The path {str(folder)!r} has characters that cannot be written down safely.")
        self._write({**self._entries(), name: _entry(family, folder, wish)})
        return self.find(name)

    def remove(self, name: str) -> None:
        """Forget a model. Its files stay."""
        model = self.find(name)
        if model.shipped:
            raise UserError(f"{name} is shipped with Zoetrope and cannot be removed.")
        self._write({other: entry for other, entry in self._entries().items() if other != name})

    def _remember(self, model: Model) -> None:
        """Note a changed folder's hash, so that gigabytes are not read again on every start."""
        if model.shipped or not (model.folder / folders.INDEX).is_file():
            return
        entries = self._entries()
        if entries[model.name].fingerprint != folders.fingerprint(model.folder):
            entry = _entry(model.family.name, model.folder, model.wish)
            self._write({**entries, model.name: entry})

    def _check_name(self, name: str) -> None:
        if len(name) > _NAME_LIMIT or not _NAME.fullmatch(name):
            raise UserError(f"{name!r} cannot be a model's name: use small letters, digits, and - _ . between them.")
        if any(model.name == name for model in self.models()):
            raise UserError(f"There is already a model called {name}.")

    def _shipped_models(self) -> list[Model]:
        found = sorted(index.parent for index in self._shipped.glob(f"*/{folders.INDEX}"))
        return [Model(folder.name, _family_of(folder), folder, shipped=True) for folder in found]

    def _own(self, name: str, entry: Entry) -> Model:
        folder = Path(entry.path)
        _known_hashes.setdefault((folder, entry.fingerprint), entry.sha256)
        return Model(name, family_named(entry.family), folder, False, Wish(entry.quantize, entry.offload))

    def _entries(self) -> dict[str, Entry]:
        if not self.file.exists():
            return {}
        try:
            said = tomllib.loads(self.file.read_text(encoding="utf-8"))
            return {name: Entry.model_validate(entry) for name, entry in said.get("models", {}).items()}
        except (OSError, ValueError, AttributeError) as error:
            raise UserError(f"{self.file} is not readable; it was kept as it is, repair or remove it.") from error

    def _write(self, entries: Mapping[str, Entry]) -> None:
        write_atomic(self.file, "\n".join(_toml(name, entry) for name, entry in sorted(entries.items())).encode())


def _entry(family: str, folder: Path, wish: Wish) -> Entry:
    mark = folders.fingerprint(folder)
    return Entry(
        family=family,
        path=str(folder),
        sha256=content_hash(folder, mark),
        fingerprint=mark,
        quantize=wish.quantize,
        offload=wish.offload,
    )


def _toml(name: str, entry: Entry) -> str:
    # A printable string's JSON is also its TOML, as long as no character is escaped into two.
    values = entry.model_dump(exclude_none=True)
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join([f'[models."{name}"]', *lines, ""])


def _family_of(folder: Path) -> Family:
    for family in FAMILIES.values():
        if family.recognises(folder):
            return family
    raise UserError(f"{folder} is of no family known here.")
