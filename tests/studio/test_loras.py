"""The library of LoRAs: what comes in, who draws with it, which version takes over."""

import errno
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests import tiny
from tests.studio.conftest import Cast, Told
from tests.wheel.cast import picture
from zoetrope.errors import UserError
from zoetrope.media.hashing import hash_file
from zoetrope.models.catalogue import Catalogue
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.loras import bridge
from zoetrope.studio.loras.library import card_of, path_of, retire, take
from zoetrope.studio.loras.models import Lora, Origin, Worn
from zoetrope.studio.loras.wearing import wear
from zoetrope.studio.making.models import Order
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import begin, told_persona, workspace_of
from zoetrope.studio.workshop import checkpoints
from zoetrope.training.run import KEPT
from zoetrope.wheel import events as ev
from zoetrope.wheel.workspace import Workspace, round_folder


def checkpointed(cast: Cast) -> Workspace:
    """A round that was trained and exported, and kept a checkpoint on its way."""
    workspace = workspace_of(cast.ada)
    training = round_folder(workspace, 1) / "training"
    (training / KEPT).mkdir(parents=True)
    shutil.copy(tiny.saved_lora("dev", seed=9), training / KEPT / "000200.safetensors")
    shutil.copy(tiny.saved_lora("dev", seed=1), training / "ada.safetensors")
    (training / "ada.json").write_text(json.dumps(sheet(training / "ada.safetensors", 1)))
    workspace.record(
        [ev.Trained(round=1, dataset="0" * 64, lora="0" * 64), ev.Exported(round=1, version=1, sha256="0" * 64)]
    )
    return workspace


@pytest.fixture(autouse=True)
def model(own_home: Path) -> None:
    """A small base that small LoRAs fit."""
    Catalogue().add("tiny", "flux", tiny.saved("dev"))
    bridge._seen.clear()


def sheet(path: Path, version: int = 1, **more: Any) -> dict[str, Any]:
    said = {"name": "ada", "version": version, "type": "character", "trigger": "zoeada", "rank": 2}
    return said | {"base": {"model": "tiny"}, "consent": {"kind": "fictional"}, "sha256": hash_file(path)} | more


def exported(cast: Cast, version: int, card: bool = True) -> str:
    """What a turn leaves in the workspace's exports."""
    folder = workspace_of(cast.ada).folder / "exports"
    folder.mkdir(exist_ok=True)
    stem = f"ada_v{version}"
    path = folder / f"{stem}.safetensors"
    shutil.copy(tiny.saved_lora("dev", seed=version), path)
    (folder / f"{stem}.json").write_text(json.dumps(sheet(path, version)))
    if card:
        (folder / f"{stem}.png").write_bytes(picture(version))
    return stem


def upload(client: Client, **fields: Any) -> Any:
    return client.post("/s/studio/loras/add/", fields)


def sent(path: Path, name: str = "mine.safetensors") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, path.read_bytes())


def worn(cast: Cast) -> list[tuple[str, float, bool]]:
    return [(str(each.lora), each.weight, each.primary) for each in cast.ada.worn.select_related("lora")]


def test_an_export_comes_into_the_library_by_itself(cast: Cast) -> None:
    exported(cast, 1)
    bridge.look()
    bridge.look()
    job = jobs.Job.objects.get()
    assert (job.kind, job.args) == ("bring-lora", {"persona": cast.ada.pk, "stem": "ada_v1"})
    bridge.bring(Told(), **job.args)
    lora = Lora.objects.get()
    assert (str(lora), lora.base, lora.consent, lora.persona) == ("ada v1", "tiny", "fictional", cast.ada)
    assert hash_file(path_of(lora)) == lora.sha256
    assert card_of(lora).read_bytes() == picture(1)
    assert worn(cast) == [("ada v1", 1.0, True)]
    bridge.look()
    assert jobs.Job.objects.count() == 1


