"""What is checked before a training begins: nobody's unfinished work is lost, and every refusal is one sentence."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner, Result

from tests.training.runs import SETTINGS, Silent, model, order
from tests.wheel import cast
from zoetrope.cli import app
from zoetrope.errors import UserError
from zoetrope.models.catalogue import Model
from zoetrope.training.advice import read_metrics
from zoetrope.training.loop import METRICS, STATE, Moment
from zoetrope.training.preview import PREVIEW
from zoetrope.training.run import Order, forget, train_lora
from zoetrope.training.settings import TAKEN
from zoetrope.training.state import forget_after
from zoetrope.wheel import review
from zoetrope.wheel.intake import add_sources
from zoetrope.wheel.persona import make_persona
from zoetrope.wheel.teach import teach
from zoetrope.wheel.workspace import Workspace, new_workspace

SMALL: dict[str, object] = {"rank": 2, "resolutions": (32,), "precision": "fp32"}
# Each is found out later than the one before it: some only once the network is there.
BAD = [["--tracker", "zz"], ["--optimizer", "adamw8bit"], ["--assistant", "bad.png"]]
if not torch.cuda.is_available():
    BAD.append(["--quantize", "nf4"])


class Stopping(Silent):
    """Gives up at the first step that is told, the tenth."""

    def moment(self, moment: Moment) -> None:
        raise KeyboardInterrupt


def stopped(tmp_path: Path, found: Model) -> Order:
    """The order of a training of 9999 steps that stands at its tenth."""
    asked = order(tmp_path, found, settings=SETTINGS.model_copy(update={"steps": 9999}))
    with pytest.raises(KeyboardInterrupt):
        train_lora(asked, Stopping())
    return asked


def said(tmp_path: Path, *more: str, output: str = "out") -> Result:
    folders = ["--data", str(tmp_path / "data"), "--output", str(tmp_path / output)]
    settings = ["--steps", "4", "--rank", "2", "--resolution", "32", "--precision", "fp32"]
    return CliRunner().invoke(app, ["train", "--model", "dev", *folders, *settings, *more])


def refused(result: Result, sentence: str) -> bool:
    """Whether a command ended with just this in words for a person."""
    return result.exit_code == 2 and sentence in result.stderr and "Traceback" not in result.output


def whole(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in (STATE, METRICS)]


@pytest.fixture
def without_8bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where bitsandbytes was not installed."""
    monkeypatch.setitem(sys.modules, "bitsandbytes.optim", None)


@pytest.mark.usefixtures("without_8bit")
def test_anew_throws_nothing_away_for_a_command_that_is_refused(tmp_path: Path) -> None:
    stopped(tmp_path, model(tmp_path))
    before = whole(tmp_path / "out")
    for wrong in BAD:
        result = said(tmp_path, "--anew", *wrong)
        assert (wrong, result.exit_code) == (wrong, 2)
        assert whole(tmp_path / "out") == before
    assert said(tmp_path, "--anew").exit_code == 0
    assert [line["step"] for line in read_metrics(tmp_path / "out" / METRICS)] == [4]


@pytest.mark.usefixtures("without_8bit")
def test_nor_does_it_for_a_persona(tmp_path: Path) -> None:
    model(tmp_path)
    consent = {"kind": "fictional"}
    persona = make_persona(name="ada", kind="drawn", trigger="ada", base="dev", consent=consent)
    ada: Workspace = new_workspace(tmp_path / "ada", persona)
    add_sources(ada, [cast.folder(tmp_path / "drawings", 4)])
    review.keep(ada, list(ada.state().pictures.values()), "person")
    with pytest.raises(KeyboardInterrupt):
        teach(ada, SMALL | {"steps": 40}, Stopping())
    run = ada.folder / "rounds" / "001" / "training"
    before = whole(run)
    with pytest.raises(UserError, match="bitsandbytes"):
        teach(ada, SMALL | {"steps": 40, "optimizer": "adamw8bit"}, Silent(), anew=True)
    assert whole(run) == before


def test_what_cannot_be_thrown_away_is_named(tmp_path: Path) -> None:
    (tmp_path / STATE).mkdir()
    with pytest.raises(UserError, match=rf"{STATE} cannot be thrown away"):
        forget(tmp_path)


def test_an_unfinished_training_is_known_by_its_own_count(tmp_path: Path) -> None:
    found = model(tmp_path)
    stopped(tmp_path, found)
    with pytest.raises(UserError, match="stopped at step 10: give --resume"):
        train_lora(order(tmp_path, found, settings=SETTINGS.model_copy(update={"steps": 1, "rank": 4})), Silent())


