"""What posts teach: nothing out of noise, something out of a difference, and in force only while people say so."""

import random
from datetime import timedelta
from math import ceil, log
from statistics import mean

import numpy as np
import pytest
from django.utils import timezone

from tests.studio.conftest import Cast, Told
from tests.studio.insights.cases import drawn_by, lora_of, noise, noon, posted, rated, variance, went_out, won
from tests.studio.test_pipelines import two
from zoetrope.errors import UserError
from zoetrope.studio.insights import effects, groups, learnings, tasks
from zoetrope.studio.insights.disagreement import disagreement
from zoetrope.studio.insights.models import Age, Kind, Learning, Look
from zoetrope.studio.insights.outcomes import Outcome, Outcomes, outcomes, rewards
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.pipelines.models import Pipeline
from zoetrope.studio.planning import pillars
from zoetrope.studio.planning.models import Pillar, Rhythm
from zoetrope.studio.planning.rhythm import Hours, best_hours
from zoetrope.studio.publishing.models import Post
from zoetrope.studio.publishing.strategy import REWARDS

__all__ = ["two"]
State = Learning.State


def pillar(cast: Cast, name: str, weight: int = 20) -> Pillar:
    return pillars.add(cast.ada, pillars.Wanted(name, weight))


def history(cast: Cast, seed: int, lift: float = 1.0, count: int = 60) -> tuple[Pillar, Pillar]:
    """Posts of two pillars; those of the first do so many times as well."""
    first, second = pillar(cast, "Beach"), pillar(cast, "City")
    for place, rate in enumerate(noise(seed, count)):
        mine = place % 2 == 0
        post = went_out(cast, noon(1 + place, 9 + place % 3), pillar=first if mine else second)
        rated(post, rate * lift if mine else rate)
    return first, second


def made_up(rng: random.Random, count: int, lift: float = 1.0) -> Outcomes:
    """A persona's posts without a database: pillars, hours, formats, versions by chance, rewards as audiences give."""
    rows = []
    for key in range(count):
        about = rng.choice([1, 2, 3, 4]), rng.choice([6, 7, 10, 12, 14]), rng.choice(["image", "image", "carousel"])
        rate = 0.05 * rng.lognormvariate(0, 0.7) * (lift if about[0] == 1 else 1.0)
        version = "v1" if key < count // 2 else "v2"
        rows.append(Outcome(key, timezone.now(), about[1], about[0], about[2], version, "", rate, rng.gauss(0, 1)))
    return Outcomes(None, tuple(rows), {}, "UTC")  # type: ignore[arg-type]


def proposals(seen: Outcomes, number: int) -> list[str]:
    asked = learnings.differences(seen)
    found = learnings.findings(seen, asked, learnings.level(number), seed=number)
    return [f"{each.part.kind} {each.part.key}" for each in found]


def test_looks_together_leave_no_more_for_chance_than_is_said() -> None:
    assert sum(map(learnings.level, range(1, 10_000))) < learnings.CHANCE
    assert learnings.level(1) == learnings.CHANCE / 2


def test_noise_teaches_nothing() -> None:
    """Two hundred personas where nothing differs, looked at again and again over some years."""
    misled = 0
    for seed in range(200):
        rng, measured, number, wrong = random.Random(seed), learnings.FEWEST, 1, 0
        every = made_up(rng, 130)
        while measured <= 130:
            seen = Outcomes(every.persona, every.rows[:measured], {}, "UTC")
            wrong += len(proposals(seen, number))
            measured, number = ceil(learnings.FURTHER * measured), number + 1
        misled += wrong > 0
    # Of two hundred, a twentieth is 10; were it just that, it would be more than 17 once in a hundred times.
    assert misled <= 17


def test_a_real_difference_is_found() -> None:
    found = [proposals(made_up(random.Random(seed), 120, lift=2.2), 3) for seed in range(20)]
    assert sum("pillar 1" in each for each in found) >= 16
    others = sum(any(not name.startswith("pillar") for name in each) for each in found)
    assert others <= 2, "hours, formats and versions do not differ"


def test_posts_that_nobody_answered_can_be_compared() -> None:
    told = learnings.logarithms([0.0, 0.1, 0.2]).tolist()
    assert told == pytest.approx([log(0.015), log(0.115), log(0.215)])
    assert learnings.logarithms([0.0, 0.0]).tolist() == [0.0, 0.0]


