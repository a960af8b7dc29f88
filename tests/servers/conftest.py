"""The mail layer is tested without Home Assistant, against real servers on loopback."""

from tests.support import pure
from tests.support.fixtures import certificates

from .fixtures import fleet, server

__all__ = ["certificates", "fleet", "server"]

# Before any test module is imported: they import the mail layer.
pure.install()
