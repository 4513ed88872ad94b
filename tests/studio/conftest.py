"""The named cast: Olga owns, Rui reviews, Vic views, Sam is a stranger with a space of his own; Ada is the persona."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import pytest
from django.core.cache import cache
from django.test import Client

from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import begin, told_persona
from zoetrope.studio.spaces.models import ApiToken, Membership, Role, Space, User
from zoetrope.studio.spaces.people import open_space

PASSWORD = "a drum that turns"
T = TypeVar("T")


@dataclass
class Cast:
    """Who is there, and as whom each is logged in."""

    space: Space
    ada: Persona
    clients: dict[str, Client] = field(default_factory=dict)

    def user(self, name: str) -> User:
        return User.objects.get(username=name)

    def token(self, name: str) -> str:
        return ApiToken.make(self.space, self.user(name), "a test")


@pytest.fixture
def cast(db: None) -> Cast:
    """One space with its members, and a stranger."""
    # Whose passwords were guessed at in another test rest no longer.
    cache.clear()
    people = {name: User.objects.create_user(name, password=PASSWORD) for name in ("olga", "rui", "vic", "sam")}
    space = open_space("Studio", people["olga"])
    open_space("Elsewhere", people["sam"])
    for name, role in (("rui", Role.reviewer), ("vic", Role.viewer)):
        Membership.objects.create(space=space, user=people[name], role=role)
    ada = begin(space, told_persona("ada", "drawn", "", "nano-flux", "fictional"), "Ada")
    clients = {name: Client() for name in people}
    for name, client in clients.items():
        client.force_login(people[name])
    return Cast(space, ada, clients | {"nobody": Client()})


class Told:
    """A job's work that remembers what it was told."""

    key = "a-job"

    def __init__(self) -> None:
        self.stages: list[tuple[str, int, int]] = []
        self.lines: list[str] = []
        self.wanted = True

    def progress(self, stage: str, done: int = 0, total: int = 0) -> None:
        self.stages.append((stage, done, total))

    def log(self, text: str) -> None:
        self.lines.append(text)

    def cancelled(self) -> bool:
        return not self.wanted

    def check(self) -> None:
        if not self.wanted:
            raise jobs.Interrupted

    def once(self, name: str, function: Callable[..., T], *args: object) -> T:
        return function(*args)
