"""The mail layer is tested without Home Assistant, against servers on loopback."""

from tests.support import pure
from tests.support.fixtures import bed, certificates, network

__all__ = ["bed", "certificates", "network"]

# Before any test module is imported: they import the mail layer.
pure.install()
