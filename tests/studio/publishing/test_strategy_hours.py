"""What posts taught of hours reaches what is planned next, and each draft says so; what is reversed reaches nothing."""

from datetime import UTC, datetime, time

from tests.studio.conftest import Cast
from tests.studio.insights.test_learnings import learned
from tests.studio.publishing.test_outbox import keep
from zoetrope.studio.insights import effects, learnings
from zoetrope.studio.insights.models import Kind, Learning
from zoetrope.studio.planning.models import Rhythm
from zoetrope.studio.planning.rhythm import HOURS, rhythm_of
from zoetrope.studio.planning.slots import Slot
from zoetrope.studio.publishing import slotting, strategy
from zoetrope.studio.publishing.models import Post
from zoetrope.studio.publishing.strategy import cadence_of
from zoetrope.studio.publishing.times import slots_of, weekly

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


def only_nine_in_the_evening(cast: Cast) -> list[Learning]:
    """Everything usual was learned to be bad, and one hour of the evening to be good."""
    said = [learned(cast, Kind.HOUR, str(hour), more=False) for hour in (5, 6, 7, 10, 11, 12, 13, 14)]
    said.append(learned(cast, Kind.HOUR, "21"))
    return [learnings.approve(each, cast.user("olga")) for each in said]


def planned(cast: Cast, colour: str) -> Post:
    """The next draft."""
    keep(cast, colour)
    [post] = strategy.plan(cast.ada, None, 7, NOW)
    return post


def test_a_learning_says_when_a_post_goes_out_and_its_card_says_so(cast: Cast) -> None:
    assert effects.hours in HOURS
    Rhythm.objects.create(persona=cast.ada, zone="Europe/Rome")
    only_nine_in_the_evening(cast)
    post = planned(cast, "green")
    # Rome is an hour ahead in winter.
    assert post.due == datetime(2026, 11, 23, 20, tzinfo=UTC)
    card = " ".join(post.why["rules"])
    assert "21:00 is a best hour by an approved learning: hour 21" in card
    assert "No best hour any more, as approved learnings say: 05:00, 06:00" in card
    page = cast.clients["vic"].get(f"/s/studio/posts/{post.pk}/").content.decode()
    assert "21:00 is a best hour by an approved learning" in page


def test_slots_of_its_own_go_before_what_was_learned(cast: Cast) -> None:
    only_nine_in_the_evening(cast)
    own = Slot(0, time(9))
    slotting.put(cast.ada, [own])
    post = planned(cast, "red")
    assert post.due == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert "learning" not in " ".join(post.why["rules"])
    assert slotting.week(rhythm_of(cast.ada)) == (own,)
    slotting.remove(cast.ada, own)
    assert {slot.clock.hour for slot in slotting.week(rhythm_of(cast.ada))} == {21}
    assert "Mon 21:00" in cast.clients["vic"].get("/s/studio/p/ada/calendar/").content.decode()


def test_a_reversed_learning_stops_counting_at_once(cast: Cast) -> None:
    approved = only_nine_in_the_evening(cast)
    rhythm = rhythm_of(cast.ada)
    assert cadence_of(rhythm).best_hours == ((21, 22),)
    assert {slot.clock.hour for slot in slots_of(rhythm)} == {21}
    for each in approved:
        learnings.take_back(each, cast.user("olga"))
    assert cadence_of(rhythm).best_hours == ((5, 8), (10, 15))
    assert slots_of(rhythm) == weekly(rhythm.posts_per_week)
    post = planned(cast, "red")
    assert "learning" not in " ".join(post.why["rules"])
    assert post.due is not None
    assert post.due.hour == 12, "of hours that were used alike the nearest to noon"
