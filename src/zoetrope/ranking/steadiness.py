"""How steady a voter is: of the screens that came twice, those chosen alike."""

from collections.abc import Iterable
from dataclasses import dataclass

from zoetrope.ranking.fit import Choice


@dataclass(frozen=True)
class Steadiness:
    """Screens that were answered again, and how many of them with the same picture."""

    again: int
    alike: int

    @property
    def share(self) -> float | None:
        """None while nothing came twice."""
        return self.alike / self.again if self.again else None


def steadiness(choices: Iterable[Choice]) -> Steadiness:
    """Each answer beside the one before it to the same pictures, wherever they stood."""
    last: dict[frozenset[int], int] = {}
    again = alike = 0
    for choice in choices:
        members = frozenset(choice.members)
        if members in last:
            again += 1
            alike += last[members] == choice.best
        last[members] = choice.best
    return Steadiness(again, alike)
