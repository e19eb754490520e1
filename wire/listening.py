"""A socket that listens at an address, whichever its family, and how that address is written."""

from __future__ import annotations

import socket

__all__ = ["authority", "listening_socket"]


def listening_socket(host: str, port: int) -> socket.socket:
    """A TCP socket bound to an IPv4 or IPv6 address, or to the first that a name has (IPv4 first).

    Not listening yet, not blocking. Port 0 takes a free one.

    Raises:
        OSError: the address is taken, is not of this machine, or the name is unknown.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = min(found, key=lambda one: one[0] is not socket.AF_INET)
    # asyncio sets TCP_NODELAY on accepted sockets only when the listener says IPPROTO_TCP: else
    # a kept-alive request waits 40 ms for a delayed acknowledgement.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    return listener


def authority(host: str, port: int) -> str:
    """`host:port` as URLs write it: an IPv6 address in brackets (RFC 3986 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
