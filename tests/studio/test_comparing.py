"""LoRA against LoRA: drawn alike, chosen blind, and called better only when that is sure."""

import json
from typing import Any

import pytest

from tests import tiny
from tests.studio.conftest import Cast
from zoetrope.errors import UserError
from zoetrope.home import home
from zoetrope.media.hashing import hash_file
from zoetrope.models.catalogue import Catalogue
from zoetrope.ranking.fit import Choice, believe
from zoetrope.ranking.stopping import CLEAR, leader
from zoetrope.studio.comparing import beginning, judging
from zoetrope.studio.comparing.models import Comparison, Judgement, Shot
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.loras.models import Lora, Origin
from zoetrope.studio.making.models import Made, Order

PROMPTS = ["ada smiling", "", "  ada at sea "]


@pytest.fixture
def loras(cast: Cast) -> list[Lora]:
    """Two versions that fit her base."""
    Catalogue().add("tiny", "flux", tiny.saved("dev"))
    type(cast.ada).objects.filter(pk=cast.ada.pk).update(base="tiny")
    cast.ada.refresh_from_db()
    (home() / "loras").mkdir(parents=True, exist_ok=True)
    found = []
    for version in (1, 2):
        source = tiny.saved_lora("dev", seed=version)
        sha256 = hash_file(source)
        (home() / "loras" / f"{sha256}.safetensors").write_bytes(source.read_bytes())
        about = {"name": "ada", "version": version, "kind": "character", "base": "tiny", "family": "flux", "size": 1}
        found.append(Lora.objects.create(space=cast.space, origin=Origin.upload, sha256=sha256, **about))
    return found


@pytest.fixture
def comparison(cast: Cast, loras: list[Lora]) -> Comparison:
    """Three that have all been drawn."""
    made = beginning.begin(cast.ada, [*loras, None], PROMPTS, cast.user("rui"))
    for order in Order.objects.all():
        said = {"space": order.space, "persona": order.persona, "recipe": order.recipe, "width": 32, "height": 32}
        Made.objects.create(order=order, number=0, sha256=f"{order.pk:064x}", **said)
    return made


def test_each_draws_the_same_prompts_from_the_same_seeds(cast: Cast, comparison: Comparison) -> None:
    assert str(comparison) == "ada v1 or ada v2 or without a LoRA"
    assert comparison.prompts == ["ada smiling", "ada at sea"]
    recipes = [shot.order.said_recipe for shot in judging.shots_of(comparison)]
    assert [(each.prompt, each.seed - comparison.seed) for each in recipes] == [("ada smiling", 0)] * 3 + [
        ("ada at sea", 1)
    ] * 3
    assert [[use.name for use in each.loras] for each in recipes[:3]] == [["ada v1"], ["ada v2"], []]
    assert jobs.Job.objects.count() == 6
    # They are looked at here and not among what was tried.
    assert not Order.objects.filter(tried=True).exists()


