"""The writer that is always there: no model, no network, the same words for the same brief and seed."""

import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from zoetrope.errors import UserError
from zoetrope.studio.personas.models import Tone
from zoetrope.studio.writing import hashtags
from zoetrope.studio.writing.checks import LENGTHS, emoji_range, faults, fit_idea, spam_in, unsaid
from zoetrope.studio.writing.leaks import addresses, looks_secret, mentions
from zoetrope.studio.writing.seam import RECENT, Brief, Caption, Idea, IdeaBrief, Written
from zoetrope.studio.writing.words import clean, folded, holds, phrases, words, worn
from zoetrope.studio.writing.writers import scenes
from zoetrope.studio.writing.writers.phrases import (
    ATTRIBUTE,
    CLOSERS,
    EMOJI,
    FRAMES,
    GAPS,
    OPENERS,
    PILLAR,
    QUESTION,
    SHOWN,
    TOPIC,
)

NAME = "template"
_TRIES, _DRAWS, _WORDS_OF_A_PIECE = 16, 24, 3
# So many sentences in a row that cannot be said: there is nothing more to say.
_SPEECHLESS = 6
# An emoji with the space before it takes so much at most, and so do the spaces between the parts.
_ROOM = 6
_GAP = re.compile(r"\{(\w+)\}")
_PIECE = re.compile(r"[^\W\d_]+(?:[ '’-][^\W\d_]+)*")
# What prompts say of how a picture is made rather than of what it shows.
_MAKING = (
    "|front|front view|left profile|right profile|profile left|profile right|three quarter left|three quarter right|"
    "neutral|plain studio background|studio|high quality|masterpiece|tpose|standing|sitting|portrait|"
)
_NO_WORDS = "The template writer finds no words for this: fewer topics to avoid or banned words would leave it some."


class TemplateWriter:
    """Captions and ideas from frames and pieces. It follows every rule, and knows nothing of the world."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    @property
    def name(self) -> str:
        return NAME

    def captions(self, brief: Brief, count: int) -> list[Caption]:
        """That many captions, none like another."""
        return [each.caption for each in self.written(brief, count)]

    def written(self, brief: Brief, count: int) -> list[Written]:
        """The same, as every writer tells of them; nothing had to be mended."""
        found: list[Caption] = []
        for number in range(count):
            found.append(self._caption(brief, number, {each.text for each in found}))
        return [Written(each) for each in found]

    def _caption(self, brief: Brief, number: int, others: set[str]) -> Caption:
        for again in range(_TRIES):
            rng = random.Random(f"{self._seed}/{number}/{again}/{_told(brief)}")
            # First without any phrase that was heard lately at all, then as far as the rule asks.
            heard = _heard(brief) if again < _TRIES // 2 else worn(brief.recent[:RECENT])
            caption = _Drafting(brief, rng, heard).caption()
            if caption.text not in others and not any(faults(caption, brief)):
                return caption
        raise UserError(_NO_WORDS)

    def ideas(self, brief: IdeaBrief) -> list[Idea]:
        """As many ideas as asked for, each with a prompt that the base understands."""
        offered = scenes.prompts(brief, self._seed)
        found: list[Idea] = []
        for number, prompt in enumerate(offered):
            if len(found) == brief.count:
                break
            idea, _ = fit_idea(_idea(brief, prompt, number), brief)
            if idea is not None:
                found.append(idea)
        if len(found) < brief.count:
            raise UserError(_NO_WORDS)
        return found


def _told(brief: Brief) -> str:
    """What makes two briefs different ones; the picture's bytes say nothing to this writer."""
    return repr(replace(brief, image=None))


def _heard(brief: Brief) -> frozenset[tuple[str, ...]]:
    return frozenset(phrase for text in brief.recent[:RECENT] for phrase in phrases(text))


