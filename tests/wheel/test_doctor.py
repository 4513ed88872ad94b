"""What crashes leave behind is put right without losing a picture; what a person did is only told."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.wheel import cast
from zoetrope.errors import UserError
from zoetrope.wheel import events as ev
from zoetrope.wheel.doctor import examine, healthy
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.workspace import PERSONA, Workspace

# Adds pictures, and stops for good just before the event.
KILLED = """
import sys, time
from pathlib import Path
from zoetrope.wheel.events import EventLog
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.workspace import Workspace

def stop(log, events):
    print("copied", flush=True)
    time.sleep(600)

EventLog.append = stop
add_sources(Workspace(Path(sys.argv[1])), [Path(sys.argv[2])])
"""


@pytest.fixture
def ada(tmp_path: Path) -> Workspace:
    workspace = cast.ada(tmp_path / "ada")
    add_sources(workspace, [cast.folder(tmp_path / "drawings")])
    return workspace


def killed_while_adding(ada: Workspace, given: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(ada.folder), str(given)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "copied\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_what_a_killed_add_copied_is_put_aside(ada: Workspace, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "new.png").write_bytes(cast.picture(20))
    (given / "new.txt").write_text("portrait of ada, new", encoding="utf-8")
    killed_while_adding(ada, given)
    assert (ada.folder / "sources" / "new.png").is_file()
    findings = examine(ada)
    assert [(finding.what.split(" and ")[0], finding.mended) for finding in findings] == [
        ("sources/new.png was left by an interrupted command", True)
    ]
    assert (ada.folder / "strays" / "new.png").read_bytes() == cast.picture(20)
    assert (ada.folder / "strays" / "new.txt").read_text(encoding="utf-8") == "portrait of ada, new\n"
    assert examine(ada) == []
    assert add_sources(ada, [given]).added == ("new.png",)
    assert list(ada.state().pictures.values())[-1].file == "sources/new.png"


def test_the_next_add_clears_the_way_itself_and_no_stray_replaces_another(ada: Workspace, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    for seed in (20, 21):
        (given / "new.png").write_bytes(cast.picture(seed))
        killed_while_adding(ada, given)
    (given / "new.png").write_bytes(cast.picture(22))
    add_sources(ada, [given])
    assert list(ada.state().pictures.values())[-1].file == "sources/new.png"
    strays = [(ada.folder / "strays" / name).read_bytes() for name in ("new.png", "new-2.png")]
    assert strays == [cast.picture(20), cast.picture(21)]
    assert examine(ada) == []


def test_a_picture_that_a_person_put_there_is_told_and_left(ada: Workspace) -> None:
    path = ada.folder / "sources" / "mine.png"
    path.write_bytes(cast.picture(20))
    assert [(finding.what, finding.mended) for finding in examine(ada)] == [
        ("sources/mine.png is in no event: `zoetrope persona add` it, or remove it.", False)
    ]
    assert path.is_file()


def test_a_made_picture_without_an_event_is_put_aside_with_its_recipe(ada: Workspace) -> None:
    sha256, file = ada.store(cast.picture(20), "{}")
    other = ada.folder / "pictures" / "aa" / f"{'a' * 64}.png"
    other.parent.mkdir(parents=True, exist_ok=True)
    other.write_bytes(cast.picture(21))
    findings = examine(ada)
    assert sorted((finding.mended, finding.what.split(" ")[0]) for finding in findings) == [
        (False, f"pictures/aa/{'a' * 64}.png"),
        (True, file),
    ]
    assert sorted(path.name for path in (ada.folder / "strays").iterdir()) == [f"{sha256}.json", f"{sha256}.png"]


def test_an_interrupted_training_needs_nobody(ada: Workspace) -> None:
    _checkpoint(ada, 7)
    findings = examine(ada)
    assert [finding.what for finding in findings] == [
        "The training of round 001 stopped at step 7: `zoetrope train ada` goes on."
    ]
    assert healthy(findings)
    (ada.folder / "rounds" / "001" / "training" / "state.safetensors").write_bytes(b"half")
    assert not healthy(examine(ada))


def _checkpoint(ada: Workspace, step: int) -> None:
    import torch
    from safetensors.torch import save_file

    folder = ada.folder / "rounds" / "001" / "training"
    folder.mkdir(parents=True)
    save_file({"weight.a": torch.zeros(2)}, folder / "state.safetensors", {"progress": json.dumps({"step": step})})


def test_exports_are_held_against_the_record(ada: Workspace) -> None:
    training, exports = ada.folder / "rounds" / "001" / "training", ada.folder / "exports"
    training.mkdir(parents=True)
    (training / "ada.safetensors").write_bytes(b"lora")
    from zoetrope.media.hashing import hash_bytes

    sha256 = hash_bytes(b"lora")
    ada.record([ev.Trained(round=1, dataset="d", lora=sha256), ev.Exported(round=1, version=1, sha256=sha256)])
    exports.mkdir()
    (exports / "ada_v1.json").write_text(json.dumps({"sha256": sha256}), encoding="utf-8")
    assert [finding.mended for finding in examine(ada)] == [True], "a missing one is copied from its round"
    assert (exports / "ada_v1.safetensors").read_bytes() == b"lora"
    assert examine(ada) == []
    (exports / "ada_v1.safetensors").write_bytes(b"other")
    assert [finding.what.split(":")[0] for finding in examine(ada)] == ["exports/ada_v1.safetensors was altered"]
    (exports / "ada_v1.safetensors").unlink()
    (training / "ada.safetensors").unlink()
    assert [finding.what for finding in examine(ada)] == ["exports/ada_v1.safetensors is missing: put it back."]
    (exports / "ada_v1.json").write_text(json.dumps({"sha256": "0"}), encoding="utf-8")
    assert "exports/ada_v1.json is of another LoRA" in [finding.what.split(":")[0] for finding in examine(ada)]
    (exports / "ada_v1.json").unlink()
    assert "exports/ada_v1.json is missing" in [finding.what.split(":")[0] for finding in examine(ada)]


@pytest.mark.parametrize(
    "said", [None, "[1]", '{"scores": 5, "pictures": []}', '{"scores": {}, "pictures": [{"scene": "a"}]}']
)
def test_a_recorded_card_that_is_not_whole_is_told(ada: Workspace, said: str | None) -> None:
    card = ada.folder / "rounds" / "001" / "card"
    card.mkdir(parents=True)
    if said is not None:
        (card / "card.json").write_text(said, encoding="utf-8")
    ada.record([ev.Carded(round=1, scores={})])
    assert [finding.what.split(":")[0] for finding in examine(ada)] == ["The card of round 1 is not whole"]
    (card / "card.json").write_text('{"scores": {}, "pictures": [{"scene": "a"}]}', encoding="utf-8")
    (card / "a.png").write_bytes(cast.picture(1))
    assert examine(ada) == []


@pytest.mark.parametrize("name", ["rounds/001/card/card.json", "rounds/001/manifest.json", "exports/ada_v1.json"])
def test_damaged_json_is_named(ada: Workspace, name: str) -> None:
    path = ada.folder / name
    path.parent.mkdir(parents=True)
    path.write_text('{"torn', encoding="utf-8")
    assert [(finding.what.split(":")[0], finding.mended) for finding in examine(ada)] == [(f"{name} is damaged", False)]


def test_a_damaged_recipe_is_written_again_from_its_picture(ada: Workspace) -> None:
    import io

    from PIL import Image

    from zoetrope.media.recipe import ModelRef, Recipe, png_bytes

    model = ModelRef(name="m", family="flux", sha256="0" * 64)
    recipe = Recipe(model=model, prompt="ada", seed=1, steps=1, guidance=1.0, width=64, height=64)
    sha256, file = ada.store(png_bytes(Image.open(io.BytesIO(cast.picture(20))), recipe), recipe.to_json())
    ada.record([ev.Added(sha256=sha256, file=file, origin=ev.Origin.synthetic)])
    assert examine(ada) == []
    sidecar = (ada.folder / file).with_suffix(".json")
    sidecar.write_text("{", encoding="utf-8")
    assert [finding.mended for finding in examine(ada)] == [True]
    assert sidecar.read_text(encoding="utf-8") == recipe.to_json()
    sidecar.unlink()
    assert [finding.mended for finding in examine(ada)] == [True]
    assert sidecar.read_text(encoding="utf-8") == recipe.to_json()


def test_a_running_training_is_left_alone(ada: Workspace) -> None:
    half = ada.folder / "rounds" / "001" / ".abc.tmp"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    with ada.training():
        findings = examine(Workspace(ada.folder))
    assert half.is_file()
    assert healthy(findings)
    assert "is being trained" in findings[0].what
    assert [finding.mended for finding in examine(ada)] == [True]
    assert not half.exists()


def test_a_change_by_hand_after_a_recorded_one_is_taken_in(ada: Workspace) -> None:
    assert [event.kind for event in ada.change(trigger="zoeada")] == ["changed"]
    assert ada.change(trigger="zoeada") == []
    toml = ada.folder / PERSONA
    toml.write_text(toml.read_text(encoding="utf-8").replace("zoeada", "adazoe"), encoding="utf-8")
    assert [finding.mended for finding in examine(ada)] == [True]
    changed = [(event.before, event.after) for event in ada.log.read() if isinstance(event, ev.Changed)]
    assert changed == [("ada", "zoeada"), ("zoeada", "adazoe")]
    assert examine(ada) == []


def test_a_name_changed_by_hand_is_told(ada: Workspace) -> None:
    toml = ada.folder / PERSONA
    toml.write_text(toml.read_text(encoding="utf-8").replace('name = "ada"', 'name = "eve"'), encoding="utf-8")
    [finding] = examine(ada)
    assert (finding.what, finding.mended) == (
        "persona.toml says eve, and it was begun as ada: put that name back there.",
        False,
    )


def test_a_strangers_change_of_nothing_is_passed_over(ada: Workspace) -> None:
    ada.record([ev.Changed(field="shoes", before="red", after="blue")])
    assert examine(ada) == []
    with pytest.raises(UserError, match="shoes"):
        ada.undo()


def test_a_missing_caption_is_told_and_written_again_when_asked(ada: Workspace) -> None:
    entry = next(iter(ada.state().pictures.values()))
    ada.caption_path(entry).unlink()
    [finding] = examine(ada)
    assert finding.what == "sources/ada-0.txt is missing: `zoetrope persona doctor ada --rebuild` writes it again."
    assert not healthy([finding])
    assert [finding.mended for finding in examine(ada, rebuild=True)] == [True]
    assert examine(ada) == []
