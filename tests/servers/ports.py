"""Free ports on loopback."""

from contextlib import ExitStack
import random
import socket

# Below the range from which the kernel takes ports for outgoing connections: a server that is
# stopped and started again must find its port as it left it.
_RANGE = range(18_000, 32_000)


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """Return ports that nobody listens on now."""
    found: list[int] = []
    with ExitStack() as taken:
        for port in random.sample(_RANGE, len(_RANGE)):
            if len(found) == count:
                break
            listener = taken.enter_context(socket.socket())
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((host, port))
            except OSError:
                continue
            found.append(port)
    return found


def listens(port: int, host: str = "127.0.0.1") -> bool:
    """Tell whether somebody accepts connections on a port."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
