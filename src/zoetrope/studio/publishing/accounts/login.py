"""Connecting by a login at Meta: away with a state that only this session knows, back with a code."""

import hmac
import secrets
import time
from collections.abc import Callable
from contextlib import closing
from typing import TypeVar

from django.contrib.sessions.backends.base import SessionBase

from zoetrope.errors import UserError
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.publishing.accounts import keeping, tokens
from zoetrope.studio.publishing.channels.instagram import connecting
from zoetrope.studio.publishing.channels.instagram.client import Client
from zoetrope.studio.publishing.channels.seam import Lost, Refused
from zoetrope.studio.publishing.drivers import client_of
from zoetrope.studio.publishing.models import Channel

T = TypeVar("T")
_KEPT = "instagram-login"
_SECONDS = 900
_AGAIN = "begin again on the channels page; nothing was kept"


def begin(session: SessionBase, persona: Persona, login: str, account: str, back: str) -> str:
    """Where the person logs in. What comes back counts only in this session, and only for a quarter of an hour."""
    app = _app()
    state = secrets.token_urlsafe(32)
    said = {"persona": persona.pk, "login": login, "account": account, "back": back}
    session[_KEPT] = said | {"state": state, "at": int(time.time())}
    return connecting.authorize(login, app, Channel(login=login).version, back, state)


def came_back(session: SessionBase, state: str) -> dict[str, str]:
    """What was begun in this session, once; a state that is another one was made by somebody else."""
    begun = session.pop(_KEPT, None)
    if not begun or not hmac.compare_digest(str(begun["state"]).encode(), state.encode()):
        raise UserError(f"This login was not begun here, or it was used already: {_AGAIN}.")
    if time.time() - begun["at"] > _SECONDS:
        raise UserError(f"The login took longer than a quarter of an hour: {_AGAIN}.")
    return {name: begun[name] for name in ("persona", "login", "account", "back")}


def finish(persona: Persona, login: str, account: str, back: str, code: str) -> Channel:
    """From the code to a token of 60 days, and to the channel."""
    if not code or len(code) > 1000:
        raise UserError(f"Instagram did not agree, or somebody cancelled the login: {_AGAIN}.")
    app = _app()
    short = _asked("", login, lambda client: connecting.redeemed(client, app, back, code)).token
    long = _asked(short, login, lambda client: connecting.lengthened(client, login, app, short))
    return keeping.connect(persona, login, account, long.token, known=tokens.held(long))


def _app() -> connecting.App:
    app = tokens.app()
    if app is None:
        raise UserError(f"A login takes an app of your own at Meta: set {tokens.APP} and {tokens.SECRET}.")
    return app


def _asked(token: str, login: str, ask: Callable[[Client], T]) -> T:
    channel = Channel(kind=Channel.Kind.INSTAGRAM, login=login, token=token)
    try:
        with closing(client_of(channel)) as client:
            return ask(client)
    except (Lost, Refused) as error:
        raise UserError(f"The login came to nothing: {str(error).rstrip('.')}; {_AGAIN}.") from None
