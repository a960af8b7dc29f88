"""Where mail is sent to in a measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Endpoint:
    """A port of a mail server; the login is the one that the real servers have."""

    name: str
    port: int
    encryption: Literal["none", "starttls", "tls"]
    login: bool
