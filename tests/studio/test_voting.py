"""Votes on a step's pictures: what is shown, what is written, what can be taken back."""

import pytest

from tests.studio.conftest import Cast
from tests.studio.test_pipelines import come, run, two
from zoetrope.errors import UserError
from zoetrope.studio.pipelines import runs
from zoetrope.studio.pipelines.models import Candidate, Run, Step
from zoetrope.studio.voting import casting
from zoetrope.studio.voting.heats import Heat, heat
from zoetrope.studio.voting.models import Vote

__all__ = ["run", "two"]
BEST, UNSURE, BAD, UNDO = Vote.Kind.BEST, Vote.Kind.UNSURE, Vote.Kind.BAD, Vote.Kind.UNDO


@pytest.fixture
def drafts(run: Run) -> Step:
    """Four pictures to vote on."""
    come(run)
    return run.version.steps.all()[0]


def keys(run: Run, step: Step) -> list[int]:
    return [each.pk for each in run.candidates.filter(step=step)]


def prefer(cast: Cast, run: Run, step: Step, order: list[int], times: int) -> Heat:
    """Somebody answers screen after screen, and of each takes whoever stands first in an order."""
    now = heat(run, step)
    for _ in range(times):
        screen = now.screen(1, 2)
        assert screen is not None
        members = [now.candidates[place].pk for place in screen.members]
        now = casting.cast(run, step, BEST, members, min(members, key=order.index), cast.user("rui"))
    return now


def test_the_picture_that_is_preferred_leads_and_goes_on(cast: Cast, run: Run, drafts: Step) -> None:
    first, second, third, fourth = keys(run, drafts)
    order = [third, first, fourth, second]
    now = prefer(cast, run, drafts, order, 24)
    assert [candidate.pk for candidate, _, _ in now.rated()] == order
    assert now.verdict is not None
    assert now.verdict.enough
    assert now.pick is not None
    assert now.pick.pk == third
    runs.approve(run, drafts, 2, None)
    assert set(run.candidates.filter(gate__isnull=False).values_list("pk", flat=True)) == {third, first}


def test_ratings_follow_from_the_votes_alone(cast: Cast, run: Run, drafts: Step) -> None:
    now = prefer(cast, run, drafts, keys(run, drafts), 6)
    there = {each.pk: (each.utility, each.deviation) for each in now.candidates}
    assert {each.pk: (each.utility, each.deviation) for each in run.candidates.all()} == there
    Candidate.objects.update(utility=9, deviation=9)
    casting.cast(run, drafts, UNSURE, keys(run, drafts), None, cast.user("rui"))
    assert {each.pk: (each.utility, each.deviation) for each in run.candidates.all()} == there


def test_what_is_taken_back_is_as_if_it_had_not_been(cast: Cast, run: Run, drafts: Step) -> None:
    one, two_, *_ = keys(run, drafts)
    rui = cast.user("rui")
    casting.cast(run, drafts, BEST, [one, two_], one, rui)
    before = heat(run, drafts)
    casting.cast(run, drafts, BEST, [one, two_], two_, rui)
    casting.cast(run, drafts, BEST, [two_, one], two_, rui)
    casting.take_back(run, drafts, rui)
    vote, after = casting.take_back(run, drafts, rui)
    assert vote.chosen_id == two_
    assert after.answers == before.answers
    assert list(run.candidates.values_list("utility", flat=True)) == [each.utility for each in before.candidates]
    assert Vote.objects.count() == 5, "votes are added and never removed"
    casting.take_back(run, drafts, rui)
    with pytest.raises(UserError, match="no vote here"):
        casting.take_back(run, drafts, rui)
    with pytest.raises(UserError, match="no vote here"):
        casting.take_back(run, drafts, cast.user("olga"))


def test_none_of_them_is_a_rejection_and_no_vote(cast: Cast, run: Run, drafts: Step) -> None:
    one, two_, *others = keys(run, drafts)
    now = casting.cast(run, drafts, BAD, [one, two_], None, cast.user("rui"))
    assert [now.candidates[place].pk for place in now.alive] == others
    assert now.choices == ()
    with pytest.raises(UserError, match="rejected meanwhile"):
        casting.cast(run, drafts, BEST, [one, others[0]], one, cast.user("rui"))
    _, now = casting.take_back(run, drafts, cast.user("rui"))
    assert len(now.alive) == 4


def test_a_page_that_is_loaded_again_shows_the_same_screen(run: Run, drafts: Step) -> None:
    now = heat(run, drafts)
    first = now.screen(1, 2)
    assert first is not None
    assert heat(run, drafts).screen(1, 2) == first
    ahead = [now.candidates[place].pk for place in first.members]
    second = now.screen(1, 2, [ahead])
    assert second is not None
    assert set(second.members).isdisjoint(first.members), "each picture is shown once first"


def test_two_that_are_alike_to_the_last_byte_are_shown_as_one(run: Run, drafts: Step) -> None:
    one, two_, *_ = run.candidates.all()
    assert one.made is not None
    assert two_.made_id is not None
    type(one.made).objects.filter(pk=two_.made_id).update(sha256=one.made.sha256)
    assert len(heat(run, drafts).alive) == 3


@pytest.mark.parametrize(
    ("kind", "members", "chosen", "said"),
    [
        (BEST, [0, 0], 0, "not a screen"),
        (BEST, [0], 0, "not a screen"),
        (BEST, [0, 99], 0, "not a screen"),
        (BEST, [0, 1], 2, "not on the screen"),
        (BEST, [0, 1], None, "not on the screen"),
        (UNSURE, [0, 1], 0, "An answer is"),
        (UNDO, [0, 1], None, "An answer is"),
    ],
)
def test_an_answer_that_cannot_be_is_not_recorded(
    cast: Cast, run: Run, drafts: Step, kind: Vote.Kind, members: list[int], chosen: int | None, said: str
) -> None:
    known = dict(enumerate(keys(run, drafts)))
    with pytest.raises(UserError, match=said):
        casting.cast(
            run,
            drafts,
            kind,
            [known.get(each, 10**9) for each in members],
            None if chosen is None else known[chosen],
            cast.user("rui"),
        )
    assert not Vote.objects.exists()


def test_a_stopped_run_takes_no_votes(cast: Cast, run: Run, drafts: Step) -> None:
    runs.stop(run)
    with pytest.raises(UserError, match="is stopped"):
        casting.cast(run, drafts, BEST, keys(run, drafts)[:2], keys(run, drafts)[0], cast.user("rui"))