def test_too_few_posts_are_not_compared() -> None:
    rows = made_up(random.Random(1), 40).rows
    few = [each for each in rows if each.pillar == 1][: groups.ENOUGH - 1]
    rest = [each for each in rows if each.pillar != 1]
    asked = learnings.differences(Outcomes(None, (*few, *rest), {}, "UTC"))  # type: ignore[arg-type]
    assert (Kind.PILLAR, "1") not in {(part.kind, part.key) for part in asked}
    assert [part.kind for part in asked].count(Kind.FORMAT) == 1, "of two halves one says it all"
    nobody = Outcomes(None, (), {}, "UTC")  # type: ignore[arg-type]
    assert (learnings.differences(nobody), learnings.findings(nobody, [], 0.025, 1)) == ([], [])


def test_a_difference_is_proposed_with_all_it_stands_on(cast: Cast) -> None:
    first, _ = history(cast, seed=3, lift=3.0)
    told = Told()
    tasks.learn(told, cast.ada.pk)
    learning, look = Learning.objects.get(), Look.objects.get()
    assert (learning.kind, learning.key, learning.more, learning.state) == ("pillar", str(first.pk), True, "proposed")
    assert learning.sentence.startswith("Posts of Beach do better: ")
    evidence = learning.evidence
    rates = noise(3, 60)
    own, rest = [3 * each for each in rates[::2]], rates[1::2]
    assert evidence["own"]["count"] == evidence["rest"]["count"] == 30
    added = 0.1 * sorted(own + rest)[29] / 2 + 0.1 * sorted(own + rest)[30] / 2
    logs = [[log(each + added) for each in group] for group in (own, rest)]
    apart = mean(logs[0]) - mean(logs[1])
    assert log(evidence["times"]["value"]) == pytest.approx(apart)
    assert 1 < evidence["times"]["low"] < evidence["times"]["value"] < evidence["times"]["high"]
    # Wider than without correction, which is 1.96 deviations.
    plain = 1.96 * (variance(logs[0]) / 30 + variance(logs[1]) / 30) ** 0.5
    assert log(evidence["times"]["high"]) - apart > 1.3 * plain
    assert (evidence["asked"], look.asked, look.measured, look.number) == (4, 4, 60, 1)
    assert look.level == learnings.CHANCE / 2
    assert told.lines == ["4 differences looked at."]
    tasks.learn(told, cast.ada.pk)
    assert (Look.objects.count(), told.lines[-1]) == (1, "It is too early.")


def test_the_next_look_waits_for_half_as_many_posts_again(cast: Cast) -> None:
    for place, rate in enumerate(noise(1, learnings.FEWEST)):
        assert learnings.due(cast.ada) is None
        assert not tasks.ask_to_learn(cast.ada)
        rated(went_out(cast, noon(place + 1)), rate)
    assert tasks.ask_to_learn(cast.ada)
    assert tasks.ask_to_learn(cast.ada)
    assert [job.kind for job in jobs.Job.objects.all()] == [tasks.LEARN], "it is one job, however often it is asked for"
    jobs.Job.objects.update(state=jobs.State.DONE)
    assert tasks.ask_to_learn(cast.ada)
    assert jobs.Job.objects.count() == 2, "the first came too early, as numbers were forgotten again"
    jobs.Job.objects.update(state=jobs.State.FAILED, finished=timezone.now())
    assert tasks.ask_to_learn(cast.ada)
    assert jobs.Job.objects.count() == 2, "what failed is not tried again with every number"
    jobs.Job.objects.update(finished=timezone.now() - timedelta(days=2))
    assert tasks.ask_to_learn(cast.ada)
    assert jobs.Job.objects.count() == 3
    learnings.look(cast.ada)
    assert learnings.next_at(Look.objects.get().measured) == 24
    assert learnings.due(cast.ada) is None
    rated(went_out(cast), None)
    rated(went_out(cast), 0.1, Age.DAY)
    assert learnings.due(cast.ada) is None, "neither what is not known nor the first day counts"
    for _ in range(8):
        rated(went_out(cast), 0.1, Age.WEEK)
    assert learnings.due(cast.ada) == 2