def test_what_is_broken_in_one_persona_leaves_the_others(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(cast.space, told_persona("aaron", "drawn", "", "nano-flux", "fictional"), "Aaron")
    exported(cast, 1)
    (workspace_of(cast.ada).folder / "exports" / "broken.json").symlink_to("nowhere.json")
    sheets = bridge._sheets

    def failing(persona: Persona) -> list[Path]:
        if persona.name == "aaron":
            raise OSError(errno.EIO, "Input/output error")
        return sheets(persona)

    monkeypatch.setattr(bridge, "_sheets", failing)
    bridge.look()
    assert [job.args["stem"] for job in jobs.Job.objects.all()] == ["ada_v1"]


def test_a_card_that_is_drawn_later_is_fetched_too(cast: Cast) -> None:
    stem = exported(cast, 1, card=False)
    bridge.look()
    bridge.import_export(cast.ada, stem, Origin.folder)
    assert Lora.objects.get().card == ""
    exported(cast, 1)
    bridge.look()
    assert jobs.Job.objects.count() == 2
    bridge.import_all(cast.ada, Origin.turn)
    assert card_of(Lora.objects.get()).is_file()


def test_a_new_version_takes_over_with_the_weight_of_the_old(cast: Cast) -> None:
    first = bridge.import_export(cast.ada, exported(cast, 1), Origin.turn)
    wear(cast.ada, first, 0.8)
    bridge.import_export(cast.ada, exported(cast, 2), Origin.turn)
    assert worn(cast) == [("ada v2", 0.8, True)]
    # The old one stays in the library, and does not come back by itself.
    bridge.import_export(cast.ada, "ada_v1", Origin.folder)
    assert worn(cast) == [("ada v2", 0.8, True)]
    assert Lora.objects.count() == 2


def test_a_choice_of_ones_own_is_not_overruled(cast: Cast) -> None:
    path = tiny.saved_lora("dev", seed=9)
    own = take(cast.space, path, sheet(path, name="other"), Origin.upload)
    wear(cast.ada, own, primary=True)
    bridge.import_export(cast.ada, exported(cast, 1), Origin.turn)
    assert worn(cast) == [("other v1", 1.0, True)]


def test_what_does_not_fit_or_is_not_what_it_says_is_refused(cast: Cast, tmp_path: Path) -> None:
    path = tiny.saved_lora("dev")
    for said, reason in (
        (sheet(path, sha256="0" * 64), "their hashes differ"),
        (sheet(path, base={"model": "nano-flux"}), "does not fit nano-flux"),
        (sheet(path, base={"model": "gone"}), "no model called"),
        (sheet(path, type="poem"), "type"),
        ({"name": "ada"}, "type"),
    ):
        with pytest.raises(UserError, match=reason):
            take(cast.space, path, said, Origin.upload)
    bomb = tmp_path / "bomb.safetensors"
    bomb.write_bytes((2**62).to_bytes(8, "little") + b"{}")
    with pytest.raises(UserError, match="not a safetensors file"):
        take(cast.space, bomb, sheet(bomb), Origin.upload)
    assert not Lora.objects.exists()
    assert not list((path_of(Lora(sha256="0")).parent).glob("*.safetensors"))


def test_an_upload_needs_a_sheet_or_the_same_in_words(cast: Cast, tmp_path: Path) -> None:
    olga, path = cast.clients["olga"], tiny.saved_lora("dev")
    bare = upload(olga, lora=sent(path))
    assert bare.status_code == 422
    assert "type: field required" in bare.content.decode()
    said = {"kind": "style", "base": "tiny", "name": "<b>ink</b>", "trigger": "inkstyle"}
    assert upload(olga, lora=sent(path, "../../up.safetensors"), **said).status_code == 302
    lora = Lora.objects.get()
    assert (lora.name, lora.kind, lora.origin) == ("<b>ink</b>", "style", "upload")
    page = olga.get(f"/s/studio/loras/{lora.pk}/").content.decode()
    assert "&lt;b&gt;ink" in page
    assert "<b>ink" not in page
    refused = upload(olga, lora=sent(path, "x.ckpt"), **said)
    assert refused.status_code == 422
    assert "x.ckpt is not a .safetensors file" in refused.content.decode()
    assert str(path_of(lora).parent) not in refused.content.decode()
    pair = {"sheet": SimpleUploadedFile("a.json", json.dumps(sheet(tiny.saved_lora("dev", seed=3))).encode())}
    assert upload(olga, lora=sent(tiny.saved_lora("dev", seed=3)), **pair).status_code == 302
    assert str(Lora.objects.first()) == "ada v1"
    broken = SimpleUploadedFile("a.json", b"[" * 9999)
    assert upload(olga, lora=sent(path), sheet=broken).status_code == 422


@pytest.mark.parametrize(
    "lie", ["NaN", "1e400", r'"\u0000"', r'"\\\u0000"', r'"\ud800"', "[" * 99999, "[" * 200 + "]" * 200]
)
def test_a_sheet_that_no_database_keeps_is_refused(cast: Cast, lie: str) -> None:
    path = tiny.saved_lora("dev")
    said = json.dumps(sheet(path) | {"settings": "LIE"}).replace('"LIE"', lie)
    refused = upload(cast.clients["olga"], lora=sent(path), sheet=SimpleUploadedFile("a.json", said.encode()))
    assert (refused.status_code, "a.json is no" in refused.content.decode()) == (422, True)
    assert not list(path_of(Lora(sha256="0")).parent.glob("*"))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"items": 1, "steps": 900}, "<dt>Steps</dt><dd>900</dd>"),
        ({"resolutions": [512, 768]}, "<dt>Resolution</dt><dd>512, 768</dd>"),
        ([1], "<dt>Size</dt>"),
    ],
)
def test_a_page_shows_whatever_a_sheet_says(cast: Cast, settings: object, told: str) -> None:
    path = tiny.saved_lora("dev")
    lora = take(cast.space, path, sheet(path, settings=settings), Origin.upload)
    assert told in cast.clients["vic"].get(f"/s/studio/loras/{lora.pk}/").content.decode()


