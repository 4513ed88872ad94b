"""One question to a model and its typed answer. Only this module loads the libraries that talk with models."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, TypeVar

from openai import AsyncOpenAI
from pydantic import BaseModel
from pydantic_ai import Agent, BinaryContent, PromptedOutput
from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from zoetrope.engines.comfyui.addresses import Address
from zoetrope.studio.writing.writers.wire import client

_MOST_TOKENS = 8_000
T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Seat:
    """Whom to ask, and with which key."""

    address: Address
    model: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class Trouble:
    """Why there is no answer: a sentence without its subject, in our words, as the server's could be anything."""

    sentence: str
    status: int | None = None
    # It answered, but not in the form that was asked for.
    shapeless: bool = False


def talk(seat: Seat, kind: type[T], rules: str, message: str, picture: bytes | None, seconds: float) -> T | Trouble:
    """Ask once. Nothing that a server can do wrong raises: what it said would stand in the traceback."""
    try:
        return asyncio.run(asyncio.wait_for(_asked(seat, kind, rules, message, picture, seconds), seconds))
    except TimeoutError:
        return Trouble("did not answer in time.")
    except UnexpectedModelBehavior:
        return Trouble("did not answer in the form that was asked for.", shapeless=True)
    except Exception as error:
        return _trouble(error)


def _trouble(error: Exception) -> Trouble:
    status = getattr(error, "status_code", None)
    if status in (401, 403):
        return Trouble(f"answered {status}: its key or its rights are not what it wants.", status)
    if status is not None:
        return Trouble(f"answered {status} and wrote nothing.", status)
    return Trouble(f"did not answer as asked ({type(error).__name__}).")


async def _asked(seat: Seat, kind: type[T], rules: str, message: str, picture: bytes | None, seconds: float) -> T:
    async with client(seat.address, seconds) as http:
        # To a type checker the library takes the clients of another library, at run time these as well.
        door: Any = http
        # Where no key is needed, one has to be named all the same.
        key = seat.key or "none"
        api = AsyncOpenAI(base_url=seat.address.base, api_key=key, http_client=door, max_retries=1, timeout=seconds)
        model = OpenAIChatModel(seat.model, provider=OpenAIProvider(openai_client=api))
        # Its own way of asking again would repeat what was answered, which may hold what it must not.
        agent = Agent(model, output_type=PromptedOutput(kind), instructions=rules, retries=0)
        shown = [BinaryContent(data=picture, media_type="image/jpeg")] if picture else []
        answer = await agent.run([message, *shown], model_settings={"max_tokens": _MOST_TOKENS})
        return answer.output
