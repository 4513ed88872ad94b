"""From a login to a token, from a short token to a long one, and from a token to its account."""

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from zoetrope.studio.publishing.channels.instagram.client import Client
from zoetrope.studio.publishing.channels.seam import Lost

INSTAGRAM, FACEBOOK = "instagram", "facebook"
TOKEN = r"[\x21-\x7e]{20,1000}"
"""What can be a token: one word."""
SCOPES = {
    # The last of each is for first comments.
    INSTAGRAM: (
        "instagram_business_basic",
        "instagram_business_content_publish",
        "instagram_business_manage_insights",
        "instagram_business_manage_comments",
    ),
    FACEBOOK: (
        "instagram_basic",
        "instagram_content_publish",
        "pages_show_list",
        "pages_read_engagement",
        "instagram_manage_insights",
        "instagram_manage_comments",
    ),
}
"""What a login asks for."""
_LOGINS = {
    INSTAGRAM: "https://www.instagram.com/oauth/authorize",
    FACEBOOK: "https://www.facebook.com/{version}/dialog/oauth",
}
_LONGEST_SECONDS = 400 * 24 * 60 * 60


@dataclass(frozen=True)
class App:
    """Somebody's app at Meta, in whose name people log in."""

    number: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Granted:
    """A token, and for how long; None where that was not said."""

    token: str = field(repr=False)
    seconds: int | None


def authorize(login: str, app: App, version: str, back: str, state: str) -> str:
    """Where a person logs in and agrees; `back` is where they are sent then, with a code and the same state."""
    said = {"client_id": app.number, "redirect_uri": back, "response_type": "code", "state": state}
    return f"{_LOGINS[login].format(version=version)}?{urlencode(said | {'scope': ','.join(SCOPES[login])})}"


def redeemed(client: Client, app: App, back: str, code: str) -> Granted:
    """What a login's code is worth: a token of an hour."""
    said = {"client_id": app.number, "client_secret": app.secret, "redirect_uri": back, "code": code}
    hidden = (app.secret, code)
    told = client.redeem("oauth/access_token", hidden=hidden, grant_type="authorization_code", **said)
    rows = told.get("data")
    return _granted(rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else told)


def lengthened(client: Client, login: str, app: App, token: str) -> Granted:
    """A token of 60 days for one of an hour; with Facebook also for one of 60 days."""
    if login == INSTAGRAM:
        return _granted(client.renew("access_token", secret=app.secret, grant_type="ig_exchange_token"))
    said = {"client_id": app.number, "client_secret": app.secret, "fb_exchange_token": token}
    hidden = (app.secret, token)
    return _granted(client.redeem("oauth/access_token", hidden=hidden, grant_type="fb_exchange_token", **said))


def refreshed(client: Client) -> Granted:
    """Another 60 days for a token that is a day old and has not ended."""
    return _granted(client.renew("refresh_access_token", grant_type="ig_refresh_token"))


def accounts(client: Client, login: str) -> list[str]:
    """The numbers of the accounts that a token is for."""
    if login == INSTAGRAM:
        told = client.get("me", fields="user_id,username")
        return _numbers([told.get("user_id") or told.get("id")])
    rows = client.get("me/accounts", fields="instagram_business_account").get("data")
    pages = [row.get("instagram_business_account") for row in _rows(rows)]
    return _numbers([page.get("id") for page in _rows(pages)])


def name_of(client: Client, account: str) -> str:
    """What an account is called: whoever can ask that has a token for it."""
    name = client.get(account, fields="username").get("username")
    if not isinstance(name, str) or not name:
        raise Lost("Instagram did not say what the account is called.")
    return name[:60]


def _rows(rows: object) -> list[dict[str, Any]]:
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _numbers(found: list[object]) -> list[str]:
    return [str(each) for each in found if str(each).isdecimal() and len(str(each)) <= 40]


def _granted(told: dict[str, Any]) -> Granted:
    token, seconds = told.get("access_token"), told.get("expires_in")
    if not isinstance(token, str) or not re.fullmatch(TOKEN, token):
        raise Lost("Instagram's answer holds no token.")
    ends = isinstance(seconds, int) and 0 < seconds <= _LONGEST_SECONDS
    return Granted(token, seconds if ends else None)
