"""Personas in the studio: made with consent, mirrored from their workspaces, kept apart by spaces."""

import json
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from tests.studio.conftest import Cast
from tests.studio.test_pipelines import two
from zoetrope.studio.insights.models import Learning, Proposal
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.making.models import Made
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import strays, workspace_of
from zoetrope.studio.pipelines.models import Candidate, Pipeline, Run
from zoetrope.studio.planning import pillars
from zoetrope.studio.planning.models import Rhythm
from zoetrope.studio.publishing.models import Post
from zoetrope.studio.spaces.work import scope_of
from zoetrope.wheel import events as ev
from zoetrope.wheel.persona import make_persona
from zoetrope.wheel.workspace import new_workspace, personas_folder

__all__ = ["two"]
HOME = "/s/studio/p/ada/"
MIA = {"title": "Mia Mohn", "name": "", "kind": "drawn", "consent": "fictional", "base": "nano-flux", "trigger": ""}


def test_a_persona_begins_with_its_workspace(cast: Cast) -> None:
    done = cast.clients["olga"].post("/s/studio/new-persona/", MIA)
    assert done.headers["Location"] == "/s/studio/p/mia-mohn/"
    mia = Persona.objects.get(name="mia-mohn")
    assert workspace_of(mia).persona.consent.kind == mia.consent["kind"] == "fictional"
    assert b"Mia Mohn" in cast.clients["vic"].get("/s/studio/").content


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"consent": ""}, "This field is required"),
        ({"consent": "granted"}, "A granted consent is a signed document"),
        ({"name": "ada"}, "has a persona called ada already"),
        ({"name": "Mia Mohn"}, "Use small letters, digits"),
        ({"title": "Mia", "trigger": "a, b"}, "cannot be a trigger"),
        ({"document": b"%PDF signed"}, "no other has one"),
    ],
)
def test_what_cannot_be_is_told_and_leaves_nothing(cast: Cast, said: dict[str, Any], sentence: str) -> None:
    if "document" in said:
        said = said | {"document": SimpleUploadedFile("signed.pdf", said["document"])}
    before = sorted(personas_folder().iterdir())
    page = cast.clients["olga"].post("/s/studio/new-persona/", MIA | said)
    assert (page.status_code, sentence in page.content.decode()) == (422, True)
    assert sorted(personas_folder().iterdir()) == before


@pytest.mark.parametrize(
    ("title", "name"), [("日本", "persona"), ("W" * 80, "w" * 48), ("a _ b", "a-b"), ("Ünal Öz", "unal-oz")]
)
def test_a_short_name_is_made_of_any_name(cast: Cast, title: str, name: str) -> None:
    assert cast.clients["olga"].post("/s/studio/new-persona/", MIA | {"title": title}).status_code == 302
    assert Persona.objects.get(title=title).name == name


def test_names_without_plain_letters_are_numbered(cast: Cast) -> None:
    for title in ("日本", "中国"):
        cast.clients["olga"].post("/s/studio/new-persona/", MIA | {"title": title})
    assert sorted(Persona.objects.exclude(name="ada").values_list("name", flat=True)) == ["persona", "persona-2"]


def test_a_consent_may_have_a_long_name_but_not_be_empty(cast: Cast) -> None:
    olga, said = cast.clients["olga"], MIA | {"consent": "granted", "name": "mia"}
    document = SimpleUploadedFile("é" * 200 + ".pdf", b"%PDF signed")
    assert olga.post("/s/studio/new-persona/", said | {"document": document}).status_code == 302
    assert Persona.objects.get(name="mia").consent["document"] == "consent/" + "é" * 90 + ".pdf"
    empty = said | {"name": "bo", "document": SimpleUploadedFile("e.pdf", b""), "trigger": "bo"}
    refused = olga.post("/api/spaces/studio/granted-personas", empty)
    assert (refused.status_code, "is empty" in refused.json()["detail"]) == (400, True)
    with_document = empty | {"consent": "fictional", "document": SimpleUploadedFile("e.pdf", b"signed")}
    assert olga.post("/api/spaces/studio/granted-personas", with_document).status_code == 400
    strange = empty | {"document": SimpleUploadedFile("e.pdf", b"signed"), "titel": "Bo"}
    assert "titel" in olga.post("/api/spaces/studio/granted-personas", strange).content.decode()


