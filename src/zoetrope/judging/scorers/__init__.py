"""Identity scorers by name. A new one is one file and one line here."""

from zoetrope.errors import UserError
from zoetrope.judging.scorer import Scorer
from zoetrope.judging.scorers.nano_identity import NanoIdentity

_SCORERS: dict[str, type[Scorer]] = {NanoIdentity.name: NanoIdentity}


def scorer_named(name: str) -> Scorer:
    """The scorer called `name`."""
    if name not in _SCORERS:
        raise UserError(f"There is no scorer called {name!r}; there are {', '.join(_SCORERS)}.")
    return _SCORERS[name]()
