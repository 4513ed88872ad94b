"""A round's training: what was kept, and nothing else, becomes the persona's next LoRA."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from zoetrope.errors import UserError
from zoetrope.media.files import write_atomic, write_json_atomic
from zoetrope.media.hashing import hash_bytes, hash_file
from zoetrope.models.catalogue import Catalogue, Model
from zoetrope.models.headers import read_header
from zoetrope.training.blend import blended
from zoetrope.training.dataset import Dataset, Dropped, Item, read_item
from zoetrope.training.loop import STATE
from zoetrope.training.run import KEPT, Order, Watcher, dataset_hash, train_lora
from zoetrope.training.settings import LoraType, Settings, make_settings
from zoetrope.training.state import read_progress
from zoetrope.training.trackers import Tracker
from zoetrope.wheel import events as ev
from zoetrope.wheel.captions import lint
from zoetrope.wheel.card import lora_file
from zoetrope.wheel.persona import Persona, PersonaKind
from zoetrope.wheel.scenes import asked, shows_head, subject
from zoetrope.wheel.state import Decision, Entry, State, Version
from zoetrope.wheel.variety import most_varied
from zoetrope.wheel.workspace import Workspace, round_folder

# Of what a round is shown, at most this share was drawn by earlier versions: they drift, sources do not.
SYNTHETIC_SHARE = 0.2
# Each round brings up to so many synthetic pictures beside each source, which is shown more often to keep the share.
_BESIDE = 2
_HEAD_SHARE = 0.3
_SAMPLES = 3
# And so much of a later version is what was learned from just these sources alone, where a version was. The rest is
# the mean of what its own round taught and the round before: either draws some scene worse, and not the same one.
SOURCES_SHARE = 0.4
# What a picture adds counts so much for each generation between it and the sources: each is smudged a little more.
_WORTH = 0.7


def teach(
    workspace: Workspace,
    chosen: Mapping[str, object],
    watcher: Watcher,
    trackers: Sequence[Tracker] = (),
    anew: bool = False,
) -> dict[str, Any]:
    """Train this round's LoRA, or go on where a stopped one stands, and export it as the next version.

    `anew` throws away what a stopped one has learned.
    """
    with workspace.training():
        workspace.take_in_edits()
        state, persona = workspace.state(), workspace.persona
        model = Catalogue().find(persona.base)
        entries = chosen_entries(state, [scene.prompt for scene in asked(model, subject(persona, model))])
        items, dropped = _items(workspace, entries)
        settings = _settings(workspace, model, chosen, items)
        run = round_folder(workspace, state.round) / "training"
        order = Order(
            model,
            Dataset(tuple(items), tuple(dropped)),
            run,
            persona.name,
            settings,
            persona.trigger,
            tuple(sampled(persona, model)) if settings.sample_every else (),
            resume=not anew and _unfinished(run),
            anew=anew,
        )
        _write_manifest(workspace, state, order)
        # A damaged file of an earlier round is told of before the training, not after.
        _shares(workspace, state.round)
        sheet = train_lora(order, watcher, trackers)
        told = publish(workspace, run / sheet["file"], sheet, state.round)
        return told | {"remarks": lint(persona, entries)}


def chosen_entries(state: State, wanted: Sequence[str] = ()) -> list[Entry]:
    """What was kept: every source, and of the synthetic pictures a few beside each.

    Those are taken that show what is `wanted`, as a caption says it, and what few others show.
    """
    kept = state.of(Decision.kept)
    if not kept:
        raise UserError("Nothing was kept yet, so there is nothing to learn from: see `zoetrope review`.")
    real = [entry for entry in kept if entry.origin is not ev.Origin.synthetic]
    if not real:
        raise UserError("Every kept picture was drawn by an earlier version: keep a source too, see `zoetrope review`.")
    made = [entry for entry in kept if entry.origin is ev.Origin.synthetic]
    most = _BESIDE * max(1, state.round - 1) * len(real)
    # Between equals the one with fewer generations before it, and of these the newest.
    offered = sorted(made, key=lambda entry: -entry.depth)[::-1]
    worth = [_WORTH ** (entry.depth - 1) for entry in offered]
    held, said = [entry.caption for entry in real], [entry.caption for entry in offered]
    return real + [offered[index] for index in most_varied(held, said, most, wanted, worth=worth)]


def sampled(persona: Persona, model: Model) -> list[str]:
    """Scenes of the card that show along the way what has been learned, far apart from each other."""
    prompts = [scene.prompt for scene in asked(model, subject(persona, model))]
    return prompts[:: max(1, len(prompts) // _SAMPLES)][:_SAMPLES]


def repeats_of(entries: Sequence[Entry]) -> dict[str, int]:
    """How often an epoch shows each picture: the sources as often as the synthetic share asks for."""
    made = [entry for entry in entries if entry.origin is ev.Origin.synthetic]
    real = len(entries) - len(made)
    often = math.ceil(len(made) * (1 - SYNTHETIC_SHARE) / SYNTHETIC_SHARE / real)
    return {entry.sha256: 1 if entry in made else max(1, often) for entry in entries}


def _items(workspace: Workspace, entries: Sequence[Entry]) -> tuple[list[Item], list[Dropped]]:
    bare = [entry for entry in entries if not entry.caption]
    if bare:
        raise UserError(
            f"{len(bare)} kept pictures have no caption, such as {Path(bare[0].file).name}: see `zoetrope caption`."
        )
    read = [read_item(workspace.path(entry), entry.caption, head=shows_head(entry.caption)) for entry in entries]
    repeats = repeats_of(entries)
    items = [replace(each, repeats=repeats.get(each.sha256, 1)) for each in read if isinstance(each, Item)]
    for item in items:
        if item.sha256 not in repeats:
            raise UserError(
                f"{item.path} was altered since it was reviewed: `zoetrope persona doctor {workspace.name}` tells more."
            )
    if not items:
        raise UserError(f"None of {workspace.name}'s kept pictures can be read.")
    return items, [each for each in read if isinstance(each, Dropped)]


def _settings(workspace: Workspace, model: Model, chosen: Mapping[str, object], items: Sequence[Item]) -> Settings:
    kind = LoraType.style if workspace.persona.kind is PersonaKind.style else LoraType.character
    heads = [item.head for item in items]
    phased = kind is LoraType.character and any(heads) and not all(heads)
    advice = {"resolutions": (model.defaults.width,), **model.notes.training}
    return make_settings({"type": kind, "head_share": _HEAD_SHARE if phased else 0.0, **advice}, **chosen)


def _unfinished(run: Path) -> bool:
    return read_progress(run / STATE) is not None


def _write_manifest(workspace: Workspace, state: State, order: Order) -> None:
    pictures = [
        {"sha256": item.sha256, "caption": item.caption, "repeats": item.repeats} for item in order.dataset.items
    ]
    write_json_atomic(
        round_folder(workspace, state.round) / "manifest.json",
        {
            "schema_version": 1,
            "round": state.round,
            "base": order.model.ref.model_dump(),
            "dataset_sha256": dataset_hash(order.dataset.items),
            "settings": order.settings.model_dump(mode="json"),
            "pictures": pictures,
        },
    )


def plain_version(workspace: Workspace, number: int) -> Version | None:
    """The newest version that learned from the sources of round `number` and nothing else; none where this one does."""
    state = workspace.state()
    real = {key for key, entry in state.pictures.items() if entry.origin is not ev.Origin.synthetic}
    now = learned(workspace, number)
    sources = {key: caption for key, caption in now.items() if key in real}
    if sources == now:
        return None
    earlier = [each for each in state.versions if each.round < number and lora_file(workspace, each).is_file()]
    return next((each for each in reversed(earlier) if learned(workspace, each.round) == sources), None)


def learned(workspace: Workspace, number: int) -> dict[str, str]:
    """What a round's training was shown: the captions by the pictures' hashes."""
    path = round_folder(workspace, number) / "manifest.json"
    return {each["sha256"]: each["caption"] for each in _told(workspace, path)["pictures"]} if path.is_file() else {}


def _told(workspace: Workspace, path: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        again = f"restore it; `zoetrope persona doctor {workspace.name}` tells more"
        raise UserError(f"{path.parent.name}/{path.name} is damaged or missing: {again}.") from error
    return told


@dataclass(frozen=True)
class _Share:
    """An earlier version's training, how strongly a later one keeps it, and its rank."""

    version: int
    path: Path
    share: float
    rank: int


