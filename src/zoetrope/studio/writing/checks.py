"""What must hold of a caption, whoever wrote it: each fault is a sentence, and what can safely be mended is."""

import math
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from zoetrope.studio.personas.models import Emoji
from zoetrope.studio.writing import hashtags
from zoetrope.studio.writing.leaks import addresses, looks_secret, mentions, recites, scraps
from zoetrope.studio.writing.seam import RECENT, Brief, Caption, Idea, IdeaBrief, Length
from zoetrope.studio.writing.words import (
    EMOJI,
    clean,
    count,
    folded,
    holds,
    phrases,
    shown,
    tidy,
    units,
    words,
    worn,
)

CAPTION, HASHTAGS, MENTIONS, ALT = 2200, 30, 20, 1000
"""What Instagram takes: characters of a caption with its hashtags, hashtags, mentions, characters of a description."""
LENGTHS: Mapping[Length, tuple[int, int]] = {
    Length.short: (300, 450),
    Length.medium: (450, 700),
    Length.long: (700, 1000),
}
"""The fewest and the most characters of a text without its hashtags."""
EMOJI_IN_100_WORDS: Mapping[Emoji, tuple[int, int]] = {
    Emoji.none: (0, 0),
    Emoji.low: (0, 2),
    Emoji.moderate: (1, 5),
    Emoji.high: (3, 10),
}
"""The fewest, rounded down to whole emoji, and the most, rounded up. A family or a flag is one."""
SPAM = (
    "link in bio",
    "link in my bio",
    "link in the bio",
    "link in comments",
    "click the link",
    "click here",
    "swipe up",
    "follow me",
    "follow for more",
    "follow us",
    "follow for follow",
    "like for like",
    "f4f",
    "l4l",
    "like and share",
    "like and follow",
    "like and subscribe",
    "smash that like",
    "hit the like",
    "double tap",
    "tag a friend",
    "tag someone",
    "tag your friends",
    "comment below",
    "drop a comment",
    "share this post",
    "save this post",
    "turn on notifications",
    "dm me",
    "dm us",
    "dm for",
    "send me a dm",
    "buy now",
    "shop now",
    "order now",
    "act now",
    "limited time offer",
    "limited offer",
    "special offer",
    "discount code",
    "promo code",
    "use code",
    "free money",
    "earn money",
    "make money",
    "work from home",
    "giveaway",
    "100 free",
    "don't miss out",
    "subscribe now",
    "sign up now",
    "check out my",
    "whatsapp me",
    "telegram channel",
)
_SECRET = "It holds something that looks like a password, a key or a setting."
_TITLE, _DESCRIPTION, _PROMPT = 80, 500, 1000
_TWICE = 2
_FAR_TOO_LONG = 10_000
_SIGN = r"[#\uff03\ufe5f](?=\w*[^\W\d_]|[\U0001f000-\U0001faff\u2600-\u27bf])"
_TAGS_AT_THE_END = re.compile(rf"(?:\s*{_SIGN}[^\s#\uff03\ufe5f]+)+\s*$")
_SENTENCE = re.compile(r"[^.!?…。！？\n]*[.!?…。！？]+[\"'”’)\]]*[^\S\n]*|[^.!?…。！？\n]+|\n")
_ROUNDS = 6


@dataclass(frozen=True)
class Checked:
    """What became of a caption: it as it can be used, or none and why."""

    caption: Caption | None
    mended: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


def fit(raw: Caption, brief: Brief) -> Checked:
    """Mend what can be mended, then hold what is left against every rule."""
    if len(_everything(raw)) > _FAR_TOO_LONG:
        return Checked(None, (), (f"It has more than {_FAR_TOO_LONG:,} characters: it was not read.",))
    if looks_secret(_everything(raw)):
        return Checked(None, (), (_SECRET,))
    mended, caption = _mended(raw, brief)
    found = tuple(faults(caption, brief))
    return Checked(None if found else caption, mended, found)


def faults(caption: Caption, brief: Brief) -> Iterator[str]:
    """Every rule that a caption breaks, as it is."""
    if looks_secret(_everything(caption)):
        yield _SECRET
    yield from _faults_of_form(caption, brief)
    yield from _faults_of_words(caption, brief)
    yield from _faults_of_repetition(caption.text, brief)
    yield from _faults_of_hashtags(caption, brief)


def emoji_range(density: Emoji, text: str) -> tuple[int, int]:
    """How many emoji a text of as many words may hold: the fewest and the most."""
    least, most = EMOJI_IN_100_WORDS[density]
    return math.floor(least * count(text) / 100), math.ceil(most * count(text) / 100)


