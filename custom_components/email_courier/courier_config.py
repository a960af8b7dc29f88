"""How an account's options have its mail treated."""

from __future__ import annotations

from copy import replace
from functools import partial
import sys
from typing import Final

from homeassistant.core import HomeAssistant

from .account import Account, EmailCourierConfigEntry, loaded_account
from .const import (
    CONF_BACKUP_ACCOUNT,
    CONF_BACKUP_AFTER,
    CONF_FLOOD_LIMIT,
    CONF_HIDE_SUBJECTS,
    CONF_LAYOUT,
    CONF_MAX_MAILS,
    CONF_MAX_MEGABYTES,
    CONF_WRITE_FIRST,
    DEFAULT_BACKUP_AFTER,
    DEFAULT_MAX_MAILS,
    DEFAULT_MAX_MEGABYTES,
)
from .digest import DigestWriter
from .mail.compose.content import Layout
from .mail.failure import Cause, Failure, FailureKind, Permanence, Stage
from .mail.outbox.backup import AbsentError, Backup, readdress
from .mail.outbox.courier import CourierConfig
from .mail.outbox.hold import FloodLimit
from .mail.outbox.spool import QuotaLimits
from .mail.outbox.submission import OutgoingMail
from .phrases import Phrases

_UNLIMITED: Final = sys.maxsize
"""Mails that were held back under a limit go out under this one once it is taken away."""

_NOT_LOADED: Final = Failure(
    FailureKind.DISCONNECTED,
    Stage.RESOLVE,
    Permanence.TEMPORARY,
    detail="the backup account is not loaded",
    facts={"cause": Cause.BACKUP_NOT_LOADED.value},
)


async def async_courier_config(
    hass: HomeAssistant, entry: EmailCourierConfigEntry
) -> CourierConfig:
    """Return what the options say."""
    options = entry.options
    return CourierConfig(
        write_first=options.get(CONF_WRITE_FIRST, False),
        limits=QuotaLimits(
            mails=int(options.get(CONF_MAX_MAILS, DEFAULT_MAX_MAILS)),
            size=int(options.get(CONF_MAX_MEGABYTES, DEFAULT_MAX_MEGABYTES)) * 1_000_000,
        ),
        backup=_backup(hass, entry),
        hides_subjects=options.get(CONF_HIDE_SUBJECTS, False),
        flood_limit=FloodLimit(
            per_hour=int(options.get(CONF_FLOOD_LIMIT) or _UNLIMITED),
            digests=DigestWriter(
                await Phrases.async_load(hass),
                hass.config.location_name,
                hass.config.language,
                partial(_size_limit, entry),
                Layout(entry.options.get(CONF_LAYOUT, Layout.CARD)),
            ),
        ),
    )


def _size_limit(entry: EmailCourierConfigEntry) -> int | None:
    """Return how many bytes the server takes, as it has said since the account was loaded."""
    account: Account | None = getattr(entry, "runtime_data", None)
    proof = None if account is None else account.proof
    return None if proof is None else proof.size_limit


def _backup(hass: HomeAssistant, entry: EmailCourierConfigEntry) -> Backup | None:
    backup_id = entry.options.get(CONF_BACKUP_ACCOUNT)
    if not backup_id:
        return None

    async def hand_over(mail: OutgoingMail) -> None:
        if (account := loaded_account(hass, backup_id)) is None:
            raise AbsentError(_NOT_LOADED)
        sender = account.sender.address
        if entry.options.get(CONF_HIDE_SUBJECTS):  # which the other account knows nothing of
            parts = tuple(part._replace(subject="") for part in mail.stands_for)
            mail = replace(mail, subject="", stands_for=parts)
        await account.courier.accept(await hass.async_add_executor_job(readdress, mail, sender))

    minutes = float(entry.options.get(CONF_BACKUP_AFTER, DEFAULT_BACKUP_AFTER))
    return Backup(own=entry.entry_id, account=backup_id, hand_over=hand_over, after=60 * minutes)