def _shares(workspace: Workspace, number: int) -> list[_Share]:
    """What round `number`'s version keeps of earlier trainings: of the same sources alone, and of the round before."""
    plain = plain_version(workspace, number)
    if plain is None:
        return []
    between = [each for each in workspace.state().versions if plain.round < each.round < number]
    alike = [each for each in reversed(between) if plain_version(workspace, each.round) == plain]
    trained = [(each, training_of(workspace, each)) for each in (*alike[:1], plain)]
    there = [(version, path) for version, path in trained if path.is_file()]
    return [
        _Share(version.number, path, SOURCES_SHARE if version == plain else (1 - SOURCES_SHARE) / 2, _rank(path))
        for version, path in there
    ]


def training_of(workspace: Workspace, version: Version) -> Path:
    """The file of what a version's round taught, without what its export keeps of earlier ones."""
    sheet = _told(workspace, lora_file(workspace, version).with_suffix(".json"))
    if "beside" not in sheet:
        return lora_file(workspace, version)
    run = round_folder(workspace, version.round) / "training"
    chosen = run / KEPT / f"{sheet['steps']:06d}.safetensors"
    return chosen if chosen.is_file() else run / f"{workspace.name}.safetensors"


def _rank(path: Path) -> int:
    return int(read_header(path).metadata["ss_network_dim"])


def publish(workspace: Workspace, path: Path, sheet: Mapping[str, Any], number: int) -> dict[str, Any]:
    """Copy a LoRA of round `number` to `exports/NAME_vN` with a sheet that says what it came from.

    Beside what it learned, it keeps shares of what the same sources taught earlier rounds.
    """
    persona, state = workspace.persona, workspace.state()
    version = max((each.number for each in state.versions), default=0) + 1
    stem = f"{persona.name}_v{version}"
    shares = _shares(workspace, number)
    data = path.read_bytes()
    kept: dict[str, Any] = {}
    if shares:
        own = 1 - sum(each.share for each in shares)
        data = blended([(path, own), *((each.path, each.share) for each in shares)])
        kept = {
            "rank": sheet["rank"] + sum(each.rank for each in shares),
            "beside": [
                {"version": each.version, "sha256": hash_file(each.path), "share": each.share} for each in shares
            ],
        }
    told = {
        **sheet,
        **kept,
        "name": persona.name,
        "version": version,
        "file": f"{stem}.safetensors",
        "sha256": hash_bytes(data),
        "round": number,
        "consent": persona.consent.model_dump(mode="json", exclude_none=True),
    }
    folder = workspace.folder / "exports"
    write_atomic(folder / f"{stem}.safetensors", data)
    write_json_atomic(folder / f"{stem}.json", told)
    trained = ev.Trained(round=number, dataset=sheet["dataset_sha256"], lora=hash_bytes(data))
    workspace.record([trained, ev.Exported(round=number, version=version, sha256=hash_bytes(data))])
    return told
