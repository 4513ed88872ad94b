"""The plan's page: what is missing, and from one click to the picture that lies in its pillar."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.studio.conftest import Cast
from tests.studio.planning.test_pillars import API, kept, pillar, stocked
from tests.studio.test_api import Program
from tests.studio.test_pipelines import come, opened, run, two
from zoetrope.errors import UserError
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.library.models import Kept
from zoetrope.studio.personas.panels import PANELS, TABS
from zoetrope.studio.pipelines import keeping, runs
from zoetrope.studio.pipelines.models import Pipeline, Run
from zoetrope.studio.pipelines.steps import StepIn
from zoetrope.studio.planning import clusters, filling, pillars, uses
from zoetrope.studio.planning.models import Cluster, GapRun, Idea, Pillar
from zoetrope.studio.planning.standing import Standing, outlook, pictures_of, seconds_each
from zoetrope.studio.planning.words import lasting
from zoetrope.studio.spaces.work import scope_of

__all__ = ["run", "two"]
PLAN, MAKE = "/s/studio/p/ada/plan/", "/s/studio/p/ada/plan/make/"


def standing(cast: Cast, name: str = "Walks") -> Standing:
    return next(each for each in outlook(cast.ada).standings if each.pillar.name == name)


def won(run: Run) -> Kept:
    """Its pictures come, its best go on, and one of the last wins."""
    come(run)
    drafts, finished = run.version.steps.all()
    opened(run, drafts, 1)
    come(run)
    runs.crown(run, run.candidates.filter(step=finished)[0])
    return Kept.objects.get(run=run)


def test_each_pillar_says_how_it_stands(cast: Cast) -> None:
    stocked(cast.ada, 4, name="Walks", weight=20)
    stocked(cast.ada, 1, name="Food", weight=20)
    stocked(cast.ada, 2, name="Sea", weight=10)
    pillar(cast.ada, "Work", 50)
    page = cast.clients["vic"].get(PLAN).content.decode()
    found = {each.pillar.name: (each.gap.needed, each.gap.gap, each.gap.status) for each in outlook(cast.ada).standings}
    assert found == {
        "Work": (6, 6, "exhausted"),
        "Food": (3, 2, "low"),
        "Sea": (2, 0, "minimal"),
        "Walks": (3, -1, "ready"),
    }
    for word in ("exhausted", "low", "minimal", "ready"):
        assert f'class="card {word}"' in page
        assert f'<span class="tag status">{word}</span>' in page
    assert "There is no picture for its next post." in page
    assert page.index("Work") < page.index("Food") < page.index("Sea")
    assert "Make what is missing" not in page, "viewers look"


def test_who_looks_and_who_acts(cast: Cast, two: Pipeline) -> None:
    row = pillar(cast.ada, "Walks", 100)
    for who, looks, acts in (("vic", 200, 403), ("sam", 404, 404), ("nobody", 302, 302)):
        assert cast.clients[who].get(PLAN).status_code == looks
        assert cast.clients[who].post(MAKE, {"pillar": row.pk}).status_code == acts
    assert not GapRun.objects.exists()
    assert cast.clients["rui"].post(MAKE, {"pillar": row.pk, "pipeline": two.pk}).status_code == 302
    assert GapRun.objects.count() == filling.MOST_AT_ONCE


def test_without_pillars_or_pipelines_the_page_says_what_to_do(cast: Cast) -> None:
    assert "Add a pillar" in cast.clients["olga"].get(PLAN).content.decode()
    row = pillar(cast.ada, "Walks", 100)
    assert "Make a pipeline first" in cast.clients["rui"].get(PLAN).content.decode()
    refused = cast.clients["rui"].post(MAKE, {"pillar": row.pk})
    assert (refused.status_code, "There is no pipeline yet" in refused.content.decode()) == (400, True)


def test_the_first_shipped_pipeline_goes_before_the_newest(cast: Cast, two: Pipeline) -> None:
    assert filling.chosen(cast.space, None) == two
    name = next(iter(keeping.BEGINNINGS))
    shipped = keeping.make(cast.space, name, "", keeping.BEGINNINGS[name][1], None)
    newest = keeping.make(cast.space, "Newest", "", [StepIn(name="Pictures")], None)
    assert filling.offered(cast.space) == [shipped, newest, two]
    keeping.retire(shipped)
    assert filling.chosen(cast.space, None) == newest
    with pytest.raises(UserError, match="not there any more"):
        filling.chosen(cast.space, shipped.pk)


def test_a_winner_goes_to_its_pillar_and_leaves_when_it_is_none(cast: Cast, two: Pipeline) -> None:
    stocked(cast.ada, 2, name="Walks", posts_per_week=0.75, guidelines="by the sea")
    assert standing(cast).gap.gap == 1
    answer = cast.clients["rui"].post(MAKE, {"pillar": standing(cast).pillar.pk, "pipeline": two.pk})
    made = Run.objects.get()
    assert answer.headers["Location"] == f"/s/studio/runs/{made.pk}/"
    assert (made.gap.pillar.name, made.by, standing(cast).under_way) == ("Walks", cast.user("rui"), 1)
    idea = Idea.objects.get()
    assert (idea.state, idea.run, idea.by) == ("used", made, "template")
    again = cast.clients["rui"].post(MAKE, {"pillar": standing(cast).pillar.pk})
    assert (again.status_code, "lacks nothing that is not being made" in again.content.decode()) == (400, True)
    picture = won(made)
    assert list(Cluster.objects.get().kept.filter(pk=picture.pk)) == [picture]
    assert (standing(cast).gap.gap, standing(cast).under_way) == (0, 0)
    runs.uncrown(made)
    assert (standing(cast).gap.gap, standing(cast).under_way) == (1, 1)
    runs.crown(made, made.candidates.filter(made__isnull=False)[0])
    assert standing(cast).gap.gap == 0


def test_a_pillar_without_a_cluster_gets_one_of_its_name(cast: Cast, two: Pipeline) -> None:
    row = pillar(cast.ada, "Walks", posts_per_week=0.25)
    other = clusters.add(cast.ada, "Rain")
    picture = won(filling.start(row, two, "A walk", "in a park", None))
    cluster = row.clusters.get()
    assert (cluster.name, list(cluster.kept.all())) == ("Walks", [picture])
    assert not other.kept.exists()


def test_a_cluster_of_its_name_is_joined_and_a_deleted_one_left_alone(cast: Cast, two: Pipeline) -> None:
    row = pillar(cast.ada, "Walks", posts_per_week=0.25)
    deleted = clusters.add(cast.ada, "Walks", pillars=[row])
    clusters.delete(deleted)
    named = clusters.add(cast.ada, "Walks")
    picture = won(filling.start(row, two, "A walk", "in a park", None))
    assert list(named.kept.all()) == [picture]
    assert list(named.pillars.all()) == [row]
    assert not deleted.kept.exists()


def test_a_run_that_nobody_started_for_a_pillar_goes_nowhere(cast: Cast, run: Run) -> None:
    pillar(cast.ada, "Walks")
    won(run)
    assert not Cluster.objects.exists()


def test_a_click_starts_no_more_than_somebody_votes_on(cast: Cast, two: Pipeline) -> None:
    row = pillar(cast.ada, "Walks", 100)
    assert standing(cast).gap.gap == 12
    assert len(filling.make(standing(cast), two, None)) == 4
    assert len(set(Run.objects.values_list("variables__prompt", flat=True))) == 4, "each is another picture"
    assert (standing(cast).under_way, standing(cast).lacking) == (4, 8)
    page = cast.clients["rui"].get(PLAN).content.decode()
    assert "4 runs for it</a> wait for a winner" in page
    runs.stop(Run.objects.latest("pk"))
    assert standing(cast).under_way == 3
    pillars.retire(row)
    with pytest.raises(UserError, match="is retired: bring it back first"):
        filling.start(row, two, "A walk", "in a park", None)


def test_nothing_is_kept_of_a_start_that_fails(cast: Cast) -> None:
    """A pipeline that asks for more than a prompt cannot be started by a click."""
    pillar(cast.ada, "Walks", 100)
    step = StepIn(name="Pictures", template={"prompt": "{{prompt}} in {{weather}}"})
    asking = keeping.make(cast.space, "Asking", "", [step], None)
    with pytest.raises(UserError, match=r"Say what \{\{weather\}\} stands for"):
        filling.make(standing(cast), asking, None)
    assert [each.objects.count() for each in (GapRun, Idea, Run)] == [0, 0, 0]


def test_the_persona_is_named_once(cast: Cast, two: Pipeline) -> None:
    row = pillar(cast.ada, "Walks")
    said = "portrait of ada, smiling, in a park"
    assert filling.start(row, two, "", said, None).variables == {"prompt": "portrait, smiling, in a park"}
    assert filling.start(row, two, "", "Ada, at sea", None).variables == {"prompt": "at sea"}
    assert filling.start(row, two, "", "ada", None).variables == {"prompt": "ada"}
    assert filling.start(row, two, "", "adamant waves", None).variables == {"prompt": "adamant waves"}
    plain = keeping.make(cast.space, "Plain", "", [StepIn(name="Pictures", template={"prompt": "{{prompt}}"})], None)
    assert filling.start(row, plain, "", said, None).variables == {"prompt": said}


def test_when_it_runs_dry_and_how_long_it_would_take(cast: Cast, two: Pipeline) -> None:
    stocked(cast.ada, 2, name="Walks", posts_per_week=1)
    found = standing(cast)
    assert found.ahead.runs_dry == outlook(cast.ada).today + timedelta(days=14)
    assert outlook(cast.ada, two).standings[0].ahead.seconds is None
    assert "is not known before it has drawn something" in cast.clients["vic"].get(PLAN).content.decode()
    now, scope = timezone.now(), scope_of(cast.space)
    for number, seconds in enumerate((30, 60, 300)):
        about = {"kind": "candidate", "scope": scope, "state": jobs.State.DONE}
        ended = {"started": now, "finished": now + timedelta(seconds=seconds)}
        jobs.Job.objects.create(key=f"c-{number}", **about, **ended)
    assert seconds_each(cast.space) == 60
    # Four drafts, of whose best two grow two each.
    assert pictures_of(two) == 8
    assert outlook(cast.ada, two).standings[0].ahead.seconds == 2 * 8 * 60
    assert "The engine would need about 16 minutes." in cast.clients["vic"].get(PLAN).content.decode()


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "less than a minute"), (61, "about 1 minute"), (5400, "about 2 hours"), (200_000, "about 2 days")],
)
def test_lengths_of_time_are_told_in_words(seconds: float, told: str) -> None:
    assert lasting(seconds) == told


def test_a_picture_is_missing_once_it_was_posted_and_not_while_a_planned_post_has_it(cast: Cast) -> None:
    row, pictures = stocked(cast.ada, 3, name="Walks", posts_per_week=0.75)
    assert (standing(cast).gap.gap, standing(cast).gap.plan.planned) == (0, 0)
    tomorrow = timezone.now() + timedelta(days=1)
    uses.take(pictures[0], row, 1, tomorrow)
    uses.take(pictures[1], row, 1, tomorrow)
    assert (standing(cast).gap.gap, standing(cast).gap.plan.planned) == (1, 1), "a carousel is one post"
    uses.release(1)
    for number, picture in enumerate(pictures, start=1):
        uses.take(picture, row, number, tomorrow)
    page = cast.clients["vic"].get(PLAN).content.decode()
    assert (standing(cast).gap.gap, standing(cast).gap.status) == (0, "ready")
    assert "3 of what is there are in planned posts." in page
    uses.moved(1, timezone.now() + timedelta(days=40))
    assert standing(cast).gap.gap == 1, "it is for a time that is not looked at"
    uses.posted(2, timezone.now())
    assert (standing(cast).gap.gap, standing(cast).gap.plan.planned) == (2, 1)


def test_a_pillar_that_begins_soon_is_lacking_now_for_the_days_that_it_has(cast: Cast) -> None:
    first = outlook(cast.ada).today + timedelta(days=7)
    pillar(cast.ada, "Christmas", posts_per_week=7, starts=first, ends=first + timedelta(days=2))
    found = standing(cast, "Christmas")
    assert (found.gap.needed, found.ahead.runs_dry) == (3, first)
    page = cast.clients["vic"].get(PLAN).content.decode()
    assert (
        f"It begins on {first}. It ends on {first + timedelta(days=2)}. There is no picture for its next post." in page
    )
    pillar(cast.ada, "Next year", starts=first + timedelta(days=300))
    assert len(outlook(cast.ada).standings) == 1, "it is not ahead yet"


def test_the_home_page_tells_the_thinnest_and_leads_here(cast: Cast) -> None:
    pillar(cast.ada, "Walks", 50)
    page = cast.clients["vic"].get("/s/studio/p/ada/").content.decode()
    assert f'href="{PLAN}"' in page
    assert "Walks: 6 missing" in page
    assert "planning/panel.html" in {each.template for each in PANELS}
    assert ("Plan", "plan") in {(each.label, each.address) for each in TABS}


def test_another_spaces_pillars_and_pipelines_are_none(cast: Cast, two: Pipeline) -> None:
    row = pillar(cast.ada, "Walks", 100)
    kept(cast.ada)
    assert cast.clients["sam"].post(MAKE, {"pillar": row.pk}).status_code == 404
    assert cast.clients["rui"].post(MAKE, {"pillar": Pillar.objects.count() + 99}).status_code == 404
    assert cast.clients["rui"].post(MAKE, {"pillar": "none"}).status_code == 400
    Pipeline.objects.filter(pk=two.pk).update(space=cast.user("sam").spaces.get())
    assert cast.clients["rui"].post(MAKE, {"pillar": row.pk, "pipeline": two.pk}).status_code == 400


def test_a_program_does_the_same(cast: Cast, two: Pipeline) -> None:
    row, _ = stocked(cast.ada, 2, name="Walks", posts_per_week=0.75)
    rui, vic = Program(cast, "rui"), Program(cast, "vic")
    told = vic("GET", f"{API}/plan")["gaps"]
    assert [(each["name"], each["there"], each["gap"], each["status"]) for each in told] == [("Walks", 2, 1, "low")]
    vic("POST", f"{API}/pillars/{row.pk}/runs", 403, pipeline=two.pk)
    started = rui("POST", f"{API}/pillars/{row.pk}/runs", 201, pipeline=two.pk)["runs"]
    assert started == [Run.objects.get().pk]
    assert vic("GET", f"{API}/plan")["gaps"][0]["under_way"] == 1
    rui("POST", f"{API}/pillars/{row.pk}/runs", 400)
