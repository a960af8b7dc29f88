"""The test bed is tested with the clients of others."""

from tests.support.fixtures import bed, certificates

__all__ = ["bed", "certificates"]
