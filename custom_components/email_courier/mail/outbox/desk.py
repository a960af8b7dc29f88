"""What the parts of one courier share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .events import Reporter
from .runtime import Alarm, Chores, Host
from .scheduler import Backlog

if TYPE_CHECKING:
    from .backup import Backup
    from .spool import Keeper


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
