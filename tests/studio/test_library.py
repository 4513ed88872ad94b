"""The library: winners come and go by themselves, are found by words, and tell where they come from."""

import json
from datetime import timedelta
from io import BytesIO

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone
from PIL import Image

from tests.studio.conftest import Cast
from tests.studio.test_pipelines import come, opened, run, two
from zoetrope.errors import UserError
from zoetrope.media.decode import Limits, Picture, decode
from zoetrope.media.files import write_together
from zoetrope.media.hashing import hash_bytes
from zoetrope.media.recipe import png_bytes
from zoetrope.studio.library import chain, keeping
from zoetrope.studio.library.models import Collection, Kept
from zoetrope.studio.loras.models import Lora, Origin
from zoetrope.studio.making.models import Made, MadeLora, Order
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
    best = Collection.objects.create(space=kept.space, name="Best")
    kept.collections.add(best)
    winner = run.winner
    runs.uncrown(run)
    assert not Kept.objects.filter(aside=None).exists()
    other = run.candidates.filter(made__isnull=False).exclude(pk=winner.pk)[0]
    runs.crown(run, other)
    assert Kept.objects.get(aside=None).run == run
    assert Kept.objects.get(aside=None).made == other.made
    runs.uncrown(run)
    runs.crown(run, winner)
    again = Kept.objects.get(aside=None)
    # Whoever chose again and again has lost nothing of what was done with it.
    assert (again.pk, again.run, list(again.collections.all())) == (kept.pk, run, [best])


def test_what_a_person_brought_stays_when_it_is_no_winner_any_more(cast: Cast, run: Run, kept: Kept) -> None:
    Kept.objects.filter(pk=kept.pk).update(by=cast.user("rui"))
    runs.go_on(run)
    kept.refresh_from_db()
    assert (kept.run, kept.aside) == (None, None)
    run.refresh_from_db()
    assert (run.state, run.winner) == ("running", None)


def test_who_uploads_much_holds_nobody_up(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    within: list[bool] = []

    def noted(data: bytes, limits: Limits) -> Picture:
        within.append(len(connection.savepoint_ids) > outside)
        return decode(data, limits)

    monkeypatch.setattr("zoetrope.studio.library.uploading.decode", noted)
    outside = len(connection.savepoint_ids)
    upload(cast, file("a.png", painted(1)), file("b.png", painted(2)))
    assert within == [False, False]


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
    kept.made.recipe = {**(kept.made.recipe or {}), "loras": [use]}
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


def file(name: str, image: Image.Image, form: str = "PNG") -> SimpleUploadedFile:
    buffer = BytesIO()
    image.save(buffer, form)
    return SimpleUploadedFile(name, buffer.getvalue())


def painted(seed: int, light: float = 1.0) -> Image.Image:
    """Patches by chance; the same seed lit otherwise is the same picture to whoever looks."""
    patches = np.random.default_rng(seed).integers(0, 200, (8, 8, 3)) * light
    return Image.fromarray(patches.astype(np.uint8)).resize((128, 128), Image.Resampling.BICUBIC)


def upload(cast: Cast, *files: SimpleUploadedFile) -> str:
    answer = cast.clients["rui"].post("/s/studio/library/", {"files": files, "of": "ada"}, follow=True)
    return answer.content.decode()


def test_pictures_from_elsewhere_are_kept_found_and_told_of(cast: Cast) -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    photo = BytesIO()
    painted(1).save(photo, "JPEG", exif=exif)
    sent = SimpleUploadedFile("beach walk.jpg", photo.getvalue())
    caption = SimpleUploadedFile("beach walk.txt", b"ada walks <b>by the sea</b>")
    assert "1 picture added." in upload(cast, sent, caption)
    kept = Kept.objects.get()
    assert (kept.made.recipe, str(kept.made.persona), kept.made.width) == (None, "Ada", 128)
    data = path_of(kept.made.sha256).read_bytes()
    assert data.startswith(b"\x89PNG")
    assert b"taken at home" not in data
    for words, there in (("beach", True), ("sea", True), ("ada", True), ("mountain", False)):
        assert (
            kept.made.sha256 in cast.clients["vic"].get("/s/studio/library/", {"q": words}).content.decode()
        ) == there
    page = cast.clients["vic"].get(f"/s/studio/library/{kept.pk}/").content.decode()
    assert "rui added it" in page
    assert "ada walks &lt;b&gt;" in page
    assert "<b>by the sea" not in page
    refused = cast.clients["rui"].post(f"/s/studio/library/{kept.pk}/act/", {"do": "again"})
    assert (refused.status_code, "made elsewhere" in refused.content.decode()) == (400, True)
    told = cast.clients["vic"].get(f"/api/spaces/studio/library/{kept.pk}").json()
    assert (told["recipe"], told["title"], told["learned"]) == (None, "ada walks <b>by the sea</b>", [])


def test_a_bad_file_among_good_ones_leaves_the_library_as_it_was(cast: Cast) -> None:
    assert "b.png" in upload(cast, file("a.png", painted(1)), SimpleUploadedFile("b.png", b"no picture"))
    assert not Kept.objects.exists()


def test_one_that_was_drawn_here_comes_back_with_its_recipe(cast: Cast, kept: Kept) -> None:
    whole = png_bytes(painted(3), kept.made.said_recipe)
    drawn = Made.objects.create(
        space=cast.space, sha256=hash_bytes(whole), recipe=kept.made.recipe, width=128, height=128
    )
    assert "1 picture added." in upload(cast, SimpleUploadedFile("x.png", whole))
    assert Kept.objects.latest("pk").made == drawn
    assert "0 pictures added. 1 was there already." in upload(cast, SimpleUploadedFile("y.png", whole))


def test_those_that_look_much_the_same_are_shown_beside_each_other(cast: Cast) -> None:
    upload(cast, file("one.png", painted(1)), file("other.png", painted(2)))
    one, other = Kept.objects.order_by("title")
    said = upload(cast, file("darker.jpg", painted(1, 0.9), "JPEG"))
    assert "1 of them looks much like one that is here" in said
    darker = Kept.objects.get(title="darker")
    told = cast.clients["vic"].get(f"/api/spaces/studio/library/{one.pk}").json()
    assert told["alike"] == [darker.pk]
    assert "Much like it" in cast.clients["vic"].get(f"/s/studio/library/{darker.pk}/").content.decode()
    assert "Much like it" not in cast.clients["vic"].get(f"/s/studio/library/{other.pk}/").content.decode()
    listed = cast.clients["vic"].get("/api/spaces/studio/library", {"alike": True}).json()
    assert {each["id"] for each in listed} == {one.pk, darker.pk}
    cast.clients["rui"].post(f"/s/studio/library/{darker.pk}/act/", {"do": "aside"})
    assert cast.clients["vic"].get("/api/spaces/studio/library", {"alike": True}).json() == []
    assert [each["id"] for each in cast.clients["vic"].get("/api/spaces/studio/library?aside=true").json()] == [
        darker.pk
    ]
    cast.clients["rui"].post(f"/s/studio/library/{darker.pk}/act/", {"do": "back"})
    assert len(cast.clients["vic"].get("/api/spaces/studio/library", {"alike": True}).json()) == 2