class _Drafting:
    """One caption on its way: sentences that say nothing twice, until there are enough."""

    def __init__(self, brief: Brief, rng: random.Random, heard: Iterable[tuple[str, ...]]) -> None:
        self._brief, self._rng = brief, rng
        self._heard = set(heard)
        self._tail: list[str] = []
        self._parts: list[str] = []

    def caption(self) -> Caption:
        brief, tone = self._brief, self._brief.voice.tone
        self._add(_joined(OPENERS[tone], "{0}: {1}."))
        self._paragraph()
        for frame, filled in self._own():
            self._add(_framed(frame, filled))
        closer = self._closer(tone)
        self._fill(most=LENGTHS[brief.length][1] - self._spare())
        self._paragraph()
        self._add(closer)
        text = self._with_emoji("".join(self._parts).strip())
        # Of what is too short nothing comes.
        tags = hashtags.mixed((), brief, self._rng) if len(text) >= LENGTHS[brief.length][0] else []
        return Caption(text, tuple(tags), alt_text(brief), NAME)

    def _own(self) -> Iterator[tuple[str, dict[str, tuple[str, ...]]]]:
        """What the persona, the pillar and the picture bring, in an order by chance."""
        brief = self._brief
        own = [
            (SHOWN, {"shown": _both(_pieces(brief.picture_says, brief))}),
            (PILLAR, {"pillar": _usable([brief.pillar], brief)}),
            (TOPIC, {"topic": _usable(brief.voice.topics, brief)}),
            (TOPIC, {"topic": _usable(asked_topics(brief.guidelines), brief)}),
            (
                ATTRIBUTE,
                {"attribute": tuple(each for each in _usable(brief.voice.attributes, brief) if " " not in each)},
            ),
        ]
        self._rng.shuffle(own)
        return ((frame, filled) for frame, filled in own if all(filled.values()))

    def _closer(self, tone: Tone) -> Callable[[random.Random], str]:
        """A question where the guidelines ask for one, or by chance; never where they ask for none."""
        asks, asks_not = wishes(self._brief.guidelines)
        if not asks_not and (asks or self._rng.random() < 0.4):
            return _framed(QUESTION, {})
        return _joined(CLOSERS[tone], "{0}, {1}.")

    def _spare(self) -> int:
        """Room for the closer and the emoji that are still to come."""
        most = LENGTHS[self._brief.length][1]
        return 60 + _ROOM * emoji_range(self._brief.voice.emoji, "word " * (most // 5))[1]

    def _fill(self, most: int) -> None:
        least = LENGTHS[self._brief.length][0]
        target = self._rng.randint(least + 10, max(least + 10, most - 60))
        failed = 0
        while failed < _SPEECHLESS and self._length() < target:
            there = len(self._parts)
            self._add(_framed(self._rng.choice(FRAMES), {}), most)
            failed = failed + 1 if len(self._parts) == there else 0

    def _length(self) -> int:
        return len("".join(self._parts).strip())

    def _paragraph(self) -> None:
        if self._parts:
            self._parts[-1] = self._parts[-1].rstrip() + "\n\n"

    def _add(self, draw: Callable[[random.Random], str], most: int = 10_000) -> None:
        """The first of some draws that says nothing again, fits, and can be said at all."""
        for _ in range(_DRAWS):
            sentence = _capital(draw(self._rng))
            said = phrases(" ".join([*self._tail, sentence]))
            fits = self._length() + len(sentence) + 1 <= most
            if (
                fits
                and len(set(said)) == len(said)
                and self._heard.isdisjoint(said)
                and _sayable(sentence, self._brief)
            ):
                self._heard.update(said)
                self._tail = words(" ".join([*self._tail, sentence]))[-2:]
                self._parts.append(f"{sentence} ")
                return

    def _with_emoji(self, text: str) -> str:
        """As many as the voice asks for, each behind a sentence."""
        least, most = emoji_range(self._brief.voice.emoji, text)
        pool = [each for each in EMOJI[self._brief.voice.tone] if _sayable(each, self._brief)]
        ends = [found.end() for found in re.finditer(r"[.?](?=\s|$)", text)]
        many = min(self._rng.randint(min(max(least, 1), most), max(least, (least + most + 1) // 2)), len(ends))
        for place in sorted(self._rng.sample(ends, many if pool else 0), reverse=True):
            text = f"{text[:place]} {self._rng.choice(pool)}{text[place:]}"
        return text


def _framed(frame: str, filled: dict[str, tuple[str, ...]]) -> Callable[[random.Random], str]:
    """A sentence by chance: each gap with one of its pieces, the same gap never twice with the same."""

    def draw(rng: random.Random) -> str:
        gaps = {**GAPS, **filled}
        names = _GAP.findall(frame)
        drawn = {name: iter(rng.sample(gaps[name], names.count(name))) for name in dict.fromkeys(names)}
        return _GAP.sub(lambda found: next(drawn[found.group(1)]), frame)

    return draw


def _joined(sides: tuple[tuple[str, ...], tuple[str, ...]], frame: str) -> Callable[[random.Random], str]:
    return lambda rng: frame.format(rng.choice(sides[0]), rng.choice(sides[1]))


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _sayable(text: str, brief: Brief) -> bool:
    return not (unsaid(text, brief) or spam_in(text) or addresses(text) or mentions(text) or looks_secret(text))


def _usable(texts: Iterable[str], brief: Brief) -> tuple[str, ...]:
    """Those that are a few plain words, and may be said."""
    plain = (" ".join(clean(text).split()) for text in texts)
    few = (text for text in plain if _PIECE.fullmatch(text) and len(text.split()) <= _WORDS_OF_A_PIECE)
    return tuple(dict.fromkeys(text for text in few if len(text) <= 40 and _sayable(text, brief)))


def _pieces(says: str, brief: Brief) -> tuple[str, ...]:
    """What a picture shows, by its words: short plain pieces. Whatever else stands there is not repeated."""
    texts = (" ".join(re.sub(r"_", " ", each).split()) for each in re.split(r"[,.;:|\n]", clean(says)[:2000]))
    shown = [text for text in texts if f"|{folded(text)}|" not in _MAKING and " of " not in text]
    return _usable((text for text in shown if not holds(text, brief.persona)), brief)


def _both(pieces: tuple[str, ...]) -> tuple[str, ...]:
    """Each alone, and the first two together."""
    return (*pieces, f"{pieces[0]} and {pieces[1]}") if len(pieces) > 1 else pieces


def alt_text(brief: Brief) -> str:
    """What the picture shows, for those who cannot see it: only what its own words say."""
    pieces = _pieces(brief.picture_says, brief)
    who = " ".join(clean(brief.persona).split())[:80] if _sayable(clean(brief.persona), brief) else ""
    shown = ", ".join(pieces[:6])
    return f"{who}: {shown}." if who and shown else f"A picture of {who}." if who else ""


def wishes(guidelines: str) -> tuple[bool, bool]:
    """Whether guidelines ask for a question at the end, and whether they ask for none."""
    plain = folded(guidelines)
    refused = re.search(r"\b(?:no|never|without|avoid|don'?t)\b[^.;\n]{0,30}\bquestions?\b", plain)
    asked = re.search(r"\bquestions?\b|\bask\b", plain)
    return bool(asked and not refused), bool(refused)


def asked_topics(guidelines: str) -> list[str]:
    """What guidelines name to be spoken of: `about …`, `mention …`, `focus on …`, up to the next comma."""
    plain = " ".join(clean(guidelines).split())
    named = r"(?:talk about|speak of|write about|mention|focus on|include|topics?:)\s+([^.,;:\n]{2,40})"
    refused = r"\b(?:no|never|not|without|avoid|don'?t)\b[^.;,]{0,12}$"
    found = re.finditer(named, plain, re.IGNORECASE)
    return [each.group(1).strip() for each in found if not re.search(refused, plain[: each.start()], re.IGNORECASE)]


def _idea(brief: IdeaBrief, prompt: str, number: int) -> Idea:
    """A prompt as something to talk about."""
    shows = scenes.shows(prompt)
    reason = f"For {brief.pillar}: " if brief.pillar else ""
    who = clean(brief.persona)
    told = f"{reason}{who}, {', '.join(shows)}. A picture unlike the last ones, by chance from what the model can draw."
    return Idea(_capital(", ".join(shows[:1] + shows[2:3]))[:80] or f"Idea {number + 1}", told[:500], prompt, NAME)