def test_a_persona_without_its_folder_is_told_of_and_taken_out(cast: Cast) -> None:
    olga, folder = cast.clients["olga"], workspace_of(cast.ada).folder
    shutil.rmtree(folder)
    for address in ("/s/studio/p/ada/", "/s/studio/p/ada/sources/", "/api/spaces/studio/personas/ada/standing"):
        lost = olga.get(address)
        assert (lost.status_code, str(folder) in lost.content.decode()) == (400, False)
        assert "is gone: put ada back" in lost.content.decode()
    assert "/s/studio/p/ada/take-out/" in olga.get("/s/studio/").content.decode()
    assert "take-out" not in cast.clients["vic"].get("/s/studio/").content.decode()
    assert "is gone from the data folder" in olga.get("/s/studio/p/ada/take-out/").content.decode()
    done = olga.post("/s/studio/p/ada/take-out/", follow=True).content.decode()
    assert "Ada has left Studio." in done
    assert not Persona.objects.exists()
    assert olga.post("/s/studio/new-persona/", MIA | {"title": "Ada"}).status_code == 302


def test_of_a_persona_that_is_taken_out_every_file_stays(cast: Cast) -> None:
    olga, folder = cast.clients["olga"], workspace_of(cast.ada).folder
    before = sorted(folder.rglob("*"))
    done = olga.post("/s/studio/p/ada/take-out/", follow=True).content.decode()
    assert "Its files stay in the data folder, in personas/ada" in done
    assert (sorted(folder.rglob("*")), strays()) == (before, ["ada"])
    # Its name is free, though its folder is not, and none of both is in the way of the other.
    for kept in ("studio--ada", "studio--ada-2"):
        olga.post("/s/studio/new-persona/", MIA | {"title": "Ada"})
        assert olga.delete("/api/spaces/studio/personas/ada").json() == {"folder": kept}
    olga.post("/s/studio/adopt/", {"folder": "ada"})
    assert Persona.objects.get().folder == "ada"


def test_a_persona_that_is_worked_at_stays(cast: Cast) -> None:
    scope = scope_of(cast.space)
    turn = jobs.enqueue("turn", "turn-1", {"persona": cast.ada.pk}, scope=scope, title="A turn")
    refused = cast.clients["olga"].delete("/api/spaces/studio/personas/ada")
    assert (refused.status_code, "waits or runs" in refused.json()["detail"]) == (400, True)
    jobs.cancel(turn)
    assert cast.clients["olga"].delete("/api/spaces/studio/personas/ada").status_code == 200


def test_a_granted_consent_keeps_its_document(cast: Cast) -> None:
    document = SimpleUploadedFile("../../signed.pdf", b"%PDF signed")
    cast.clients["olga"].post("/s/studio/new-persona/", MIA | {"consent": "granted", "document": document})
    mia = Persona.objects.get(name="mia-mohn")
    assert mia.consent["document"] == "consent/signed.pdf"
    sent = cast.clients["olga"].get("/s/studio/p/mia-mohn/consent/")
    assert b"".join(sent.streaming_content) == b"%PDF signed"  # type: ignore[attr-defined]


def test_two_spaces_may_each_have_an_ada(cast: Cast) -> None:
    done = cast.clients["sam"].post("/s/elsewhere/new-persona/", MIA | {"title": "Ada"})
    assert done.headers["Location"] == "/s/elsewhere/p/ada/"
    assert sorted(Persona.objects.values_list("folder", flat=True)) == ["ada", "elsewhere--ada"]


