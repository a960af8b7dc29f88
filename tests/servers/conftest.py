"""The mail layer is tested without Home Assistant, against real servers on loopback."""

from tests.support import pure
from tests.support.fixtures import certificates

pure.install()

from .fixtures import authority, fleet, server  # noqa: E402 - imports the mail layer

__all__ = ["authority", "certificates", "fleet", "server"]