def test_approving_moves_a_pillars_weight_and_taking_back_moves_it_back(cast: Cast) -> None:
    first, second = history(cast, seed=3, lift=3.0)
    learnings.look(cast.ada)
    at, learning = "/s/studio/p/ada/insights/learnings/", Learning.objects.get()
    act = f"{at}{learning.pk}/act/"
    assert cast.clients["rui"].post(act, {"do": "approve"}).status_code == 403
    assert "goes up by 5" in cast.clients["vic"].get(at).content.decode()
    page = cast.clients["olga"].post(act, {"do": "approve"}, follow=True).content.decode()
    learning.refresh_from_db()
    assert (learning.state, learning.by, learning.effect) == (State.APPROVED, cast.user("olga"), {"weight": 5})
    assert "weight went up by 5" in page
    assert "Approved by olga" in page
    first.refresh_from_db()
    assert first.weight == 25
    assert cast.clients["olga"].post(act, {"do": "reject"}).status_code == 400
    cast.clients["olga"].post(act, {"do": "take-back"})
    first.refresh_from_db()
    learning.refresh_from_db()
    assert (first.weight, learning.state, learning.effect) == (20, State.TAKEN_BACK, {})
    pillars.change(second, pillars.Wanted("City", 78))
    cast.clients["olga"].post(act, {"do": "approve"})
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.weight, second.weight) == (25, 75), "where there is no room the heaviest gives it"
    assert "other pillars gave 3 of it" in cast.clients["vic"].get(at).content.decode()
    cast.clients["olga"].post(act, {"do": "take-back"})
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.weight, second.weight) == (20, 78), "and gets it back"
    pillars.change(second, pillars.Wanted("City", 75))
    cast.clients["olga"].post(act, {"do": "approve"})
    first.refresh_from_db()
    pillars.retire(first)
    pillars.change(second, pillars.Wanted("City", 100))
    cast.clients["olga"].post(act, {"do": "take-back"})
    first.refresh_from_db()
    assert first.weight == 20, "a retired one keeps its own weight, however little room there is"
    assert cast.clients["olga"].post(act, {"do": "else"}).status_code == 400


def learned(cast: Cast, kind: Kind, key: str, more: bool = True) -> Learning:
    """One that was proposed, whatever it stands on."""
    numbers = {"mean": 0.1, "low": 0.08, "high": 0.12, "count": 9}
    evidence = {"own": numbers, "rest": numbers, "times": {"value": 1.5, "low": 1.2, "high": 1.9}}
    evidence |= {"sure": 0.999, "asked": 9}  # type: ignore[dict-item]
    return Learning.objects.create(
        persona=cast.ada, kind=kind, key=key, more=more, sentence=f"{kind} {key}", evidence=evidence
    )


def test_hours_join_the_best_ones_and_leave_them(cast: Cast) -> None:
    olga = cast.user("olga")

    def spans() -> Hours:
        return best_hours(cast.ada).spans

    assert spans() == ((5, 8), (10, 15))
    early, noon_hour = learned(cast, Kind.HOUR, "8"), learned(cast, Kind.HOUR, "12", more=False)
    assert spans() == ((5, 8), (10, 15)), "a proposal changes nothing"
    for each in (early, noon_hour):
        learnings.approve(each, olga)
    assert spans() == ((5, 9), (10, 12), (13, 15))
    assert "is no best hour" in effects.words(noon_hour)
    contrary = learned(cast, Kind.HOUR, "12")
    learnings.approve(contrary, olga)
    noon_hour.refresh_from_db()
    assert (noon_hour.state, spans()) == (State.TAKEN_BACK, ((5, 9), (10, 15)))
    learnings.take_back(early, olga)
    assert spans() == ((5, 8), (10, 15)), "what is reversed stops counting at once"


def test_an_hour_stays_the_same_moment_when_the_persona_moves(cast: Cast) -> None:
    early = learned(cast, Kind.HOUR, "20")
    early.evidence |= {"zone": "Asia/Tokyo"}
    early.save()
    learnings.approve(early, cast.user("olga"))
    assert [each.hour for each in effects.hours(cast.ada)] == [11], "Tokyo is nine hours ahead of UTC all year"
    Rhythm.objects.create(persona=cast.ada, zone="Asia/Kolkata")
    assert [each.hour for each in effects.hours(cast.ada)] == [16]
    Rhythm.objects.update(zone="Asia/Tokyo")
    assert [each.hour for each in effects.hours(cast.ada)] == [20]


