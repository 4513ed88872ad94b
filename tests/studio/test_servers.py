"""ComfyUI servers in the studio: who may add which, what is drawn where, and what a step by a workflow comes to."""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
import torch
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image
from pytest_django import DjangoAssertNumQueries
from safetensors.torch import save_file

from tests.engines.comfyui import wire
from tests.engines.comfyui.faulty import Comfy
from tests.engines.comfyui.wire import Answer, Request
from tests.studio.conftest import Cast, Told
from zoetrope.errors import UserError
from zoetrope.home import home
from zoetrope.media.hashing import hash_file
from zoetrope.models.catalogue import Catalogue
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.library.models import Kept
from zoetrope.studio.loras.models import Lora, Origin
from zoetrope.studio.loras.wearing import wear
from zoetrope.studio.making import orders
from zoetrope.studio.making.models import Order
from zoetrope.studio.making.store import path_of
from zoetrope.studio.making.tasks import draw as draw_order
from zoetrope.studio.pipelines import growing, keeping, runs, tasks
from zoetrope.studio.pipelines.models import Candidate, Pipeline
from zoetrope.studio.pipelines.steps import StepIn
from zoetrope.studio.servers import drawing
from zoetrope.studio.servers import keeping as servers
from zoetrope.studio.servers.models import Errand, Server
from zoetrope.studio.spaces.models import Membership, Role

GRAPH: dict[str, Any] = {
    "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "flux.safetensors"}},
    "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "{{trigger}}, {{prompt}}, {{mood}}", "clip": ["1", 1]}},
    "3": {
        "class_type": "KSampler",
        "inputs": {"seed": "{{auto_seed}}", "steps": 4, "model": ["1", 0], "positive": ["2", 0]},
    },
    "4": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["1", 2]}},
    "5": {"class_type": "SaveImage", "inputs": {"filename_prefix": "ada", "images": ["4", 0]}},
}
AFTER: dict[str, Any] = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "{{parent_image_path}}"}},
    "2": {"class_type": "SaveImage", "inputs": {"filename_prefix": "up", "images": ["1", 0]}},
}
TWO = [
    StepIn(name="Drafts", engine="comfyui", template={"workflow": GRAPH}, children=3, keep=1),
    StepIn(name="Larger", engine="comfyui", template={"workflow": AFTER}, children=1),
]
PENDING = Candidate.State.PENDING


@pytest.fixture
def comfy() -> Iterator[Comfy]:
    with Comfy() as server:
        assert isinstance(server, Comfy)
        yield server


@pytest.fixture
def added(cast: Cast, comfy: Comfy) -> Server:
    return servers.add(cast.space, "mine", comfy.url, cast.user("olga"))


@pytest.fixture
def pipeline(cast: Cast) -> Pipeline:
    return keeping.make(cast.space, "By ComfyUI", "", TWO, None)


def carried_out() -> list[Told]:
    """What waits is drawn, as the worker would."""
    told = []
    while pending := Candidate.objects.filter(state=PENDING).order_by("pk").first():
        told.append(Told())
        tasks.draw(told[-1], pending.pk)
    return told


