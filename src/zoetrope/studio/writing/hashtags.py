"""Hashtags: how they are spelled, how large each probably is, and which go with a caption."""

import random
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from zoetrope.studio.writing.leaks import looks_secret
from zoetrope.studio.writing.seam import Brief, Mix
from zoetrope.studio.writing.words import clean, folded, holds, words

LONGEST = 60
_SHORT, _LONG = 8, 14


class Size(StrEnum):
    """How many posts a hashtag probably has."""

    large = "large"
    medium = "medium"
    niche = "niche"


@dataclass(frozen=True)
class Guess:
    """A hashtag's size. Nobody counted: it is guessed from a short list of known ones, or from the tag's length."""

    tag: str
    size: Size
    guessed_from: str

    def __str__(self) -> str:
        return f"#{self.tag}: {self.size}, a guess from {self.guessed_from}"


# Of each size, the fewest and the most.
MIXES: Mapping[Mix, Mapping[Size, tuple[int, int]]] = {
    Mix.balanced: {Size.large: (2, 3), Size.medium: (3, 4), Size.niche: (3, 5)},
    Mix.niche_heavy: {Size.large: (1, 2), Size.medium: (2, 3), Size.niche: (5, 7)},
    Mix.broad_reach: {Size.large: (3, 4), Size.medium: (3, 4), Size.niche: (2, 3)},
}
_KNOWN: Mapping[Size, str] = {
    Size.large: (
        "love art nature travel fashion photography style beauty happy fitness music food design life home summer "
        "instagood photooftheday illustration portrait sunset beach family friends winter autumn spring garden coffee "
        "morning colour light drawing sketch weekend city"
    ),
    Size.medium: (
        "slowliving artistlife dailysketch cityscapes streetlight goldenhour quietmoments everydaylife visualdiary "
        "creativelife colourstory smalljoys weekendmood morninglight eveningwalk characterart artjournal moodygrams "
        "simplethings inspiredaily newperspective stillness sundaymood naturelover wanderlust homeinspo calmdays "
        "warmtones softlight streetstyle"
    ),
    Size.niche: (
        "slowmorningsoutside quietcornersofhome characterdesigndiary drawnwithpatience smallstoriesdaily "
        "ordinarydaysmatter lightandlongshadows notesfromthewindow everydaycharacterart unhurriedafternoons "
        "collectingsmallthings afewhonestpictures walkingwithoutamap softlightandcoffee onepictureaday "
        "thingsworthkeeping betweentwoseasons picturesofcalmdays alittlelatertoday thelongwayhometoday "
        "madewithpatience weekdaywanderings"
    ),
}
_SIZES = {tag: size for size, tags in _KNOWN.items() for tag in tags.split()}
_PARTS = ("daily", "stories", "diary", "moments", "notes", "journal", "corner", "walks", "pictures", "days", "club")
_STARTS = ("quiet", "small", "honest", "slow", "warm", "plain", "kind", "bright", "gentle", "early", "late", "free")


def guess(tag: str) -> Guess:
    """How large a hashtag probably is."""
    bare = spelled(tag)
    known = _SIZES.get(folded(bare))
    if known:
        return Guess(bare, known, "a list of known ones")
    by_length = Size.large if len(bare) < _SHORT else Size.medium if len(bare) < _LONG else Size.niche
    return Guess(bare, by_length, "its length")


@lru_cache(2048)
def spelled(tag: str) -> str:
    """A hashtag without its sign and spaces, or nothing where it cannot be one."""
    plain = unicodedata.normalize("NFKC", clean(tag))
    bare = unicodedata.normalize("NFC", re.sub(r"[\s#'’-]|^[.,:;!?]+|[.,:;!?]+$", "", clean(plain)))
    whole = all(map(_can_be_in_a_tag, bare)) and len(bare) <= LONGEST and not bare.replace("_", "").isdigit()
    return bare if whole and bare.strip("_") else ""


def _can_be_in_a_tag(letter: str) -> bool:
    return letter == "_" or letter.isalnum() or unicodedata.category(letter).startswith("M")


def kept(tags: Iterable[str], brief: Brief) -> list[str]:
    """Those of them that can be used: spelled right, wanted, each once, no secret among them."""
    return list(_usable(tags, brief))


def _usable(tags: Iterable[str], brief: Brief) -> Iterator[str]:
    there: set[str] = set()
    refused = {folded(spelled(each)) for each in brief.hashtags.avoid_hashtags}
    for bare in filter(None, map(spelled, tags)):
        same = folded(bare)
        if same not in refused and same not in there and not _speaks_of_what_is_not_said(bare, brief):
            yield bare
        there.add(same)


def _speaks_of_what_is_not_said(tag: str, brief: Brief) -> bool:
    """A tag runs its words together, so that a word of some length is looked for within it."""
    for topic in (*brief.voice.avoid, *brief.banned):
        squashed = "".join(words(topic))
        if holds(tag, topic) or folded(tag) == squashed or (len(squashed) > 3 and squashed in folded(tag)):
            return True
    return looks_secret(tag)


def mixed(tags: Iterable[str], brief: Brief, rng: random.Random) -> list[str]:
    """These as far as the mix takes them, and others to fill it: the wanted ones first, then by chance."""
    mix = MIXES[brief.hashtags.size_mix]
    most = {size: limits[1] for size, limits in mix.items()}
    least = {size: limits[0] for size, limits in mix.items()}
    taken: dict[Size, list[str]] = {size: [] for size in mix}
    order: dict[str, str] = {}
    for limits, offered in ((most, tags), (least, _wanted(brief)), (least, _others(rng))):
        for tag in _usable(offered, brief):
            size = guess(tag).size
            if len(taken[size]) < limits[size] and folded(tag) not in order:
                taken[size].append(tag)
                order[folded(tag)] = tag
            if all(len(taken[each]) >= limits[each] for each in limits):
                break
    return list(order.values())


def faults(tags: Iterable[str], mix: Mix) -> Iterator[str]:
    """What of the mix does not hold. The sizes are guesses, and the sentences say so."""
    tags = list(tags)
    counts = Counter(guess(tag).size for tag in tags)
    for size, (least, most) in MIXES[mix].items():
        if not least <= counts[size] <= most:
            yield f"There are {counts[size]} {size} hashtags (sizes are guesses); the mix asks for {least} to {most}."


def _wanted(brief: Brief) -> Iterator[str]:
    """What the rules name, then the persona's own topics, then these with a word behind them."""
    yield from brief.hashtags.target_hashtags
    own = [*brief.hashtags.niche_categories, brief.pillar, *brief.voice.topics]
    yield from map(folded, own)
    yield from (folded(f"{each}{part}") for part in _PARTS[:3] for each in own if spelled(each))


def _others(rng: random.Random) -> Iterator[str]:
    """Known ones first, each size by chance; then ones that are put together."""
    known = list(_SIZES)
    rng.shuffle(known)
    yield from known
    yield from (*_STARTS, *_PARTS)
    yield from (f"{start}{part}" for start in _STARTS for part in _PARTS)
    yield from (f"{start}{one}and{other}" for start in _STARTS for one in _PARTS for other in _PARTS if one != other)