def test_what_was_decided_can_be_taken_back_on_the_page(cast: Cast) -> None:
    at, each = "/s/studio/p/ada/insights/learnings/", learned(cast, Kind.HOUR, "16")
    olga = cast.clients["olga"]
    for do, state, offered in (
        ("reject", State.REJECTED, "Bring it back"),
        ("reopen", State.PROPOSED, "Approve"),
        ("approve", State.APPROVED, "Take back"),
        ("take-back", State.TAKEN_BACK, "Approve again"),
        ("approve", State.APPROVED, "Take back"),
    ):
        page = olga.post(f"{at}{each.pk}/act/", {"do": do}, follow=True).content.decode()
        each.refresh_from_db()
        assert (each.state, f">{offered}</button>" in page) == (state, True)
    assert "Take back</button>" not in cast.clients["rui"].get(at).content.decode()


def test_what_changes_nothing_says_so(cast: Cast) -> None:
    for kind, key in ((Kind.FORMAT, "image"), (Kind.LORA, "5" * 64), (Kind.PILLAR, "")):
        each = learnings.approve(learned(cast, kind, key), cast.user("olga"))
        assert (each.effect, "changes nothing by itself" in effects.words(each)) == ({}, True)
    gone = pillar(cast, "Gone")
    pillars.retire(gone)
    each = learnings.approve(learned(cast, Kind.PILLAR, str(gone.pk)), cast.user("olga"))
    assert "no room" in effects.words(each)


def test_what_people_rejected_is_not_proposed_again(cast: Cast) -> None:
    history(cast, seed=3, lift=3.0)
    learnings.look(cast.ada)
    learning = Learning.objects.get()
    learnings.reject(learning, cast.user("olga"))
    for rate in noise(9, 30):
        rated(went_out(cast, pillar=Pillar.objects.get(name="Beach")), 3 * rate)
    assert learnings.look(cast.ada) is not None
    learning.refresh_from_db()
    assert (Learning.objects.filter(kind=Kind.PILLAR).count(), learning.state) == (1, State.REJECTED)
    learnings.reopen(learning, cast.user("olga"))
    with pytest.raises(UserError, match="proposed by now"):
        learnings.take_back(learning, cast.user("olga"))


def test_posts_are_told_apart_by_all_four_and_by_local_hours(cast: Cast, two: Pipeline) -> None:
    Rhythm.objects.create(persona=cast.ada, zone="Asia/Kolkata")
    beach, lora = pillar(cast, "Beach"), lora_of(cast, 2)
    kept = won(cast, two, drawn_by(cast, lora, "a" * 64), 1.2)
    post = posted(cast, kept, 0.08)
    Post.objects.filter(pk=post.pk).update(published=noon(3, 20), pillar=beach, kind="carousel")
    plain = went_out(cast, noon(2, 6))
    [second, first] = sorted(outcomes(cast.ada).rows, key=lambda each: each.post, reverse=True)
    assert (first.hour, first.pillar, first.format, first.lora) == (1, beach.pk, "carousel", lora.sha256)
    assert (first.audience, first.taste, first.picture) == (0.08, 1.2, "a" * 64)
    assert (second.post, second.hour, second.audience, second.taste) == (plain.pk, 11, None, None)
    labels = {row.label for table in groups.tables(outcomes(cast.ada)) for row in table.rows}
    assert labels == {"Beach", "no pillar", "01:00", "11:00", "image", "carousel", "ada v2", groups.NO_LORA}


def test_the_reward_is_that_of_three_days_else_of_a_week(cast: Cast) -> None:
    both, week, day, none = (went_out(cast) for _ in range(4))
    rated(both, 0.2, Age.WEEK)
    rated(both, 0.1, Age.DAYS)
    rated(week, 0.3, Age.WEEK)
    rated(week, None, Age.DAYS)
    rated(day, 0.4, Age.DAY)
    old = went_out(cast, timezone.now() - timedelta(days=500))
    rated(old, 0.5)
    assert rewards(cast.ada) == {both.pk: 0.1, week.pk: 0.3}
    assert rewards in REWARDS, "the sampler learns from it"
    rows = {each.post: each.audience for each in outcomes(cast.ada).rows}
    assert rows == {both.pk: 0.1, week.pk: 0.3, day.pk: None, none.pk: None}