def test_a_workspace_of_the_command_line_is_taken_in(cast: Cast) -> None:
    told = make_persona(name="bo", kind="drawn", trigger="bo", base="nano-flux", consent={"kind": "self"})
    new_workspace(personas_folder() / "bo", told)
    assert strays() == ["bo"]
    assert b"Take it in" in cast.clients["olga"].get("/s/studio/").content
    cast.clients["olga"].post("/s/studio/adopt/", {"folder": "bo"})
    assert (strays(), Persona.objects.get(name="bo").consent) == ([], {"kind": "self"})
    told_again = cast.clients["olga"].post("/s/studio/adopt/", {"folder": "../bo"})
    assert told_again.status_code == 400


@dataclass(frozen=True)
class Way:
    """What a home page's strip says, by its steps; `needed` is the one that is marked."""

    told: dict[str, str]
    there: dict[str, str]
    needed: str


def way(cast: Cast, who: str = "vic") -> Way:
    page = cast.clients[who].get(HOME).content.decode()
    found = re.findall(
        r'<li( class="needed")?><a href="([^"]+)"[^>]*><span class="name">(\w+)</span> <strong>([^<]+)<', page
    )
    assert [name for _, _, name, _ in found] == ["Gaps", "Generate", "Vote", "Schedule", "Upcoming", "Insights"]
    marked = [name for mark, _, name, _ in found if mark]
    assert len(marked) == page.count('aria-current="step"') <= 1
    told = {name: words for _, _, name, words in found}
    return Way(told, {name: unescape(there) for _, there, name, _ in found}, marked[0] if marked else "")


def test_a_new_persona_begins_at_its_pillars_and_its_wheel(cast: Cast) -> None:
    seen = way(cast)
    assert list(seen.told.values()) == [
        "no pillar",
        "nothing drawing",
        "no votes waiting",
        "no draft",
        "none approved",
        "0 posts measured",
    ]
    assert seen.needed == "", "the wheel's own button says what is to be done"
    assert {cast.clients["vic"].get(there).status_code for there in seen.there.values()} == {200}
    page = cast.clients["vic"].get(HOME).content.decode()
    places = [page.index(f'id="{name}"') for name in ("wheel", "worn", "gaps", "runs", "coming", "insights")]
    assert places == sorted(places), "before a first version, what makes one comes first"
    workspace_of(cast.ada).record([ev.Exported(round=1, version=1, sha256="0" * 64)])
    page = cast.clients["vic"].get(HOME).content.decode()
    places = [page.index(f'id="{name}"') for name in ("gaps", "runs", "coming", "insights", "wheel", "worn")]
    assert places == sorted(places)
    assert (way(cast).needed, "your turn" in page) == ("Gaps", True)


