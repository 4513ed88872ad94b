"""Clusters: by hand, and as groups that are found among pictures and named by their words."""

import io

import numpy as np
import pytest
from django.utils import timezone
from PIL import Image

from tests.studio.conftest import Cast, Told
from tests.studio.planning.test_pillars import API, kept, pillar, there
from tests.studio.test_api import Program
from zoetrope.errors import UserError
from zoetrope.media.files import write_together
from zoetrope.media.hashing import hash_bytes
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.library.models import Kept
from zoetrope.studio.making.store import path_of
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import begin, told_persona
from zoetrope.studio.planning import clustering, clusters, grouping, looking, pillars, uses
from zoetrope.studio.planning.models import Cluster, Grouping, Proposal, Vector

CLUSTERS = "/s/studio/p/ada/clusters/"
# What is drawn of each colour, in the words that its pictures share with the others and those that only they have.
SCENES = {
    "beach": ((230, 200, 140), "portrait of ada on a sandy beach, waves, soft light"),
    "forest": ((30, 90, 40), "portrait of ada in a dark forest, pines, soft light"),
    "night": ((15, 15, 60), "portrait of ada in a street at night, neon, soft light"),
}


def blotch(colour: tuple[int, int, int], seed: int) -> Image.Image:
    """A picture of about this colour."""
    noise = np.random.default_rng(seed).integers(-12, 13, (8, 8, 3))
    patches = np.clip(np.asarray(colour) + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(patches).resize((64, 64), Image.Resampling.BICUBIC)


def painted(persona: Persona, each: int = 6) -> dict[str, list[int]]:
    """Pictures of each scene with their files, by the scene."""
    found: dict[str, list[int]] = {}
    for name, (colour, words) in SCENES.items():
        for seed in range(each):
            buffer = io.BytesIO()
            blotch(colour, seed).save(buffer, "PNG")
            sha256 = hash_bytes(buffer.getvalue())
            write_together({path_of(sha256): buffer.getvalue()}, durable=False)
            # The run's and the pipeline's names tell nothing of a picture.
            row = kept(persona, f"{words}\nNightly run\nBeach pipeline", sha256=sha256)[0]
            found.setdefault(name, []).append(row.pk)
    return found


def looked(persona: Persona, wanted: int | None = None, *, loose: bool = False) -> list[Proposal]:
    """Ask for groups, and carry out the job."""
    asked = grouping.ask(persona, None, wanted, loose=loose)
    grouping.find(Told(), asked.pk)
    jobs.Job.objects.filter(key=asked.key).update(state=jobs.State.DONE)
    return list(Proposal.objects.filter(grouping=asked))


def test_obvious_groups_are_found_and_named_by_what_tells_them_apart(cast: Cast) -> None:
    scenes = painted(cast.ada)
    found = looked(cast.ada)
    assert {frozenset(each.members) for each in found} == {frozenset(keys) for keys in scenes.values()}
    for each in found:
        scene = next(name for name, keys in scenes.items() if keys[0] in each.members)
        assert scene in each.words
        assert not {"ada", "portrait", "light", "pipeline", "nightly"}.intersection(each.words)
        assert each.name.lower() == ", ".join(each.words)
    row = Grouping.objects.get()
    assert (row.pictures, row.looked, row.done is not None) == (18, "layout and colour", True)
    assert row.why.startswith("Of 2 to 9 groups these lie farthest apart")


def test_as_many_groups_as_are_asked_for(cast: Cast) -> None:
    painted(cast.ada)
    assert len(looked(cast.ada, 2)) == 2
    assert Grouping.objects.get().why == "So many were asked for."
    with pytest.raises(UserError, match="Ask for 2 to 20 groups"):
        grouping.ask(cast.ada, None, 21)


def test_pictures_that_are_all_alike_are_told_so() -> None:
    rows = np.random.default_rng(1).normal(size=(200, 64)).astype(np.float32)
    assert clustering.suggested(rows).apart < 0.1
    apart = np.concatenate([rows + 40 * number for number in range(4)])
    assert clustering.suggested(apart).count == 4
    assert clustering.suggested(apart).apart > 0.7


def test_groups_hold_every_picture_once_the_most_typical_first() -> None:
    rows = np.concatenate([np.zeros((5, 2)), np.full((3, 2), 9.0), [[1.0, 1.0]]]).astype(np.float32)
    groups = clustering.grouped(rows, 2)
    assert [sorted(each.members) for each in groups] == [[0, 1, 2, 3, 4, 8], [5, 6, 7]]
    assert groups[0].members[-1] == 8
    assert [each.members for each in clustering.grouped(rows[:1], 5)] == [(0,)]


def test_many_pictures_are_grouped_in_portions() -> None:
    """As many as a job of MiniBatchKMeans begins at; each of three far places is a group of its own."""
    rng = np.random.default_rng(2)
    rows = np.concatenate([rng.normal(20 * place, 1, (2_000, 16)) for place in range(3)]).astype(np.float32)
    groups = clustering.grouped(rows, 3)
    assert [len(each.members) for each in groups] == [2_000] * 3
    assert {frozenset(place // 2_000 for place in each.members) for each in groups} == {
        frozenset({0}),
        frozenset({1}),
        frozenset({2}),
    }


def test_words_that_stand_everywhere_or_seldom_tell_nothing() -> None:
    texts = ["Ada at the beach", "ada on a beach once", "ada in town", "ada in town with a hat"]
    groups = [clustering.Group((0, 1)), clustering.Group((2, 3))]
    words = clustering.telling(texts, groups)
    assert (words[0][0], words[1][0]) == ("beach", "town")
    assert all("ada" not in each and "the" not in each for each in words)
    same = [clustering.Group((0,)), clustering.Group((1,))]
    assert clustering.named(clustering.telling(["ada", "ada"], same)) == ["Group 1", "Group 2"]
    assert clustering.named([["sea"], ["sea"], []]) == ["Sea", "Sea (2)", "Group 3"]


def test_a_picture_is_measured_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    painted(cast.ada, each=2)
    looked(cast.ada)
    assert Vector.objects.count() == 6
    before = [list(each.members) for each in Proposal.objects.all()]

    def unwanted(*_: object) -> object:
        raise AssertionError("a picture was opened again")

    monkeypatch.setattr(looking, "open_picture", unwanted)
    assert [list(each.members) for each in looked(cast.ada)] == before


def test_pictures_without_files_are_left_out(cast: Cast) -> None:
    painted(cast.ada, each=2)
    lost = kept(cast.ada, "lost", count=3)
    found = looked(cast.ada, 3)
    assert not {each.pk for each in lost} & {key for each in found for key in each.members}
    for path in (path_of(sha256) for sha256 in Vector.objects.values_list("sha256", flat=True)):
        path.unlink()
    Vector.objects.all().delete()
    asked = grouping.ask(cast.ada, None)
    with pytest.raises(UserError, match="Of 9 pictures 0 can be read"):
        grouping.find(Told(), asked.pk)


def test_a_cancelled_look_stops_and_proposes_nothing(cast: Cast) -> None:
    painted(cast.ada, each=2)
    asked = grouping.ask(cast.ada, None)
    work = Told()
    work.wanted = False
    with pytest.raises(jobs.Interrupted):
        grouping.find(work, asked.pk)
    asked.refresh_from_db()
    assert (asked.done, Proposal.objects.exists()) == (None, False)


def test_a_scorer_that_sees_what_is_in_a_picture_goes_before_colours(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zoetrope.judging import scorers
    from zoetrope.studio.personas.workspaces import workspace_of

    class Seer:
        """Tells dark pictures from light ones."""

        def embed(self, images: list[Image.Image]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
            means = [float(np.asarray(image.convert("L")).mean()) for image in images]
            return np.asarray([[mean > 100, mean <= 100] for mean in means], np.float32)

    told = workspace_of(cast.ada).persona.model_copy(update={"scorers": ("nano_identity", "clip:/models/clip")})
    monkeypatch.setattr("zoetrope.wheel.workspace.Workspace.persona", property(lambda _: told))
    painted(cast.ada, each=2)
    work = Told()
    assert looking.looker_of(cast.ada, work).told == "layout and colour", "there is no such folder"
    assert "Layout and colour are compared instead." in work.lines[0]
    monkeypatch.setattr(scorers, "scorer_named", lambda _: Seer())
    found = looked(cast.ada, 2)
    assert Grouping.objects.get().looked == "what clip sees"
    assert sorted(each.count for each in found) == [2, 4]
    assert not Vector.objects.filter(by__contains="/models").exists()


def test_a_proposal_is_a_cluster_only_when_somebody_says_so(cast: Cast) -> None:
    scenes = painted(cast.ada)
    found = looked(cast.ada, 3)
    assert not Cluster.objects.exists()
    beach = next(each for each in found if scenes["beach"][0] in each.members)
    Kept.objects.filter(pk=scenes["beach"][1]).delete()
    rui = cast.clients["rui"]
    page = rui.get(f"{CLUSTERS}proposed/").content.decode()
    assert "18 pictures, compared by layout and colour" in page
    assert f'value="{beach.name}"' in page
    said = {"do": "take", "proposal": beach.pk, "name": "By the sea"}
    assert cast.clients["vic"].post(f"{CLUSTERS}proposed/", said).status_code == 403
    assert rui.post(f"{CLUSTERS}proposed/", said).status_code == 302
    cluster = Cluster.objects.get()
    assert cluster.name == "By the sea"
    assert set(cluster.kept.values_list("pk", flat=True)) == set(scenes["beach"]) - {scenes["beach"][1]}
    again = rui.post(f"{CLUSTERS}proposed/", said | {"name": "Another"})
    assert (again.status_code, "is a cluster already" in again.content.decode()) == (400, True)
    assert "It is the cluster By the sea" in rui.get(f"{CLUSTERS}proposed/").content.decode()
    rui.post(f"{CLUSTERS}proposed/", {"do": "dismiss"})
    assert (Grouping.objects.exists(), Cluster.objects.count()) == (False, 1)


def test_only_loose_pictures_where_that_is_asked(cast: Cast) -> None:
    scenes = painted(cast.ada)
    cluster = clusters.add(cast.ada, "By the sea")
    clusters.put(cluster, scenes["beach"])
    found = looked(cast.ada, 2, loose=True)
    assert {key for each in found for key in each.members} == {*scenes["forest"], *scenes["night"]}
    clusters.delete(cluster)
    assert len({key for each in looked(cast.ada, 2, loose=True) for key in each.members}) == 18


def test_one_look_at_a_time_and_enough_to_look_at(cast: Cast) -> None:
    kept(cast.ada, count=3)
    with pytest.raises(UserError, match="at least 4 pictures of Ada"):
        grouping.ask(cast.ada, None)
    kept(cast.ada)
    rui = cast.clients["rui"]
    assert rui.post(f"{CLUSTERS}proposed/", {"do": "ask", "wanted": ""}).status_code == 302
    assert jobs.Job.objects.get(kind="cluster").args == {"grouping": Grouping.objects.get().pk}
    again = rui.post(f"{CLUSTERS}proposed/", {"do": "ask"})
    assert (again.status_code, "looked for already" in again.content.decode()) == (400, True)
    assert 'hx-trigger="every' in rui.get(f"{CLUSTERS}proposed/").content.decode()
    jobs.Job.objects.update(state=jobs.State.FAILED, error="The disk is full.")
    page = rui.get(f"{CLUSTERS}proposed/", headers={"HX-Request": "true"}).content.decode()
    assert "The disk is full." in page
    assert "hx-trigger" not in page
    assert rui.post(f"{CLUSTERS}proposed/", {"do": "ask", "wanted": "99"}).status_code == 400


def test_pictures_lie_in_several_clusters_and_are_moved_many_at_once(cast: Cast) -> None:
    rain, sea = clusters.add(cast.ada, "Rain"), clusters.add(cast.ada, "Sea")
    keys = [each.pk for each in kept(cast.ada, count=5)]
    rui = cast.clients["rui"]
    for cluster in (rain, sea):
        rui.post(f"{CLUSTERS}{cluster.pk}/act/", {"do": "put", "kept": keys})
        assert cluster.kept.count() == 5
    rui.post(f"{CLUSTERS}{rain.pk}/act/", {"do": "put", "kept": keys})
    rui.post(f"{CLUSTERS}{rain.pk}/act/", {"do": "take-out", "kept": keys[:2]})
    assert (rain.kept.count(), sea.kept.count()) == (3, 5)
    nothing = rui.post(f"{CLUSTERS}{rain.pk}/act/", {"do": "put"})
    assert (nothing.status_code, "Choose at least one picture" in nothing.content.decode()) == (400, True)
    with pytest.raises(UserError, match="too much at once: 500"):
        clusters.put(rain, range(1, 502))


def test_a_cluster_shows_its_pictures_and_what_could_be_put_in(cast: Cast) -> None:
    cluster = clusters.add(cast.ada, "Rain")
    inside, outside = kept(cast.ada, "ada in the rain")[0], kept(cast.ada, "ada at sea")[0]
    aside = kept(cast.ada, "ada lost")[0]
    Kept.objects.filter(pk=aside.pk).update(aside=timezone.now())
    clusters.put(cluster, [inside.pk])
    uses.take(inside, None, 1, timezone.now())
    at = f"{CLUSTERS}{cluster.pk}/"
    page = cast.clients["vic"].get(at).content.decode()
    assert f"made/{inside.made.sha256}" in page
    assert '<span class="tag">used</span>' in page
    assert outside.made.sha256 not in page
    assert "checkbox" not in page, "viewers look"
    page = cast.clients["rui"].get(f"{at}?add=1").content.decode()
    assert f'value="{outside.pk}"' in page
    assert inside.made.sha256 not in page
    assert aside.made.sha256 not in page
    for words, found in (("sea", True), ("SEA ada", True), ("mountain", False)):
        page = cast.clients["rui"].get(at, {"add": "1", "q": words}).content.decode()
        assert (outside.made.sha256 in page) == found, words


def test_many_pages_of_what_could_be_put_in(cast: Cast) -> None:
    cluster = clusters.add(cast.ada, "Rain")
    kept(cast.ada, count=50)
    at = f"{CLUSTERS}{cluster.pk}/?add=1"
    first, second = (cast.clients["rui"].get(f"{at}&page={page}").content.decode() for page in (1, 2))
    assert (first.count('name="kept"'), second.count('name="kept"')) == (48, 2)
    assert ('rel="next"' in first, 'rel="next"' in second, 'rel="prev"' in second) == (True, False, True)
    assert cast.clients["rui"].get(f"{at}&page=999999999999999999").status_code == 200


def test_pictures_of_another_space_are_none(cast: Cast) -> None:
    cluster = clusters.add(cast.ada, "Rain")
    sam = cast.user("sam").spaces.get()
    theirs = begin(sam, told_persona("mia", "drawn", "", "nano-flux", "fictional"), "Mia")
    strange = kept(theirs)[0]
    assert clusters.put(cluster, [strange.pk]) == 0
    foreign = clusters.add(theirs, "Rain")
    assert cast.clients["olga"].get(f"{CLUSTERS}{foreign.pk}/").status_code == 404
    assert cast.clients["sam"].get(f"{CLUSTERS}{cluster.pk}/").status_code == 404
    with pytest.raises(UserError, match="its own persona"):
        clusters.join(cluster, [pillar(theirs)])


def test_a_deleted_cluster_is_brought_back_with_all_that_it_had(cast: Cast) -> None:
    row = pillar(cast.ada, "Walks")
    cluster = clusters.add(cast.ada, "Rain", pillars=[row])
    clusters.put(cluster, [each.pk for each in kept(cast.ada, count=3)])
    rui, at = cast.clients["rui"], f"{CLUSTERS}{cluster.pk}/act/"
    gone = rui.post(at, {"do": "delete"}, follow=True).content.decode()
    assert "Rain is deleted; its pictures stay in the library." in gone
    assert ">Undo<" in gone
    assert (there(row), Kept.objects.count()) == (0, 3)
    assert "Bring it back" in rui.get(f"{CLUSTERS}?gone=1").content.decode()
    rui.post(at, {"do": "restore"})
    assert there(row) == 3
    rui.post(at, {"do": "delete"})
    clusters.add(cast.ada, "Rain")
    refused = rui.post(at, {"do": "restore"})
    assert (refused.status_code, "has a cluster called Rain already" in refused.content.decode()) == (400, True)


def test_clusters_are_named_and_joined_to_pillars(cast: Cast) -> None:
    walks, food = pillar(cast.ada, "Walks"), pillar(cast.ada, "Food")
    rui = cast.clients["rui"]
    assert rui.post(CLUSTERS, {"name": " Rain ", "note": "wet", "pillars": [walks.pk]}).status_code == 302
    cluster = Cluster.objects.get()
    assert (cluster.name, cluster.note, list(cluster.pillars.all())) == ("Rain", "wet", [walks])
    twice = rui.post(CLUSTERS, {"name": "Rain"})
    assert (twice.status_code, "has a cluster called Rain already" in twice.content.decode()) == (422, True)
    at = f"{CLUSTERS}{cluster.pk}/act/"
    rui.post(at, {"do": "rename", "name": "Storms", "note": ""})
    pillars.retire(walks)
    rui.post(at, {"do": "join", "pillars": [food.pk]})
    cluster.refresh_from_db()
    assert (cluster.name, set(cluster.pillars.all())) == ("Storms", {walks, food}), "a retired one may come back"
    assert rui.post(at, {"do": "rename", "name": " "}).status_code == 400
    assert rui.post(at, {"do": "burn"}).status_code == 400


def test_the_list_tells_counts_and_shows_the_newest(cast: Cast) -> None:
    assert "No cluster yet" in cast.clients["vic"].get(CLUSTERS).content.decode()
    walks, food = pillar(cast.ada, "Walks"), pillar(cast.ada, "Food")
    cluster = clusters.add(cast.ada, "Rain", pillars=[walks, food])
    pictures = kept(cast.ada, count=6)
    clusters.put(cluster, [each.pk for each in pictures])
    page = cast.clients["vic"].get(CLUSTERS).content.decode()
    assert "6 pictures" in page
    assert [each.made.sha256 in page for each in pictures] == [False, False, True, True, True, True]


def test_each_gets_what_is_theirs(cast: Cast) -> None:
    cluster = clusters.add(cast.ada, "Rain")
    for who, looks, acts in (("olga", 200, 302), ("rui", 200, 302), ("vic", 200, 403), ("sam", 404, 404)):
        client = cast.clients[who]
        for at in (CLUSTERS, f"{CLUSTERS}?gone=1", f"{CLUSTERS}{cluster.pk}/", f"{CLUSTERS}proposed/"):
            assert client.get(at).status_code == looks, (who, at)
        assert client.post(CLUSTERS, {"name": f"{who}'s"}).status_code == acts
        assert client.post(f"{CLUSTERS}proposed/", {"do": "dismiss"}).status_code == acts
        said = {"do": "rename", "name": f"for {who}"}
        assert client.post(f"{CLUSTERS}{cluster.pk}/act/", said).status_code == acts


def test_a_program_does_the_same(cast: Cast) -> None:
    rui, vic = Program(cast, "rui"), Program(cast, "vic")
    row = pillar(cast.ada, "Walks")
    made = rui("POST", f"{API}/clusters", 201, name="Rain", pillars=[row.pk])
    assert (made["pillars"], made["pictures"]) == ([row.pk], 0)
    vic("POST", f"{API}/clusters", 403, name="Sea")
    rui("POST", f"{API}/clusters", 404, name="Sea", pillars=[row.pk + 99])
    at = f"{API}/clusters/{made['id']}"
    keys = [each.pk for each in kept(cast.ada, count=3)]
    assert rui("POST", f"{at}/pictures", do="put", kept=keys) == {"pictures": 3}
    assert rui("POST", f"{at}/pictures", do="take-out", kept=keys[:1]) == {"pictures": 1}
    assert [each["kept"] for each in vic("GET", f"{at}/pictures")] == [keys[2], keys[1]]
    assert [each["kept"] for each in vic("GET", f"{at}/pictures?after=1")] == [keys[1]]
    assert rui("PUT", at, name="Storms", note="wet")["pillars"] == []
    assert rui("DELETE", at)["gone"] is not None
    assert vic("GET", f"{API}/clusters") == []
    assert [each["name"] for each in vic("GET", f"{API}/clusters?gone=true")] == ["Storms"]
    assert rui("POST", f"{at}/restore")["gone"] is None
    assert vic("GET", f"{API}/clusters")[0]["pictures"] == 2


def test_a_program_has_groups_found_and_takes_one(cast: Cast) -> None:
    rui, vic = Program(cast, "rui"), Program(cast, "vic")
    assert vic("GET", f"{API}/groups")["state"] == "none"
    rui("POST", f"{API}/groups", 400)
    painted(cast.ada, each=3)
    vic("POST", f"{API}/groups", 403, wanted=3)
    assert rui("POST", f"{API}/groups", 202, wanted=3)["state"] == "waiting"
    grouping.find(Told(), Grouping.objects.get().pk)
    told = vic("GET", f"{API}/groups")
    assert (told["state"], told["pictures"], [each["pictures"] for each in told["proposals"]]) == ("done", 9, [3, 3, 3])
    taken = rui("POST", f"{API}/groups/{told['proposals'][0]['id']}", 201)
    assert (taken["name"], taken["pictures"]) == (told["proposals"][0]["name"], 3)
    assert vic("GET", f"{API}/groups")["proposals"][0]["cluster"] == taken["id"]
    assert rui("DELETE", f"{API}/groups")["state"] == "none"
