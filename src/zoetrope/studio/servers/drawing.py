"""A recipe with a workflow is drawn by whichever of a space's servers is well and has least to do."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from zoetrope.engines.comfyui.client import Refused, Unreachable
from zoetrope.engines.comfyui.drawing import Stuck
from zoetrope.engines.comfyui.engine import ComfyEngine, Lent
from zoetrope.engines.comfyui.workflow import lora_name
from zoetrope.engines.engine import Cancel, EngineLost, Made, Progress
from zoetrope.errors import UserError
from zoetrope.media.files import write_atomic
from zoetrope.media.hashing import hash_bytes
from zoetrope.media.recipe import Recipe
from zoetrope.studio.servers.keeping import ask, client_of, heard
from zoetrope.studio.servers.models import Errand, Server
from zoetrope.studio.spaces.models import Space

EACH = 2
"""So many works wait on a server at most; all others wait here, where they survive its restart."""
FOLDER = "ZOETROPE_COMFYUI_LORAS"
"""In the environment: the folder of LoRAs of the servers on this machine."""
# Whoever was killed left it behind.
_STALE = timedelta(hours=2)


class NoServer(EngineLost):
    """None is well just now."""


def room(space: Space, there: int) -> int:
    """How many more works may be handed to the space's servers, where so many are under way."""
    return EACH * Server.usable(space).count() - there


def check_space(space: Space) -> None:
    """Refuse to begin what nobody could draw."""
    if not space.servers.exists():
        raise UserError(f"{space} has no ComfyUI server yet: an owner adds one on the page of servers.")


def hindrance(space: Space) -> str:
    """Why nothing is drawn for a space just now, if so; asked of rows, not of servers."""
    if Server.usable(space).exists():
        return ""
    if space.servers.filter(paused=False).exists():
        return "None of this space's ComfyUI servers answered a moment ago; they are asked again and again."
    return f"Every ComfyUI server of {space} is paused: go on with one on the page of servers."


def draw(
    space: Space,
    recipe: Recipe,
    key: str,
    lent: Lent,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    preview: Callable[[bytes], None] | None = None,
) -> list[Made]:
    """The pictures of a recipe; begun again under the same key, it goes on where it was."""
    refused: dict[int, Refused] = {}
    while True:
        with _server(space, key, refused) as server, client_of(server) as client:
            _put_beside(recipe, lent)
            try:
                made = ComfyEngine(client, _named(key, recipe), lent, preview).make(recipe, progress, cancel)
            except (Unreachable, Stuck) as error:
                # Other things that end a drawing say nothing of the server.
                heard(server, error=str(error))
                raise
            except Refused as error:
                # It lacks a node or a model that another one may have.
                refused[server.pk] = error
                continue
            heard(server)
            return made


def _named(key: str, recipe: Recipe) -> str:
    """Of this studio and this recipe: another home, or one restored, counts its orders from one as well."""
    studio = hash_bytes(settings.SECRET_KEY.encode())
    return f"{studio}/{key}/{recipe.sha256}"


def _put_beside(recipe: Recipe, lent: Lent) -> None:
    """Where a server's folder of LoRAs is at hand, those that it needs lie in it before it is asked to draw."""
    folder = os.environ.get(FOLDER)
    for use in recipe.loras if folder else ():
        path = Path(folder or "") / lora_name(use.sha256)
        try:
            if not path.is_file():
                write_atomic(path, lent.lora(use.sha256).read_bytes())
        except OSError as error:
            raise UserError(f"{use.name} cannot be put into ComfyUI's folder of LoRAs: {error.strerror}.") from error


@contextmanager
def _server(space: Space, key: str, refused: Mapping[int, Refused]) -> Iterator[Server]:
    """Which one draws; it is remembered until the work has ended, also by whoever goes on after a kill."""
    server, again = _chosen(space, key, refused), False
    try:
        yield server
    except EngineLost:
        again = True
        raise
    finally:
        if not again:
            Errand.objects.filter(key=key).delete()


def _chosen(space: Space, key: str, refused: Mapping[int, Refused]) -> Server:
    """The one with least to do of those that did not refuse it; if all did, the last one's words."""
    Errand.objects.filter(since__lt=timezone.now() - _STALE).delete()
    own = Server.objects.filter(space=space, paused=False, errands__key=key)
    busy = Count("errands", filter=~Q(errands__key=key))
    # Where it was begun first, also when that one did not answer a moment ago.
    for server in [*own, *Server.usable(space).exclude(pk__in=own).annotate(busy=busy).order_by("busy", "pk")]:
        if server.pk not in refused and ask(server):
            with transaction.atomic():
                Errand.objects.update_or_create(key=key, defaults={"server": server})
            return server
    if refused:
        raise [*refused.values()][-1]
    raise NoServer("None of this space's ComfyUI servers answers just now.")
