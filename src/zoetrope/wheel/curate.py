"""What to do about a persona's pictures before training: looked at one by one, in pairs, and against the card."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from zoetrope.errors import UserError
from zoetrope.judging.scorer import Scorer
from zoetrope.judging.scorers import scorer_named
from zoetrope.media.decode import open_picture
from zoetrope.media.errors import MediaError
from zoetrope.media.thumbnails import thumbnail
from zoetrope.models.catalogue import Model
from zoetrope.wheel import events as ev
from zoetrope.wheel.alike import Look, Pair, mirrors, pairs, spare
from zoetrope.wheel.coverage import Coverage, cover
from zoetrope.wheel.measure import scorer_of
from zoetrope.wheel.persona import PersonaKind
from zoetrope.wheel.quality import Quality, measure_quality, mirrored_hash, picture_hash
from zoetrope.wheel.scenes import asked
from zoetrope.wheel.state import Decision, Entry, State
from zoetrope.wheel.words import read_caption
from zoetrope.wheel.workspace import Workspace

if TYPE_CHECKING:
    from PIL.Image import Image

# Sharp pictures of one set lie from 0.6 to 1.9 of their median; blurring by a sixty-fourth of the side leaves 0.1.
BLURRED = 0.25
# A median of fewer says little.
FEWEST = 4
# A toy night is 0.21 and a white studio 0.75; beyond these a face has lost its shades.
DARK, BRIGHT = 0.12, 0.9
# Of a photograph; a drawing may be white or black on purpose.
CLIPPED = 0.3
# Less than this share of the pixels that training would use, and its details are missing.
SMALL = 0.8
# A scorer sees faces at this size; the rest would only take memory.
_SEEN = 1024
_THUMBNAIL = 320
# Scorers whose row of zeros means that nobody was found; others give a row to any picture.
_FACE_FINDERS = frozenset({"sface"})
# What a picture is refused for, if it is.
_REASONS: Mapping[str, ev.Reason] = {
    "duplicate": ev.Reason.other,
    "blurred": ev.Reason.artifact,
    "light": ev.Reason.light,
    "face": ev.Reason.identity,
}

OnDone = Callable[[int, int], None]


@dataclass(frozen=True)
class Remark:
    """One thing about one picture: its kind, and a sentence."""

    kind: str
    said: str


@dataclass
class Curation:
    """Everything that was found."""

    name: str
    resolution: int
    looks: list[Look] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    mirrors: list[tuple[Look, Look]] = field(default_factory=list)
    coverage: Coverage | None = None
    remarks: dict[str, list[Remark]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    todo: list[str] = field(default_factory=list)


def curate(workspace: Workspace, model: Model, on_done: OnDone = lambda done, total: None) -> Curation:
    """Look at every picture that a version did not draw itself and nobody refused. Nothing is changed."""
    persona = workspace.persona
    entries = [_as_written(workspace, entry) for entry in examined(workspace.state())]
    if not entries:
        raise UserError(f"{workspace.name} has no pictures to look at: zoetrope persona add {workspace.name} PICTURES")
    found = Curation(workspace.name, max(model.notes.training.get("resolutions", (model.defaults.width,))))
    judge = _judge(scorer_of(persona, model), found)
    for number, entry in enumerate(entries, start=1):
        _look(workspace, entry, judge, found)
        on_done(number, len(entries))
    found.pairs = pairs(found.looks, (persona.trigger, persona.name))
    found.mirrors = mirrors(found.looks, (persona.trigger, persona.name))
    _remark(found, photographs=persona.kind is PersonaKind.photoreal)
    if persona.kind is not PersonaKind.style:
        said = {Path(entry.file).name: entry.caption for entry in entries if entry.caption}
        found.coverage = cover(said, asked(model, persona.trigger), (persona.trigger, persona.name))
    found.todo = _todo(found, bare=sum(not entry.caption for entry in entries))
    return found


def examined(state: State) -> list[Entry]:
    """What a version will learn from, but for pictures of its own making."""
    return [
        entry
        for entry in state.pictures.values()
        if entry.origin is not ev.Origin.synthetic and entry.decision in (Decision.waiting, Decision.kept)
    ]


def told(found: Curation) -> dict[str, Any]:
    """Everything in plain numbers and words."""
    return {
        "resolution": found.resolution,
        "pictures": [_picture(look, found.remarks.get(look.name, [])) for look in found.looks],
        "duplicates": [
            {
                "better": pair.better.name,
                "worse": pair.worse.name,
                "distance": round(pair.distance, 4),
                "likeness": None if pair.likeness is None else round(pair.likeness, 4),
            }
            for pair in found.pairs
        ],
        "coverage": None if found.coverage is None else _covered(found.coverage),
        "notes": found.notes,
        "todo": found.todo,
    }


def _as_written(workspace: Workspace, entry: Entry) -> Entry:
    """With the caption that lies beside it now: taking an edited one in is left to `zoetrope caption`."""
    return replace(entry, caption=read_caption(workspace.caption_path(entry)) or entry.caption)


def _judge(name: str | None, found: Curation) -> Scorer | None:
    if name is None:
        found.notes.append("Likeness and faces were not measured: no scorer is named for this persona.")
        return None
    try:
        judge = scorer_named(name)
    except UserError as error:
        found.notes.append(f"Likeness and faces were not measured: {error}")
        return None
    if judge.name not in _FACE_FINDERS:
        found.notes.append(f"Faces were not measured: the scorer {judge.name} does not look for them.")
    return judge


def _look(workspace: Workspace, entry: Entry, judge: Scorer | None, found: Curation) -> None:
    try:
        picture = open_picture(workspace.path(entry))
    except MediaError as error:
        found.notes.append(f"{Path(entry.file).name} was left out: {error}")
        return
    vector = None if judge is None else _vector(judge, picture.image)
    finds = judge is not None and judge.name in _FACE_FINDERS
    found.looks.append(
        Look(
            entry,
            measure_quality(picture.image, found.resolution),
            picture_hash(picture.image),
            mirrored_hash(picture.image),
            thumbnail(picture, _THUMBNAIL),
            vector,
            bool(np.any(vector)) if finds else None,
        )
    )


def _vector(judge: Scorer, image: "Image") -> NDArray[np.float32]:
    seen = image.copy()
    seen.thumbnail((_SEEN, _SEEN), reducing_gap=3.0)
    vector: NDArray[np.float32] = judge.embed([seen])[0]
    return vector


def _remark(found: Curation, *, photographs: bool) -> None:
    typical = float(np.median([look.quality.sharpness for look in found.looks])) if found.looks else 0.0
    if len(found.looks) < FEWEST:
        found.notes.append(f"Sharpness was not judged: it is compared within a set of {FEWEST} pictures or more.")
        typical = 0.0
    for look in found.looks:
        remarks = [*_about_light(look.quality, photographs), *_about_detail(look.quality, typical, found.resolution)]
        if look.face is False:
            remarks.append(Remark("face", "no face was found"))
        found.remarks[look.name] = remarks
    for pair in found.pairs:
        found.remarks[pair.worse.name].append(Remark("duplicate", f"much like {pair.better.name}"))
    for one, other in found.mirrors:
        said = f"the mirror image of {one.name}: what is on one side would be taught on both"
        found.remarks[other.name].append(Remark("mirror", said))


def _about_light(quality: Quality, photographs: bool) -> list[Remark]:
    remarks = []
    if quality.luminance < DARK:
        remarks.append(Remark("light", f"very dark ({quality.luminance:.2f} of 1 on average)"))
    if quality.luminance > BRIGHT:
        remarks.append(Remark("light", f"very bright ({quality.luminance:.2f} of 1 on average)"))
    if photographs and quality.shadows > CLIPPED:
        remarks.append(Remark("light", f"{quality.shadows:.0%} of it is plain black"))
    if photographs and quality.highlights > CLIPPED:
        remarks.append(Remark("light", f"{quality.highlights:.0%} of it is plain white"))
    return remarks


def _about_detail(quality: Quality, typical: float, resolution: int) -> list[Remark]:
    remarks = []
    if quality.sharpness < BLURRED * typical:
        remarks.append(Remark("blurred", f"blurred: {quality.sharpness / typical:.2f} of this set's usual sharpness"))
    if quality.width * quality.height < SMALL * resolution**2:
        size = f"{quality.width}×{quality.height}"
        remarks.append(Remark("small", f"{size} is less than the {resolution}×{resolution} that training uses"))
    return remarks


def _todo(found: Curation, bare: int) -> list[str]:
    """What a person may do now, each with its command."""
    todo = []
    if bare:
        todo.append(f"{bare} pictures have no caption: zoetrope caption {found.name}")
    groups = {"duplicate": spare(found.looks, found.pairs)} | {
        kind: [name for name, remarks in found.remarks.items() if any(each.kind == kind for each in remarks)]
        for kind in ("blurred", "light", "face")
    }
    words = {
        "duplicate": "much like others",
        "blurred": "blurred",
        "light": "too dark or too bright",
        "face": "without a face",
    }
    for kind, names in groups.items():
        if names:
            command = f"zoetrope reject {found.name} {' '.join(names)} --reason {_REASONS[kind].value}"
            todo.append(f"{len(names)} {words[kind]}; look, and if you agree: {command}")
    if found.coverage is not None and found.coverage.missing:
        missing = ", ".join(found.coverage.missing)
        todo.append(
            f"{missing[0].upper()}{missing[1:]}: add such pictures with zoetrope persona add {found.name} PICTURES"
        )
    if found.coverage is not None and found.coverage.unclear:
        unclear = ", ".join(found.coverage.unclear)
        todo.append(f"Left or right? The captions of {unclear} name an angle without its side.")
    return todo


def _picture(look: Look, remarks: Sequence[Remark]) -> dict[str, Any]:
    quality = look.quality
    return {
        "file": look.name,
        "sha256": look.entry.sha256,
        "width": quality.width,
        "height": quality.height,
        "sharpness": round(quality.sharpness, 4),
        "luminance": round(quality.luminance, 4),
        "shadows": round(quality.shadows, 4),
        "highlights": round(quality.highlights, 4),
        "face": look.face,
        "remarks": [remark.said for remark in remarks],
    }


def _covered(coverage: Coverage) -> dict[str, Any]:
    return {
        "facets": {
            facet: {value: len(files) for value, files in values.items()} for facet, values in coverage.files.items()
        },
        "scenes": dict(coverage.scenes),
        "covered": coverage.covered,
        "missing": list(coverage.missing),
        "unclear": list(coverage.unclear),
    }
