"""Campaigns: a brief, ideas by its writer, drafts that wait, runs for them, and winners that fill each post once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise, product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from tests.studio.conftest import Cast, Told
from tests.studio.planning.test_gap_pages import won
from tests.studio.planning.test_pillars import pillar
from tests.studio.publishing.test_outbox import keep
from tests.studio.test_api import Program
from tests.studio.test_pipelines import two
from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.pipelines import runs
from zoetrope.studio.pipelines.models import Pipeline, Run
from zoetrope.studio.planning.models import Cluster, Rhythm, Use
from zoetrope.studio.planning.slots import Slot
from zoetrope.studio.publishing import captioning, desk, slotting, suggesting
from zoetrope.studio.publishing.campaigns import briefs, days, filling, stages, thinking
from zoetrope.studio.publishing.campaigns.stages import Stage
from zoetrope.studio.publishing.models import Campaign, CampaignIdea, Post
from zoetrope.studio.writing import seam

__all__ = ["two"]
LIST = "/s/studio/p/ada/campaigns/"
API = "/api/spaces/studio/personas/ada/campaigns"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
State = CampaignIdea.State


class Pen:
    """A writer that remembers what it was told, and is killed at its nth call."""

    name = "a pen"

    def __init__(self) -> None:
        self.briefs: list[seam.IdeaBrief] = []
        self.killed_at = 0

    def captions(self, brief: seam.Brief, count: int) -> list[seam.Caption]:
        raise AssertionError("no caption was asked for")

    def ideas(self, brief: seam.IdeaBrief) -> list[seam.Idea]:
        self.briefs.append(brief)
        if len(self.briefs) == self.killed_at:
            raise Killed
        call = len(self.briefs)
        return [
            seam.Idea(f"{brief.pillar} {call}.{n}", "A day.", f"portrait of ada, {call} {n}", "a pen")
            for n in range(brief.count)
        ]


class Killed(BaseException):
    """Nothing of a process is done after this."""


@pytest.fixture
def pen(monkeypatch: pytest.MonkeyPatch) -> Pen:
    made = Pen()
    monkeypatch.setattr(thinking, "_writer", lambda _: made)
    return made


def begun(cast: Cast, posts: int = 3, lasts: int = 20, **more: Any) -> Campaign:
    """A campaign that begins tomorrow."""
    first = (timezone.now() + timedelta(days=1)).date()
    said: dict[str, Any] = {
        "name": "Autumn",
        "about": "Scarves of wool.",
        "starts": first,
        "ends": first + timedelta(lasts - 1),
    } | more
    chosen = said.pop("pillars", ())
    return briefs.add(cast.ada, briefs.Wanted(posts=posts, **said), chosen, cast.user("rui"))


def idea(campaign: Campaign, **more: Any) -> CampaignIdea:
    said = {"title": "A walk", "prompt": "portrait of ada, in a park", "by": "a pen"} | more
    return CampaignIdea.objects.create(campaign=campaign, **said)


def chosen(campaign: Campaign, count: int = 1, **more: Any) -> list[CampaignIdea]:
    """So many that are drafts."""
    rows = [idea(campaign, title=f"Idea {n}", prompt=f"portrait of ada, {n}", **more) for n in range(count)]
    filling.choose(campaign, [each.pk for each in rows], None)
    return list(campaign.ideas.filter(pk__in=[each.pk for each in rows]).select_related("post", "campaign"))


def stage_of(row: CampaignIdea) -> Stage:
    found = {each.pk: told for each, told in stages.staged(row.campaign)}
    return found[row.pk]


def carried_out(campaign: Campaign) -> list[CampaignIdea]:
    """Its job for ideas, asked for and done."""
    job = thinking.ask(campaign)
    again(job)
    return list(campaign.ideas.filter(job=job.key).order_by("place"))


def again(job: jobs.Job) -> None:
    work = Told()
    work.key = job.key
    thinking.write(work, **job.args)
    jobs.Job.objects.filter(pk=job.pk).update(state=jobs.State.DONE)


@contextmanager
def killed_at(statement: int) -> Iterator[list[bool]]:
    """A process that is killed before its nth statement; whether it came that far."""
    seen, hit = 0, [False]

    def count(execute: Callable[..., Any], *args: Any) -> Any:
        nonlocal seen
        # What is killed before it is kept is rolled back: that is the statement before.
        seen += not args[0].startswith("RELEASE")
        if seen == statement and not hit[0]:
            hit[0] = True
            raise Killed
        return execute(*args)

    with connection.execute_wrapper(count):
        yield hit


def killed_everywhere(act: Callable[[], object], untouched: Callable[[], bool]) -> int:
    """It is done at last, after it was killed before each of its statements; how often that was."""
    for statement in range(1, 2000):
        with killed_at(statement) as hit:
            try:
                act()
            except Killed:
                pass
            else:
                if not hit[0]:
                    return statement - 1
        assert untouched(), f"something stayed of what was killed before statement {statement}"
    raise AssertionError("it never ended")


# The brief


def test_a_brief_is_begun_and_changed(cast: Cast) -> None:
    walks = pillar(cast.ada, "Walks")
    body = {"name": "Autumn", "about": "Scarves", "starts": "2026-12-01", "ends": "2026-12-07", "posts": 4}
    answer = cast.clients["rui"].post(LIST, body | {"pillars": [walks.pk]})
    row = Campaign.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{LIST}{row.pk}/")
    assert (row.starts, row.ends, row.posts, [*row.pillars.all()]) == (
        date(2026, 12, 1),
        date(2026, 12, 7),
        4,
        [walks],
    )
    assert cast.clients["rui"].post(f"{LIST}{row.pk}/", body | {"about": "Hats"}).status_code == 302
    row.refresh_from_db()
    assert (row.about, row.pillars.count()) == ("Hats", 0)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": " "}, "required"),
        ({"about": ""}, "required"),
        ({"ends": "2026-11-30"}, "begins before it ends"),
        ({"ends": "2027-12-01"}, "92 days at most"),
        ({"posts": 0}, "greater than or equal to 1"),
        ({"posts": 61}, "less than or equal to 60"),
        ({"pillars": [10**6]}, "not one of the available choices"),
    ],
)
def test_what_is_no_brief_is_told_so(cast: Cast, wrong: dict[str, Any], says: str) -> None:
    pillar(cast.ada, "Walks")
    body = {"name": "Autumn", "about": "Scarves", "starts": "2026-12-01", "ends": "2026-12-07", "posts": 4}
    answer = cast.clients["rui"].post(LIST, body | wrong)
    assert (answer.status_code, says in answer.content.decode()) == (422, True)
    assert not Campaign.objects.exists()


# Ideas


def test_ideas_are_written_from_the_brief_for_its_pillars_in_turn(cast: Cast, pen: Pen) -> None:
    walks, food = pillar(cast.ada, "Walks", guidelines="Outdoors."), pillar(cast.ada, "Food")
    campaign = begun(cast, posts=5, pillars=[walks, food])
    found = carried_out(campaign)
    assert [each.pillar for each in found] == [food, walks, food, walks, food]
    assert [each.state for each in found] == ["pending"] * 5
    told = {brief.pillar: brief.guidelines for brief in pen.briefs}
    assert told == {"Walks": "Scarves of wool.\n\nOutdoors.", "Food": "Scarves of wool."}
    assert pen.briefs[1].recent_prompts[:3] == (
        "portrait of ada, 1 2",
        "portrait of ada, 1 1",
        "portrait of ada, 1 0",
    )
    assert len(carried_out(campaign)) == thinking.A_FEW, "it has enough, and is asked for others"


def test_the_template_writes_without_a_pillar(cast: Cast) -> None:
    found = carried_out(begun(cast, posts=3))
    assert len({each.prompt for each in found}) == 3
    assert {each.pillar for each in found} == {None}
    assert all("emplate" in each.by for each in found)


@pytest.mark.parametrize("killed", range(1, 5))
def test_ideas_that_were_written_before_a_crash_are_not_written_again(cast: Cast, pen: Pen, killed: int) -> None:
    campaign = begun(cast, posts=17)
    job = thinking.ask(campaign)
    pen.killed_at = killed
    with pytest.raises(Killed):
        again(job)
    there = list(campaign.ideas.values_list("pk", "title"))
    assert len(there) == 5 * (killed - 1)
    again(job)
    again(job)
    assert list(campaign.ideas.order_by("pk").values_list("pk", "title"))[: len(there)] == there
    assert sorted(campaign.ideas.values_list("place", flat=True)) == [*range(17)]


def test_one_job_at_a_time_and_only_so_many_ideas(cast: Cast, pen: Pen, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = begun(cast)
    job = thinking.ask(campaign)
    with pytest.raises(UserError, match="being written already"):
        thinking.ask(campaign)
    assert f'hx-get="{LIST}{campaign.pk}/"' in cast.clients["vic"].get(f"{LIST}{campaign.pk}/").content.decode()
    again(job)
    monkeypatch.setattr(thinking, "MOST", 4)
    assert len(carried_out(campaign)) == 1
    with pytest.raises(UserError, match="at most 4 ideas"):
        thinking.ask(campaign)
    campaign.delete()
    again(job)


# Drafts


def test_chosen_ideas_are_drafts_on_the_campaigns_days(cast: Cast) -> None:
    campaign = begun(cast, posts=4, lasts=28)
    rows = chosen(campaign, 4)
    dues = [row.post.due for row in rows if row.post and row.post.due]
    opens = datetime.combine(campaign.starts, time(), UTC)
    assert len(dues) == 4
    assert all(opens <= due < opens + timedelta(28) for due in dues)
    assert all(later - earlier >= timedelta(days=5) for earlier, later in pairwise(dues)), "they are spread"
    assert {stage_of(row) for row in rows} == {Stage.WAITING}
    why = rows[0].post.why if rows[0].post else {}
    assert "Idea 0" in why["rules"][0]
    assert "Why this post" in cast.clients["vic"].get(f"/s/studio/posts/{rows[0].post_id}/").content.decode()


def test_they_keep_away_from_other_posts_and_use_own_slots(cast: Cast) -> None:
    slotting.put(cast.ada, [Slot(day, time(21, 30)) for day in range(7)])
    campaign = begun(cast, posts=3, lasts=3)
    taken = datetime.combine(campaign.starts, time(21, 30), UTC)
    desk.draft(cast.ada, (), None, due=taken)
    dues = [row.post.due for row in chosen(campaign, 2) if row.post and row.post.due]
    assert sorted(dues) == [taken + timedelta(days=1), taken + timedelta(days=2)]


def test_where_the_days_are_full_rules_give_way_and_are_told(cast: Cast) -> None:
    campaign = begun(cast, posts=4, lasts=1)
    rows = chosen(campaign, 4)
    assert [bool(row.post and row.post.why["relaxed"]) for row in rows] == [False, True, True, True]
    assert len({row.post.due for row in rows if row.post}) == 4
    assert {row.post.due.date() for row in rows if row.post and row.post.due} == {campaign.starts}
    late = [row.post.due for row in chosen(begun(cast, posts=20, lasts=1), 20) if row.post]
    assert late.count(None) == 8, "its day has sixteen hours for posts, of which four were taken"


def test_a_campaign_that_is_over_gives_no_time(cast: Cast) -> None:
    campaign = begun(cast, starts=date(2026, 1, 1), ends=date(2026, 1, 9))
    row = chosen(campaign)[0]
    assert row.post is not None
    assert row.post.due is None
    assert "give it a time" in row.post.why["rules"][-1]


@pytest.mark.parametrize("zone", ["Pacific/Apia", "America/Havana", "Asia/Kolkata"])
def test_its_days_are_those_of_the_persona_s_clocks(cast: Cast, zone: str) -> None:
    Rhythm.objects.create(persona=cast.ada, zone=zone, posts_per_week=21)
    campaign = begun(cast, posts=12, lasts=4)
    found = {
        row.post.due.astimezone(ZoneInfo(zone)).date() for row in chosen(campaign, 12) if row.post and row.post.due
    }
    assert found == {campaign.starts + timedelta(number) for number in range(4)}


def test_an_idea_is_chosen_once(cast: Cast) -> None:
    campaign = begun(cast)
    row, other = idea(campaign), idea(begun(cast, name="Another"))
    filling.choose(campaign, [row.pk], None)
    for keys in ([row.pk], [other.pk], [], [row.pk, 10**9]):
        with pytest.raises(UserError, match=r"nothing was changed"):
            filling.choose(campaign, keys, None)
    assert Post.objects.count() == 1


def test_choosing_is_all_or_nothing_wherever_it_is_killed(cast: Cast) -> None:
    campaign = begun(cast)
    keys = [idea(campaign).pk, idea(campaign).pk]

    def untouched() -> bool:
        still = campaign.ideas.filter(state=State.PENDING, post=None).count()
        return not Post.objects.exists() and still == len(keys)

    assert killed_everywhere(lambda: filling.choose(campaign, keys, None), untouched) > 10
    assert campaign.ideas.filter(state="chosen", post__isnull=False).count() == Post.objects.count() == 2


def test_a_post_without_a_picture_never_goes_out(cast: Cast) -> None:
    row = chosen(begun(cast))[0]
    assert row.post is not None
    with pytest.raises(UserError, match="It has no picture yet"):
        desk.schedule(row.post)
    Program(cast, "olga")("POST", f"/api/spaces/studio/posts/{row.post.pk}", status=400, do="schedule")
    page = cast.clients["olga"].get(f"/s/studio/posts/{row.post.pk}/").content.decode()
    assert "It has no picture yet." in page
    assert Post.objects.get().state == "draft"


def test_put_back_it_is_an_idea_again(cast: Cast, two: Pipeline) -> None:
    row = chosen(begun(cast))[0]
    run = filling.draw(row, two, None)
    filling.put_back(row)
    assert not Post.objects.exists()
    assert stage_of(row) is Stage.IDEA
    won(run)
    assert stage_of(row) is Stage.IDEA
    filling.choose(row.campaign, [row.pk], None)
    assert stage_of(row) is Stage.PICTURED, "its run had a winner by then"


def test_a_post_that_was_thrown_away_can_be_had_again(cast: Cast) -> None:
    row = chosen(begun(cast))[0]
    assert row.post is not None
    desk.drop(row.post)
    assert stage_of(row) is Stage.GONE
    row.refresh_from_db()
    filling.put_back(row)
    assert filling.choose(row.campaign, [row.pk], None)[0].pk != 0
    assert stage_of(row) is Stage.WAITING


# Pictures


def test_a_winner_fills_its_post(cast: Cast, two: Pipeline) -> None:
    walks = pillar(cast.ada, "Walks")
    row = chosen(begun(cast), pillar=walks)[0]
    (run,) = filling.make(row.campaign, two, cast.user("rui"))
    assert stage_of(row) is Stage.DRAWING
    assert run.variables["prompt"] == "portrait, 0", "the pipeline names her itself"
    kept = won(run)
    assert stage_of(row) is Stage.PICTURED
    assert [each.made_id for each in row.post.pictures.all()] == [kept.made_id]  # type: ignore[union-attr]
    assert Use.objects.get().kept == kept
    assert [*Cluster.objects.get(pillars=walks).kept.all()] == [kept]
    desk.schedule(Post.objects.get(campaign_idea=row), timezone.now() + timedelta(days=1))
    assert stage_of(row) is Stage.APPROVED


def test_its_caption_is_written_where_there_is_none(cast: Cast, two: Pipeline) -> None:
    campaign = begun(cast)
    first, second = chosen(campaign, 2)
    assert second.post is not None
    desk.change(second.post, caption="My own words.")
    for row in (first, second):
        won(filling.draw(row, two, None))
    (job,) = jobs.Job.objects.filter(kind=captioning.KIND)
    assert job.args == {"post": first.post_id}
    captioning.write(Told(), **job.args)
    post = Post.objects.get(campaign_idea=first)
    assert len(post.caption) >= 300
    assert "emplate" in post.why["written"]["by"]
    assert "campaign" in post.why
    captioning.write(Told(), **job.args)
    captioning.write(Told(), post=second.post.pk)
    assert Post.objects.get(campaign_idea=first).caption == post.caption
    assert Post.objects.get(campaign_idea=second).caption == "My own words."
    captioning.write(Told(), post=10**9)


def test_whoever_writes_meanwhile_goes_first(cast: Cast, two: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    row = chosen(begun(cast))[0]
    won(filling.draw(row, two, None))

    def slowly(post: Post, length: seam.Length, count: int) -> list[suggesting.Variant]:
        desk.change(Post.objects.get(pk=post.pk), caption="Mine.")
        return [suggesting.Variant("Theirs.", (), "", "a pen")]

    monkeypatch.setattr(suggesting, "variants", slowly)
    assert row.post is not None
    captioning.write(Told(), post=row.post.pk)
    assert Post.objects.get(campaign_idea=row).caption == "Mine."


def test_what_has_no_words_gets_them_at_once(cast: Cast) -> None:
    first, second = (desk.draft(cast.ada, [keep(cast, colour)], None) for colour in ("red", "blue"))
    worded = desk.draft(cast.ada, [keep(cast, "green")], None, caption="My own.")
    bare = desk.draft(cast.ada, [], None)
    story = desk.draft(cast.ada, [keep(cast, "brown")], None)
    desk.change(story, kind=Post.Kind.STORY)
    desk.change(first, hashtags=["launch2026"])
    desk.move(second, timezone.now() + timedelta(days=1))
    assert [each.pk for each in captioning.wordless(cast.ada)] == [second.pk, first.pk], "the first to go out first"
    address = "/s/studio/p/ada/calendar/"
    assert "Write 2 missing captions" in cast.clients["rui"].get(address).content.decode()
    assert "missing captions" not in cast.clients["vic"].get(address).content.decode()
    for _ in range(2):
        assert cast.clients["rui"].post(f"{address}write/").status_code == 302
    asked = jobs.Job.objects.filter(kind=captioning.KIND)
    assert {job.args["post"] for job in asked} == {first.pk, second.pk}
    assert asked.count() == 2, "asked twice, written once"
    for job in asked:
        captioning.write(Told(), **job.args)
    captions = dict(Post.objects.values_list("pk", "caption"))
    assert all(len(captions[each.pk]) >= 300 for each in (first, second))
    assert (captions[worded.pk], captions[bare.pk], captions[story.pk]) == ("My own.", "", "")
    assert Post.objects.get(pk=first.pk).hashtags == ["launch2026"], "what a person said stays"
    assert Post.objects.get(pk=second.pk).hashtags
    assert cast.clients["rui"].post(f"{address}write/").status_code == 400
    # Emptied again, another job is asked.
    asked.update(state=jobs.State.DONE)
    desk.change(Post.objects.get(pk=first.pk), caption="")
    assert captioning.ask_all(cast.ada) == 1
    assert asked.count() == 3
    # Ended jobs are forgotten after two weeks: the names of those that are left must not come again.
    jobs.Job.objects.filter(pk=asked.order_by("pk")[0].pk).delete()
    asked.update(state=jobs.State.DONE)
    for _ in range(2):
        assert captioning.ask_all(cast.ada) == 1
    assert asked.exclude(state__in=jobs.ENDED).count() == 1


def test_captions_are_told_the_brief(cast: Cast) -> None:
    row = chosen(begun(cast), pillar=pillar(cast.ada, "Walks", guidelines="Outdoors."))[0]
    assert row.post is not None
    assert suggesting._brief(row.post, seam.Length.short).guidelines == "Scarves of wool.\n\nOutdoors."


def test_a_crowning_is_kept_with_its_post_or_not_at_all(cast: Cast, two: Pipeline) -> None:
    from tests.studio.test_pipelines import come, opened

    row = chosen(begun(cast))[0]
    run = filling.draw(row, two, None)
    come(run)
    drafts, finished = run.version.steps.all()
    opened(run, drafts, 1)
    come(run)
    best = run.candidates.filter(step=finished)[0]
    filled = Post.objects.filter(campaign_idea=row, pictures__isnull=False)

    def crown() -> None:
        runs.crown(Run.objects.get(pk=run.pk), best)

    def untouched() -> bool:
        return not filled.exists() and not Run.objects.filter(pk=run.pk, state="done").exists()

    assert killed_everywhere(crown, untouched) > 20
    assert filled.count() == jobs.Job.objects.filter(kind=captioning.KIND).count() == 1


def test_a_winner_that_nobody_told_of_is_caught_up_with(
    cast: Cast, two: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, other = chosen(begun(cast), 2)
    run = filling.draw(row, two, None)
    with monkeypatch.context() as deaf:
        deaf.setattr(runs, "ON_WINNER", [tell for tell in runs.ON_WINNER if tell is not filling.follow])
        won(run)
    assert stage_of(row) is Stage.WAITING
    filling.look()
    assert (stage_of(row), stage_of(other)) == (Stage.PICTURED, Stage.WAITING)
    post = Post.objects.get(campaign_idea=row)
    desk.show(post, [])
    filling.look()
    assert not post.pictures.exists(), "somebody took it out"
    assert stage_of(row) is Stage.WAITING
    again = filling.draw(row, two, None)
    assert again != run
    won(again)
    assert post.pictures.count() == 1


def test_a_winner_that_is_none_any_more_leaves_a_draft_and_stays_where_it_was_approved(
    cast: Cast, two: Pipeline
) -> None:
    row = chosen(begun(cast))[0]
    run = filling.draw(row, two, None)
    first = won(run).made_id
    run.refresh_from_db()
    runs.uncrown(run)
    assert stage_of(row) is Stage.DRAWING
    best = run.candidates.exclude(made=first).filter(state="active", made__isnull=False)[0]
    runs.crown(run, best)
    post = Post.objects.get(campaign_idea=row)
    assert [each.made_id for each in post.pictures.all()] == [best.made_id]
    desk.schedule(post, timezone.now() + timedelta(days=1))
    runs.uncrown(run)
    assert post.pictures.count() == 1
    assert stage_of(row) is Stage.APPROVED


def test_a_persons_picture_is_not_replaced(cast: Cast, two: Pipeline) -> None:
    row = chosen(begun(cast))[0]
    run = filling.draw(row, two, None)
    assert row.post is not None
    own = keep(cast)
    desk.show(row.post, [own])
    won(run)
    filling.look()
    assert [each.made_id for each in row.post.pictures.all()] == [own.made_id]


def test_runs_start_for_what_waits_the_first_to_go_out_first(cast: Cast, two: Pipeline) -> None:
    campaign = begun(cast, posts=6, lasts=40)
    rows = chosen(campaign, 6)
    started = filling.make(campaign, two, None)
    assert [run.name for run in started] == [f"Idea {n}" for n in range(4)]
    runs.stop(started[0])
    assert [run.name for run in filling.make(campaign, two, None)] == ["Idea 0", "Idea 4", "Idea 5"]
    with pytest.raises(UserError, match="nothing was started"):
        filling.make(campaign, two, None)
    rows[5].refresh_from_db()
    with pytest.raises(UserError, match="waits for no picture now"):
        filling.draw(rows[5], two, None)
    assert Run.objects.count() == 7


def test_another_prompt_tells_who_changed_it(cast: Cast, two: Pipeline) -> None:
    row = chosen(begun(cast))[0]
    run = filling.draw(row, two, cast.user("rui"), "portrait of ada, by the fire")
    row.refresh_from_db()
    assert (row.by, run.variables["prompt"]) == ("a pen, changed by rui", "portrait, by the fire")


# Ending


def test_an_ended_campaign_begins_nothing_and_its_posts_stay(cast: Cast, two: Pipeline, pen: Pen) -> None:
    campaign = begun(cast)
    first, second = chosen(campaign, 2)
    loose = idea(campaign)
    run = filling.draw(first, two, None)
    briefs.end(campaign)
    for act in (
        lambda: thinking.ask(campaign),
        lambda: filling.choose(campaign, [loose.pk], None),
        lambda: filling.make(campaign, two, None),
        lambda: filling.draw(CampaignIdea.objects.get(pk=second.pk), two, None),
    ):
        with pytest.raises(UserError, match="has ended"):
            act()
    won(run)
    assert stage_of(first) is Stage.PICTURED, "what was begun goes on"
    briefs.resume(campaign)
    with pytest.raises(UserError, match="End the campaign first"):
        briefs.drop(campaign)
    briefs.end(campaign)
    briefs.drop(campaign)
    assert not CampaignIdea.objects.exists()
    assert Post.objects.count() == 2


def test_a_run_whose_campaign_is_gone_still_ends(cast: Cast, two: Pipeline) -> None:
    row = chosen(begun(cast))[0]
    run = filling.draw(row, two, None)
    row.campaign.delete()
    won(run)
    filling.look()
    assert not Post.objects.get().pictures.exists()


# How far it is


def test_every_state_has_a_stage_and_no_post_is_further_than_posted() -> None:
    posts: list[str | None] = [None, *Post.State.values]
    run_states: list[str | None] = [None, *Run.State.values]
    for state, post, shows, run in product(State.values, posts, (True, False), run_states):
        found = stages.stage(state, post, shows, run)
        assert (found in stages.POSTS) == (state == "chosen" and post is not None)
        assert (found is Stage.POSTED) == (state == "chosen" and post == "published")
        told = stages.Progress(1, {found: 3})
        assert 0 <= told.done <= told.whole
    assert stages.Progress(2, {Stage.POSTED: 2}).done == stages.Progress(2, {Stage.POSTED: 2}).whole


def test_the_list_counts_as_the_pages_do(cast: Cast, two: Pipeline) -> None:
    campaign, other = begun(cast, posts=6), begun(cast, name="Bare")
    rows = chosen(campaign, 5)
    idea(campaign)
    idea(campaign, state=State.REJECTED)
    won(filling.draw(rows[0], two, None))
    filling.draw(rows[1], two, None)
    Post.objects.filter(campaign_idea=rows[2]).update(state="published")
    Post.objects.filter(campaign_idea=rows[3]).update(state="failed")
    told = stages.progress([campaign, other])
    counted: dict[Stage, int] = {}
    for _, found in stages.staged(campaign):
        counted[found] = counted.get(found, 0) + 1
    assert dict(told[campaign.pk].counts) == counted
    assert counted == dict.fromkeys(
        (Stage.PICTURED, Stage.DRAWING, Stage.POSTED, Stage.FAILED, Stage.WAITING, Stage.IDEA, Stage.REJECTED), 1
    )
    assert (told[campaign.pk].done, told[campaign.pk].whole) == (2 + 1 + 4 + 3 + 1, 24)
    assert (told[other.pk].done, told[other.pk].told) == (0, [])
    page = cast.clients["vic"].get(LIST).content.decode()
    assert "1 of 6 posted · 1 waiting for a picture · 1 drawing · 1 with a picture · 1 to look at" in page


# Pages


def test_without_a_campaign_the_page_says_what_one_is(cast: Cast) -> None:
    page = cast.clients["vic"].get(LIST).content.decode()
    assert "No campaign yet" in page
    assert "Begin it" not in page
    assert "Begin it" in cast.clients["rui"].get(LIST).content.decode()


def test_a_person_goes_the_whole_way_by_the_page(cast: Cast, two: Pipeline, pen: Pen) -> None:
    campaign = begun(cast, posts=2)
    path = f"{LIST}{campaign.pk}/"

    def act(**body: Any) -> str:
        answer = cast.clients["rui"].post(f"{path}act/", body, follow=True)
        return str(answer.content.decode())

    assert "Ideas are being written" in act(do="ideas")
    again(jobs.Job.objects.get(kind=thinking.KIND))
    page = cast.clients["rui"].get(path).content.decode()
    assert page.count('name="ideas"') == 3, "as many to choose from as a few, though two are wanted"
    one, two_, three = campaign.ideas.all()
    assert "2 drafts were made; they wait for pictures." in act(do="choose", ideas=[one.pk, two_.pk])
    assert "1 idea was rejected" in act(do="reject", ideas=[three.pk])
    assert "is an idea again" in act(do="restore", idea=three.pk)
    assert "1 run was started" in act(do="draw", idea=one.pk, prompt="portrait of ada, at sea")
    won(Run.objects.get())
    assert "1 run was started" in act(do="make")
    won(Run.objects.latest("pk"))
    page = cast.clients["vic"].get(path).content.decode()
    assert page.count("with a picture") == 3, "two posts, and their count"
    assert "Put it back" not in page
    assert "is an idea again" in act(do="put-back", idea=one.pk)
    assert "has ended" in act(do="end")
    assert "goes on" in act(do="resume")
    act(do="end")
    assert "its posts stay in the calendar" in act(do="delete")
    assert Post.objects.count() == 1


def test_who_looks_and_who_acts(cast: Cast, two: Pipeline) -> None:
    campaign = begun(cast)
    path = f"{LIST}{campaign.pk}/"
    assert [cast.clients[who].get(path).status_code for who in ("olga", "rui", "vic", "sam")] == [200, 200, 200, 404]
    for body in ({"do": "ideas"}, {"do": "delete"}, {"do": "nonsense"}):
        assert [cast.clients[who].post(f"{path}act/", body).status_code for who in ("vic", "sam")] == [403, 404]
    for wrong in ({}, {"do": "nonsense"}, {"do": "choose"}, {"do": "draw"}, {"do": "delete"}, {"do": "make"}):
        assert cast.clients["rui"].post(f"{path}act/", wrong).status_code == 400, wrong
    assert cast.clients["rui"].post(path, {"name": ""}).status_code == 422
    assert cast.clients["olga"].get("/s/elsewhere/p/ada/campaigns/").status_code == 404


# Programs


def test_a_program_does_the_same(cast: Cast, two: Pipeline, pen: Pen) -> None:
    rui, walks = Program(cast, "rui"), pillar(cast.ada, "Walks")
    brief: dict[str, Any] = {
        "name": "Autumn",
        "about": "Scarves",
        "starts": "2027-01-01",
        "ends": "2027-01-20",
        "posts": 2,
    }
    made = rui("POST", API, status=201, **brief, pillars=[walks.pk])
    assert (made["stages"], made["ideas"], made["pillars"]) == ({}, [], [walks.pk])
    at = f"{API}/{made['id']}"
    assert rui("POST", at, do="ideas")["job"]
    again(jobs.Job.objects.get(kind=thinking.KIND))
    first, second, third = (each["id"] for each in rui("GET", at)["ideas"])
    told = rui("POST", f"{at}/ideas", do="choose", ideas=[first, second])
    assert told["stages"] == {"waiting for a picture": 2, "idea": 1}
    assert [each["due"] is not None for each in told["ideas"]] == [True, True, False]
    assert rui("POST", f"{at}/ideas", do="reject", ideas=[third])["stages"]["rejected"] == 1
    assert rui("POST", f"{at}/ideas", do="draw", ideas=[first])["stages"]["drawing"] == 1
    assert rui("POST", at, do="make", pipeline=two.pk)["stages"]["drawing"] == 2
    rui("POST", f"{at}/ideas", status=400, do="draw", ideas=[first, second])
    assert rui("POST", f"{at}/ideas", do="put-back", ideas=[first])["stages"]["idea"] == 1
    assert rui("PUT", at, **brief | {"posts": 9})["posts"] == 9
    rui("PUT", at, status=400, **brief, pillars=[10**9])
    rui("DELETE", at, status=400)
    assert rui("POST", at, do="end")["ended"]
    assert [each["id"] for each in rui("GET", API)] == [made["id"]]
    rui("DELETE", at, status=204)
    rui("GET", at, status=404)
    assert Post.objects.count() == 1
    assert days.times(begun(cast), 0, NOON) == []