def test_a_card_that_is_none_leaves_nothing(cast: Cast, own_home: Path) -> None:
    said = {"name": "ada", "type": "character", "base": "tiny", "lora": sent(tiny.saved_lora("dev"))}
    refused = cast.clients["olga"].post(
        "/api/spaces/studio/loras", said | {"card": SimpleUploadedFile("shown.png", b"not a picture")}
    )
    assert (refused.status_code, refused.json()["detail"].startswith("shown.png: ")) == (400, True)
    assert str(own_home) not in refused.json()["detail"]
    assert not Lora.objects.exists()


def test_sent_again_with_other_words_those_count(cast: Cast) -> None:
    olga, path = cast.clients["olga"], tiny.saved_lora("dev")
    said = {"name": "ink", "kind": "style", "base": "tiny", "trigger": "inkstyle"}
    upload(olga, lora=sent(path), **said)
    upload(olga, lora=sent(path), **said | {"name": "pen", "consent": "granted"})
    lora = Lora.objects.get()
    assert (lora.name, lora.consent, lora.sheet["name"], lora.trigger) == ("pen", "granted", "pen", "inkstyle")


def test_what_a_workspace_exported_is_not_said_otherwise(cast: Cast) -> None:
    stem = exported(cast, 1)
    lora = bridge.import_export(cast.ada, stem, Origin.turn)
    said = {"name": "other", "kind": "style", "base": "tiny"}
    refused = upload(cast.clients["olga"], lora=sent(path_of(lora)), **said)
    assert (refused.status_code, "it is ada v1" in refused.content.decode()) == (422, True)
    pair = SimpleUploadedFile("a.json", (workspace_of(cast.ada).folder / "exports" / f"{stem}.json").read_bytes())
    assert upload(cast.clients["olga"], lora=sent(path_of(lora)), sheet=pair).status_code == 302
    assert (Lora.objects.get().name, Lora.objects.get().kind) == ("ada", "character")


def test_a_persona_that_is_taken_in_again_finds_its_loras(cast: Cast) -> None:
    lora = bridge.import_export(cast.ada, exported(cast, 1), Origin.turn)
    cast.clients["olga"].post("/s/studio/p/ada/take-out/")
    bridge.look()
    assert not jobs.Job.objects.exists()
    cast.clients["olga"].post("/s/studio/adopt/", {"folder": "ada"})
    bridge.look()
    bridge.bring(Told(), **jobs.Job.objects.get().args)
    again = Persona.objects.get(name="ada")
    assert [(each.lora, each.primary) for each in again.worn.all()] == [(lora, True)]
    assert Lora.objects.get().persona == again


def test_the_address_says_whom_a_lora_is_put_on(cast: Cast) -> None:
    path = tiny.saved_lora("dev")
    lora = take(cast.space, path, sheet(path), Origin.upload)
    begin(cast.space, told_persona("bo", "drawn", "", "nano-flux", "fictional"), "Bo")
    said = {"do": "wear", "persona": "bo", "lora": lora.pk, "weight": "1"}
    cast.clients["olga"].post("/s/studio/p/ada/loras/", said)
    assert [each.persona for each in Worn.objects.all()] == [cast.ada]


def test_one_is_put_on_weighed_and_taken_off(cast: Cast) -> None:
    path = tiny.saved_lora("dev")
    lora = take(cast.space, path, sheet(path), Origin.upload)
    act = f"/s/studio/loras/{lora.pk}/act/"
    olga = cast.clients["olga"]
    assert olga.post(act, {"do": "wear", "persona": "ada", "weight": "0.5", "primary": "on"}).status_code == 302
    assert worn(cast) == [("ada v1", 0.5, True)]
    assert olga.post(act, {"do": "wear", "persona": "ada", "weight": "9"}).status_code == 400
    assert olga.post(act, {"do": "eat"}).status_code == 404
    assert worn(cast) == [("ada v1", 0.5, True)]
    assert "at 0.5" in cast.clients["vic"].get("/s/studio/p/ada/loras/").content.decode()
    address = "/s/studio/p/ada/loras/"
    olga.post(address, {"do": "wear", "lora": lora.pk, "weight": "0.6"})
    assert worn(cast) == [("ada v1", 0.6, True)]
    olga.post(address, {"do": "off", "lora": lora.pk})
    assert worn(cast) == []


