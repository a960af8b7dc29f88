"""What every group of measurements needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.servers.postfix import Postfix

from .endpoint import Endpoint
from .figures import Figures, Scale
from .house import House
from .peers import Peer


@dataclass(frozen=True)
class Bench:
    """One run: servers, clients, and how often everything is done.

    burst: mails that are sent at once; slow_line: mails over the delayed line.
    megabytes: sizes of attachments. waiting: mails in the outbox. days, years: of the recorder's
    states and statistics. authority_pem: that a further Home Assistant is to trust.
    scale: big cases against small ones. quick: whether this is a smoke run.
    """

    house: House
    postfix: Postfix
    sinks: Sequence[Endpoint]
    peers: Sequence[Peer]
    figures: Figures
    rounds: int
    burst: int
    slow_line: int
    megabytes: Sequence[int]
    waiting: Sequence[int]
    days: int
    years: int
    authority_pem: str
    scale: Scale
    quick: bool


def say(text: str) -> None:
    """Print what comes next."""
    print(f"==> {text}", flush=True)
