"""The test bed is tested with the clients of others."""

from tests.support.fixtures import bed, certificates, network

__all__ = ["bed", "certificates", "network"]
