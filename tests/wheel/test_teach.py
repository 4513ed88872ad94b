"""A round's training: only what was kept, the next version exported, one at a time."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock
from safetensors.torch import load_file
from torch import Tensor

from tests import tiny
from tests.wheel import cast
from zoetrope.errors import UserError
from zoetrope.media.hashing import hash_bytes, hash_file
from zoetrope.models.catalogue import Catalogue
from zoetrope.models.loras import open_lora
from zoetrope.training.loop import Moment
from zoetrope.training.preflight import Preflight
from zoetrope.wheel import events as ev
from zoetrope.wheel import review
from zoetrope.wheel.doctor import examine
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.persona import make_persona
from zoetrope.wheel.state import Decision, Entry, State
from zoetrope.wheel.teach import SOURCES_SHARE, chosen_entries, publish, repeats_of, teach, training_of
from zoetrope.wheel.workspace import Workspace, new_workspace

QUICK: dict[str, object] = {"steps": 4, "rank": 2, "lr": 0.02, "resolutions": (32,), "precision": "fp32"}


class Silent:
    def preflight(self, said: Preflight) -> None: ...

    def stage(self, name: str, done: int, total: int) -> None: ...

    def moment(self, moment: Moment) -> None: ...


@pytest.fixture
def ada(tmp_path: Path) -> Workspace:
    Catalogue().add("dev", "flux", tiny.copied("dev", tmp_path / "model"))
    persona = make_persona(name="ada", kind="drawn", trigger="ada", base="dev", consent={"kind": "fictional"})
    workspace = new_workspace(tmp_path / "ada", persona)
    add_sources(workspace, [cast.folder(tmp_path / "drawings", 4)])
    return workspace


def test_only_what_was_kept_is_learned_and_exported(ada: Workspace) -> None:
    first, second, third, _ = ada.state().pictures.values()
    review.keep(ada, [first, second], "person")
    review.reject(ada, [third], ev.Reason.hands, "person")
    sheet = teach(ada, QUICK, Silent())
    manifest = json.loads((ada.folder / "rounds" / "001" / "manifest.json").read_text(encoding="utf-8"))
    assert [each["sha256"] for each in manifest["pictures"]] == [first.sha256, second.sha256]
    file = ada.folder / "exports" / "ada_v1.safetensors"
    told = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
    assert open_lora(file).sha256 == told["sha256"] == sheet["sha256"] == ada.state().versions[0].sha256
    assert (told["version"], told["trigger"], told["consent"]["kind"]) == (1, "ada", "fictional")
    assert told["base"]["sha256"] == Catalogue().find("dev").sha256
    assert teach(ada, QUICK | {"steps": 6}, Silent())["version"] == 2
    assert examine(ada) == []


def change(path: Path) -> Tensor:
    """What a LoRA adds to its first layer."""
    state = load_file(path)
    down = sorted(name for name in state if ".lora_A." in name)[0]
    return state[down.replace(".lora_A.", ".lora_B.")].float() @ state[down].float()


def drawn(ada: Workspace, seed: int = 20) -> None:
    """The next round has a picture by a version, and it was kept."""
    data = cast.picture(seed)
    file = f"pictures/{hash_bytes(data)[:2]}/{hash_bytes(data)}.png"
    (ada.folder / file).parent.mkdir(parents=True, exist_ok=True)
    (ada.folder / file).write_bytes(data)
    added = ev.Added(sha256=hash_bytes(data), file=file, origin=ev.Origin.synthetic, round=1, depth=1)
    said = ev.Captioned(sha256=hash_bytes(data), text="ada, by herself", by="wheel")
    closed = ev.Closed(round=ada.state().round, verdict="done")
    ada.record([added, said, ev.Kept(sha256=hash_bytes(data), by="person"), closed])


def test_a_later_version_keeps_a_share_of_what_the_same_sources_taught_alone(ada: Workspace) -> None:
    review.keep(ada, list(ada.state().pictures.values()), "person")
    first = teach(ada, QUICK, Silent())
    assert "beside" not in first
    drawn(ada)
    second = teach(ada, QUICK, Silent())
    assert second["beside"] == [{"version": 1, "sha256": first["sha256"], "share": SOURCES_SHARE}]
    assert second["rank"] == 2 * first["rank"]
    assert open_lora(ada.folder / "exports" / "ada_v2.safetensors").sha256 == second["sha256"]


def test_a_third_version_keeps_as_much_of_the_round_before_as_of_its_own(ada: Workspace) -> None:
    review.keep(ada, list(ada.state().pictures.values()), "person")
    first = teach(ada, QUICK, Silent())
    drawn(ada)
    teach(ada, QUICK, Silent())
    drawn(ada, 21)
    third = teach(ada, QUICK, Silent())
    rounds = [ada.folder / "rounds" / f"00{number}" / "training" / "ada.safetensors" for number in (1, 2, 3)]
    assert third["beside"] == [
        {"version": 2, "sha256": hash_file(rounds[1]), "share": (1 - SOURCES_SHARE) / 2},
        {"version": 1, "sha256": hash_file(rounds[0]), "share": SOURCES_SHARE},
    ]
    assert third["rank"] == 3 * first["rank"]
    own, before, plain, mixed = (change(path) for path in (*reversed(rounds), ada.folder / "exports" / third["file"]))
    wanted = 0.3 * own + 0.3 * before + 0.4 * plain
    assert (mixed - wanted).norm() < 0.01 * wanted.norm()
    drawn(ada, 22)
    fourth = teach(ada, QUICK, Silent())
    assert [each["version"] for each in fourth["beside"]] == [3, 1], "and not more with every round"
    assert fourth["rank"] == third["rank"]


def test_of_a_round_whose_checkpoint_was_chosen_the_chosen_one_is_kept(ada: Workspace) -> None:
    review.keep(ada, list(ada.state().pictures.values()), "person")
    teach(ada, QUICK, Silent())
    drawn(ada)
    second = teach(ada, QUICK | {"keep_every": 2}, Silent())
    run = ada.folder / "rounds" / "002" / "training"
    early = run / "checkpoints" / "000002.safetensors"
    publish(ada, early, second | {"steps": 2, "rank": QUICK["rank"]}, 2)
    assert training_of(ada, ada.state().versions[-1]) == early
    drawn(ada, 21)
    assert teach(ada, QUICK, Silent())["beside"][0] == {"version": 3, "sha256": hash_file(early), "share": 0.3}


def test_a_training_that_was_thrown_away_is_not_missed(ada: Workspace) -> None:
    review.keep(ada, list(ada.state().pictures.values()), "person")
    teach(ada, QUICK, Silent())
    drawn(ada)
    teach(ada, QUICK, Silent())
    shutil.rmtree(ada.folder / "rounds" / "002" / "training")
    drawn(ada, 21)
    assert [each["version"] for each in teach(ada, QUICK, Silent())["beside"]] == [1]


@pytest.mark.parametrize("file", ["rounds/001/manifest.json", "exports/ada_v1.json"])
def test_a_damaged_file_of_an_earlier_round_is_told_before_the_training(ada: Workspace, file: str) -> None:
    review.keep(ada, list(ada.state().pictures.values()), "person")
    teach(ada, QUICK, Silent())
    drawn(ada)
    (ada.folder / file).write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match=f"{Path(file).name} is damaged or missing"):
        teach(ada, QUICK, Silent())
    assert not (ada.folder / "rounds" / "002" / "training").exists()


def test_a_version_of_other_sources_or_other_words_has_no_part_in_a_later_one(ada: Workspace) -> None:
    entries = list(ada.state().pictures.values())
    review.keep(ada, entries, "person")
    teach(ada, QUICK, Silent())
    drawn(ada)
    ada.caption({entries[0].sha256: "ada, seen anew"}, "person")
    assert "beside" not in teach(ada, QUICK, Silent())


def test_nothing_kept_nothing_learned(ada: Workspace) -> None:
    with pytest.raises(UserError, match="Nothing was kept yet"):
        teach(ada, QUICK, Silent())


def test_a_kept_picture_without_words_is_named(ada: Workspace) -> None:
    entry = next(iter(ada.state().pictures.values()))
    review.keep(ada, [entry], "person")
    ada.caption({entry.sha256: ""}, "person")
    with pytest.raises(UserError, match=r"1 kept pictures have no caption, such as ada-0\.png"):
        teach(ada, QUICK, Silent())


def test_a_picture_altered_after_its_review_is_not_learned(ada: Workspace) -> None:
    entry = next(iter(ada.state().pictures.values()))
    review.keep(ada, [entry], "person")
    ada.path(entry).write_bytes(cast.picture(30))
    with pytest.raises(UserError, match="was altered since it was reviewed"):
        teach(ada, QUICK, Silent())


class Interrupting(Silent):
    """Gives up at the first step that is told."""

    def moment(self, moment: Moment) -> None:
        raise KeyboardInterrupt


def test_a_stopped_training_is_thrown_away_only_when_asked(ada: Workspace) -> None:
    review.keep(ada, list(ada.state().pictures.values()), "person")
    with pytest.raises(KeyboardInterrupt):
        teach(ada, QUICK | {"steps": 12}, Interrupting())
    with pytest.raises(UserError, match="give --anew to throw it away"):
        teach(ada, QUICK | {"lr": 0.01}, Silent())
    assert not ada.state().versions
    assert teach(ada, QUICK | {"lr": 0.01}, Silent(), anew=True)["version"] == 1
    steps = [json.loads(line)["step"] for line in (ada.folder / "rounds/001/training/metrics.jsonl").open()]
    assert steps == [4]
    assert examine(ada) == []


def test_two_trainings_at_once_are_refused(ada: Workspace) -> None:
    review.keep(ada, list(ada.state().pictures.values()), "person")
    hold = (
        "import sys; from filelock import FileLock\n"
        f"lock = FileLock({str(ada.folder / '.training.lock')!r}); lock.acquire(); print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    other = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    other.stdout.readline()
    with pytest.raises(UserError, match="is being trained already"):
        teach(ada, QUICK, Silent())
    other.communicate()
    with FileLock(ada.folder / ".training.lock").acquire(timeout=0):
        pass


def _mixed(sources: int, made: int) -> State:
    kept = Decision.kept
    entries = [Entry(f"s{i}", "f", ev.Origin.source, decision=kept) for i in range(sources)]
    entries += [Entry(f"m{i}", "f", ev.Origin.synthetic, depth=1, decision=kept) for i in range(made)]
    entries.append(Entry("w", "f", ev.Origin.source))
    return State(pictures={entry.sha256: entry for entry in entries})


def test_nothing_is_learned_from_synthetic_pictures_alone() -> None:
    with pytest.raises(UserError, match="keep a source too"):
        chosen_entries(_mixed(0, 3))


def test_a_few_synthetic_pictures_stand_beside_each_source_the_newest_of_equals() -> None:
    chosen = [entry.sha256 for entry in chosen_entries(_mixed(2, 9))]
    assert chosen == ["s0", "s1", "m8", "m7", "m6", "m5"]


def test_each_round_learns_from_more() -> None:
    state = _mixed(2, 9)
    state.closed = {1: "done", 2: "done"}
    assert len(chosen_entries(state)) == 2 + 8


def test_fewer_generations_come_first_unless_more_show_more() -> None:
    state = _mixed(1, 2)
    for number, caption in enumerate(("a, b", "a, b", "a, c")):
        deep = Entry(f"d{number}", "f", ev.Origin.synthetic, depth=2, decision=Decision.kept, caption=caption)
        state.pictures[deep.sha256] = deep
    for name, caption in (("s0", "a, d"), ("m0", "a, b"), ("m1", "a, b")):
        state.pictures[name] = replace(state.pictures[name], caption=caption)
    assert [entry.sha256 for entry in chosen_entries(state)] == ["s0", "m1", "d2"]


@pytest.mark.parametrize(("sources", "made"), [(3, 0), (3, 2), (3, 3), (3, 5), (3, 9), (12, 24)])
def test_synthetic_pictures_are_never_shown_more_than_sources(sources: int, made: int) -> None:
    entries = chosen_entries(_mixed(sources, made))
    shown = repeats_of(entries)
    real = sum(shown[entry.sha256] for entry in entries if entry.origin is ev.Origin.source)
    synthetic = sum(shown[entry.sha256] for entry in entries if entry.origin is ev.Origin.synthetic)
    assert synthetic <= real


def test_pictures_drawn_along_the_way_change_nothing_of_what_is_learned(ada: Workspace) -> None:
    review.keep(ada, list(ada.state().pictures.values()), "person")
    plain = teach(ada, QUICK, Silent())
    again = teach(ada, QUICK | {"sample_every": 2}, Silent(), anew=True)
    assert (plain["version"], again["version"], again["sha256"]) == (1, 2, plain["sha256"])
    samples = ada.folder / "rounds" / "001" / "training" / "samples"
    assert sorted(path.name for path in samples.iterdir()) == [f"{n:06d}-{k}.png" for n in (2, 4) for k in range(3)]
