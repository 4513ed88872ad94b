"""The calls that hand out tokens."""

from typing import Any

from tests.studio.publishing.graph_clock import DAY, HOUR
from tests.studio.publishing.graph_desk import Asked, Desk
from tests.studio.publishing.graph_errors import Refusal
from tests.studio.publishing.graph_truth import FACEBOOK, INSTAGRAM, Account


class Tokens(Desk):
    """From a login's code to a token that is renewed for years."""

    async def exchange(self, asked: Asked) -> dict[str, Any]:
        """A code for an hour's token, and that for one of 60 days."""
        grant = asked.params.get("grant_type", "authorization_code")
        if asked.params.get("client_secret") != self.options.app_secret:
            raise Refusal("10", "Error validating client secret")
        if grant == "authorization_code":
            return self._first(asked)
        login = {"ig_exchange_token": INSTAGRAM, "fb_exchange_token": FACEBOOK}.get(grant)
        if login is None:
            raise Refusal("100", f"Unknown grant_type {grant}")
        account = self.allowed(asked, "basic", asked.params.get("fb_exchange_token", ""))
        if account.login != login:
            raise Refusal("190", "This token is of the other login")
        if login == INSTAGRAM and self.known(asked).long:
            raise Refusal("100", "Only a token of one hour is exchanged; one of 60 days is refreshed")
        return self._given(account)

    def _first(self, asked: Asked) -> dict[str, Any]:
        account = self.truth.codes.pop(asked.params.get("code", ""), None)
        if asked.params.get("client_id") != self.options.app_id or not asked.params.get("redirect_uri"):
            raise Refusal("100", "The parameters client_id and redirect_uri are required")
        if account is None or asked.login not in {"", account.login}:
            raise Refusal("100", "This authorization code has been used, or was never given")
        asked.line.account = account.id
        text = self.truth.token(account, long=False)
        return {"access_token": text, "user_id": account.id, "token_type": "bearer", "expires_in": int(HOUR)}

    async def refresh(self, asked: Asked) -> dict[str, Any]:
        """60 more days for a token that has some left and is a day old."""
        if asked.params.get("grant_type") != "ig_refresh_token":
            raise Refusal("100", "Unknown grant_type")
        account = self.allowed(asked, "basic")
        token = self.known(asked)
        if account.login != INSTAGRAM or not token.long:
            raise Refusal("100", "Only a token of 60 days of the Instagram login is refreshed")
        if self.now < token.made + DAY:
            raise Refusal("100", "The token is younger than 24 hours")
        return self._given(account)

    def _given(self, account: Account) -> dict[str, Any]:
        """A new one; the old one lives on until its own end."""
        return {"access_token": self.truth.token(account), "token_type": "bearer", "expires_in": int(60 * DAY)}
