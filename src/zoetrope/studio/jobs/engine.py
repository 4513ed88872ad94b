"""The one place that speaks to DBOS: its database, its client, and what a worker starts of it."""

import logging
import os
import sqlite3
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, WorkflowStatus
from sqlalchemy import Engine, ExceptionContext, create_engine, event
from sqlalchemy.engine import URL

from zoetrope.errors import UserError
from zoetrope.home import home
from zoetrope.studio.databases import JOBS, PAGE_SECONDS
from zoetrope.studio.jobs.kinds import Queue

APPLICATION = "zoetrope"
# Left alone it would be a hash of the source, and an upgrade would strand what is running.
VERSION = "1"
CARRY = "carry"
POLL_SECONDS = 0.05
POOL = 5
PAGE = 500
ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
LEFT_BEHIND = "LEFT_BEHIND"
"""Our word for what another version of ours enqueued or began: the engine leaves it to that version for ever."""

T = TypeVar("T")


def shared() -> bool:
    """Whether workers on other machines may be carrying jobs too."""
    return os.environ.get("DATABASE_URL", "").startswith("postgres")


def address() -> str:
    """Where the engine keeps its own tables."""
    if shared():
        return "postgresql://" + os.environ["DATABASE_URL"].partition("://")[2]
    return URL.create("sqlite", database=str(home() / JOBS)).render_as_string()


def check_versions() -> None:
    """Say now what would otherwise fail deep inside the engine."""
    if not shared() and sys.version_info >= (3, 12) and sqlite3.sqlite_version_info < (3, 42):
        raise UserError(
            f"Python {sys.version_info[0]}.{sys.version_info[1]} needs SQLite 3.42 for jobs and this one brings "
            f"{sqlite3.sqlite_version}: use Python 3.11, or set DATABASE_URL to a PostgreSQL database."
        )


@lru_cache(maxsize=4)
def prepare(where: str) -> None:
    """Make the engine's tables; no client may come before them."""
    if where.startswith("sqlite"):
        home().mkdir(parents=True, exist_ok=True)
        # Without WAL, enqueueing waits seconds for a busy worker. It stays with the file.
        with closing(sqlite3.connect(home() / JOBS, timeout=PAGE_SECONDS)) as file:
            file.execute("PRAGMA journal_mode=WAL")
            # The engine would ask for a lock that somebody else keeps for ever.
            file.execute("BEGIN IMMEDIATE")
            file.rollback()
    logging.getLogger("dbos").setLevel(logging.WARNING)
    DBOS.migrate(where)


def client() -> DBOSClient:
    """For the site, which never launches the engine itself."""
    return _client(address(), os.getpid())


@lru_cache(maxsize=4)
def _client(where: str, _process: int) -> DBOSClient:
    prepare(where)
    return DBOSClient(
        system_database_url=where,
        system_database_engine=_impatient(where) if where.startswith("sqlite") else None,
        serializer=DBOSPortableJSONSerializer(),
        system_database_pool_size=POOL,
        application_name=APPLICATION,
        # A page that waits for a lost database helps nobody; the sweep makes up for it.
        retry_connection_errors=False,
    )


def _impatient(where: str) -> Engine:
    """As the client would open SQLite by itself, but a lock is waited for no longer than a page may take."""
    opened = create_engine(where, pool_size=POOL, max_overflow=0, pool_timeout=PAGE_SECONDS, pool_pre_ping=True)

    @event.listens_for(opened, "connect")
    def begin(connection: Any, _record: object) -> None:
        connection.isolation_level = "IMMEDIATE"
        connection.execute(f"PRAGMA busy_timeout={round(PAGE_SECONDS * 1000)}")
        connection.execute("PRAGMA foreign_keys=ON")

    event.listen(opened, "handle_error", _given_up)
    return opened


def _given_up(context: ExceptionContext) -> Exception | None:
    """In words that the client does not know: what says "database is locked" it tries again without end."""
    locked = "database is locked" in str(context.original_exception)
    return TimeoutError(f"{JOBS} was held by another program for {PAGE_SECONDS} s") if locked else None


def enqueue(workflow: str, key: str, round: int, queue: Queue, delay: float) -> None:
    """Hand a round of a job to the workers; a workflow that is there already stays as it is."""
    options = {
        "workflow_name": CARRY,
        "queue_name": queue.value,
        "workflow_id": workflow,
        "app_version": VERSION,
        "application_name": APPLICATION,
    }
    waiting = {"delay_seconds": delay} if delay > 0 else {}
    client().enqueue(options | waiting, key, round)  # type: ignore[arg-type]


def cancel(workflow: str) -> None:
    """Take a waiting workflow out of its queue."""
    client().cancel_workflow(workflow)


def standing(workflows: Sequence[str]) -> dict[str, str]:
    """The engine's status of those of them that it knows, or that they were left behind."""
    found = client().list_workflows(workflow_ids=list(workflows), load_input=False, load_output=False)
    return {workflow.workflow_id: _standing(workflow) for workflow in found}


def _standing(workflow: WorkflowStatus) -> str:
    return workflow.status if workflow.status in ENDED or workflow.app_version == VERSION else LEFT_BEHIND


def forget(before: datetime) -> int:
    """Delete workflows that ended before then; how many."""
    deleted = 0
    while found := _ended(before):
        client().delete_workflows([workflow.workflow_id for workflow in found])
        deleted += len(found)
    return deleted


def _ended(before: datetime) -> list[WorkflowStatus]:
    moment = before.isoformat()
    return client().list_workflows(
        status=list(ENDED), completed_before=moment, limit=PAGE, load_input=False, load_output=False
    )


def launch(executor: str, queues: Collection[Queue], carry: Callable[[str, int], None]) -> None:
    """Begin to carry out what waits in these queues, and what this executor had in hand when it was killed."""
    prepare(address())
    DBOS(
        config={
            "name": APPLICATION,
            "system_database_url": address(),
            "sys_db_pool_size": POOL,
            "application_version": VERSION,
            "executor_id": executor,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
        }
    )

    # The row counts crashes itself: it knows whether there was progress between them.
    @DBOS.workflow(name=CARRY, max_recovery_attempts=None)
    def workflow(key: str, round: int) -> None:
        carry(key, round)

    DBOS.listen_queues([queue.value for queue in queues])
    DBOS.launch()
    for queue in Queue:
        # Per worker, not in all: a slot counted in the database would be free while a cancelled job still runs.
        at_once = 1 if queue is Queue.DEVICE else None
        DBOS.register_queue(queue.value, worker_concurrency=at_once, polling_interval_sec=POLL_SECONDS)


def once(name: str, function: Callable[..., T], *args: object) -> T:
    """Inside a workflow: the function's result, remembered."""
    return DBOS.run_step({"name": name}, function, *args)


def owners() -> set[str]:
    """Executors that have, or had, something in hand."""
    return set(_owners())


def _owners() -> Iterator[str]:
    for workflow in DBOS.list_workflows(status="PENDING", load_input=False, load_output=False):
        if workflow.executor_id is not None:
            yield workflow.executor_id


def take_over(dead: Collection[str]) -> None:
    """Put what these executors had in hand back into its queues."""
    # Private, and so held by a contract test: the public resume_workflows would forget which queue it was.
    DBOS._recover_pending_workflows(sorted(dead))


def stop(patience: int) -> None:
    """Take nothing new, and wait so long for what is in hand to let go."""
    DBOS.destroy(workflow_completion_timeout_sec=patience)