def test_a_run_of_workflows_ends_with_pictures(cast: Cast, comfy: Comfy, added: Server, pipeline: Pipeline) -> None:
    run = runs.start(pipeline, cast.ada, "", {"prompt": "in a park", "mood": "happy"}, None)
    growing.grow()
    # No more than a server may hold, and not on the queue of this machine's own engine.
    assert run.candidates.count() == drawing.EACH
    assert set(jobs.Job.objects.values_list("kind", flat=True)) == {growing.KIND_ELSEWHERE}
    told = carried_out()
    assert run.candidates.filter(state="active").count() == 3
    assert any(stage == "drawing" and done for stage, done, _ in told[0].stages)
    sent = list(comfy.graphs.values())
    assert [graph["2"]["inputs"]["text"] for graph in sent] == [f"{cast.ada.trigger}, in a park, happy"] * 3
    seeds = [graph["3"]["inputs"]["seed"] for graph in sent]
    assert len(set(seeds)) == 3
    assert all(isinstance(seed, int) for seed in seeds)
    first = run.candidates.first()
    assert first is not None
    assert first.made is not None
    recipe = first.made.said_recipe
    assert (recipe.engine, recipe.seed, recipe.steps, recipe.width) == ("comfyui", seeds[0], 4, 16)
    with Image.open(path_of(first.made.sha256)) as picture:
        # Its recipe, and nothing that the server wrote.
        assert set(picture.info) == {"zoetrope", "parameters"}
    runs.approve(run, run.version.steps.all()[0], 1, None)
    run.gates.update(opens=run.created)
    run.refresh_from_db()
    type(run).objects.update(wake=run.created)
    growing.grow()
    carried_out()
    last = run.candidates.get(step__place=2)
    assert last.parent is not None
    assert last.parent.made is not None
    assert last.made is not None
    assert list(comfy.uploads) == [f"{last.parent.made.sha256}.png"]
    assert b"zoetrope" not in comfy.uploads[f"{last.parent.made.sha256}.png"]
    assert not Errand.objects.exists()


def test_a_picture_is_shown_on_its_way(cast: Cast, comfy: Comfy, added: Server, pipeline: Pipeline) -> None:
    # Slowly enough to be looked at.
    comfy.step = 1.0
    run = runs.start(pipeline, cast.ada, "", {"prompt": "in a park", "mood": "happy"}, None)
    growing.grow()
    key = run.candidates.values_list("pk", flat=True)[0]
    vic, address = cast.clients["vic"], f"/s/studio/runs/{run.pk}/"
    shown: list[bytes] = []

    class Watching(Told):
        def progress(self, stage: str, done: int = 0, total: int = 0) -> None:
            if f"preview/{key}/" in vic.get(address).content.decode():
                shown.append(vic.get(f"{address}preview/{key}/").content)

    tasks.draw(Watching(), key)
    assert {Image.open(BytesIO(each)).size for each in shown} == {(16, 16)}
    assert vic.get(f"{address}preview/{key}/").status_code == 404
    assert cast.clients["sam"].get(f"{address}preview/{key}/").status_code == 404


def test_a_run_is_not_started_where_nobody_could_draw_it(cast: Cast, pipeline: Pipeline) -> None:
    with pytest.raises(UserError, match="no ComfyUI server yet"):
        runs.start(pipeline, cast.ada, "", {"prompt": "in a park", "mood": "happy"}, None)