def spam_in(text: str) -> list[str]:
    """The phrases in a text that beg for clicks, follows or money."""
    return [phrase for phrase in SPAM if holds(text, phrase)]


def unsaid(text: str, brief: Brief) -> list[str]:
    """What a text speaks of though the persona or the space never does."""
    return [topic for topic in (*brief.voice.avoid, *brief.banned) if holds(text, topic)]


def _everything(caption: Caption) -> str:
    return " \n".join((caption.text, caption.alt_text, *caption.hashtags))


def _faults_of_form(caption: Caption, brief: Brief) -> Iterator[str]:
    text, (least, most) = caption.text, LENGTHS[brief.length]
    if not least <= len(text) <= most:
        yield f"The text has {len(text):,} characters; {brief.length} asks for {least} to {most:,}."
    if units(caption.whole) > CAPTION:
        yield f"With its hashtags it has {units(caption.whole):,} characters; {CAPTION:,} are the most."
    if any(clean(each) != each for each in (text, caption.alt_text)):
        yield "It has invisible or control characters in it."
    if re.search(_SIGN, f"{text} {caption.alt_text}"):
        yield "There are hashtags within the text; they stand apart from it."
    fewest, densest = emoji_range(brief.voice.emoji, text)
    if not fewest <= (there := len(EMOJI.findall(text))) <= densest:
        yield f"It has {there} emoji; {brief.voice.emoji} means {fewest} to {densest} for as many words."
    if units(caption.alt_text) > ALT:
        yield f"The description of the picture has {units(caption.alt_text):,} characters; {ALT:,} are the most."


def _faults_of_words(caption: Caption, brief: Brief) -> Iterator[str]:
    told = f"{caption.text}\n{caption.alt_text}"
    for topic in unsaid(told, brief):
        yield f"It speaks of {shown(topic)}, which is never spoken of."
    for phrase in spam_in(told):
        yield f"It says “{phrase}”, which reads like spam."
    for scrap in dict.fromkeys(scraps(told)):
        yield f"{shown(scrap)} is left of a prompt or of a file's name."
    if recites(caption.text, brief.picture_says):
        yield "It recites its picture's prompt."
    asked = " ".join((brief.guidelines, brief.about, brief.pillar, *brief.voice.examples))
    wanted = {*addresses(asked), *mentions(asked)}
    for strange in dict.fromkeys([*addresses(told), *mentions(told)]):
        if strange not in wanted:
            yield f"Nobody asked for the address or mention {shown(strange)}."
    if (called := len(mentions(caption.text))) > MENTIONS:
        yield f"It has {called} mentions; {MENTIONS} are the most."


def _faults_of_repetition(text: str, brief: Brief) -> Iterator[str]:
    said = Counter(phrases(text))
    heard = worn(brief.recent[:RECENT])
    for phrase in said:
        if phrase in heard:
            yield f"{shown(' '.join(phrase))} was used twice or more in the last {RECENT} captions."
    for phrase, times in said.items():
        if times > _TWICE:
            yield f"It says {shown(' '.join(phrase))} {times} times."
    if words(text) and any(words(each) == words(text) for each in brief.recent):
        yield "It is, word for word, a caption that there was already."


def _faults_of_hashtags(caption: Caption, brief: Brief) -> Iterator[str]:
    if len(caption.hashtags) > HASHTAGS:
        yield f"It has {len(caption.hashtags)} hashtags; {HASHTAGS} are the most."
    usable = set(hashtags.kept(caption.hashtags, brief))
    for tag in caption.hashtags:
        if tag not in usable:
            yield f"The hashtag {shown(tag)} cannot be used: it is misspelt, twice there, or avoided."
    yield from hashtags.faults(caption.hashtags, brief.hashtags.size_mix)


def _mended(raw: Caption, brief: Brief) -> tuple[tuple[str, ...], Caption]:
    """What was mended, and the outcome. One mending may call for another: it is gone round until all is still."""
    said: dict[str, None] = {}
    caption = raw
    for _ in range(_ROUNDS):
        before = caption
        for mend, sentence in _MENDS:
            after = mend(caption, brief)
            if after != caption:
                said[sentence] = None
            caption = after
        if caption == before:
            break
    tags = hashtags.mixed(caption.hashtags, brief, random.Random(caption.text))
    if tuple(tags) != caption.hashtags:
        said["Hashtags were put right: their spelling, those that are avoided, how many there are of each size."] = None
    return tuple(said), replace(caption, hashtags=tuple(tags))