def test_missing_numbers_move_no_mean(cast: Cast) -> None:
    beach = pillar(cast, "Beach")
    for rate in [0.05, 0.06] * 5:
        rated(went_out(cast, pillar=beach), rate)
    [table] = [each for each in groups.tables(outcomes(cast.ada)) if each.kind is Kind.PILLAR]
    for _ in range(20):
        rated(went_out(cast, pillar=beach), None)
        went_out(cast, pillar=beach)
    [after] = [each for each in groups.tables(outcomes(cast.ada)) if each.kind is Kind.PILLAR]
    assert after.rows[0].audience == table.rows[0].audience
    assert (after.rows[0].posts, after.rows[0].taste.mean, after.rows[0].taste.count) == (50, None, 0)
    told = table.rows[0].audience.mean
    assert told is not None
    assert told.mean == pytest.approx(0.055)


def test_both_rewards_are_set_beside_each_other(cast: Cast, two: Pipeline) -> None:
    lora = lora_of(cast)
    rng = np.random.default_rng(4)
    for place, (taste, audience) in enumerate(rng.multivariate_normal([0, 0], [[1, 0.95], [0.95, 1]], 12)):
        kept = won(cast, two, drawn_by(cast, lora, f"{place:064x}"), float(taste))
        posted(cast, kept, 0.05 + 0.01 * float(audience))
    assert disagreement(outcomes(cast.ada)).torn == ()
    loved = posted(cast, won(cast, two, drawn_by(cast, lora, "e" * 64), 9.0), 0.001)
    missed = posted(cast, won(cast, two, drawn_by(cast, lora, "f" * 64), -9.0), 0.9)
    posted(cast, won(cast, two, drawn_by(cast, lora, "d" * 64), None), 0.99)
    found = disagreement(outcomes(cast.ada))
    assert found.count == 14, "what nobody voted on is not compared"
    torn = {each.outcome.post: (each.taste, each.audience) for each in found.torn}
    assert (torn[loved.pk], torn[missed.pk]) == ((1, 14), (14, 1))
    assert found.yours is not None
    assert found.theirs is not None
    assert (found.yours.post, found.theirs.post) == (loved.pk, missed.pk)
    assert found.agreement is not None
    assert found.agreement.low < found.agreement.value < found.agreement.high
    page = cast.clients["vic"].get("/s/studio/p/ada/insights/").content.decode()
    for words in ("You preferred this one", "The audience this one", "your place 1, theirs 14 of 14", "e" * 64):
        assert words in page, words
    assert found.says in page


def test_pages_are_kind_where_there_is_nothing(cast: Cast) -> None:
    vic = cast.clients["vic"]
    assert "Nothing went out yet" in vic.get("/s/studio/p/ada/insights/").content.decode()
    assert "Nothing was learned yet" in vic.get("/s/studio/p/ada/insights/learnings/").content.decode()
    assert "Nothing is rejected" in vic.get("/s/studio/p/ada/insights/learnings/?state=rejected").content.decode()
    rated(went_out(cast, pillar=pillar(cast, "Beach")), 0.05)
    page = vic.get("/s/studio/p/ada/insights/").content.decode()
    for words in ("1 of 8", "Not enough data yet", "0 of 10 posts have both", "After 15 more measured posts"):
        assert words in page, words
    assert "1 of 8 posts are measured" in vic.get("/s/studio/p/ada/").content.decode()


def test_pages_tell_means_with_their_intervals(cast: Cast) -> None:
    history(cast, seed=3, lift=3.0)
    learnings.look(cast.ada)
    page = cast.clients["vic"].get("/s/studio/p/ada/insights/").content.decode()
    found = groups.tables(outcomes(cast.ada))[0].rows[0].audience
    assert found.mean is not None
    assert f"<strong>{found.mean.mean:.1%}</strong>" in page
    assert f"{found.mean.low:.1%} to {found.mean.high:.1%}; careful guess {found.drawn:.1%}" in page
    assert "1 thing learned" in cast.clients["vic"].get("/s/studio/p/ada/").content.decode()
    for path in ("", "learnings/", "training/"):
        assert cast.clients["sam"].get(f"/s/studio/p/ada/insights/{path}").status_code == 404


def test_a_page_asks_no_more_for_more_posts(cast: Cast, django_assert_max_num_queries: object) -> None:
    history(cast, seed=3)
    with django_assert_max_num_queries(30):  # type: ignore[operator]
        cast.clients["vic"].get("/s/studio/p/ada/insights/")
