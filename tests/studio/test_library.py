"""The library: winners come and go by themselves, are found by words, and tell where they come from."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone
from PIL import Image

from tests.studio.conftest import Cast
from tests.studio.test_pipelines import come, opened, run, two
from zoetrope.errors import UserError
from zoetrope.media.files import write_together
from zoetrope.media.recipe import png_bytes
from zoetrope.studio.library import chain, keeping
from zoetrope.studio.library.models import Collection, Kept
from zoetrope.studio.loras.models import Lora, Origin
from zoetrope.studio.making.models import MadeLora, Order
from zoetrope.studio.making.store import path_of
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.pipelines import runs
from zoetrope.studio.pipelines.models import Run
from zoetrope.studio.voting.casting import cast as vote
from zoetrope.studio.voting.models import Vote
from zoetrope.wheel.workspace import round_folder

__all__ = ["run", "two"]


@pytest.fixture
def kept(cast: Cast, run: Run) -> Kept:
    """The winner of a run of two steps."""
    come(run)
    drafts, finished = run.version.steps.all()
    one, other, *_ = run.candidates.filter(step=drafts)
    vote(run, drafts, Vote.Kind.BEST, [one.pk, other.pk], one.pk, cast.user("rui"))
    opened(run, drafts, 1)
    come(run)
    runs.crown(run, run.candidates.filter(step=finished)[0])
    return Kept.objects.get()


def test_a_winner_is_kept_and_goes_when_it_is_none_after_all(run: Run, kept: Kept) -> None:
    assert run.winner is not None
    assert (kept.run, kept.made) == (run, run.winner.made)
    runs.uncrown(run)
    assert not Kept.objects.exists()
    runs.crown(run, run.candidates.filter(made__isnull=False)[0])
    assert Kept.objects.get().run == run


def test_it_is_found_by_any_of_its_words(cast: Cast, kept: Kept) -> None:
    vic = cast.clients["vic"]
    for words, there in (("", True), ("PARK", True), ("park two", True), ("ada", True), ("beach", False)):
        page = vic.get("/s/studio/library/", {"q": words}).content.decode()
        assert (kept.made.sha256 in page) == there, words
        listed = vic.get("/api/spaces/studio/library", {"words": words}).json()
        assert [each["id"] for each in listed] == ([kept.pk] if there else [])
    assert "Nothing found" in vic.get("/s/studio/library/", {"persona": "none"}).content.decode()
    assert cast.clients["sam"].get("/api/spaces/elsewhere/library").json() == []


def test_it_is_found_by_pipeline_lora_and_day(cast: Cast, kept: Kept) -> None:
    assert kept.run is not None
    MadeLora.objects.create(made=kept.made, sha256="5" * 64, weight=1)
    day = timezone.localtime(kept.created).date()
    before, after = day - timedelta(days=1), day + timedelta(days=1)
    pipeline = str(kept.run.version.pipeline_id)
    for asked, there in (
        ({"pipeline": pipeline}, True),
        ({"pipeline": "999999"}, False),
        ({"pipeline": "no number"}, False),
        ({"lora": "5" * 64}, True),
        ({"lora": "6" * 64}, False),
        ({"since": str(day), "until": str(day)}, True),
        ({"since": str(after)}, False),
        ({"until": str(before)}, False),
        ({"pipeline": pipeline, "lora": "5" * 64, "since": str(before), "q": "park"}, True),
    ):
        page = cast.clients["vic"].get("/s/studio/library/", asked).content.decode()
        assert (kept.made.sha256 in page) == there, asked
        told = {("words" if name == "q" else name): value for name, value in asked.items()}
        listed = cast.clients["vic"].get("/api/spaces/studio/library", told).json()
        assert bool(listed) == there, asked
    assert cast.clients["vic"].get("/s/studio/library/", {"until": "9999-12-31"}).status_code == 400
    refused = cast.clients["vic"].get("/s/studio/library/", {"since": "yesterday"})
    assert (refused.status_code, "is no day" in refused.content.decode()) == (400, True)


def test_the_chain_goes_from_the_votes_to_the_sources(cast: Cast, kept: Kept) -> None:
    told = chain.choices(kept)
    assert [(each.candidate.step.name, each.votes, each.rivals) for each in told] == [
        ("Finished", 0, 1),
        ("Drafts", 1, 3),
    ]
    assert told[0].candidate.parent_id == told[1].candidate.pk
    use = {"name": "ada v1", "sha256": "5" * 64, "weight": 0.8}
    kept.made.recipe = kept.made.recipe | {"loras": [use]}
    kept.made.save()
    assert [(each.lora, each.count) for each in chain.learned(kept)] == [(None, 0)], "it may have left the library"
    sheet = {"dataset_sha256": "d" * 64, "round": 1}
    about = {"name": "ada", "kind": "character", "base": "tiny", "family": "flux", "size": 1, "sha256": "5" * 64}
    lora = Lora.objects.create(space=cast.space, persona=cast.ada, origin=Origin.folder, sheet=sheet, **about)
    manifest = round_folder(workspace_of(cast.ada), 1) / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"pictures": [{"sha256": f"{number:064x}"} for number in range(20)]}))
    learned = chain.learned(kept)[0]
    assert (learned.lora, learned.dataset, learned.count, len(learned.pictures)) == (lora, "d" * 64, 20, 12)
    page = cast.clients["vic"].get(f"/s/studio/library/{kept.pk}/").content.decode()
    assert "20 pictures of" in page
    assert "Chosen among 4, in 1 vote" in page
    manifest.write_text("torn")
    assert chain.learned(kept)[0].count == 0


def test_it_is_made_again_and_more_like_it_is(cast: Cast, kept: Kept) -> None:
    recipe = kept.made.said_recipe
    for do, count, seed in (("again", 1, recipe.seed), ("more", 4, recipe.seed + 1)):
        answer = cast.clients["rui"].post(f"/s/studio/library/{kept.pk}/act/", {"do": do})
        assert answer.headers["Location"] == "/s/studio/p/ada/try/"
        order = Order.objects.latest("pk")
        assert (order.count, order.said_recipe.seed, order.tried) == (count, seed, True)
        assert order.said_recipe.prompt == recipe.prompt


def test_collections_come_and_go_with_what_lies_in_them(cast: Cast, kept: Kept) -> None:
    act = f"/s/studio/library/{kept.pk}/act/"
    cast.clients["rui"].post(act, {"do": "collect", "collection": " Summer "})
    assert kept.made.sha256 in cast.clients["vic"].get("/s/studio/library/?collection=Summer").content.decode()
    assert kept.made.sha256 not in cast.clients["vic"].get("/s/studio/library/?collection=Winter").content.decode()
    cast.clients["rui"].post(act, {"do": "take-out", "collection": "Summer"})
    assert not Collection.objects.exists()
    with pytest.raises(UserError, match="needs a name"):
        keeping.collect(kept, "  ")


def test_its_file_comes_with_its_recipe_or_without_a_word(cast: Cast, kept: Kept) -> None:
    recipe = kept.made.said_recipe
    whole = png_bytes(Image.new("RGB", (32, 32), "red"), recipe)
    write_together({path_of(kept.made.sha256): whole}, durable=False)
    address = f"/s/studio/library/{kept.pk}/file/"
    assert cast.clients["vic"].get(f"{address}whole").content == whole
    bare = cast.clients["vic"].get(f"{address}bare")
    assert recipe.prompt.encode() in whole
    assert recipe.prompt.encode() not in bare.content
    assert recipe.prompt not in bare.headers["Content-Disposition"]
    assert cast.clients["vic"].get(f"{address}else").status_code == 404
