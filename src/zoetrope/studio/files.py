"""Files on their way to a visitor."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import cast

from django.http import FileResponse


class Handed(FileResponse):
    """A file that is sent piece by piece. Django's own, asked asynchronously, would read gigabytes before the first."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = cast(Iterator[bytes], self.streaming_content)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece
