"""Votes on a step's pictures: what is shown, what is written, what can be taken back."""

import json
import re
from typing import Any

import pytest

from tests.studio.conftest import Cast
from tests.studio.test_pipelines import TWO, come, opened, run, two
from zoetrope.errors import UserError
from zoetrope.studio.pipelines import keeping, runs
from zoetrope.studio.pipelines.models import Candidate, Pipeline, Run, Step
from zoetrope.studio.pipelines.steps import StepIn
from zoetrope.studio.spaces.models import Space
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
        members = [now.candidates[place].key for place in screen.members]
        now = casting.cast(run, step, BEST, members, min(members, key=order.index), cast.user("rui"))
    return now


def test_the_picture_that_is_preferred_leads_and_goes_on(cast: Cast, run: Run, drafts: Step) -> None:
    first, second, third, fourth = keys(run, drafts)
    order = [third, first, fourth, second]
    now = prefer(cast, run, drafts, order, 24)
    assert sorted(order, key=lambda key: -now.belief.utilities[now.places[key]]) == order
    assert now.verdict is not None
    assert now.verdict.enough
    assert now.pick is not None
    assert now.pick.key == third
    runs.approve(run, drafts, 2, None)
    assert set(run.candidates.filter(gate__isnull=False).values_list("pk", flat=True)) == {third, first}


def test_ratings_follow_from_the_votes_alone(cast: Cast, run: Run, drafts: Step) -> None:
    now = prefer(cast, run, drafts, keys(run, drafts), 6)
    believed = zip(now.belief.utilities, now.belief.deviations, strict=True)
    there = dict(zip(keys(run, drafts), believed, strict=True))
    assert {each.pk: (each.utility, each.deviation) for each in run.candidates.all()} == there
    Candidate.objects.update(utility=9, deviation=9)
    casting.cast(run, drafts, UNSURE, keys(run, drafts), None, cast.user("rui"))
    assert {each.pk: (each.utility, each.deviation) for each in run.candidates.all()} == there


def test_the_winner_is_not_rejected_by_a_vote(cast: Cast, run: Run, drafts: Step) -> None:
    one, other, *_ = keys(run, drafts)
    runs.crown(run, Candidate.objects.get(pk=one))
    with pytest.raises(UserError, match="winner"):
        casting.cast(run, drafts, Vote.Kind.BAD, [one, other], None, cast.user("rui"))
    assert Candidate.objects.get(pk=one).state == Candidate.State.ACTIVE


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
    assert list(run.candidates.values_list("utility", flat=True)) == list(before.belief.utilities)
    assert Vote.objects.count() == 5, "votes are added and never removed"
    casting.take_back(run, drafts, rui)
    with pytest.raises(UserError, match="no vote here"):
        casting.take_back(run, drafts, rui)
    with pytest.raises(UserError, match="no vote here"):
        casting.take_back(run, drafts, cast.user("olga"))


def test_none_of_them_is_a_rejection_and_no_vote(cast: Cast, run: Run, drafts: Step) -> None:
    one, two_, *others = keys(run, drafts)
    now = casting.cast(run, drafts, BAD, [one, two_], None, cast.user("rui"))
    assert [now.candidates[place].key for place in now.alive] == others
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
    ahead = [now.candidates[place].key for place in first.members]
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


def answered(cast: Cast, who: str, run: Run, **said: object) -> Any:
    return cast.clients[who].generic(
        "POST", f"/s/studio/runs/{run.pk}/vote/answer/", json.dumps(said), "application/json"
    )


def test_the_page_shows_pictures_and_nothing_about_them(cast: Cast, run: Run, drafts: Step) -> None:
    prefer(cast, run, drafts, keys(run, drafts), 3)
    shown = cast.clients["vic"].get(f"/s/studio/runs/{run.pk}/vote/").content.decode()
    told = json.loads(re.findall(r'id="told-now" type="application/json">(.+?)</script>', shown)[0])
    assert len(told["screens"]) == 2
    assert {frozenset(each) for screen in told["screens"] for each in screen} == {frozenset({"key", "sha256"})}
    main = shown[shown.index("<main") : shown.index("</main>")]
    assert "in a park" not in main
    assert "tiny" not in main


def test_answers_bring_the_screen_after_those_that_are_on_their_way(cast: Cast, run: Run, drafts: Step) -> None:
    one, two_, three, four = keys(run, drafts)
    told = answered(cast, "rui", run, do="best", members=[one, two_], chosen=one, size=2, ahead=[[three, four]]).json()
    assert len(told["screens"]) == 1
    assert (told["votes"], told["enough"]) == (1, False)
    assert 0 < told["sure"] < 100
    assert told["more"] > 0
    back = answered(cast, "rui", run, do="undo").json()
    assert [each["key"] for each in back["back"]] == [one, two_]
    assert (back["votes"], back["sure"]) == (0, None)
    assert answered(cast, "vic", run, do="unsure", members=[one, two_]).status_code == 403
    assert answered(cast, "rui", run, do="best", members=[one, two_], chosen=three).status_code == 400
    assert answered(cast, "rui", run, do="else").status_code == 400


def test_a_vote_counts_for_the_step_that_was_looked_at(cast: Cast, run: Run, drafts: Step) -> None:
    one, two_, *_ = keys(run, drafts)
    opened(run, drafts, 2)
    come(run)
    assert answered(cast, "rui", run, do="best", members=[one, two_], chosen=one, step=drafts.pk).status_code == 200
    assert answered(cast, "rui", run, do="best", members=[one, two_], chosen=one).status_code == 400


def test_a_gate_tells_how_unsure_the_votes_are(cast: Cast, run: Run, drafts: Step) -> None:
    page = f"/s/studio/runs/{run.pk}/"
    assert "Nobody has voted yet" in cast.clients["rui"].get(page).content.decode()
    prefer(cast, run, drafts, keys(run, drafts), 3)
    assert "more would be enough" in cast.clients["rui"].get(page).content.decode()
    prefer(cast, run, drafts, keys(run, drafts), 20)
    assert "would be enough" not in cast.clients["rui"].get(page).content.decode()
    assert cast.clients["rui"].get("/s/studio/vote/").headers["Location"] == f"{page}vote/"


def test_another_space_sees_nothing_of_a_run(cast: Cast, run: Run, drafts: Step) -> None:
    elsewhere = keeping.make(Space.objects.get(slug="elsewhere"), "Theirs", "", TWO, None)
    sam = cast.clients["sam"]
    for path in (f"runs/{run.pk}/", f"runs/{run.pk}/vote/", f"pipelines/{run.version.pipeline_id}/"):
        assert sam.get(f"/s/elsewhere/{path}").status_code == 404
    said = {"do": "crown", "candidate": keys(run, drafts)[0]}
    assert sam.post(f"/s/elsewhere/runs/{run.pk}/act/", said).status_code == 404
    start = {"persona": "ada", "said_prompt": "at sea"}
    assert sam.post(f"/s/elsewhere/pipelines/{elsewhere.pk}/start/", start).status_code == 400
    assert Run.objects.count() == 1
    assert "in a park" not in sam.get("/s/elsewhere/runs/").content.decode()
    assert sam.get("/api/spaces/elsewhere/runs").json() == []


def test_words_with_html_in_them_stay_words(cast: Cast, two: Pipeline) -> None:
    hostile = "<img src=x onerror=alert(1)>{{ 7 }}"
    with pytest.raises(UserError, match="is no variable"):
        keeping.make(cast.space, hostile, hostile, [StepIn(name=hostile[:40], template={"prompt": hostile})], None)
    made = runs.start(two, cast.ada, hostile, {"prompt": hostile}, None)
    come(made)
    for path in (f"runs/{made.pk}/", f"runs/{made.pk}/vote/", "runs/"):
        assert "<img src=x" not in cast.clients["olga"].get(f"/s/studio/{path}").content.decode()
