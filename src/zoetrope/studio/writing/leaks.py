"""What belongs into no caption: secrets, addresses that nobody asked for, and what prompts and files leave behind."""

import base64
import re
import unicodedata
from itertools import chain

from zoetrope.studio.writing.words import clean, folded, phrases, words

_KEYS = re.compile(
    r"\bsk[-_][A-Za-z0-9_-]{8,}|\bzt_[A-Za-z0-9_-]{8,}|\b(?:Bearer|OAuth|Basic)\s+[A-Za-z0-9+/_.=-]{8,}"
    r"|\bAKIA[0-9A-Z]{12,}|\bAIza[0-9A-Za-z_-]{20,}|\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{16,}"
    r"|\b(?:EAA|IGQ|IGAA)[A-Za-z0-9]{16,}|\bxox[abeprs]-[A-Za-z0-9-]{8,}|\bhf_[A-Za-z0-9]{16,}|\bsealed:1:\S+"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}|\bgAAAAA[A-Za-z0-9_-]{8,}|-----BEGIN [A-Z ]+-----"
)
_SETTINGS = re.compile(
    r"\b(?:ZOETROPE|DJANGO|AWS|OPENAI|GEMINI|GOOGLE|OLLAMA|PG)_[A-Z0-9_]{2,}\b|\b[A-Z0-9]+(?:_[A-Z0-9]+)*_(?:KEY|TOKEN|SECRET|PASSWORD|URL)\b"
    r"|\bsecrets\.key\b|\b(?:postgres(?:ql)?|sqlite|redis|mysql)://\S+"
)
_SAID = re.compile(
    r"\b(?:api[ _-]?key|(?:access|refresh|auth|api)[ _-]?token|client[ _-]?secret|secret[ _-]?key|passw(?:or)?d"
    r"|authori[sz]ation|x-api-key)\b[\s,]*(?:which\s+)?(?:[:=]|is\b)\s*\S",
    re.IGNORECASE,
)
# No word of any language: many signs in one run, letters of both cases and digits, or digits of base sixteen.
_RUN = re.compile(r"[A-Za-z0-9+/_=-]{20,}")
_HEX = re.compile(r"\b[0-9a-fA-F]{24,}\b")
_URL = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,11}://\S+|\bwww\.[^\s.]+\.\S+|\b(?:\d{1,3}\.){3}\d{1,3}\b|\bmailto:\S+"
    r"|\b(?:[\w-]+\.)+[a-z]{2,24}/\S|\bxn--[\w-]+|\b[\w-]+\.xn--[\w-]+"
    r"|\b(?:[\w-]+\.)+(?:com|net|org|info|biz|io|co|me|ly|app|dev|ai|gg|tv|xyz|shop|store|online|site|link|club|live"
    r"|top|vip|click|eu|de|fr|es|it|nl|pl|pt|uk|us|ca|au|br|in|ru|cn|jp|kr|ch|at|be|se|no|dk|fi|onion)\b(?:/\S*)?",
    re.IGNORECASE,
)
_MENTION = re.compile(r"(?<![\w])@[\w.]*\w|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# As models of pictures are told how much of a word or of a LoRA they shall take.
_WEIGHED = re.compile(
    r"<[a-z]+:[^<>\n]*>|\([^()\n]*[^\W\d]\s*:\s*[0-2]?\.\d+\)|\(\(+[^()\n]+\)\)+|\[\[+[^][\n]+\]\]+", re.IGNORECASE
)
_FILE = re.compile(r"\b[\w-]+\.(?:png|jpe?g|webp|gif|mp4|mov|safetensors|ckpt|json|txt)\b", re.IGNORECASE)
_LEAST = 4
# So many of a prompt's parts in a row, or so many words, nobody says by chance.
_PARTS, _WORDS = 3, 8


def looks_secret(text: str) -> bool:
    """Whether there is anything in a text that opens doors, or names what does."""
    plain = _plain(text)
    found = any(pattern.search(plain) for pattern in (_KEYS, _SETTINGS, _SAID, _HEX))
    return found or any(_is_odd(run) for run in _RUN.findall(plain))


def without_secrets(text: str) -> str:
    """The same with a mark in the place of whatever looks like one."""
    for pattern in (_KEYS, _SETTINGS, _SAID, _HEX):
        text = pattern.sub("…", text)
    text = _RUN.sub(lambda found: "…" if _is_odd(found.group()) else found.group(), text)
    # What is left may only show in another form of its letters.
    return "…" if looks_secret(text) else text


def _plain(text: str) -> str:
    """Wide and other fancy letters as plain ones: cases tell keys from words."""
    return unicodedata.normalize("NFKC", clean(text))


def _is_odd(run: str) -> bool:
    kinds = (str.islower, str.isupper, str.isdigit)
    return all(any(kind(letter) for letter in run) for kind in kinds)


def tells(text: str, secret: str) -> bool:
    """Whether a text holds this very secret: plain, spaced out, backwards, or as one of the usual codes."""
    if len(secret) < _LEAST:
        return False
    said, raw = _squashed(text), secret.encode()
    forms = (secret, secret[::-1], raw.hex(), *(_coded(raw, shift) for shift in range(3)))
    return any(form in said for form in map(_squashed, forms) if len(form) >= _LEAST)


def _coded(raw: bytes, shift: int) -> str:
    """As base64 with so many bytes before it: without the ends, which depend on what stands around."""
    coded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
    return coded[(0, 2, 3)[shift] : len(coded) - 1]


def _squashed(text: str) -> str:
    return "".join(letter for letter in folded(text) if letter.isalnum())


def scraps(text: str) -> list[str]:
    """What is left of a prompt or of a file's name in a text."""
    plain = _plain(text)
    return [*_WEIGHED.findall(plain), *_FILE.findall(plain)]


def recites(text: str, prompt: str) -> bool:
    """Whether a text has a longer part of a prompt in it, word for word."""
    parts = [words(each) for each in re.split(r"[,;\n]", prompt)]
    windows = (parts[start : start + _PARTS] for start in range(len(parts) - _PARTS + 1))
    runs = {tuple(chain.from_iterable(window)) for window in windows if all(window)} | {*phrases(prompt, _WORDS)}
    return any(run in phrases(text, len(run)) for run in runs)


def addresses(text: str) -> list[str]:
    """The web addresses in a text."""
    plain = folded(text)
    return [each.rstrip(".,;:!?)\"'") for each in _URL.findall(plain)]


def mentions(text: str) -> list[str]:
    """The people, or addresses of theirs, that a text calls by an @."""
    return _MENTION.findall(folded(text))
