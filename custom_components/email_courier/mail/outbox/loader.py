"""Reading mails back: what is damaged is set aside and named, what may be readable later stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import contextlib
from dataclasses import dataclass
import logging

from .disk import Disk
from .errors import DamagedMailError
from .events import Damaged
from .mail_id import MailId
from .record import MailRecord
from .reporter import Reporter

_LOGGER = logging.getLogger(__name__)

AT_ONCE = 500
"""Records that are read in one turn of the disk."""


@dataclass(frozen=True, slots=True)
class TakenUp:
    """What an earlier run has left was taken up.

    damaged: names of files that are set aside. trouble: why something is to be read again later.
    """

    damaged: tuple[str, ...] = ()
    trouble: OSError | None = None


class Loader:
    """Reads waiting and held mails alike."""

    def __init__(self, disk: Disk, reporter: Reporter, forget: Callable[[MailId], None]) -> None:
        """Read from a disk.

        forget: called for a damaged mail, which takes part in nothing any more.
        """
        self._disk = disk
        self._reporter = reporter
        self._forget = forget

    async def read[*Ts, T](self, mail_id: MailId, read: Callable[[*Ts], T], *args: *Ts) -> T | None:
        """Return what a call of the store reads; None when the mail was damaged and is set aside.

        Raises OSError, which says nothing about the mail: it may be readable later.
        """
        try:
            return await self._disk.run(read, *args)
        except DamagedMailError as error:
            await self._set_aside({mail_id: error})
        return None

    async def read_records(
        self, mail_ids: Sequence[MailId], is_idle: Callable[[MailId], bool]
    ) -> tuple[list[MailRecord], list[OSError]]:
        """Return the records that can be read, and why others cannot be for now.

        is_idle: whether a mail is here still and in nobody's hands; another one that seems
        damaged is left to whoever has it.
        """
        records: list[MailRecord] = []
        errors: list[OSError] = []
        for start in range(0, len(mail_ids), AT_ONCE):
            some = mail_ids[start : start + AT_ONCE]
            found, faults = await self._disk.run(self._disk.store.read_records, some)
            records += found
            errors += [fault for fault in faults.values() if isinstance(fault, OSError)]
            await self._set_aside(
                {
                    mail_id: fault
                    for mail_id, fault in faults.items()
                    if isinstance(fault, DamagedMailError) and is_idle(mail_id)
                }
            )
        return records, errors

    async def _set_aside(self, damaged: dict[MailId, DamagedMailError]) -> None:
        for mail_id, error in damaged.items():
            _LOGGER.warning("A mail was damaged and is set aside: %s", error)
            self._forget(mail_id)
        for mail_id in damaged:
            with contextlib.suppress(OSError):  # the next start finds it again
                await self._disk.run(self._disk.store.set_aside, mail_id)
        if damaged:
            self._reporter.tell(Damaged(tuple(map(str, damaged))))
