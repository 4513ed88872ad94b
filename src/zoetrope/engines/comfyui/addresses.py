"""Where a server lives: what somebody typed, and what its name resolves to, is judged before anything is sent there."""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from zoetrope.errors import UserError

_LONGEST = 200
_PORTS = {"http": 80, "https": 443}
# A cloud's own service that answers each of its machines, at an address that looks like anybody's.
_CLOUD = ipaddress.IPv4Address("168.63.129.16")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Address:
    """A server's URL and the one number that its name stood for when it was looked at."""

    url: str
    host: str
    port: int
    secure: bool
    path: str
    number: str

    @property
    def origin(self) -> str:
        """What its name is in a request, with a port where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.secure else "http"] else f"{host}:{self.port}"

    @property
    def base(self) -> str:
        """Where requests go: by number, so that a name that changes its meaning meanwhile leads nowhere else."""
        number = f"[{self.number}]" if ":" in self.number else self.number
        return f"{'https' if self.secure else 'http'}://{number}:{self.port}{self.path}"


def spelled(url: str) -> str:
    """A server's URL in its one spelling; a sentence where it is none."""
    text = url.strip().rstrip("/")
    try:
        parts = urlsplit(text)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise UserError(f"{text!a:.80} is no address of a server.") from error
    plain = not (parts.username or parts.password or parts.query or parts.fragment)
    if parts.scheme not in _PORTS or not parts.hostname or not plain or len(text) > _LONGEST or not text.isascii():
        raise UserError(f"{text!a:.80} is no address of a server: write one like http://127.0.0.1:8188.")
    if any(part in ("", ".", "..") for part in parts.path.split("/")[1:]) or any(map(_is_odd, text)):
        raise UserError(f"{text!a:.80} is no address of a server: its path cannot be used.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = host if port == _PORTS[parts.scheme] else f"{host}:{port}"
    return f"{parts.scheme}://{shown}{parts.path}"


def _is_odd(sign: str) -> bool:
    """What has no place in an address, or would be read in two ways there."""
    return sign in "\\%" or not "!" <= sign <= "~"


def found(url: str, near: bool) -> Address:
    """What a URL leads to now. This machine and its network only where the one who asks may go there."""
    parts = urlsplit(spelled(url))
    assert parts.hostname is not None
    port = parts.port or _PORTS[parts.scheme]
    try:
        rows = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UserError(f"There is no server called {parts.hostname}.") from error
    numbers = [str(row[4][0]).partition("%")[0] for row in rows]
    for number in numbers:
        _check(parts.hostname, _plain(number), near)
    # ComfyUI listens at addresses of the old kind unless it is told otherwise, and "localhost" is one of each.
    number = min(numbers, key=lambda each: ":" in each)
    return Address(spelled(url), parts.hostname, port, parts.scheme == "https", parts.path, number)


def _plain(number: str) -> _Address:
    """An address of the old kind that is written as one of the new is judged as what it is."""
    address = ipaddress.ip_address(number)
    if isinstance(address, ipaddress.IPv4Address):
        return address
    return address.ipv4_mapped or address.sixtofour or address


def _check(host: str, address: _Address, near: bool) -> None:
    # Where clouds keep their keys, and addresses that are nobody's.
    odd = address.is_link_local or address.is_multicast or address.is_unspecified or address == _CLOUD
    if odd or (address.is_reserved and not address.is_loopback):
        raise UserError(f"{host} is at {address}, where no server of yours can be.")
    inside = not address.is_global or (isinstance(address, ipaddress.IPv6Address) and address.is_site_local)
    if inside and not near:
        raise UserError(
            f"{host} is on this machine or in its network: only whoever opened this studio may add a server there."
        )
