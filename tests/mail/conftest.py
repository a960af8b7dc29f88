"""The mail layer is tested without Home Assistant, against servers on loopback."""

from hypothesis import settings
import pytest

from tests.support import pure
from tests.support.fixtures import bed, certificates, network, unmeasured_programs

__all__ = ["bed", "certificates", "network", "unmeasured_programs"]

# Before any test module is imported: they import the mail layer.
pure.install()

# How long an example takes says how busy the machine is.
settings.register_profile("email_courier", deadline=None)
settings.load_profile("email_courier")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that side by side nothing long is left for the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
