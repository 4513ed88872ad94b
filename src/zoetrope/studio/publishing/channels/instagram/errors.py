"""What Instagram's errors mean for a post that is surely not live yet, by subcode first, then by code."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from zoetrope.studio.publishing.channels.seam import Do

_SUBCODES: dict[int, Do] = {
    **dict.fromkeys((2207001, 2207003, 2207008), Do.AGAIN),
    **dict.fromkeys((2207032, 2207053, 2207052, 2207020, 2207006), Do.ANEW),
    2207027: Do.POLL,
    2207042: Do.LATER,
    **dict.fromkeys((2207050, 2207051), Do.STOP),
    **dict.fromkeys(
        (2207004, 2207005, 2207009, 2207010, 2207023, 2207026, 2207028, 2207040, 2207057),
        Do.MEND,
    ),
}
_CODES: dict[int, Do] = {
    **dict.fromkeys((1, 2), Do.AGAIN),
    **dict.fromkeys((4, 17, 32, 341, 613, 80002), Do.WAIT),
    9: Do.LATER,
    **dict.fromkeys((10, 102, 190, 368), Do.STOP),
}
_PERMISSIONS = range(200, 300)
# Of an object that was just made, reads may not know yet.
_UNKNOWN_YET = (100, 33)
_LONGEST = 250
# What could be a token, a part of one, or what signs an address.
_WORD = re.compile(r"[\w.|~+/=-]{8,}")
_SECRET_LENGTH = 40


def do_of(status: int, code: int | None, subcode: int | None) -> Do:
    """What is to be done about an answer that is an error."""
    if subcode in _SUBCODES:
        return _SUBCODES[subcode]
    if (code, subcode) == _UNKNOWN_YET or status >= 500:
        return Do.AGAIN
    if code is not None and code in _PERMISSIONS:
        return Do.STOP
    # Whatever is not known may well be a fault of the post's: a person looks, and nothing was sent.
    return _CODES.get(code or 0, Do.MEND)


def sentence(error: Mapping[str, Any], hidden: Sequence[str] = ()) -> str:
    """What Instagram says of it, for people."""
    words = error.get("error_user_msg") or error.get("error_user_title") or error.get("message") or "an unknown error"
    codes = "/".join(str(found) for name in ("code", "error_subcode") if (found := number(error.get(name))) is not None)
    # First hushed, then cut: a cut could leave the beginning of a secret.
    told = f"Instagram: {hushed(' '.join(str(words).split()), hidden)[:_LONGEST]}"
    return f"{told} ({codes})" if codes else told


def hushed(text: str, hidden: Sequence[str]) -> str:
    """A text without secrets, parts of them, and whatever is as long as one."""

    def shown(found: re.Match[str]) -> str:
        word = found[0]
        secret = len(word) >= _SECRET_LENGTH or any(each and (word in each or each in word) for each in hidden)
        return "…" if secret else word

    return _WORD.sub(shown, text)


def number(value: object) -> int | None:
    """A code, if it is one."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**31 else None
