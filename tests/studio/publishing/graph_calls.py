"""How each call of the Graph API is handled when nothing goes wrong; a method each, named as the call."""

from typing import Any

from tests.studio.publishing.graph_containers import Containers
from tests.studio.publishing.graph_desk import Asked
from tests.studio.publishing.graph_echoes import Echoes
from tests.studio.publishing.graph_errors import Refusal
from tests.studio.publishing.graph_tokens import Tokens
from tests.studio.publishing.graph_wire import Answer, told


class Calls(Containers, Echoes, Tokens):
    """All of them."""

    async def read(self, asked: Asked) -> dict[str, Any]:
        """What there is not, or not for this one."""
        self.allowed(asked, "basic")
        raise Refusal("100/33")

    async def unknown(self, asked: Asked) -> Answer:
        body = Refusal("100", "Unknown path components, or not by this method").body("none")
        return told(body, 404)