@pytest.mark.parametrize(
    ("count", "prompts", "said"),
    [(1, PROMPTS, "2 to 4 different"), (2, [" "], "1 to 12 prompts"), (2, ["x"] * 13, "1 to 12")],
)
def test_what_cannot_be_compared_is_refused(
    cast: Cast, loras: list[Lora], count: int, prompts: list[str], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        beginning.begin(cast.ada, loras[:count], prompts, None)
    with pytest.raises(UserError, match="different"):
        beginning.begin(cast.ada, [loras[0], loras[0]], PROMPTS, None)
    assert not Comparison.objects.exists()
    assert not jobs.Job.objects.exists()


def pairs(comparison: Comparison, cast: Cast, who: str = "rui") -> list[judging.Pair]:
    shots, judged = judging.shots_of(comparison), judging.standing_judgements(comparison)
    return judging.left_for(comparison, shots, judged, cast.user(who))


def test_each_voter_sees_each_pair_of_a_prompt_once(cast: Cast, comparison: Comparison) -> None:
    seen = set()
    while left := pairs(comparison, cast):
        assert left == pairs(comparison, cast), "loaded again it is the same"
        one, other = left[0]
        assert one.prompt == other.prompt
        seen.add(frozenset((one.pk, other.pk)))
        judging.judge(comparison, [one.pk, other.pk], None, cast.user("rui"))
    assert len(seen) == 6
    assert len(pairs(comparison, cast, "olga")) == 6
    with pytest.raises(UserError, match="already"):
        judging.judge(comparison, [one.pk, other.pk], one.pk, cast.user("rui"))
    judging.take_back(comparison, cast.user("rui"))
    assert len(pairs(comparison, cast)) == 1
    assert Judgement.objects.count() == 7, "choices are added and never removed"


def choose(comparison: Comparison, cast: Cast, who: str, best: str) -> None:
    for one, other in pairs(comparison, cast, who):
        chosen = {str(shot.contender): shot.pk for shot in (one, other)}.get(best)
        judging.judge(comparison, [one.pk, other.pk], chosen, cast.user(who))


def told(comparison: Comparison) -> judging.Result:
    return judging.result(comparison, judging.shots_of(comparison), judging.standing_judgements(comparison))


def test_there_is_no_clear_winner_until_there_is(cast: Cast, comparison: Comparison) -> None:
    assert told(comparison).sentence == "Nobody has chosen yet."
    choose(comparison, cast, "rui", "ada v2")
    assert told(comparison).standings[0].contender.name == "ada v2"
    assert "No clear winner" in told(comparison).sentence
    choose(comparison, cast, "olga", "ada v2")
    choose(comparison, cast, "vic", "ada v2")
    assert told(comparison).clear
    assert "ada v2 is the better one" in told(comparison).sentence
    assert (told(comparison).standings[0].chosen, told(comparison).standings[0].shown) == (12, 12)


def test_two_that_are_alike_have_no_clear_winner_however_often_they_are_seen() -> None:
    for count in (2, 20, 200):
        choices = [Choice((0, 1), number % 2) for number in range(count)]
        assert leader(believe(2, choices))[1] < CLEAR
    best, chance = leader(believe(2, [Choice((0, 1), 1)] * 20))
    assert best == 1
    assert chance > CLEAR


@pytest.mark.parametrize("bad", [[1, 1], [1], [1, 2, 3], [1, 99_999]])
def test_only_a_pair_of_it_is_taken(cast: Cast, comparison: Comparison, bad: list[int]) -> None:
    keys = list(Shot.objects.order_by("pk").values_list("pk", flat=True))
    members = [keys[place - 1] if place <= len(keys) else place for place in bad]
    with pytest.raises(UserError, match="no pair"):
        judging.judge(comparison, members, None, cast.user("rui"))
    with pytest.raises(UserError, match="different prompts"):
        judging.judge(comparison, [keys[0], keys[1]], None, cast.user("rui"))


def test_what_is_not_drawn_yet_is_not_chosen(cast: Cast, comparison: Comparison) -> None:
    Made.objects.all().delete()
    one, _, _, other, *_ = Shot.objects.order_by("pk")
    with pytest.raises(UserError, match="no pair"):
        judging.judge(comparison, [one.pk, other.pk], None, cast.user("rui"))
    assert pairs(comparison, cast) == []


def post(cast: Cast, comparison: Comparison, **said: Any) -> Any:
    address = f"/s/studio/compare/{comparison.pk}/judge/answer/"
    return cast.clients["rui"].post(address, json.dumps({"size": 2, "ahead": [], **said}), "application/json")


def test_the_page_tells_no_names_before_all_is_chosen(cast: Cast, comparison: Comparison) -> None:
    rui, address = cast.clients["rui"], f"/s/studio/compare/{comparison.pk}/"
    page = rui.get(f"{address}judge/").content.decode()
    main = page.partition("<main")[2]
    assert "ada v1" not in main
    assert "ada smiling" not in main
    assert "Probably" not in rui.get(address).content.decode()
    assert "Probably" in rui.get(address, {"known": "1"}).content.decode()
    for one, other in pairs(comparison, cast):
        answer = post(cast, comparison, do="best", members=[one.pk, other.pk], chosen=one.pk)
        assert answer.status_code == 200
    assert answer.json()["screens"] == []
    back = post(cast, comparison, do="undo").json()
    assert [each["key"] for each in back["back"]] == [one.pk, other.pk]
    assert post(cast, comparison, do="unsure", members=[one.pk, other.pk]).json()["left"] == 0
    assert "Probably" in rui.get(address).content.decode()
    assert post(cast, comparison, do="bad", members=[one.pk, other.pk]).status_code == 400


def test_a_comparison_begins_from_the_page(cast: Cast, loras: list[Lora]) -> None:
    rui, address = cast.clients["rui"], "/s/studio/p/ada/compare/"
    page = rui.get(address).content.decode()
    assert "ada v2" in page
    assert page.count("smiling") > 0, "her card's scenes are proposed"
    refused = rui.post(address, {"loras": [str(loras[0].pk)], "prompts": "ada"})
    assert (refused.status_code, "2 to 4 different" in refused.content.decode()) == (422, True)
    begun = rui.post(address, {"loras": [str(loras[0].pk), "none"], "prompts": "ada\n\nada at sea"})
    assert begun.status_code == 302
    made = Comparison.objects.get()
    assert (str(made), made.prompts) == ("ada v1 or without a LoRA", ["ada", "ada at sea"])
    assert cast.clients["sam"].get(f"/s/elsewhere/compare/{made.pk}/").status_code == 404
