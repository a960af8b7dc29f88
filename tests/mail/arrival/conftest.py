"""The made-up internet of discovery, for questions about senders."""

from tests.mail.discovery.conftest import providers, resolver, zone

__all__ = ["providers", "resolver", "zone"]
