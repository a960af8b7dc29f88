"""What the parts of one courier share."""

from __future__ import annotations

from dataclasses import dataclass

from .alarm import Alarm
from .backlog import Backlog
from .backup import Backup
from .chores import Chores
from .host import Host
from .keeper import Keeper
from .reporter import Reporter


@dataclass(frozen=True, slots=True)
class Desk:
    """One of each, and the backup account where there is one."""

    host: Host
    alarm: Alarm
    backlog: Backlog
    keeper: Keeper
    reporter: Reporter
    chores: Chores
    backup: Backup | None = None