def test_a_finished_training_may_be_done_again(tmp_path: Path) -> None:
    asked = order(tmp_path, model(tmp_path))
    assert train_lora(asked, Silent())["sha256"] == train_lora(asked, Silent())["sha256"]


def test_a_checkpoint_that_does_not_say_how_far_it_was_to_go_goes_on(tmp_path: Path) -> None:
    asked = stopped(tmp_path, model(tmp_path))
    state = tmp_path / "out" / STATE
    with safe_open(state, "pt") as stored:
        header = stored.metadata()
    progress = json.loads(header["progress"])
    assert progress.pop("steps") == 9999
    save_file(load_file(state), state, header | {"progress": json.dumps(progress)})
    more = asked.settings.model_copy(update={"steps": 12})
    with pytest.raises(UserError, match="stopped at step 10"):
        train_lora(replace(asked, settings=more), Silent())
    assert train_lora(replace(asked, settings=more, resume=True), Silent())["steps"] == 12


class Second(Silent):
    """Begins the same training again at every step that is told."""

    def __init__(self, asked: Sequence[Order]) -> None:
        super().__init__()
        self._asked = asked
        self.refusals: list[str] = []
        self.heard = Silent()

    def moment(self, moment: Moment) -> None:
        super().moment(moment)
        for asked in self._asked:
            with pytest.raises(UserError) as told:
                train_lora(asked, self.heard)
            self.refusals.append(str(told.value))


def test_a_second_training_is_told_at_once_that_one_runs(tmp_path: Path) -> None:
    # A checkpoint stands at the ninth step already: it is no stopped one's.
    asked = order(tmp_path, model(tmp_path), settings=SETTINGS.model_copy(update={"steps": 20}))
    watcher = Second([asked, replace(asked, resume=True), replace(asked, anew=True)])
    train_lora(asked, watcher)
    assert [moment.step for moment in watcher.moments] == [10, 20]
    assert len(watcher.refusals) == 6
    assert all("Another training writes into" in words for words in watcher.refusals)
    assert watcher.heard.said == []
    assert [line["step"] for line in read_metrics(tmp_path / "out" / METRICS)] == [10, 20]


@pytest.mark.parametrize("name", ["state", "State", "preview"])
def test_no_lora_is_called_as_a_file_of_its_training(tmp_path: Path, name: str) -> None:
    watcher = Silent()
    with pytest.raises(UserError, match=f"No LoRA can be called '{name}'"):
        train_lora(replace(order(tmp_path, model(tmp_path)), name=name), watcher)
    assert (watcher.said, watcher.moments) == ([], [])


def test_an_output_folder_gives_its_name_only_where_a_lora_can_have_it(tmp_path: Path) -> None:
    model(tmp_path)
    cast.folder(tmp_path / "data", 3)
    assert refused(said(tmp_path, output="state"), "No LoRA can be called 'state'")
    assert refused(said(tmp_path, "--name", "\U00020000" * 60), "cannot be a LoRA's name")
    assert said(tmp_path, "--name", "é" * 100, "--json").exit_code == 0


@pytest.mark.parametrize("output", ["file", "file/sub"])
def test_a_file_in_the_way_is_one_sentence(tmp_path: Path, output: str) -> None:
    model(tmp_path)
    cast.folder(tmp_path / "data", 3)
    (tmp_path / "file").write_text("in the way")
    assert refused(said(tmp_path, "--anew", output=output), "cannot be written")
    tracked = said(tmp_path, "--anew", "--tracker", "tensorboard", output=output)
    assert refused(tracked, "tensorboard cannot write into")
    assert (tmp_path / "file").read_text() == "in the way"


DAMAGED = [
    b'\xff\xfe"}',
    b"garbage}",
    b"[1]",
    b'{"loss": 0.5}',
    b'{"step": 5, "loss": "low"}',
    b'{"step": 5, "loss": 0.5, "validation": "low"}',
    b"[" * 100_000 + b"}",
]


@pytest.mark.parametrize("line", DAMAGED)
def test_a_damaged_line_of_metrics_is_left_out(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / METRICS
    file.write_bytes(b'{"step": 10, "loss": 1.0}\n' + line + b'\n{"step": 20, "loss": 0.5}\n')
    assert [each["step"] for each in read_metrics(file)] == [10, 20]
    forget_after(file, 10)
    assert [each["step"] for each in read_metrics(file)] == [10]


def test_the_names_that_are_taken_are_those_of_the_trainings_own_files() -> None:
    assert {Path(STATE).stem, Path(PREVIEW).stem} == TAKEN
