"""The engine process: real sockets, a real process, the shipped nano model; killed, stopped, shouted at."""

import asyncio
import contextlib
import json
import os
import signal
import socket as sockets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image

from tests import tiny
from zoetrope.engines.engine import Cancelled, EngineFault, EngineLost, Step
from zoetrope.engines.local import wire
from zoetrope.engines.local.client import EngineClient
from zoetrope.engines.local.desk import FAULT, Desk
from zoetrope.engines.local.engine import LocalEngine
from zoetrope.engines.local.orders import order
from zoetrope.engines.local.process import EngineProcess
from zoetrope.errors import UserError
from zoetrope.media.recipe import Recipe, png_bytes
from zoetrope.models.catalogue import Catalogue
from zoetrope.models.loras import open_lora

NANO = "nano-flux"
# The bars are a second and five seconds; a machine busy with other tests may take this much more.
BUSY = 3.0


@pytest.fixture(scope="module")
def engine_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("engine-home")
    Catalogue(home).add("kontext", "flux_kontext", tiny.saved("kontext"))
    return home


@pytest.fixture(scope="module")
def shared(engine_home: Path) -> Iterator[EngineProcess]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZOETROPE_HOME", str(engine_home))
        with EngineProcess() as process:
            yield process


@pytest.fixture
def process(shared: EngineProcess, engine_home: Path, monkeypatch: pytest.MonkeyPatch) -> EngineProcess:
    """The one process of this file, serving and idle; it starts itself again after whatever a test did to it."""
    monkeypatch.setenv("ZOETROPE_HOME", str(engine_home))
    shared.start()
    assert eventually(lambda: shared.health().running is None)
    return shared


def ordered(model: str = NANO, prompt: str = "a smiling girl with red hair", **said: Any) -> Recipe:
    return order(Catalogue().find(model), prompt, **{"steps": 3, "seed": 1, **said})


def endless() -> Recipe:
    return ordered(steps=1000)


def eventually(what: Callable[[], bool], seconds: float = 5.0) -> bool:
    given_up = time.monotonic() + seconds
    while not what() and time.monotonic() < given_up:
        time.sleep(0.02)
    return what()


