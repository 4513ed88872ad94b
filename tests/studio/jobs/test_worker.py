"""Real workers, killed and stopped: nothing is lost, nothing is done twice."""

import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import transaction

from tests.studio.jobs.stage import Workers, run_python, state, until
from tests.studio.jobs.trial import TOKEN, read
from zoetrope.studio.jobs import engine, upkeep
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.jobs.carrying import CHILD_CRASHES, CRASHES, LOOK_SECONDS, Carrier
from zoetrope.studio.jobs.children import PATIENCE
from zoetrope.studio.jobs.models import LogLine, Worker
from zoetrope.studio.jobs.seam import Job, State
from zoetrope.studio.jobs.work import Interrupted

# It takes a second at most, and longer where other tests take the processor.
BUSY = 3.0

SCOPE = "space:1"


def gone(pid: int) -> bool:
    """Whether the process has ended; one whose end nobody has noticed yet counts."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return status.rpartition(")")[2].split()[0] in "ZX"


def kill(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_killed_worker_goes_on_where_it_was(studio: Path, workers: Workers) -> None:
    first = workers.start()
    many = [jobs.enqueue("steps", f"steps-{n}", {"number": n}, scope=SCOPE) for n in range(2)]
    until(lambda: len(read("steps")) >= 4, 60)
    kill(first)
    workers.start()
    until(lambda: all(state(job) == State.DONE for job in many), 60)
    assert sorted(read("finished")) == ["0", "1"]
    # Only the step in which it was killed may have been begun twice.
    assert len(read("steps")) - len(set(read("steps"))) <= 1
    assert len(set(read("steps"))) == 20
    assert (many[0].stage, many[0].done, many[0].total) == ("stepping", 10, 10)
    assert [job.attempts for job in many] == [1, 1]


def test_killed_between_commit_and_enqueue_the_sweep_finds_it(studio: Path, workers: Workers) -> None:
    code = (
        "import django, os, signal; django.setup()\n"
        "from zoetrope.studio.jobs import engine, seam\n"
        "engine.enqueue = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "seam.enqueue('note', 'note-1', {'number': 7}, scope='space:1')"
    )
    assert run_python("-c", code).wait() == -signal.SIGKILL
    job = Job.objects.get(key="note-1")
    assert (job.state, job.queued) == (State.WAITING, None)
    workers.start()
    until(lambda: state(job) == State.DONE, 60)
    assert read("notes") == ["7"]
    assert [line["text"] for line in jobs.lines_of(job.pk)] == ["noted 7"]


def test_what_is_rolled_back_is_never_enqueued(studio: Path, workers: Workers) -> None:
    with transaction.atomic():
        jobs.enqueue("note", "note-1", {"number": 1}, scope=SCOPE)
        transaction.set_rollback(True)
    kept = jobs.enqueue("note", "note-2", {"number": 2}, scope=SCOPE)
    assert jobs.enqueue("note", "note-2", {"number": 3}, scope=SCOPE) == kept
    workers.start()
    until(lambda: state(kept) == State.DONE, 60)
    assert jobs.enqueue("note", "note-2", {"number": 3}, scope=SCOPE).state == State.DONE
    assert (read("notes"), Job.objects.count()) == (["2"], 1)


def test_cancel_waiting_and_running(studio: Path, workers: Workers) -> None:
    workers.start()
    running = jobs.enqueue("endless", "endless-1", scope=SCOPE)
    waiting = jobs.enqueue("note", "note-1", {"number": 1}, scope=SCOPE)
    until(lambda: read("began"), 60)
    assert (state(running), state(waiting)) == (State.RUNNING, State.WAITING)
    jobs.cancel(waiting)
    assert engine.standing([waiting.workflow]) == {waiting.workflow: "CANCELLED"}
    jobs.cancel(running)
    assert until(lambda: read("let-go"), 5) < BUSY
    after = jobs.enqueue("note", "note-2", {"number": 2}, scope=SCOPE)
    assert until(lambda: state(after) == State.DONE, 20) < 5
    assert [state(running), state(waiting), *read("notes")] == [State.CANCELLED, State.CANCELLED, "2"]
    with pytest.raises(jobs.IllegalMove):
        jobs.cancel(running)


def test_retried_then_dead_then_resubmitted(studio: Path, workers: Workers) -> None:
    workers.start()
    job = jobs.enqueue("flaky", "flaky-1", {"until": 4}, scope=SCOPE)
    until(lambda: state(job) == State.FAILED, 60)
    tries = [float(line) for line in read("tries")]
    assert (len(tries), job.attempts) == (3, 3)
    assert tries[1] - tries[0] >= 0.2
    assert tries[2] - tries[1] >= 0.4
    jobs.resubmit(job)
    until(lambda: state(job) == State.DONE, 60)
    assert (len(read("tries")), job.attempts, job.error) == (4, 1, "")
    with pytest.raises(jobs.IllegalMove):
        jobs.resubmit(job)


def test_a_mistake_is_not_tried_again(studio: Path, workers: Workers) -> None:
    workers.start()
    both = [jobs.enqueue(kind, kind, scope=SCOPE) for kind in ("mistake", "child-mistake")]
    until(lambda: all(state(job) == State.FAILED for job in both), 60)
    assert [job.error.startswith("The folder holds no pictures") for job in both] == [True, True]
    assert sorted(read("tries")) == ["child-mistake", "mistake"]


def test_no_secret_and_no_traceback_in_any_row(studio: Path, workers: Workers) -> None:
    workers.start()
    kinds = {"flaky": {"until": 9}, "child-fault": {}, "child-killed": {}}
    broken = [jobs.enqueue(kind, kind, args, scope=SCOPE) for kind, args in kinds.items()]
    until(lambda: all(state(job) == State.FAILED for job in broken), 60)
    assert broken[0].error == "Something broke while doing this (ConnectionError); the worker's log has the details."
    assert broken[1].error == broken[0].error
    assert broken[2].error == "Its process ended without a word (killed by signal 9)."
    rows = str([*Job.objects.values(), *LogLine.objects.values()])
    recorded = str([vars(one) for one in engine.client().list_workflows()])
    for word in (TOKEN, "Traceback"):
        assert word not in rows + recorded
    assert "Traceback" in workers.logs()


def test_a_stopped_worker_lets_go_and_the_next_goes_on(studio: Path, workers: Workers) -> None:
    first = workers.start()
    job = jobs.enqueue("steps", "steps-1", {"number": 1}, scope=SCOPE)
    until(lambda: len(read("steps")) >= 3, 60)
    first.terminate()
    assert first.wait(15) == 0
    assert (state(job), job.attempts, job.crashes) == (State.WAITING, 0, 0)
    assert not Worker.objects.exists()
    workers.start()
    until(lambda: state(job) == State.DONE, 60)
    assert (len(read("steps")), read("finished"), job.attempts) == (10, ["1"], 1)


def test_one_that_kills_its_workers_is_given_up(sqlite_workers: Workers) -> None:
    job = jobs.enqueue("poison", "poison-1", scope=SCOPE)
    other = jobs.enqueue("note", "note-1", {"number": 1}, scope=SCOPE)
    for _ in range(CRASHES):
        assert sqlite_workers.start(wait=False).wait(60) == -signal.SIGKILL
    sqlite_workers.start()
    until(lambda: state(other) == State.DONE, 60)
    assert (state(job), len(read("tries"))) == (State.FAILED, CRASHES)
    assert job.error.startswith(f"It ended its worker {CRASHES} times")


def test_a_child_is_not_blamed_so_soon(sqlite_workers: Workers) -> None:
    job = jobs.enqueue("deaf", "deaf-1", scope=SCOPE)
    for tries, before in enumerate((0, CRASHES, CHILD_CRASHES - 1), start=1):
        first = sqlite_workers.start()
        until(lambda tries=tries: len(read("children")) == tries and state(job) == State.RUNNING, 60)  # type: ignore[misc]
        Job.objects.filter(pk=job.pk).update(crashes=before)
        kill(first)
    sqlite_workers.start()
    until(lambda: state(job) == State.FAILED, 60)
    assert (job.error.split(" without")[0], len(read("children"))) == (f"It ended its worker {CHILD_CRASHES} times", 3)


def test_a_child_is_killed_when_it_will_not_hear(studio: Path, workers: Workers) -> None:
    workers.start()
    job = jobs.enqueue("deaf", "deaf-1", scope=SCOPE)
    until(lambda: state(job) == State.RUNNING and job.done == 1, 60)
    jobs.cancel(job)
    after = jobs.enqueue("note", "note-1", {"number": 1}, scope=SCOPE)
    took = until(lambda: gone(int(read("children")[0])), 10)
    assert PATIENCE < took < PATIENCE + BUSY
    until(lambda: state(after) == State.DONE, 5)
    assert state(job) == State.CANCELLED


def test_a_child_has_its_session_says_where_it_is_and_dies_with_its_worker(studio: Path, workers: Workers) -> None:
    first = workers.start()
    job = jobs.enqueue("child", "child-1", {"upto": 100}, scope=SCOPE)
    until(lambda: state(job) == State.RUNNING and job.done > 3, 60)
    pid, session = read("children")[0].split()
    assert pid == session != str(first.pid)
    kill(first)
    assert until(lambda: gone(int(pid)), 5) < BUSY
    workers.start()
    until(lambda: state(job) == State.DONE, 60)
    assert (job.done, len(read("children"))) == (100, 2)
    assert [line["text"] for line in jobs.lines_of(job.pk)] == ["counted"]


def test_a_child_hears_and_stops(studio: Path, workers: Workers) -> None:
    workers.start()
    job = jobs.enqueue("child", "child-1", {"upto": 10_000}, scope=SCOPE)
    until(lambda: state(job) == State.RUNNING and job.done > 3, 60)
    jobs.cancel(job)
    assert until(lambda: gone(int(read("children")[0].split()[0])), 5) < BUSY


def test_one_on_the_device_any_number_beside_it(studio: Path, workers: Workers) -> None:
    workers.start()
    first = jobs.enqueue("endless", "endless-1", scope=SCOPE)
    second = jobs.enqueue("endless", "endless-2", scope=SCOPE)
    beside = [jobs.enqueue("talk", f"talk-{n}", {"number": n}, scope=SCOPE) for n in range(3)]
    until(lambda: all(state(job) == State.DONE for job in beside), 60)
    until(lambda: state(first) == State.RUNNING, 5)
    time.sleep(0.5)
    assert [state(first), state(second)] == [State.RUNNING, State.WAITING]
    jobs.cancel(first)
    until(lambda: state(second) == State.RUNNING, 5)


def test_an_engine_that_hands_out_two_for_the_device(studio: Path, request: pytest.FixtureRequest) -> None:
    """It does so on a busy machine; the second waits for its turn."""
    carrier = Carrier("here")
    request.addfinalizer(carrier.stopping.set)
    many = [jobs.enqueue("endless", f"endless-{n}", scope=SCOPE) for n in range(2)]
    threads = [threading.Thread(target=_carried, args=(carrier, job.key)) for job in many]
    for thread in threads:
        thread.start()
    until(lambda: carrier.hands(), 5)
    time.sleep(2 * LOOK_SECONDS)
    assert sorted(state(job) for job in many) == [State.RUNNING, State.WAITING]
    [hand] = carrier.hands()
    hand.taken_away.set()
    until(lambda: [other.key for other in carrier.hands()] == [job.key for job in many if job.key != hand.key], 5)
    carrier.stopping.set()
    for thread in threads:
        thread.join(5)
    assert len(read("let-go")) == 2


def _carried(carrier: Carrier, key: str) -> None:
    with suppress(Interrupted):
        carrier.carry(key, 1)


def test_a_delayed_job_waits(studio: Path, workers: Workers) -> None:
    workers.start()
    job = jobs.enqueue("note", "note-1", {"number": 1}, scope=SCOPE, delay=2)
    assert until(lambda: state(job) == State.DONE, 20) >= 1.9


def test_stuck_is_told_from_lost(studio: Path, workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    first = workers.start()
    job = jobs.enqueue("silent", "silent-1", scope=SCOPE)
    until(lambda: state(job) == State.STUCK, 60)
    kill(first)
    monkeypatch.setattr(upkeep, "DEAD_AFTER", 0.5)
    until(lambda: jobs.overview(SCOPE).counts[State.LOST] == 1, 5)
    workers.start()
    until(lambda: state(job) in (State.RUNNING, State.STUCK) and job.crashes == 1, 60)
    jobs.cancel(job)
    assert until(lambda: read("let-go"), 5) < BUSY


def test_only_one_worker_of_a_name(studio: Path, workers: Workers) -> None:
    workers.start()
    assert "A worker named 1 runs already" in refused()


def refused(**environment: str) -> str:
    process = run_python("-m", "zoetrope.studio.jobs.worker", stderr=subprocess.PIPE, extra=environment)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.count(b"\n")) == (2, 1)
    return str(said.decode())


def test_what_a_worker_cannot_work_with(own_home: Path) -> None:
    home = own_home / "zoetrope"
    home.mkdir()
    assert "no tables yet" in refused()
    assert "cannot be reached" in refused(DATABASE_URL="postgresql://zoetrope@/db?host=/nowhere")
    (home / "file").touch()
    assert "cannot write to" in refused(ZOETROPE_HOME=str(home / "file"))


def test_a_dead_workers_jobs_are_taken_over(postgres_workers: Workers) -> None:
    """Also when both start at once on an empty database."""
    first, second = postgres_workers.start("1", wait=False), postgres_workers.start("2", wait=False)
    until(lambda: postgres_workers.logs().count("is ready") == 2, 60)
    many = [jobs.enqueue("steps", f"steps-{n}", {"number": n}, scope=SCOPE) for n in range(6)]
    mine = Job.objects.filter(state=State.RUNNING, worker__endswith="-1")
    until(lambda: any(2 <= _steps_of(job) <= 5 for job in mine.all()), 60)
    kill(first)
    began = time.monotonic()
    assert mine.count() == 1
    until(lambda: not mine.exists(), 30)
    until(lambda: all(state(job) == State.DONE for job in many), 60)
    assert time.monotonic() - began < 30
    assert sorted(read("finished")) == [str(n) for n in range(6)]
    assert len(read("steps")) - len(set(read("steps"))) <= 1
    assert second.poll() is None


def _steps_of(job: Job) -> int:
    """How far a job of the kind "steps" is."""
    return sum(line.startswith(f"{job.args['number']}:") for line in read("steps"))


def test_a_lost_engine_database_loses_no_job(sqlite_workers: Workers) -> None:
    """As after restoring a backup without it: the rows are the truth."""
    many = [jobs.enqueue("note", f"note-{n}", {"number": n}, scope=SCOPE) for n in range(3)]
    engine.client().delete_workflows([many[1].workflow])
    engine.cancel(many[2].workflow)
    sqlite_workers.start()
    Job.objects.update(changed="2020-01-01T00:00Z")
    until(lambda: state(many[0]) == State.DONE, 60)
    # The worker sweeps too, and may have been faster.
    jobs.sweep()
    until(lambda: all(state(job) == State.DONE for job in many), 60)
    assert sorted(read("notes")) == ["0", "1", "2"]


def test_contract_of_the_private_recovery(sqlite: Path) -> None:
    """`_recover_pending_workflows` puts a dead executor's workflow back into its own queue, and nobody else's."""
    head = (
        "import os, signal, sys, time; from zoetrope.studio.jobs import engine\n"
        "from zoetrope.studio.jobs.kinds import Queue\n"
    )
    dying = head + (
        "engine.launch('dead', [*Queue], lambda key, round: os.kill(os.getpid(), signal.SIGKILL))\n"
        "engine.enqueue('a.1', 'a', 1, Queue.DEVICE, 0); time.sleep(20)"
    )
    assert run_python("-c", dying).wait(60) == -signal.SIGKILL
    taking = head + (
        "engine.launch('alive', [*Queue], lambda key, round: print(key, round, flush=True))\n"
        "time.sleep(2); assert engine.owners() == {'dead'}\n"
        "engine.take_over(['stranger']); assert engine.owners() == {'dead'}\n"
        "engine.take_over(['dead', 'stranger'])\n"
        "while engine.standing(['a.1']) != {'a.1': 'SUCCESS'}: time.sleep(0.05)\n"
        "time.sleep(0.5); os._exit(0)"
    )
    taker = run_python("-c", taking, stdout=subprocess.PIPE)
    said, _ = taker.communicate(timeout=60)
    assert (taker.returncode, said) == (0, b"a 1\n")
    [workflow] = engine.client().list_workflows(workflow_ids=["a.1"])
    assert (workflow.queue_name, workflow.executor_id) == ("device", "alive")


def test_what_ended_long_ago_goes(sqlite_workers: Workers) -> None:
    sqlite_workers.start()
    old, new = (jobs.enqueue("note", f"note-{n}", {"number": n}, scope=SCOPE) for n in range(2))
    failed = jobs.enqueue("mistake", "mistake-1", scope=SCOPE)
    until(lambda: [state(job) for job in (old, new, failed)] == [State.DONE, State.DONE, State.FAILED], 60)
    time.sleep(1.2)
    Job.objects.filter(pk__in=[old.pk, failed.pk]).update(finished="2020-01-01T00:00Z")
    assert jobs.forget(failed_days=1e5) == 1
    assert not LogLine.objects.filter(job_id=old.pk).exists()
    Job.objects.update(finished="2020-01-01T00:00Z")
    assert jobs.forget(days=1 / 86400, failed_days=1) == 2
    assert engine.standing([job.workflow for job in (old, new, failed)]) == {}
