"""Text as rules see it: what is hidden is taken out, words are compared whatever their case, phrases are counted."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

PHRASE = 3
"""So many words in a row are a phrase."""

_LINES = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_JOINERS = ("\u200c", "\u200d")
_STYLES = ("\ufe0e", "\ufe0f")
_REMEMBERED = 2048
_APOSTROPHES = "'’"
# Between two letters, without a space.
_TORN = re.compile(r"(?<=\w)[-‐-―_.·•*~|/\\]+(?=\w)|_+")
_TELLING = 8
# They take no room or look like nothing, though they are letters, signs or accents to a computer.
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0\U000e0000-\U000e0fff]")
# No language puts more accents onto one letter; what is stacked higher covers the lines around.
_ACCENT = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20dc\u20de\u20df\u20e1-\u20ff\ufe20-\ufe2f]"
_STACKED = re.compile(f"({_ACCENT}{{3}}){_ACCENT}+")
_TONES = "\U0001f3fb-\U0001f3ff"
_BASE = (
    "\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
    "\u25aa\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u27bf\u2b00-\u2bff\u231a\u231b\u2328\u23cf\u23e9-\u23fa"
)
_ONE = f"[{_BASE}][\ufe0e\ufe0f]?[{_TONES}]?"
# Small letters of other alphabets that nobody tells from Latin ones.
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u0458\u0455\u0501\u051b\u051d"
    "\u04bb\u043a\u043c\u0442\u03b1\u03bf\u03bd\u03c1\u03c4\u03c5\u03b9\u03ba\u03c7\u0131",
    "aeopcxyijsdqwhkmtaovptuikxi",
)
# A flag is two letters, a family several people that are joined; each is one picture to whoever reads.
EMOJI = re.compile(
    f"[\U0001f1e6-\U0001f1ff]{{1,2}}|[0-9#*]\ufe0f?\u20e3|{_ONE}(?:\u200d{_ONE})*|[{_TONES}]|[\u00a9\u00ae\u2000-\u32ff]\ufe0f"
)


def clean(text: str) -> str:
    """Without what nobody sees or can read: control, direction and invisible characters, half and unknown letters."""
    while (kept := _cleaned(text)) != text:
        # What stood around something hidden may hide as well.
        text = kept
    return text


def _cleaned(text: str) -> str:
    text = _BLANK.sub("", unicodedata.normalize("NFC", _LINES.sub("\n", text)))
    text = _STACKED.sub(r"\1", text)
    plain = text.isascii() and text.isprintable()
    return text if plain else "".join(letter for place, letter in enumerate(text) if _is_seen(text, place))


def tidy(text: str) -> str:
    """Spaces and empty lines as a caption has them."""
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _is_seen(text: str, place: int) -> bool:
    letter = text[place]
    if letter in _JOINERS or letter in _STYLES:
        return _joins(text, place)
    # Emoji that are younger than this table of letters are none that hide.
    return letter in "\n\t" or not unicodedata.category(letter).startswith("C") or bool(EMOJI.fullmatch(letter))


def _joins(text: str, place: int) -> bool:
    """Scripts that need it and emoji have these between or behind their signs; in Latin words they only hide."""
    before = text[place - 1] if place else " "
    after = text[place + 1] if place + 1 < len(text) else " "
    if text[place] in _STYLES:
        return _is_sign(before) or (before in "#*0123456789" and after == "\u20e3")
    return all(_is_sign(each) or each in _STYLES or _has_joins(each) for each in (before, after))


def _is_sign(letter: str) -> bool:
    return unicodedata.category(letter) in ("So", "Sm", "Sk", "Po") and not letter.isascii()


def _has_joins(letter: str) -> bool:
    """Letters of scripts that are written with joiners: Arabic and the Indic ones."""
    return "\u0600" <= letter <= "\u08ff" or "\u0900" <= letter <= "\u0dff"


def folded(text: str) -> str:
    """As texts are compared: whatever their case and the form of their letters, and whatever alphabet lent them."""
    return unicodedata.normalize("NFKC", clean(text)).casefold().translate(_LOOKALIKES)


def words(text: str) -> list[str]:
    """A text's words, as they are compared; a word is letters and digits, with an apostrophe within."""
    return list(_words(text))


# The same captions are looked at again for each new one.
@lru_cache(_REMEMBERED)
def _words(text: str) -> tuple[str, ...]:
    plain = folded(EMOJI.sub(" ", clean(text)))
    spaced = "".join(letter if _in_word(plain, place) else " " for place, letter in enumerate(plain))
    return tuple(spaced.replace("’", "'").split())


def _in_word(text: str, place: int) -> bool:
    """Letters, digits and the accents that stand with them; an apostrophe between two letters."""
    letter = text[place]
    if letter in _APOSTROPHES:
        return 0 < place < len(text) - 1 and text[place - 1].isalnum() and text[place + 1].isalnum()
    return letter.isalnum() or (not letter.isascii() and unicodedata.category(letter).startswith("M"))


def count(text: str) -> int:
    """How many words a text has; where words are not set apart, nine letters are one."""
    return max(len(words(text)), len(text) // 9)


def phrases(text: str, size: int = PHRASE) -> list[tuple[str, ...]]:
    """Each run of that many words, across punctuation and lines, as often as it comes."""
    said = words(text)
    return [tuple(said[start : start + size]) for start in range(len(said) - size + 1)]


def worn(recent: Iterable[str]) -> frozenset[tuple[str, ...]]:
    """The phrases that these captions, taken together, use twice or more."""
    counts = Counter(phrase for text in recent for phrase in phrases(text))
    return frozenset(phrase for phrase, count in counts.items() if count > 1)


def holds(text: str, topic: str) -> bool:
    """Whether a text speaks of this: its words in a row, the last one also with an s behind it; torn or joined too."""
    wanted = _words(topic)
    if not wanted:
        return _sign_in(text, topic)
    return _row_in(_words(text), wanted) or _row_in(_mended(text), wanted) or _joined_in(text, wanted)


@lru_cache(_REMEMBERED)
def _mended(text: str) -> tuple[str, ...]:
    """The words where signs within them part nothing, as in al-cohol and l.i.n.k."""
    return _words(_TORN.sub("", text))


def _joined_in(text: str, wanted: tuple[str, ...]) -> bool:
    """Several words without their spaces, where these are too long to stand in others by chance."""
    joined = "".join(wanted)
    return len(wanted) > 1 and len(joined) >= _TELLING and any(joined in each for each in _mended(text))


def _row_in(said: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    if len(wanted) > 1 and wanted[0] not in said:
        return False
    last = {wanted[-1], f"{wanted[-1]}s", f"{wanted[-1]}'s"}
    before = len(wanted) - 1
    ends = (place for place, word in enumerate(said) if place >= before and word in last)
    return any(said[end - before : end] == wanted[:-1] for end in ends)


def _sign_in(text: str, sign: str) -> bool:
    """What has no word in it, as an emoji, is looked for as it is."""
    sign = clean(sign).strip()
    return bool(sign) and sign in clean(text)


def shown(text: str, most: int = 40) -> str:
    """A short piece of somebody's text within a sentence of ours."""
    plain = " ".join(clean(text).split())
    return f"“{plain if len(plain) <= most else plain[: most - 1] + '…'}”"


def units(text: str) -> int:
    """How long it is to a counter that counts as browsers do: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