def _plain(caption: Caption, brief: Brief) -> Caption:
    alt = " ".join(clean(caption.alt_text).split())
    tags = tuple(clean(tag) for tag in caption.hashtags)
    return replace(caption, text=tidy(clean(caption.text)), alt_text=alt, hashtags=tags)


def _without_tags(caption: Caption, brief: Brief) -> Caption:
    """Those behind the text join the others; within it the words stay and the signs go."""
    text, ending = caption.text, _TAGS_AT_THE_END.search(caption.text)
    tags = caption.hashtags
    if ending:
        text, tags = text[: ending.start()], (*tags, *ending.group().split())
    return replace(caption, text=re.sub(_SIGN, "", text), hashtags=tags)


def _without_spam(caption: Caption, brief: Brief) -> Caption:
    """Whole sentences go: half a one would read worse."""
    if not spam_in(caption.text):
        return caption
    return _with_text(caption, (each for each in sentences(caption.text) if not spam_in(each)))


def _fewer_emoji(caption: Caption, brief: Brief) -> Caption:
    """The last ones go first."""
    found = list(EMOJI.finditer(caption.text))
    _, most = emoji_range(brief.voice.emoji, caption.text)
    text = caption.text
    for each in reversed(found[most:]):
        text = text[: each.start()].rstrip(" ") + text[each.end() :]
    return replace(caption, text=text)


def _shortened(caption: Caption, brief: Brief) -> Caption:
    """Without its last sentences, if enough is left."""
    least, most = LENGTHS[brief.length]
    there = sentences(caption.text)
    while there and len("".join(there).rstrip()) > most:
        there = there[:-1]
    left = "".join(there).rstrip()
    return replace(caption, text=left) if least <= len(left) else caption


def _with_alt_text_that_can_be(caption: Caption, brief: Brief) -> Caption:
    alt = caption.alt_text
    if units(alt) > ALT:
        alt = alt.encode("utf-16-le")[: 2 * (ALT - 1)].decode("utf-16-le", "ignore").rsplit(" ", 1)[0] + "…"
    strange = addresses(alt) or mentions(alt) or unsaid(alt, brief) or spam_in(alt) or re.search(_SIGN, alt)
    return replace(caption, alt_text="" if strange else alt)


def _with_text(caption: Caption, parts: Iterable[str]) -> Caption:
    return replace(caption, text=tidy("".join(parts)))


def sentences(text: str) -> list[str]:
    """A text's sentences with the spaces behind them; joined, they are the text again."""
    return _SENTENCE.findall(text)


_MENDS: tuple[tuple[Callable[[Caption, Brief], Caption], str], ...] = (
    (_plain, "Invisible characters and needless spaces were taken out."),
    (_without_tags, "Hashtags were taken out of the text."),
    (_without_spam, "Sentences that read like spam were taken out."),
    (_fewer_emoji, "Emoji were taken out until there were as few as the voice asks for."),
    (_shortened, "Sentences at the end were taken out: it was longer than asked for."),
    (_with_alt_text_that_can_be, "The description of the picture was shortened, or left out for what it said."),
)


def fit_idea(raw: Idea, brief: IdeaBrief, speaks: Callable[[str], bool] | None = None) -> tuple[Idea | None, list[str]]:
    """An idea as it can be used, or none and why. `speaks` tells whether the base understands a prompt."""
    idea = replace(raw, **{name: " ".join(clean(getattr(raw, name)).split()) for name in _MOST})
    found = list(_faults_of_idea(idea, brief))
    if speaks and not speaks(idea.prompt):
        found.append(f"The prompt is not in the words that {brief.base_model} knows.")
    return (None if found else idea), found


_MOST = {"title": _TITLE, "description": _DESCRIPTION, "prompt": _PROMPT}


def _faults_of_idea(idea: Idea, brief: IdeaBrief) -> Iterator[str]:
    told = {name: getattr(idea, name) for name in _MOST}
    for name, text in told.items():
        if not 0 < len(text) <= _MOST[name]:
            yield f"The {name} has {len(text):,} characters; 1 to {_MOST[name]:,} are right."
    whole = "\n".join(told.values())
    if looks_secret(whole):
        yield _SECRET
    if addresses(whole) or mentions(whole):
        yield "It has an address or a mention in it, which nobody asked for."
    for topic in brief.voice.avoid:
        if holds(whole, topic):
            yield f"It speaks of {shown(topic)}, which is never spoken of."
    if folded(idea.prompt) in {folded(" ".join(each.split())) for each in brief.recent_prompts}:
        yield "The prompt was used lately."
