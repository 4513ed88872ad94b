"""What captions say of a picture's angle, expression and framing, and what of the model card nothing shows yet."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from zoetrope.judging.card import ANGLES, EXPRESSIONS, POSES, CardScene

FACETS: Mapping[str, tuple[str, ...]] = {
    "angle": ANGLES,
    "expression": EXPRESSIONS,
    "framing": ("portrait", *POSES),
}
"""What the card's scenes differ in."""

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


@dataclass(frozen=True)
class Coverage:
    """Which files show what, and how many of the card's scenes have a picture like them."""

    files: Mapping[str, Mapping[str, tuple[str, ...]]]
    scenes: Mapping[str, int]
    missing: tuple[str, ...]
    unclear: tuple[str, ...]

    @property
    def covered(self) -> int:
        return sum(count > 0 for count in self.scenes.values())


def read_facets(caption: str, names: Iterable[str] = ()) -> dict[str, frozenset[str]]:
    """What a caption says of each facet; `names` are left out, as a name may be a word."""
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
    return said


def says_a_side(caption: str) -> bool:
    """Whether an angle that has two sides is given with one of them."""
    text = _spelled(caption)
    return not (_PROFILE.search(text) or _THREE_QUARTER.search(text)) or bool(_turned(text))


def cover(captions: Mapping[str, str], scenes: Sequence[CardScene], names: Sequence[str]) -> Coverage:
    """Set captions by their files against the card's scenes; both are read by the same rules."""
    read = {file: read_facets(text, names) for file, text in captions.items()}
    files = {
        facet: {value: tuple(file for file, said in read.items() if value in said[facet]) for value in values}
        for facet, values in FACETS.items()
    }
    shown = {scene.name: _alike(read_facets(scene.prompt, names), read.values()) for scene in scenes}
    asked = [read_facets(scene.prompt, names) for scene in scenes]
    missing = [
        f"no {spoken(facet, value)} yet"
        for facet, values in FACETS.items()
        for value in values
        if not files[facet][value] and any(value in each[facet] for each in asked)
    ]
    unclear = tuple(file for file, text in captions.items() if not says_a_side(text))
    return Coverage(files, shown, tuple(missing), unclear)


def spoken(facet: str, value: str) -> str:
    """A value as a person says it: left profile, sitting pose."""
    word = _SPOKEN.get(value, value)
    if facet == "expression":
        return f"{word} expression"
    if value == "front":
        return "front view"
    return f"{word} pose" if facet == "framing" and value in ("standing", "sitting") else word


def _alike(scene: Mapping[str, frozenset[str]], read: Iterable[Mapping[str, frozenset[str]]]) -> int:
    """How many captions say all that tells this scene from the others: of a whole figure, only its pose."""
    head = "portrait" in scene["framing"]
    facets = ("framing", "angle", "expression") if head else ("framing",)
    return sum(all(scene[facet] <= said[facet] for facet in facets) for said in read)


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
