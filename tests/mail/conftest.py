"""The mail layer is tested without Home Assistant, against servers on loopback."""

from hypothesis import settings

from tests.support import pure
from tests.support.fixtures import bed, certificates, network

__all__ = ["bed", "certificates", "network"]

# Before any test module is imported: they import the mail layer.
pure.install()

# How long an example takes says how busy the machine is.
settings.register_profile("email_courier", deadline=None)
settings.load_profile("email_courier")
