"""What captions say of a picture's angle, expression and framing, and what of the model card nothing shows yet."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

from zoetrope.judging.card import ANGLES, EXPRESSIONS, POSES, CardScene

FACETS: Mapping[str, tuple[str, ...]] = {
    "angle": ANGLES,
    "expression": EXPRESSIONS,
    "framing": ("portrait", *POSES),
}
"""What the card's scenes differ in."""

_FRAMING = list(FACETS).index("framing")
_SPOKEN = {
    "profile_left": "left profile",
    "profile_right": "right profile",
    "three_quarter_left": "three-quarter left",
    "three_quarter_right": "three-quarter right",
    "tpose": "T-pose",
}
# A neutral wall is no face; so much for what may follow the word.
_NOT_A_THING = (
    r"(?! (?:background|backdrop|light|lighting|colou?rs?|tones?|wall|setting|studio|grey|gray|pose|stance|sea|water)"
    r"\b)"
)
_WORDS: Mapping[str, str] = {
    "front": r"front(?! (?:of|door|yard|porch|garden|row)\b)|frontal|(?:face|head|straight) on|"
    r"(?:facing|towards?|into|at) the (?:camera|viewer)",
    "neutral": rf"(?:neutral|calm|serious|expressionless|impassive){_NOT_A_THING}|(?:blank|no) expression|resting face",
    "smiling": r"smil(?:e|es|ing)|grin(?:s|ning)?|laugh(?:s|ing|ter)?|happy|happily|cheerful|joyful|beaming",
    "angry": r"angry|angrily|anger|furious|enraged|scowl(?:s|ing)?|glar(?:es|ing)|mad",
    "sad": r"sad|sadly|sadness|unhappy|sorrowful|tearful|crying|weeping|downcast|gloomy",
    "portrait": r"portrait|head ?shot|close ?up|bust|head and shoulders",
    "tpose": r"t ?pose|arms (?:spread|stretched|held) (?:wide|out|outwards?|sideways)|outstretched arms",
    "standing": r"stand(?:s|ing)|stood",
    "sitting": r"sit(?:s|ting)|seated|sat",
}
_SAID = {
    value: re.compile(rf"\b(?<!not )(?<!no )(?<!without )(?<!without a )(?:{words})\b")
    for value, words in _WORDS.items()
}
_PROFILE = re.compile(r"\bprofile\b(?! (?:picture|photo|pic)\b)|\bside (?:view|on|profile)\b|\bfrom the side\b")
_THREE_QUARTER = re.compile(r"\bthree quarters?\b|\b3 ?/ ?4\b|¾|\bhalf turned\b")
_SIDE = re.compile(r"\b(left|right)\b")
# Said in a phrase of its own: "side view, facing left".
_FACING = re.compile(r"\b(?:facing|looking|turned|turning|towards?|to) (?:to )?(?:the )?(left|right)\b")


Facets: TypeAlias = tuple[frozenset[str], ...]
"""What a caption says of each facet, in their order."""


@dataclass(frozen=True)
class Shown:
    """How many of the card's scenes have a picture like them, and what none shows."""

    scenes: Mapping[str, int]
    missing: tuple[str, ...]

    @property
    def covered(self) -> int:
        return sum(count > 0 for count in self.scenes.values())


@dataclass(frozen=True)
class Coverage(Shown):
    """The same, and which files show what."""

    files: Mapping[str, Mapping[str, tuple[str, ...]]]
    unclear: tuple[str, ...]


def read_facets(caption: str, names: Iterable[str] = ()) -> dict[str, frozenset[str]]:
    """What a caption says of each facet; `names` are left out, as a name may be a word."""
    return dict(zip(FACETS, facets_of(caption, tuple(names)), strict=True))


@lru_cache(maxsize=1024)
def facets_of(caption: str, names: tuple[str, ...] = ()) -> Facets:
    """The same as a key to count by. The card's scenes are read again and again, a caption seldom."""
    text = _spelled(caption)
    for name in names:
        text = re.sub(rf"\b{re.escape(_spelled(name))}\b", " ", text)
    said = {
        facet: frozenset(value for value in values if value in _SAID and _SAID[value].search(text))
        for facet, values in FACETS.items()
    }
    if "tpose" in said["framing"]:
        # Nobody does it seated.
        said["framing"] -= {"standing"}
    said["angle"] |= _turned(text)
    if said["angle"] - {"front"}:
        # "in profile, looking into the camera" is no front view.
        said["angle"] -= {"front"}
    return tuple(said.values())


def says_a_side(caption: str) -> bool:
    """Whether an angle that has two sides is given with one of them."""
    text = _spelled(caption)
    return not (_PROFILE.search(text) or _THREE_QUARTER.search(text)) or bool(_turned(text))


def cover(captions: Mapping[str, str], scenes: Sequence[CardScene], names: Sequence[str]) -> Coverage:
    """Set captions by their files against the card's scenes; both are read by the same rules."""
    read = {file: facets_of(text, tuple(names)) for file, text in captions.items()}
    files = {
        facet: {value: tuple(file for file, said in read.items() if value in said[index]) for value in values}
        for index, (facet, values) in enumerate(FACETS.items())
    }
    shown = show(Counter(read.values()), scenes, names)
    unclear = tuple(file for file, text in captions.items() if not says_a_side(text))
    return Coverage(shown.scenes, shown.missing, files, unclear)


def show(read: Mapping[Facets, int], scenes: Sequence[CardScene], names: Sequence[str]) -> Shown:
    """Which scenes captions show that say this so often: of ten thousand captions few say different things."""
    asked = {scene.name: facets_of(scene.prompt, tuple(names)) for scene in scenes}
    missing = [
        f"no {spoken(facet, value)} yet"
        for index, (facet, values) in enumerate(FACETS.items())
        for value in values
        if any(value in scene[index] for scene in asked.values()) and not any(value in said[index] for said in read)
    ]
    return Shown({name: _alike(scene, read) for name, scene in asked.items()}, tuple(missing))


def spoken(facet: str, value: str) -> str:
    """A value as a person says it: left profile, sitting pose."""
    word = _SPOKEN.get(value, value)
    if facet == "expression":
        return f"{word} expression"
    if value == "front":
        return "front view"
    return f"{word} pose" if facet == "framing" and value in ("standing", "sitting") else word


def _alike(scene: Facets, read: Mapping[Facets, int]) -> int:
    """How many captions say all that tells this scene from the others: of a whole figure, only its pose."""
    asked = [index for index, facet in enumerate(FACETS) if facet == "framing" or "portrait" in scene[_FRAMING]]
    return sum(times for said, times in read.items() if all(scene[index] <= said[index] for index in asked))


def _turned(text: str) -> frozenset[str]:
    """Profiles and three-quarter views, with the side that the same phrase names."""
    found = set()
    elsewhere = _FACING.search(text)
    for phrase in re.split(r"[,;.]", text):
        side = _SIDE.search(phrase) or elsewhere
        if side and _PROFILE.search(phrase):
            found.add(f"profile_{side[1]}")
        if side and _THREE_QUARTER.search(phrase):
            found.add(f"three_quarter_{side[1]}")
    return frozenset(found)


def _spelled(text: str) -> str:
    """One spelling of each word: small letters, a space for underscores and hyphens."""
    return " ".join(re.sub(r"[_\-‐–]", " ", text.lower()).split())