def test_only_one_is_the_primary(cast: Cast) -> None:
    both = [tiny.saved_lora("dev", seed=seed) for seed in (1, 2)]
    first, second = (take(cast.space, path, sheet(path, n), Origin.upload) for n, path in enumerate(both, start=1))
    wear(cast.ada, first, primary=True)
    wear(cast.ada, second, primary=True)
    assert [each.lora for each in Worn.objects.filter(primary=True)] == [second]
    foreign = Lora.objects.create(space=cast.user("sam").spaces.get(), sha256="1", size=1)
    with pytest.raises(UserError, match="not in this space"):
        wear(cast.ada, foreign)


def test_a_retired_one_can_be_brought_back(cast: Cast) -> None:
    path = tiny.saved_lora("dev")
    lora = take(cast.space, path, sheet(path), Origin.upload)
    wear(cast.ada, lora)
    olga, act = cast.clients["olga"], f"/s/studio/loras/{lora.pk}/act/"
    olga.post(act, {"do": "retire"})
    assert worn(cast) == []
    assert ">ada v1<" not in olga.get("/s/studio/loras/").content.decode()
    assert path_of(lora).is_file()
    assert "?retired=1" in olga.get("/s/studio/loras/").content.decode()
    assert ">ada v1<" in olga.get("/s/studio/loras/?retired=1").content.decode()
    olga.post(act, {"do": "restore"})
    assert ">ada v1<" not in olga.get("/s/studio/loras/?retired=1").content.decode()
    assert ">ada v1<" in olga.get("/s/studio/loras/").content.decode()
    retire(lora)
    take(cast.space, path, sheet(path), Origin.upload)
    assert Lora.objects.get().retired is None, "sent again, it is wanted again"


def test_the_library_is_searched(cast: Cast) -> None:
    for seed, name in ((1, "ada"), (2, "ink")):
        path = tiny.saved_lora("dev", seed=seed)
        take(cast.space, path, sheet(path, name=name, trigger=name), Origin.upload)
    vic = cast.clients["vic"]
    assert ">ink v1<" not in vic.get("/s/studio/loras/?q=ada").content.decode()
    assert "Nothing found" in vic.get("/s/studio/loras/?q=nobody&kind=style").content.decode()
    assert "No LoRA yet" in cast.clients["sam"].get("/s/elsewhere/loras/").content.decode()


def trial(**more: Any) -> dict[str, Any]:
    return {
        "prompt": "zoeada, smiling",
        "model": "tiny",
        "count": 2,
        "seed": 3,
        "steps": 2,
        "width": 32,
        "height": 32,
    } | more


def test_a_drawing_is_ordered_with_any_stack(cast: Cast) -> None:
    paths = [tiny.saved_lora("dev", seed=seed) for seed in (1, 2)]
    loras = [take(cast.space, path, sheet(path, n), Origin.upload) for n, path in enumerate(paths, start=1)]
    stack = {"lora_0": loras[0].pk, "weight_0": "0.5", "lora_1": loras[1].pk}
    assert cast.clients["rui"].post("/s/studio/p/ada/try/", trial(**stack)).status_code == 302
    order = Order.objects.get()
    uses = [(use.name, use.sha256, use.weight) for use in order.said_recipe.loras]
    assert uses == [("ada v1", loras[0].sha256, 0.5), ("ada v2", loras[1].sha256, 1.0)]
    assert (order.persona, order.count, jobs.Job.objects.get().kind) == (cast.ada, 2, "draw")
    page = cast.clients["vic"].get("/s/studio/p/ada/try/").content.decode()
    assert "ada v1 at 0.5" in page
    assert f"/s/studio/try/{order.pk}/" in page, "it looks again by itself"
    jobs.cancel(jobs.Job.objects.get())
    assert "Cancelled." in cast.clients["vic"].get(f"/s/studio/try/{order.pk}/").content.decode()


