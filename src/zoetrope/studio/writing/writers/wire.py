"""How a model's server is reached: by the number its name was found at, with few headers, and with bounded answers."""

import time

import httpx

from zoetrope.engines.comfyui.addresses import Address

MOST_BYTES = 2**20
"""An answer is no larger: a hundred captions would fit."""
_SENT = ("authorization", "content-type", "content-length", "accept")


def client(address: Address, seconds: float) -> httpx.AsyncClient:
    """Cookies, proxies and redirects would lead elsewhere than where somebody looked."""
    return httpx.AsyncClient(
        transport=_Guarded(address, seconds), timeout=seconds, follow_redirects=False, trust_env=False
    )


class _Guarded(httpx.AsyncHTTPTransport):
    """Sends to one server only, and reads no more of its answer than there should be."""

    def __init__(self, address: Address, seconds: float) -> None:
        super().__init__(trust_env=False)
        self._address, self._until = address, time.monotonic() + seconds

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask, with nothing about this machine in the headers, and take in the whole answer."""
        answer = await super().handle_async_request(self._bare(request))
        try:
            data = await self._read(answer)
        finally:
            await answer.aclose()
        kind = answer.headers.get("content-type", "application/json")
        return httpx.Response(answer.status_code, headers={"content-type": kind}, content=data)

    def _bare(self, request: httpx.Request) -> httpx.Request:
        headers = {name: value for name, value in request.headers.items() if name.lower() in _SENT}
        # Packed, a small answer could be a huge one.
        headers |= {"host": self._address.origin, "user-agent": "zoetrope", "accept-encoding": "identity"}
        extensions = dict(request.extensions)
        if self._address.secure:
            # A certificate is checked for the name that was typed, though the connection goes to a number.
            extensions["sni_hostname"] = self._address.host
        return httpx.Request(request.method, request.url, headers=headers, stream=request.stream, extensions=extensions)

    async def _read(self, answer: httpx.Response) -> bytes:
        if answer.headers.get("content-encoding", "identity") != "identity":
            raise httpx.DecodingError("An answer is packed, which was not asked for.")
        data = bytearray()
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        async for part in answer.stream:
            data += part
            if len(data) > MOST_BYTES:
                raise httpx.ReadError(f"An answer is larger than {MOST_BYTES:,} bytes.")
            if time.monotonic() > self._until:
                raise httpx.ReadTimeout("An answer took too long.")
        return bytes(data)