def test_each_step_says_how_it_stands_and_the_most_needed_is_marked(cast: Cast, two: Pipeline) -> None:
    now, ada = timezone.now(), cast.ada
    Learning.objects.create(persona=ada, kind="format", key="image", more=True, sentence="It does better.")
    made = Made.objects.create(**square(cast))
    Proposal.objects.create(persona=ada, made=made, lora="ada v1")
    pillars.add(ada, pillars.Wanted("Sea", 20))
    seen = way(cast)
    assert (seen.told["Gaps"], seen.told["Insights"]) == ("1 gap", "1 learning to look at")
    assert (seen.needed, seen.there["Insights"]) == ("Gaps", f"{HOME}insights/learnings/")
    Learning.objects.all().delete()
    pillars.add(ada, pillars.Wanted("City", 20))
    run = Run.objects.create(space=cast.space, version=two.versions.all()[0], persona=ada, name="a run")
    seen = way(cast)
    assert (seen.told["Gaps"], seen.told["Generate"], seen.needed) == ("2 gaps", "1 run drawing", "Gaps")
    assert (seen.told["Insights"], seen.there["Insights"]) == (
        "1 training picture proposed",
        f"{HOME}insights/training/",
    )
    # It sleeps until people wake it, but there is nothing to choose between yet.
    Run.objects.filter(pk=run.pk).update(wake=None)
    assert way(cast).told["Vote"] == "no votes waiting"
    step = run.version.steps.all()[0]
    drawn = {"run": run, "step": step, "made": made, "state": Candidate.State.ACTIVE}
    Candidate.objects.bulk_create(Candidate(**drawn) for _ in range(3))
    seen = way(cast)
    assert (seen.told["Generate"], seen.told["Vote"]) == ("nothing drawing", "1 waiting for votes")
    assert (seen.needed, seen.there["Vote"]) == ("Vote", f"/s/studio/runs/{run.pk}/vote/")
    about: dict[str, Any] = {"space": cast.space, "persona": ada}
    Post.objects.create(**about)
    Post.objects.create(**about, due=now + timedelta(days=4))
    seen = way(cast)
    assert (seen.told["Schedule"], seen.told["Upcoming"], seen.needed) == ("2 drafts", "none approved", "Schedule")
    assert seen.there["Schedule"] == f"{HOME}calendar/?view=list"
    Rhythm.objects.create(persona=ada, zone="Asia/Kolkata")
    at = now + timedelta(days=2)
    post = Post.objects.create(**about, due=at, state=Post.State.SCHEDULED)
    assert way(cast).told["Upcoming"] == f"next: {at.astimezone(ZoneInfo('Asia/Kolkata')):%a %H:%M}"
    Post.objects.filter(pk=post.pk).update(due=datetime(2099, 1, 31, 12, tzinfo=UTC))
    assert way(cast).told["Upcoming"] == "next: 31 Jan 17:30"
    Post.objects.filter(pk=post.pk).update(state=Post.State.UNCONFIRMED, asks=True, due=now - timedelta(days=1))
    seen = way(cast)
    assert (seen.told["Upcoming"], seen.needed) == ("1 asks for you", "Upcoming")
    assert seen.there["Upcoming"] == f"/s/studio/posts/{post.pk}/"
    assert {cast.clients["vic"].get(there).status_code for there in seen.there.values()} == {200}
    assert "Somebody has to look at" in cast.clients["vic"].get(HOME).content.decode()


def test_a_draft_whose_time_is_near_comes_before_what_only_waits(cast: Cast) -> None:
    about: dict[str, Any] = {"space": cast.space, "persona": cast.ada}
    Post.objects.create(**about, due=timezone.now() + timedelta(hours=5))
    page = cast.clients["vic"].get(HOME).content.decode()
    assert (way(cast).needed, "needs you now" in page) == ("Schedule", True)
    Post.objects.update(due=timezone.now() + timedelta(days=3))
    page = cast.clients["vic"].get(HOME).content.decode()
    assert ("needs you" in page, "needs you now" in page) == (True, False)


def square(cast: Cast) -> dict[str, Any]:
    return {"space": cast.space, "persona": cast.ada, "sha256": "5" * 64, "width": 64, "height": 64}


@pytest.mark.parametrize(
    ("page", "tab", "current"),
    [
        ("plan/", "Plan", "page"),
        ("pillars/", "Plan", "true"),
        ("clusters/", "Plan", "true"),
        ("clusters/proposed/", "Plan", "true"),
        ("ideas/", "Plan", "true"),
        ("calendar/", "Calendar", "page"),
        ("calendar/table/", "Calendar", "true"),
        ("ledger/", "Calendar", "true"),
        ("insights/training/", "Insights", "true"),
        ("captions/", "Captions", "page"),
        ("loras/", "LoRAs", "page"),
        ("", "Ada", "page"),
    ],
)
def test_the_tab_that_a_page_lies_under_is_marked(cast: Cast, page: str, tab: str, current: str) -> None:
    shown = cast.clients["olga"].get(f"{HOME}{page}").content.decode()
    [tabs] = re.findall(r'<nav class="tabs".*?</nav>', shown, re.DOTALL)
    assert re.findall(r'aria-current="(\w+)">([^<]+)', tabs) == [(current, tab)]


def test_the_space_leads_to_its_writer(cast: Cast) -> None:
    for who, there in (("olga", True), ("rui", False), ("vic", False)):
        assert ("/s/studio/writer/" in cast.clients[who].get(HOME).content.decode()) is there


def test_what_the_command_line_changes_is_seen(cast: Cast) -> None:
    workspace_of(cast.ada).change(trigger="zoeada")
    assert b"zoeada" in cast.clients["vic"].get("/s/studio/p/ada/").content


def test_voice_and_drawing_are_kept(cast: Cast) -> None:
    olga = cast.clients["olga"]
    voice = {"form": "voice", "tone": "playful", "emoji": "none", "topics": "sea\n\n ships ", "examples": ""}
    assert olga.post("/s/studio/p/ada/settings/", voice).status_code == 302
    assert olga.post("/s/studio/p/ada/settings/", {"form": "drawing", "steps": "30"}).status_code == 302
    ada = Persona.objects.get(name="ada")
    assert (ada.said_voice.topics, ada.said_drawing.steps) == (["sea", "ships"], 30)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"form": "voice", "tone": "edgy", "emoji": "low", "examples": "a\nb\nc\nd"}, "These are 4 lines: 3 are"),
        ({"form": "drawing", "steps": "7", "width": "33", "height": "33"}, "choose a multiple of "),
    ],
)
def test_settings_that_cannot_be_are_told_beside_the_form(cast: Cast, said: dict[str, str], sentence: str) -> None:
    page = cast.clients["olga"].post("/s/studio/p/ada/settings/", said)
    assert (page.status_code, sentence in page.content.decode()) == (422, True)
    assert "Settings of Ada" in page.content.decode(), "what was filled in stays in view"
    ada = Persona.objects.get(name="ada")
    assert (ada.voice, ada.drawing) == ({}, {})


def test_what_a_program_leaves_away_stays(cast: Cast) -> None:
    olga, ada = cast.clients["olga"], "/api/spaces/studio/personas/ada"
    first = {"drawing": {"width": 512, "steps": 9, "negative_prompt": "blurred"}, "voice": {"topics": ["the sea"]}}
    assert olga.patch(ada, first, "application/json").status_code == 200
    second = {"drawing": {"steps": 5, "width": None}, "voice": {"tone": "edgy"}}
    told = olga.patch(ada, second, "application/json").json()
    drawing = {key: told["drawing"][key] for key in ("steps", "width", "negative_prompt")}
    assert drawing == {"steps": 5, "width": None, "negative_prompt": "blurred"}
    assert (told["voice"]["tone"], told["voice"]["topics"]) == ("edgy", ["the sea"])
    for wrong in ({"titel": "Ada"}, {"drawing": {"step": 5}}):
        assert olga.patch(ada, wrong, "application/json").status_code == 422
    assert olga.patch(ada, {"drawing": {"width": 33}}, "application/json").status_code == 400
    said = {"name": "bo", "title": "Bo", "kind": "drawn", "base": "nano-flux", "consent": "fictional", "look": "tall"}
    assert olga.post("/api/spaces/studio/personas", said, "application/json").status_code == 422


def test_names_with_html_in_them_are_only_text(cast: Cast) -> None:
    evil = "<script>alert(1)</script>"
    cast.clients["olga"].post("/s/studio/new-persona/", MIA | {"title": evil, "name": "evil"})
    assert evil not in cast.clients["vic"].get("/s/studio/p/evil/").content.decode()
    assert evil not in cast.clients["vic"].get("/s/studio/").content.decode()


def test_the_api_does_the_same(cast: Cast) -> None:
    headers = {"Authorization": f"Bearer {cast.token('olga')}"}
    olga = cast.clients["nobody"]
    said = {"name": "mia", "title": "Mia", "kind": "drawn", "base": "nano-flux", "consent": "fictional"}
    made = olga.post("/api/spaces/studio/personas", json.dumps(said), "application/json", headers=headers)
    assert (made.status_code, made.json()["trigger"]) == (201, "mia")
    change = {"about": "Lives by the sea", "voice": {"tone": "edgy"}}
    changed = olga.patch("/api/spaces/studio/personas/mia", json.dumps(change), "application/json", headers=headers)
    assert (changed.json()["about"], changed.json()["voice"]["tone"]) == ("Lives by the sea", "edgy")
    again = olga.post("/api/spaces/studio/personas", json.dumps(said), "application/json", headers=headers)
    assert (again.status_code, "already" in again.json()["detail"]) == (400, True)