def test_what_cannot_be_drawn_is_told_at_once(cast: Cast) -> None:
    path = tiny.saved_lora("dev")
    lora = take(cast.space, path, sheet(path), Origin.upload)
    rui = cast.clients["rui"]
    for said, reason in (
        ({"lora_0": lora.pk, "lora_1": lora.pk}, "chosen twice"),
        ({"lora_0": lora.pk, "model": "nano-flux", "width": "", "height": ""}, "does not fit nano-flux"),
        ({"width": "33"}, "must be multiples"),
        ({"count": "9"}, "less than or equal to 8"),
    ):
        answer = rui.post("/s/studio/try/", trial(**said))
        assert answer.status_code == 422, said
        assert reason in answer.content.decode()
    path_of(lora).unlink()
    assert "is missing" in rui.post("/s/studio/try/", trial(lora_0=lora.pk)).content.decode()
    assert not Order.objects.exists()


def test_the_page_begins_with_what_the_persona_wears(cast: Cast) -> None:
    path = tiny.saved_lora("dev")
    lora = take(cast.space, path, sheet(path), Origin.upload)
    wear(cast.ada, lora, 0.9, primary=True)
    cast.ada.drawing = {"steps": 7}
    cast.ada.save()
    page = cast.clients["rui"].get("/s/studio/p/ada/try/").content.decode()
    assert f'<option value="{lora.pk}" selected>' in page
    assert 'value="0.9"' in page
    assert 'name="steps" value="7"' in page


def test_a_full_disk_is_no_mistake_of_a_program(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*said: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("zoetrope.studio.loras.library.shutil.copyfileobj", full)
    said = {"name": "ada", "type": "character", "base": "tiny", "lora": sent(tiny.saved_lora("dev"))}
    answer = cast.clients["olga"].post("/api/spaces/studio/loras", said)
    assert (answer.status_code, "could not be kept" in answer.json()["detail"]) == (503, True)
    assert not Lora.objects.exists()


def test_programs_use_the_library(cast: Cast) -> None:
    olga = cast.clients["olga"]
    said = {"name": "ada", "type": "character", "base": "tiny"}
    answer = olga.post("/api/spaces/studio/loras", said | {"lora": sent(tiny.saved_lora("dev"))})
    assert answer.status_code == 201, answer.content
    lora = answer.json()["id"]
    wearing = f"/api/spaces/studio/personas/ada/loras/{lora}"
    assert olga.put(wearing, {"weight": 0.5, "primary": True}, "application/json").json()["weight"] == 0.5
    assert olga.get("/api/spaces/studio/personas/ada/loras").json()[0]["lora"]["name"] == "ada"
    asked = trial(loras=[{"lora": lora, "weight": 0.5}], persona="ada")
    assert olga.post("/api/spaces/studio/orders", asked | {"step": 3}, "application/json").status_code == 422
    assert olga.post("/api/spaces/studio/orders", asked, "application/json").status_code == 201
    assert olga.delete(wearing).status_code == 204
    file = olga.get(f"/api/spaces/studio/loras/{lora}/files/safetensors")
    assert b"".join(file) == tiny.saved_lora("dev").read_bytes()
    assert olga.get(f"/api/spaces/studio/loras/{lora}/files/png").status_code == 404
    assert olga.delete(f"/api/spaces/studio/loras/{lora}").json()["retired"]
    assert olga.get("/api/spaces/studio/loras").json() == []
    assert [each["id"] for each in olga.get("/api/spaces/studio/loras?retired=true").json()] == [lora]
    misspelt = said | {"lora": sent(tiny.saved_lora("dev")), "tigger": "zoeada"}
    assert "tigger" in olga.post("/api/spaces/studio/loras", misspelt).content.decode()
    assert olga.post(f"/api/spaces/studio/loras/{lora}/restore").json()["retired"] is None


def test_earlier_checkpoints_are_brought_in_to_be_compared(cast: Cast) -> None:
    checkpointed(cast)
    assert checkpoints.KEPT == KEPT
    olga, turns = cast.clients["olga"], "/s/studio/p/ada/turns/"
    assert "Compare them" in olga.get(turns).content.decode()
    assert "Compare them" not in cast.clients["vic"].get(turns).content.decode()
    answer = olga.post(turns, {"checkpoints": "1"})
    assert answer.headers["Location"] == "/s/studio/p/ada/compare/"
    lora = Lora.objects.get()
    assert (str(lora), lora.persona, lora.sheet["steps"]) == ("ada at 200 v1", cast.ada, 200)
    assert worn(cast) == [], "nobody draws with it unless told to"
    again = olga.post("/api/spaces/studio/personas/ada/turns/1/checkpoints")
    assert [each["id"] for each in again.json()] == [lora.pk]
    for number in ("2", "nine"):
        assert olga.post(turns, {"checkpoints": number}).status_code == 400
