"""Ports where nobody speaks: nothing listens, or no packet is answered."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
import errno
import socket
import time

from tests.support.listener import LOOPBACK


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@contextmanager
def refusing_port(host: str = LOOPBACK) -> Iterator[int]:
    """Give a port where connections are refused: taken, so that nobody else listens there."""
    with socket.socket(_family(host)) as taken:
        taken.bind((host, 0))
        yield taken.getsockname()[1]


@contextmanager
def unanswered_port(host: str = LOOPBACK, port: int = 0) -> Iterator[int]:
    """Give a port where a connection is neither made nor refused, as behind a firewall.

    The queue of a listener that accepts nobody is filled up; Linux then ignores what comes.
    Raises RuntimeError where the system answers all the same.
    """
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket(_family(host)))
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(0)
        address = listening.getsockname()[:2]
        for _ in range(16):
            filler = stack.enter_context(socket.socket(_family(host)))
            filler.setblocking(False)
            if filler.connect_ex(address) in (0, errno.EINPROGRESS) and not _connects(filler):
                yield address[1]
                return
        raise RuntimeError("the queue of a listening socket never fills up here")


def _connects(connecting: socket.socket) -> bool:
    """Return whether the connection is made within a time that loopback never needs."""
    until = time.monotonic() + 0.1
    while time.monotonic() < until:
        try:
            connecting.getpeername()
        except OSError:
            time.sleep(0.005)
        else:
            return True
    return False
