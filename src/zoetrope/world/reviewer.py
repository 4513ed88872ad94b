"""The oracle in a person's place at the review gate: for the demo, benchmarks and tests, which say so.

As a careful person would, it keeps nothing that it is unsure of: a stripe that might be a blush is none.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from zoetrope.media.decode import open_picture
from zoetrope.wheel.events import Reason
from zoetrope.wheel.review import Verdict
from zoetrope.wheel.state import Entry
from zoetrope.world import vocabulary as words
from zoetrope.world.figure import Identity, Scene
from zoetrope.world.score import Reader, Reading
from zoetrope.world.truth import values, visible


class OracleReviewer:
    """Keeps a picture when everything that its caption and its persona promise, and that can be seen, is there."""

    name = "oracle"

    def __init__(self, identity: Identity, read: Reader) -> None:
        self._identity = identity
        self._read = read

    def review(self, pictures: Sequence[tuple[Entry, Path]]) -> list[Verdict]:
        readings = self._read([open_picture(path).image for _, path in pictures])
        return [
            self._verdict(scene_of(entry.caption), reading)
            for (entry, _), reading in zip(pictures, readings, strict=True)
        ]

    def _verdict(self, scene: Scene, reading: Reading) -> Verdict:
        wrong = wrong_attributes(self._identity, scene, reading)
        if not wrong:
            return Verdict()
        if wrong & words.IDENTITY_ATTRIBUTES.keys():
            return Verdict(Reason.identity)
        if "light" in wrong:
            return Verdict(Reason.light)
        return Verdict(Reason.pose if wrong & {"yaw", "framing"} else Reason.other)


def wrong_attributes(identity: Identity, scene: Scene, reading: Reading) -> set[str]:
    """Which visible attributes are not as they should be."""
    true, seen = values(identity, scene), visible(identity, scene)
    return {name for name, value in true.items() if seen[name] and reading[name] != value}


def scene_of(caption: str) -> Scene:
    """The scene that a caption in the world's grammar asks for."""
    framing, _, rest = caption.partition(" of ")
    said = {framing, *(phrase.strip() for phrase in rest.split(","))}
    lights = {f"{name} light" for name in words.LIGHT} & said
    return Scene(
        expression=_said(said, words.EXPRESSION, "neutral"),
        yaw=_said(said, words.YAW, "back" if not said & set(words.EXPRESSION) else "front"),
        framing=_said(said, words.FRAMING, "portrait"),
        background=_said(said, words.BACKGROUND, "studio"),
        light=next(iter(lights)).removesuffix(" light") if lights else "soft",
    )


def _said(said: set[str], known: Iterable[str], otherwise: str) -> str:
    return next((word for word in known if word in said), otherwise)
