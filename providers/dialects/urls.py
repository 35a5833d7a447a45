"""Addresses inside a request that a provider is to fetch: none may lead into a private network.

We fetch nothing ourselves, but a provider that we host would, from inside our walls. A public name
that resolves to a private address cannot be told here: the provider's own egress must stop that.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from ..errors import BadRequest

URL_MAX = 8_192
LOCAL_NAMES = ("localhost", "local", "internal", "home.arpa", "nip.io", "sslip.io")
# Ranges that lead to private addresses but that the standard library calls global.
HIDDEN = [ipaddress.ip_network(text) for text in ("64:ff9b::/96", "2002::/16", "fec0::/10")]


def check_image(image: object, where: str) -> None:
    """Raise BadRequest unless it is inline data or an address on the public network."""
    url = image.get("url") if isinstance(image, Mapping) else image
    if not isinstance(url, str):
        raise BadRequest("image_url must have a url.", param=where)
    if url.startswith("data:"):
        return
    if not _is_public(url):
        raise BadRequest("This URL is not allowed.", param=where, code="url_not_allowed")


def _is_public(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    if parts.scheme not in {"http", "https"} or not host or len(url) > URL_MAX:
        return False
    if parts.username is not None or any(character.isspace() for character in url):
        return False
    address = _address(host)
    if address is None:
        return "." in host and not any(
            host == name or host.endswith(f".{name}") for name in LOCAL_NAMES
        )
    mapped = getattr(address, "ipv4_mapped", None)
    if mapped is not None:
        address = mapped
    is_hidden = any(address in network for network in HIDDEN if network.version == address.version)
    return address.is_global and not address.is_multicast and not is_hidden


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host text means, in every way that a resolver would read it."""
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))  # 127.1, 0x7f.1, 2130706433
    except (OSError, UnicodeError):
        return None
