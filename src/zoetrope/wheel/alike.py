"""Pictures of one set that are much alike: copies, near-duplicates, mirror images."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from zoetrope.wheel.coverage import read_facets
from zoetrope.wheel.quality import Bits, Quality, hash_distance
from zoetrope.wheel.state import Entry

# Of toy-world pictures a re-saved or darkened copy differs in up to 0.04 of its bits, the same scene drawn twice in
# 0.06, a blurred or cut copy in 0.12, and two scenes in 0.07 and more.
COPY = 0.06
# So between the two hashes do not tell, and a scorer is asked: what is no copy looks the same to it all the same.
PERHAPS = 0.12
ALIKE = 0.97


@dataclass(frozen=True)
class Look:
    """One picture as it was measured."""

    entry: Entry
    quality: Quality
    bits: Bits
    mirrored: Bits
    small: bytes
    vector: NDArray[np.float32] | None = None
    # None where no scorer looks for faces.
    face: bool | None = None

    @property
    def name(self) -> str:
        return Path(self.entry.file).name


@dataclass(frozen=True)
class Pair:
    """Two pictures that teach the same; `better` has more pixels for training, or is sharper."""

    better: Look
    worse: Look
    distance: float
    likeness: float | None


def pairs(looks: Sequence[Look], names: Sequence[str] = ()) -> list[Pair]:
    """Near-duplicates, the nearest first."""
    found = []
    for one, other in combinations(looks, 2):
        distance = hash_distance(one.bits, other.bits)
        if distance > PERHAPS or _told_apart(one, other, names) or _mirrors(one, other):
            continue
        alike = _alike(one, other)
        if distance <= COPY or (alike is not None and alike >= ALIKE):
            better, worse = sorted((one, other), key=_worth, reverse=True)
            found.append(Pair(better, worse, distance, alike))
    return sorted(found, key=lambda pair: pair.distance)


def mirrors(looks: Sequence[Look], names: Sequence[str] = ()) -> list[tuple[Look, Look]]:
    """Pictures and their mirror images, as long as the captions do not say that one looks the other way."""
    return [
        (one, other)
        for one, other in combinations(looks, 2)
        if _mirrors(one, other) and not _told_apart(one, other, names)
    ]


def spare(looks: Sequence[Look], pairs: Sequence[Pair]) -> list[str]:
    """The pictures that could go: of each group of near-duplicates all but the best."""
    kept: set[str] = set()
    gone: dict[str, None] = {}
    for look in sorted(looks, key=_worth, reverse=True):
        twins = {pair.better.name for pair in pairs if pair.worse is look}
        if twins & kept:
            gone[look.name] = None
        else:
            kept.add(look.name)
    return list(gone)


def _mirrors(one: Look, other: Look) -> bool:
    """Much more alike in a mirror: a face from the front is nearly its own mirror image."""
    seen = hash_distance(one.bits, other.mirrored)
    return seen <= COPY and seen <= hash_distance(one.bits, other.bits) / 2


def _told_apart(one: Look, other: Look, names: Sequence[str]) -> bool:
    """Captions that name two expressions, angles or framings: a smile is a few pixels, but not the same picture."""
    first, second = (read_facets(look.entry.caption, names) for look in (one, other))
    return any(first[facet] and second[facet] and not first[facet] & second[facet] for facet in first)


def _alike(one: Look, other: Look) -> float | None:
    if one.vector is None or other.vector is None or not (np.any(one.vector) and np.any(other.vector)):
        return None
    return float(one.vector @ other.vector)


def _worth(look: Look) -> tuple[int, float, str]:
    return look.quality.width * look.quality.height, look.quality.sharpness, look.name