def test_two_studios_with_the_same_numbers_have_their_own_pictures(
    cast: Cast, comfy: Comfy, added: Server, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.start(pipeline, cast.ada, "", {"prompt": "in a park", "mood": "happy"}, None)
    growing.grow()
    key = run.candidates.values_list("pk", flat=True)[0]
    tasks.draw(Told(), key)
    row = Candidate.objects.get(pk=key)
    assert row.made is not None
    assert row.order is not None
    row.order.made.all().delete()
    monkeypatch.setattr(settings, "SECRET_KEY", "of another studio")
    draw_order(Told(), row.order.pk)
    assert len(comfy.drawn) == 2


def test_no_path_of_this_machine_leaves_it(cast: Cast, added: Server) -> None:
    graph = GRAPH | {"2": {"class_type": "CLIPTextEncode", "inputs": {"text": "{{lora_path}}", "clip": ["1", 1]}}}
    made = keeping.make(cast.space, "P", "", [StepIn(name="One", engine="comfyui", template={"workflow": graph})], None)
    (home() / "loras").mkdir(parents=True, exist_ok=True)
    save_file({"a": torch.zeros(1)}, home() / "loras" / f"{'7' * 64}.safetensors")
    lora = Lora.objects.create(
        space=cast.space, sha256="7" * 64, origin=Origin.upload, name="x", kind="character", base="other", size=1
    )
    wear(cast.ada, lora, 1.0, primary=True)
    with pytest.raises(UserError) as caught:
        runs.start(made, cast.ada, "", {"prompt": "x"}, None)
    assert "lora_path" in str(caught.value)
    assert str(home()) not in str(caught.value)


def test_a_persona_is_drawn_with_her_lora(cast: Cast, comfy: Comfy, added: Server, pipeline: Pipeline) -> None:
    file = home() / "loras" / "new.safetensors"
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({"a": torch.zeros(1)}, file, {"modelspec.hash_sha256": "0xada"})
    sha256 = hash_file(file)
    file.rename(file.with_name(f"{sha256}.safetensors"))
    about = {"name": "ada", "version": 2, "kind": "character", "base": "nano-flux", "family": "flux", "size": 1}
    lora = Lora.objects.create(space=cast.space, sha256=sha256, origin=Origin.upload, **about)
    wear(cast.ada, lora, 0.8, primary=True)
    run = runs.start(pipeline, cast.ada, "", {"prompt": "in a park", "mood": "happy"}, None)
    growing.grow()
    first = run.candidates.first()
    assert first is not None
    with pytest.raises(UserError, match=r"has no ada_v2\.safetensors: put that file into its folder of LoRAs"):
        tasks.draw(Told(), first.pk)
    # Another persona's file of the same name is not hers.
    comfy.loras["other/ada_v2.safetensors"] = {"modelspec.hash_sha256": "0xeve"}
    comfy.loras["mine/ada_v2.safetensors"] = {"modelspec.hash_sha256": "0xada"}
    tasks.draw(Told(), first.pk)
    sent = next(iter(comfy.graphs.values()))
    loader = sent["6"]
    assert loader["class_type"] == "LoraLoader"
    assert (loader["inputs"]["lora_name"], loader["inputs"]["strength_model"]) == ("mine/ada_v2.safetensors", 0.8)
    assert sent["3"]["inputs"]["model"] == ["6", 0]


def test_works_go_to_the_server_that_has_least_to_do_and_stay_there(cast: Cast, comfy: Comfy, added: Server) -> None:
    with Comfy() as another:
        second = servers.add(cast.space, "second", another.url, cast.user("olga"))
        Errand.objects.create(server=added, key="something")
        with drawing._server(cast.space, "mine", {}) as chosen:
            assert chosen == second
            Errand.objects.create(server=second, key="more")
            Errand.objects.create(server=second, key="much more")
            with drawing._server(cast.space, "mine", {}) as again:
                assert again == second
    # It has gone: whoever goes on goes on elsewhere.
    Errand.objects.create(server=second, key="mine")
    with drawing._server(cast.space, "mine", {}) as chosen:
        assert chosen == added
    second.refresh_from_db()
    assert "does not answer" in second.error
    servers.act(added, "pause")
    with pytest.raises(drawing.NoServer), drawing._server(cast.space, "mine", {}):
        pass


def test_a_server_of_another_space_draws_nothing_here(cast: Cast, comfy: Comfy, added: Server) -> None:
    other = cast.user("sam").spaces.get()
    assert drawing.room(other, 0) == 0
    with pytest.raises(UserError, match="no ComfyUI server"):
        drawing.check_space(other)
    assert cast.clients["sam"].get("/s/studio/servers/").status_code == 404


def test_only_whoever_opened_the_studio_adds_what_is_near(
    cast: Cast, comfy: Comfy, monkeypatch: pytest.MonkeyPatch
) -> None:
    Membership.objects.create(space=cast.user("sam").spaces.get(), user=cast.user("rui"), role=Role.owner)
    elsewhere = cast.user("sam").spaces.get()
    with pytest.raises(UserError, match="only whoever opened this studio"):
        servers.add(elsewhere, "", comfy.url, cast.user("sam"))
    assert not Server.objects.exists()
    monkeypatch.setenv("ZOETROPE_COMFYUI", f"http://10.0.0.1:8188, {comfy.url}/")
    assert servers.add(elsewhere, "", comfy.url, cast.user("sam")).version == "0.3.64"
    with pytest.raises(UserError, match="no server of yours can be"):
        servers.add(cast.space, "", "http://169.254.169.254", cast.user("olga"))


def test_the_page_tells_how_each_is(cast: Cast, comfy: Comfy) -> None:
    olga = cast.clients["olga"]
    page = olga.post("/s/studio/servers/", {"url": comfy.url, "name": "<b>mine</b>"}, follow=True).content.decode()
    assert "answers: ComfyUI 0.3.64" in page
    assert "&lt;b&gt;mine" in page
    assert "<b>mine" not in page
    row = Server.objects.get()
    assert "well" in olga.get(f"/s/studio/servers/{row.pk}/").content.decode()
    again = olga.post("/s/studio/servers/", {"url": comfy.url})
    assert (again.status_code, "already" in again.content.decode()) == (422, True)
    comfy.do(comfy.shut())
    assert "does not answer" in olga.get(f"/s/studio/servers/{row.pk}/").content.decode()
    for do, paused in (("pause", True), ("go-on", False)):
        olga.post(f"/s/studio/servers/{row.pk}/act/", {"do": do})
        assert Server.objects.get().paused == paused
    olga.post(f"/s/studio/servers/{row.pk}/act/", {"do": "remove"})
    assert not Server.objects.exists()


def form(**said: Any) -> dict[str, Any]:
    counts = {"step-TOTAL_FORMS": "1", "step-INITIAL_FORMS": "1", "name": "P", "about": ""}
    return counts | {
        f"step-0-{name}": value for name, value in ({"name": "One", "children": 2, "keep": 1} | said).items()
    }


def test_a_workflow_is_pasted_or_uploaded_and_asks_for_its_variables(cast: Cast, added: Server) -> None:
    made = keeping.make(cast.space, "P", "", [StepIn(name="One")], None)
    olga, path = cast.clients["olga"], f"/s/studio/pipelines/{made.pk}/steps/"
    assert olga.post(path, form(workflow=json.dumps(GRAPH), loras="on")).status_code == 302
    assert keeping.steps_of(keeping.newest(made))[0].template == {"workflow": GRAPH, "loras": True}
    assert 'name="said_mood"' in olga.get(f"/s/studio/pipelines/{made.pk}/").content.decode()
    assert "&quot;KSampler&quot;" in olga.get(path).content.decode()
    file = SimpleUploadedFile("w.json", json.dumps(AFTER | {"1": GRAPH["1"] | {"inputs": {}}}).encode())
    assert olga.post(path, form(workflow=json.dumps(GRAPH), workflow_file=file)).status_code == 302
    assert len(keeping.steps_of(keeping.newest(made))[0].template["workflow"]) == 2
    for bad in ('{"nodes": []}', "<script>", json.dumps(GRAPH).replace('"ada"', '"../ada"')):
        refused = olga.post(path, form(workflow=bad))
        assert refused.status_code == 422
        assert "<script>&" not in refused.content.decode()
    # A first step has no picture before it.
    assert "no picture before it" in olga.post(path, form(workflow=json.dumps(AFTER))).content.decode()


def test_a_value_cannot_lead_out_of_the_servers_folders(cast: Cast, added: Server) -> None:
    graph = GRAPH | {"5": {"class_type": "SaveImage", "inputs": {"filename_prefix": "{{where}}", "images": ["4", 0]}}}
    made = keeping.make(cast.space, "P", "", [StepIn(name="One", engine="comfyui", template={"workflow": graph})], None)
    with pytest.raises(UserError, match="leaves ComfyUI's folders"):
        runs.start(made, cast.ada, "", {"prompt": "x", "mood": "y", "where": "../../x"}, None)


def test_a_picture_by_a_workflow_is_drawn_again_and_with_other_seeds(
    cast: Cast, comfy: Comfy, added: Server, pipeline: Pipeline
) -> None:
    run = runs.start(pipeline, cast.ada, "", {"prompt": "in a park", "mood": "happy"}, None)
    growing.grow()
    carried_out()
    first = run.candidates.first()
    assert first is not None
    assert first.made is not None
    kept = Kept.objects.create(space=cast.space, made=first.made, words="ada")
    rui = cast.clients["rui"]
    for do in ("again", "more"):
        rui.post(f"/s/studio/library/{kept.pk}/act/", {"do": do})
    again, more = Order.objects.filter(tried=True).order_by("pk")
    assert jobs.Job.objects.get(key=again.key).kind == orders.KIND_ELSEWHERE
    for order in (again, more):
        draw_order(Told(), order.pk)
    assert again.made.get().sha256 == first.made.sha256
    seeds = [each.said_recipe.seed for each in more.made.all()]
    assert len(set(seeds)) == more.count > 1
    assert {graph["3"]["inputs"]["seed"] for graph in comfy.graphs.values()} >= set(seeds)


def test_the_catalogue_is_not_asked_for_what_comfyui_draws(cast: Cast, added: Server, pipeline: Pipeline) -> None:
    type(cast.ada).objects.update(base="a model that only ComfyUI has")
    cast.ada.refresh_from_db()
    with pytest.raises(UserError):
        Catalogue().find(cast.ada.base)
    assert runs.start(pipeline, cast.ada, "", {"prompt": "in a park", "mood": "happy"}, None).state == "running"


class Poor(Comfy):
    """A server that lacks a node."""

    def _answer(self, request: Request) -> Answer:
        if request.path != "/prompt":
            return super()._answer(request)
        fault = {"message": "Cannot execute because node CLIPTextEncode does not exist."}
        return wire.told({"error": fault, "node_errors": {}}, 400)


def test_what_one_server_lacks_another_draws(cast: Cast, comfy: Comfy, pipeline: Pipeline) -> None:
    with Poor() as poor:
        servers.add(cast.space, "poor", poor.url, cast.user("olga"))
        servers.add(cast.space, "well", comfy.url, cast.user("olga"))
        run = runs.start(pipeline, cast.ada, "", {"prompt": "in a park", "mood": "calm"}, cast.user("rui"))
        growing.grow()
        carried_out()
        assert set(run.candidates.values_list("state", flat=True)) == {"active"}
        Server.objects.get(name="well").delete()
        other = runs.start(pipeline, cast.ada, "", {"prompt": "at sea", "mood": "calm"}, cast.user("rui"))
        growing.grow()
        pending = other.candidates.filter(state=PENDING)[0]
        with pytest.raises(UserError, match="does not exist"):
            tasks.draw(Told(), pending.pk)


@pytest.mark.parametrize("how", ["removed", "paused", "away"])
def test_a_run_says_that_no_server_is_left(cast: Cast, added: Server, pipeline: Pipeline, how: str) -> None:
    run = runs.start(pipeline, cast.ada, "", {"prompt": "in a park", "mood": "calm"}, cast.user("rui"))
    if how == "removed":
        added.delete()
    else:
        Server.objects.update(paused=how == "paused", error="away" if how == "away" else "", asked=timezone.now())
    growing.tend()
    run.refresh_from_db()
    assert (run.state == "failed") == (how == "removed")
    page = cast.clients["rui"].get(f"/s/{cast.space.slug}/runs/{run.pk}/").content.decode()
    said = {"removed": "no ComfyUI server yet", "paused": "is paused", "away": "answered a moment ago"}
    assert said[how] in page[page.index('<div id="run"') :]


def test_many_runs_that_wait_for_servers_are_passed_over_together(
    cast: Cast, added: Server, pipeline: Pipeline, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    Server.objects.update(paused=True)
    for _ in range(20):
        runs.start(pipeline, cast.ada, "", {"prompt": "in a park", "mood": "calm"}, None)
    with django_assert_max_num_queries(25):
        assert growing.grow() == 0


def test_a_workflow_does_not_grow_without_end_by_what_is_filled_in(cast: Cast, added: Server) -> None:
    graph = {"1": {"class_type": "E", "inputs": {"text": "{{prompt}}" * 2000}}}
    steps = [StepIn(name="D", engine="comfyui", template={"workflow": graph})]
    swollen = keeping.make(cast.space, "C", "", steps, None)
    with pytest.raises(UserError, match="with all that is filled in"):
        runs.start(swollen, cast.ada, "", {"prompt": "x" * 2000}, None)
