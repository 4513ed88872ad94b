"""A persona's best hours: the usual ones, until somebody who knows says otherwise, and for as long as it says so."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoetrope.studio.personas.models import Persona
from zoetrope.studio.planning import rhythm
from zoetrope.studio.planning.cadence import Cadence
from zoetrope.studio.planning.models import Rhythm
from zoetrope.studio.planning.rhythm import Best, Taught, best_hours, hours_of

USUAL = {5, 6, 7, 10, 11, 12, 13, 14}
ADA = Persona(pk=1, name="ada")
hours = st.lists(st.tuples(st.integers(0, 23), st.booleans()), max_size=12)


def taught(monkeypatch: pytest.MonkeyPatch, *said: Taught) -> None:
    monkeypatch.setattr(rhythm, "HOURS", [lambda persona: said if persona == ADA else ()])


def test_nobody_taught_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    taught(monkeypatch)
    assert best_hours(ADA) == Best() == hours_of(Rhythm())
    assert Best().spans == Cadence.best_hours
    assert Best().rules(12) == []


@given(hours)
def test_hours_come_and_go_as_they_are_taught(said: list[tuple[int, bool]]) -> None:
    with pytest.MonkeyPatch.context() as patched:
        taught(patched, *(Taught(hour, best, "so it is.") for hour, best in said))
        found = best_hours(ADA)
    # As one would count: hour by hour.
    came = USUAL | {hour for hour, best in said if best}
    left = {hour for hour in came if (hour, False) not in said}
    inside = {hour for hour in range(24) if any(first <= hour < end for first, end in found.spans)}
    assert inside == (left or came)
    assert list(found.spans) == sorted(found.spans)
    assert all(end < following for (_, end), (following, _) in zip(found.spans, found.spans[1:], strict=False))
    Cadence(ZoneInfo("UTC"), best_hours=found.spans)


def test_a_card_tells_what_was_taught_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    taught(monkeypatch, Taught(18, True, "Evenings do."), Taught(12, True, "Noon does."), Taught(6, False, "No."))
    best = best_hours(ADA)
    left = "No best hour any more, as approved learnings say: 06:00."
    assert best.rules(18) == ["18:00 is a best hour by an approved learning: Evenings do.", left]
    assert best.rules(12) == ["12:00 is a best hour, which an approved learning confirms: Noon does.", left]
    assert best.rules(10) == [left]
    assert best_hours(Persona(pk=2, name="bo")) == Best(), "another persona's audience is another"
    assert hours_of(Rhythm(persona=ADA)).spans == best.spans
