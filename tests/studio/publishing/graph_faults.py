"""What goes wrong between a client and the Graph API, how often, by call; drawn from one seed."""

import random
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.studio.publishing.graph_errors import numbers

# Before a request is handled: the connection is reset; it is held up and handled after whoever sent it gave up; an
# upload breaks off half way. After: the connection is reset, or stays silent, or answers too late.
_BEFORE, _AFTER = {"reset", "stuck", "cut"}, {"lost", "hung", "late"}
# What may be out of date.
_READS = {"status", "media", "posts", "stories", "comments", "insights"}
STATUSES = {"500", "502", "503"}
# What a failed publish says although its post goes live; each would tempt a client to post anew.
_DYING = ("2207032", "2207001", "2207053", "4/2207051")


@dataclass(frozen=True)
class Chances:
    """How often what befalls a call: names of faults, of HTTP statuses and of errors, with their probabilities."""

    before: Mapping[str, float] = field(default_factory=dict)
    after: Mapping[str, float] = field(default_factory=dict)
    # The request arrives twice, and either answer is returned.
    twice: float = 0.0
    # A read shows what was true some seconds ago.
    stale: float = 0.0
    # A made container ends as ERROR, with these subcodes.
    fails: Mapping[str, float] = field(default_factory=dict)
    # A publish answers an error and its container goes to ERROR, and its post is live later.
    dies: float = 0.0

    def __post_init__(self) -> None:
        for names, own in ((self.before, _BEFORE), (self.after, _AFTER), (self.fails, set())):
            if sum(names.values()) > 1:
                raise ValueError("faults that exclude one another happen more often than always")
            for name in names:
                if name not in own and (names is self.fails or name not in STATUSES):
                    numbers(name)


@dataclass(frozen=True)
class Plan:
    """What befalls one call."""

    before: str = ""
    after: str = ""
    twice: bool = False
    # Which of two deliveries is answered.
    second: bool = False
    # Scaled seconds.
    stale: float = 0.0
    fails: str = ""
    dies: str = ""


_WELL, _NEVER = Plan(), Chances()


class Faults:
    """Switchable at run time; a server without any answers as the page says."""

    def __init__(self, seed: int = 0) -> None:
        # No read is older than this many scaled seconds.
        self.stale_most = 300.0
        # A post whose container died is live within this many scaled seconds.
        self.late_most = 300.0
        # Real seconds: of an answer that is late or a request that is stuck, and until a silent connection is cut.
        self.delay = 1.0
        self.silence = 30.0
        # Scaled minutes for which an account that was told to wait goes on being told so.
        self.rest = 0
        self.happened: Counter[tuple[str, str]] = Counter()
        self._chance = random.Random(seed)
        self._chances: dict[str, Chances] = {}
        self._next: dict[str, deque[Plan]] = {}

    def set(
        self,
        call: str,
        before: Mapping[str, float] | None = None,
        after: Mapping[str, float] | None = None,
        twice: float = 0.0,
        stale: float = 0.0,
        fails: Mapping[str, float] | None = None,
        dies: float = 0.0,
    ) -> None:
        """From now on, for one kind of call, or `*` for all that have no chances of their own."""
        self._chances[call] = Chances(before or {}, after or {}, twice, stale, fails or {}, dies)

    def once(self, call: str, plan: Plan) -> None:
        """The next call of a kind that has nothing else ahead of it."""
        self._next.setdefault(call, deque()).append(plan)

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._chances, self._next = {}, {}

    def plan(self, call: str) -> Plan:
        """For the call that arrives now."""
        if not self._chances and not self._next:
            return _WELL
        plan = self._forced(call) or self._drawn(call, self._chances.get(call) or self._chances.get("*") or _NEVER)
        for name in ("before", "after", "twice", "stale", "fails", "dies"):
            value = getattr(plan, name)
            if value:
                self.happened[call, f"{name} {value}" if isinstance(value, str) else name] += 1
        return plan

    def _forced(self, call: str) -> Plan | None:
        waiting = self._next.get(call)
        return waiting.popleft() if waiting else None

    def _drawn(self, call: str, chances: Chances) -> Plan:
        chance = self._chance.random
        stale = chance() * self.stale_most if call in _READS and chance() < chances.stale else 0.0
        dies = self._chance.choice(_DYING) if call == "publish" and chance() < chances.dies else ""
        fails = self._one(chances.fails) if call == "create" else ""
        twice = chance() < chances.twice
        return Plan(self._one(chances.before), self._one(chances.after), twice, chance() < 0.5, stale, fails, dies)

    def _one(self, names: Mapping[str, float]) -> str:
        left = self._chance.random()
        for name, share in names.items():
            left -= share
            if left < 0:
                return name
        return ""