def gone(pid: int) -> bool:
    """Whether the process has ended; one that its parent has not buried yet holds nothing any more."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


class Talk:
    """A client that says whatever a test wants."""

    def __init__(self, process: EngineClient) -> None:
        self.socket = sockets.socket(sockets.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(str(process.socket))
        self.lines = self.socket.makefile("rb")

    def __enter__(self) -> "Talk":
        return self

    def __exit__(self, *error: object) -> None:
        self.lines.close()
        self.socket.close()

    def say(self, data: bytes | wire.Request) -> None:
        self.socket.sendall(data if isinstance(data, bytes) else wire.line(data))

    def hear(self, kind: str) -> dict[str, Any]:
        """The next answer of this kind."""
        while said := self.lines.readline():
            answer: dict[str, Any] = json.loads(said)
            if answer["kind"] == kind:
                return answer
        raise AssertionError(f"the engine left without saying {kind}")


@contextlib.contextmanager
def drawing(process: EngineProcess, cancel: Callable[[], bool] | None = None) -> Iterator[dict[str, BaseException]]:
    """A thread that draws without end, once its first step was heard; how it ended, by the end of the block."""
    begun, outcome = threading.Event(), {}

    def draw() -> None:
        try:
            process.make(endless(), lambda step: begun.set(), cancel)
        except BaseException as error:
            outcome["error"] = error

    thread = threading.Thread(target=draw)
    thread.start()
    assert begun.wait(120)
    yield outcome
    thread.join(60)
    assert not thread.is_alive()


def test_the_process_makes_the_same_bytes_and_reports_every_step(process: EngineProcess, tmp_path: Path) -> None:
    recipe, steps = ordered(batch_size=2), list[Step]()
    here = LocalEngine().make(recipe)
    there = process.make(recipe, progress=steps.append)
    assert [each.image.tobytes() for each in there] == [each.image.tobytes() for each in here]
    assert [each.recipe for each in there] == [each.recipe for each in here]
    assert steps == [Step(1, 3), Step(2, 3), Step(3, 3)]
    files = process.draw(recipe, tmp_path / "made")
    assert [file.path.read_bytes() for file in files] == [png_bytes(each.image, each.recipe) for each in here]
    assert sorted(os.listdir(tmp_path / "made")) == sorted(f"{file.sha256}.png" for file in files)


def test_models_stay_warm_and_health_says_so(process: EngineProcess) -> None:
    process.make(ordered())
    health = process.health()
    assert NANO in [model.name for model in health.warm]
    assert health.pid == wire.holder(process.socket) != os.getpid()
    assert (health.running, health.waiting, health.device_bytes) == (None, 0, 0)
    assert health.uptime_seconds > 0
    assert health.process_bytes > min(model.weights_bytes for model in health.warm) > 0


def test_only_this_user_reaches_the_socket(process: EngineProcess) -> None:
    assert process.socket.stat().st_mode & 0o777 == 0o600
    assert process.socket.parent.stat().st_mode & 0o777 == 0o700


def test_health_answers_at_once_while_drawing(process: EngineProcess) -> None:
    stop = threading.Event()
    with drawing(process, stop.is_set):
        began = time.monotonic()
        running = process.health().running
        assert time.monotonic() - began < BUSY
        assert running
        assert (running.model, running.total) == (NANO, 1000)
        assert 0 < running.done < 1000
        stop.set()


@pytest.mark.parametrize("after", [0, 2])
def test_cancelling_stops_within_a_second(process: EngineProcess, after: int) -> None:
    process.make(ordered())
    steps: list[Step] = []
    with pytest.raises(Cancelled):
        process.make(endless(), steps.append, lambda: len(steps) >= after)
    began = time.monotonic()
    process.make(ordered())
    assert time.monotonic() - began < 1 + BUSY
    assert len(steps) == after


def test_two_at_once_are_served_in_order_and_told_their_place(process: EngineProcess, tmp_path: Path) -> None:
    with Talk(process) as first, Talk(process) as second, Talk(process) as third:
        for number, talk in enumerate((first, second, third)):
            talk.say(wire.Make(id="mine", recipe=ordered(steps=20), into=tmp_path))
            assert talk.hear("place")["place"] == number
        third.say(wire.Cancel(id="mine"))
        assert third.hear("stopped")["id"] == "mine"
        first.hear("drawn")
        assert second.hear("place")["place"] == 0
        assert second.hear("step") == {"kind": "step", "id": "mine", "done": 1, "total": 20}
        second.hear("drawn")


def test_who_waits_hears_its_place(process: EngineProcess, tmp_path: Path) -> None:
    stop, places = threading.Event(), list[int]()

    def waiting(place: int) -> None:
        places.append(place)
        stop.set()

    with drawing(process, stop.is_set):
        process.draw(ordered(), tmp_path, waiting=waiting)
    assert places == [1, 0]


def test_a_waiting_request_is_cancelled_at_once(process: EngineProcess) -> None:
    stop = threading.Event()
    with drawing(process, stop.is_set):
        began = time.monotonic()
        with pytest.raises(Cancelled):
            process.make(ordered(), cancel=lambda: True)
        assert time.monotonic() - began < BUSY
        assert process.health().running
        stop.set()


def test_a_client_that_dies_frees_the_engine(process: EngineProcess) -> None:
    code = (
        "import sys, pathlib\n"
        "from zoetrope.engines.local.client import EngineClient\n"
        "from zoetrope.media.recipe import Recipe\n"
        "client = EngineClient(pathlib.Path(sys.argv[1]))\n"
        "client.make(Recipe.from_json(sys.argv[2]), lambda step: print(step, flush=True))\n"
    )
    command = [sys.executable, "-c", code, str(process.socket), endless().to_json()]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as client:
        assert client.stdout
        assert client.stdout.readline()
        assert process.health().running
        client.kill()
    assert eventually(lambda: process.health().running is None, 1 + BUSY)


def test_an_engine_that_is_just_dying_is_replaced(process: EngineProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    process.health()
    child = process._child
    assert child is not None
    child.kill()
    child.wait()
    seen = iter([None, None])
    # Its socket is gone already, and the kernel still says that it runs.
    monkeypatch.setattr(child, "poll", lambda: next(seen, -signal.SIGKILL))
    assert process.make(ordered())


def test_a_killed_engine_is_one_clear_error_and_the_next_request_works(process: EngineProcess) -> None:
    before = process.health().pid
    with drawing(process) as outcome:
        os.kill(before, signal.SIGKILL)
    assert isinstance(outcome["error"], EngineLost)
    assert "ended before it answered" in str(outcome["error"])
    assert process.make(ordered())
    assert process.health().pid != before


@pytest.mark.parametrize("started_by_us", [True, False])
def test_an_engine_that_hangs_is_killed_by_a_cancel_and_a_new_one_serves(
    process: EngineProcess, started_by_us: bool
) -> None:
    before, stop = process.health().pid, threading.Event()
    with process if started_by_us else EngineProcess(process.socket) as asking:
        with drawing(asking, stop.is_set) as outcome:
            os.kill(before, signal.SIGSTOP)
            stop.set()
            assert eventually(lambda: gone(before), 5 + BUSY)
        assert isinstance(outcome["error"], Cancelled)
        assert asking.make(ordered())
        assert asking.health().pid != before


def test_sigterm_ends_it_within_a_second_and_leaves_no_socket(process: EngineProcess) -> None:
    before = process.health().pid
    with drawing(process) as outcome:
        os.kill(before, signal.SIGTERM)
        began = time.monotonic()
        assert eventually(lambda: gone(before), 1 + BUSY)
        assert time.monotonic() - began < 1 + BUSY
        assert not process.socket.exists()
    assert isinstance(outcome["error"], EngineLost)


def test_it_dies_with_its_parent_but_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, threading, time\n"
        "from zoetrope.engines.local.process import EngineProcess\n"
        "process = EngineProcess(pathlib.Path(sys.argv[1]))\n"
        "thread = threading.Thread(target=process.start)\n"
        "thread.start(); thread.join(); time.sleep(0.5)\n"
        "print(process.health().pid, flush=True); time.sleep(600)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "own" / "engine.sock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
    assert eventually(lambda: gone(pid))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"prompt": "a girl", "width": 63}, "multiples of"),
        ({"prompt": " "}, "The prompt is empty"),
        ({"engine": "comfyui"}, "not for local"),
    ],
)
def test_a_users_mistake_is_the_same_sentence_as_here(
    process: EngineProcess, said: dict[str, Any], sentence: str
) -> None:
    recipe = ordered().model_copy(update=said)
    with pytest.raises(UserError, match=sentence) as there:
        process.make(recipe)
    with pytest.raises(UserError) as here:
        LocalEngine().make(recipe)
    assert str(there.value) == str(here.value)
    assert type(there.value) is UserError


@pytest.mark.parametrize(
    "said",
    [
        b"hello\n",
        b"\n",
        b"[]\n",
        b"\xff\xfe\n",
        b'{"kind":"dance"}\n',
        b'{"kind":"make","id":"1"}\n',
        b'{"kind":"health","more":1}\n',
        b"[" * 100_000 + b"\n",
    ],
)
def test_nonsense_is_answered_in_one_sentence_and_the_connection_goes_on(process: EngineProcess, said: bytes) -> None:
    with Talk(process) as talk:
        talk.say(said)
        answer = talk.hear("user")
        assert answer["error"].startswith("This is no request: ")
        assert len(answer["error"]) < 300
        talk.say(wire.AskHealth())
        talk.hear("health")


def test_a_line_of_a_gigabyte_is_refused_and_costs_no_memory(process: EngineProcess) -> None:
    before = process.health()
    with Talk(process) as talk:
        with pytest.raises(ConnectionError):
            talk.say(b"x" * 2**30)
        assert "this one is longer" in talk.hear("user")["error"]
    after = process.health()
    assert after.pid == before.pid
    assert after.process_bytes < before.process_bytes + 32 * 2**20


def test_a_request_that_is_too_long_or_has_a_taken_id_or_a_relative_folder_is_refused(
    process: EngineProcess, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="shorten it"):
        process.make(ordered(prompt="a girl " * 200_000))
    with Talk(process) as talk:
        talk.say(wire.Make(id="a", recipe=ordered(), into=Path("here")))
        assert "is relative" in talk.hear("user")["error"]
        for _ in range(2):
            talk.say(wire.Make(id="a", recipe=endless(), into=tmp_path))
        assert "The id a is taken" in talk.hear("user")["error"]


def test_a_folder_that_cannot_be_written_is_a_users_mistake(process: EngineProcess, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="could not be written"):
        process.draw(ordered(), tmp_path / "file" / "folder")


def test_a_lora_is_lent_by_path_and_checked_by_hash(process: EngineProcess, tmp_path: Path) -> None:
    pipeline = Catalogue().find(NANO).load()
    first = open_lora(tiny.lora(pipeline, tmp_path, seed=1))
    recipe = ordered(loras=[(first, 1.0)])
    with pytest.raises(UserError, match=f"{first.sha256} is missing"):
        process.make(recipe)
    other = tiny.lora(pipeline, tmp_path, seed=2).read_bytes()
    mine, kept = first.path.read_bytes(), first.path
    kept.write_bytes(other)
    process.lend_lora(first)
    with pytest.raises(UserError, match=f"{first.sha256} is missing"):
        process.make(recipe)
    kept.write_bytes(mine)
    here = LocalEngine()
    here.lend_lora(first)
    assert process.make(recipe)[0].image.tobytes() == here.make(recipe)[0].image.tobytes()
    assert process.make(recipe)[0].image.tobytes() != process.make(ordered())[0].image.tobytes()


def test_a_picture_is_lent_by_path_and_checked_by_hash(process: EngineProcess, tmp_path: Path) -> None:
    path = tmp_path / "red.png"
    Image.new("RGB", (64, 32), "red").save(path)
    recipe = ordered("kontext", width=16, height=8, controls=[process.lend_picture(path)])
    here = LocalEngine()
    here.lend_picture(path)
    assert process.make(recipe)[0].image.tobytes() == here.make(recipe)[0].image.tobytes()
    Image.new("RGB", (64, 32), "blue").save(path)
    with pytest.raises(UserError, match="has changed"):
        process.make(recipe)
    with pytest.raises(UserError, match="is missing"):
        here.make(recipe)


def test_a_file_name_that_is_no_unicode_is_refused_in_one_sentence(process: EngineProcess, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.png")
    Image.new("RGB", (64, 32), "red").save(path)
    with pytest.raises(UserError, match="not valid Unicode"):
        process.make(ordered("kontext", width=16, height=8, controls=[process.lend_picture(path)]))


def serve(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "zoetrope.engines.local.serve", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_second_engine_at_the_same_socket_is_refused(process: EngineProcess) -> None:
    pid = process.health().pid
    second = serve("--socket", process.socket)
    assert (second.returncode, second.stdout) == (wire.TAKEN, "")
    assert second.stderr == f"Another engine (process {pid}) serves at {process.socket}: this one ends.\n"
    assert process.health().pid == pid


def test_two_owners_share_one_engine(process: EngineProcess) -> None:
    with EngineProcess(process.socket) as other:
        other.make(ordered())
        assert other.health().pid == process.health().pid
    assert process.health()


def test_places_that_will_not_do_are_refused_in_one_sentence(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert "lets others in" in serve("--socket", tmp_path / "s").stderr
    tmp_path.chmod(0o700)
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "s", tmp_path / ("s" * 120)):
        refused = serve("--socket", place)
        assert refused.returncode == 2
        assert refused.stderr.count("\n") == 1
    assert (tmp_path / "file").read_text() == "mine"
    assert "has ended" in serve("--socket", tmp_path / "s", "--parent-death", 1).stderr


def test_an_engine_that_cannot_start_says_where_its_log_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with (
        EngineProcess(tmp_path / "s", tmp_path / "engine.log") as process,
        pytest.raises(EngineLost, match=r"exit code 2.*engine\.log"),
    ):
        process.make(ordered())
    assert "lets others in" in (tmp_path / "engine.log").read_text()


def test_an_engine_that_is_not_ready_in_time_says_where_its_log_is(tmp_path: Path) -> None:
    with (
        EngineProcess(tmp_path / "own" / "s", ready_within=0.2) as process,
        pytest.raises(EngineLost, match=r"not ready within 0\.2 s; its log is .*s\.log"),
    ):
        process.start()


def test_an_engine_that_is_dying_when_asked_is_not_taken_for_an_answer(tmp_path: Path) -> None:
    place = tmp_path / "own" / "s"
    place.parent.mkdir(mode=0o700)
    with sockets.socket(sockets.AF_UNIX) as dying, EngineProcess(place) as process:
        dying.bind(str(place))
        dying.listen()

        def die() -> None:
            dying.accept()[0].close()
            time.sleep(0.1)
            dying.close()

        thread = threading.Thread(target=die)
        thread.start()
        assert process.make(ordered())
        thread.join()


def test_a_cancel_while_it_starts_is_heard(tmp_path: Path) -> None:
    with EngineProcess(tmp_path / "own" / "s") as process, pytest.raises(Cancelled):
        process.make(ordered(), cancel=lambda: True)


def test_a_client_alone_says_that_nobody_serves(tmp_path: Path) -> None:
    with pytest.raises(EngineLost, match="No engine serves"):
        EngineClient(tmp_path / "s").health()


def test_a_fault_is_one_sentence_and_its_traceback_goes_to_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """In this process, so that the engine can be broken from inside."""
    engine = LocalEngine()
    monkeypatch.setattr(engine, "plan", lambda model: 1 // 0)

    async def ask() -> None:
        desk = Desk(engine)
        drawing = asyncio.create_task(desk.draw_in_turn())
        async with await asyncio.start_unix_server(desk.meet, tmp_path / "s"):
            with pytest.raises(EngineFault) as error:
                await asyncio.to_thread(EngineClient(tmp_path / "s").make, ordered())
        assert str(error.value) == FAULT
        drawing.cancel()

    asyncio.run(ask())
    assert "ZeroDivisionError" in caplog.text
