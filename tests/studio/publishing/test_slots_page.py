"""A persona's own slots: set on their page or by a program, and what then goes out when."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tests.studio.conftest import Cast
from tests.studio.publishing.test_outbox import keep
from tests.studio.test_api import Program
from zoetrope.errors import UserError
from zoetrope.studio.planning.models import Rhythm
from zoetrope.studio.planning.rhythm import rhythm_of
from zoetrope.studio.planning.slots import Slot
from zoetrope.studio.publishing import slotting, strategy
from zoetrope.studio.publishing.models import Post, SlotRow
from zoetrope.studio.publishing.slotting import slot_on
from zoetrope.studio.publishing.times import slots_of

SLOTS, ACT = "/s/studio/p/ada/calendar/slots/", "/s/studio/p/ada/calendar/slots/act/"
API = "/api/spaces/studio/personas/ada/slots"
LATE = Slot(5, time(21, 30))


def page(cast: Cast, who: str = "olga") -> str:
    return cast.clients[who].get(SLOTS).content.decode()


def add(cast: Cast, weekday: int, clock: str, who: str = "olga") -> int:
    return cast.clients[who].post(SLOTS, {"weekday": weekday, "clock": clock}).status_code


def test_without_any_the_defaults_are_used_and_told(cast: Cast) -> None:
    usual = slots_of(rhythm_of(cast.ada))
    assert slotting.week(rhythm_of(cast.ada)) == usual
    assert "The defaults are used" in page(cast)
    assert all(slotting.name_of(each) in page(cast) for each in usual)


def test_an_owner_adds_and_takes_out(cast: Cast) -> None:
    assert add(cast, 5, "21:30") == 302
    assert add(cast, 0, "07:00") == 302
    assert slotting.own(cast.ada) == (Slot(0, time(7)), LATE)
    told = page(cast, "vic")
    assert "Saturday" in told
    assert "21:30" in told
    assert "The defaults are used" not in told
    assert "Take out" not in told
    assert cast.clients["olga"].post(ACT, {"do": "0 07:00"}).status_code == 302
    assert cast.clients["olga"].post(ACT, {"do": "5 21:30"}).status_code == 302
    assert "The defaults are used" in page(cast)
    assert slotting.week(rhythm_of(cast.ada)) == slots_of(rhythm_of(cast.ada))


def test_one_begins_with_the_defaults(cast: Cast) -> None:
    cast.clients["olga"].post(ACT, {"do": "own"})
    assert slotting.own(cast.ada) == tuple(sorted(slots_of(rhythm_of(cast.ada))))


def test_what_is_no_slot_is_told_so(cast: Cast) -> None:
    add(cast, 5, "21:30")
    for weekday, clock in ((5, "21:30"), (7, "10:00"), (2, "25:00"), (2, "")):
        assert add(cast, weekday, clock) == 422, (weekday, clock)
    for wrong in ("", "9 10:00", "2 25:00", "Monday", "2 10:00", "5"):
        assert cast.clients["olga"].post(ACT, {"do": wrong}).status_code == 400, wrong
    assert slotting.own(cast.ada) == (LATE,)
    with pytest.raises(UserError, match="weekday"):
        slotting.put(cast.ada, [Slot(7, time(1))])
    with pytest.raises(UserError, match="at most"):
        slotting.put(cast.ada, [Slot(day, time(hour)) for day in range(7) for hour in range(7)])


def test_only_owners_change_them_and_a_stranger_sees_none(cast: Cast) -> None:
    assert [add(cast, 5, "21:30", who) for who in ("rui", "vic", "sam")] == [403, 403, 404]
    assert [cast.clients[who].post(ACT, {"do": "own"}).status_code for who in ("rui", "vic", "sam")] == [403, 403, 404]
    assert cast.clients["sam"].get(SLOTS).status_code == 404
    assert not SlotRow.objects.exists()


@pytest.mark.parametrize("zone", ["Europe/Rome", "Asia/Kolkata", "Pacific/Apia"])
def test_a_post_takes_the_next_slot_of_its_day_by_its_persona_s_clocks(cast: Cast, zone: str) -> None:
    Rhythm.objects.create(persona=cast.ada, zone=zone)
    slotting.put(cast.ada, [Slot(day, time(21, 30)) for day in range(7)])
    day = timezone.now().astimezone(ZoneInfo(zone)).date() + timedelta(days=3)
    found = slot_on(cast.ada, day, rhythm_of(cast.ada)).astimezone(ZoneInfo(zone))
    assert (found.date(), found.time()) == (day, time(21, 30))


def test_a_plan_uses_slots_only(cast: Cast) -> None:
    slotting.put(cast.ada, [LATE])
    for colour in ("red", "green", "blue"):
        keep(cast, colour)
    posts = strategy.plan(cast.ada, None, days=28, now=datetime(2026, 11, 22, 12, tzinfo=UTC))
    assert [post.due.weekday() for post in posts if post.due] == [5, 5, 5]
    assert {post.due.time() for post in posts if post.due} == {time(21, 30)}
    assert "with a slot" in posts[0].why["rules"][-1] + posts[0].why["rules"][0]


def test_the_calendar_tells_them(cast: Cast) -> None:
    slotting.put(cast.ada, [LATE])
    assert "Sat 21:30" in cast.clients["vic"].get("/s/studio/p/ada/calendar/").content.decode()


@given(st.lists(st.tuples(st.integers(0, 6), st.times()), max_size=slotting.MOST))
def test_slots_are_whole_minutes_each_once(pairs: list[tuple[int, time]]) -> None:
    found = {slotting._checked(Slot(day, clock)) for day, clock in pairs}
    assert found == {Slot(day, time(clock.hour, clock.minute)) for day, clock in pairs}


def test_a_program_sets_them_all_at_once(cast: Cast) -> None:
    olga = Program(cast, "olga")
    told = olga("GET", API)
    assert (told["own"], told["zone"], len(told["slots"])) == (False, "UTC", 3)
    body = [{"weekday": 5, "clock": "21:30:00"}, {"weekday": 0, "clock": "07:00:00"}]
    told = olga("PUT", API, slots=body)
    assert (told["own"], told["slots"]) == (True, body[::-1])
    assert olga("PUT", API, slots=[])["own"] is False
    olga("PUT", API, slots=[{"weekday": 7, "clock": "10:00:00"}], status=422)
    Program(cast, "rui")("PUT", API, slots=body, status=403)
    assert not Post.objects.exists()
