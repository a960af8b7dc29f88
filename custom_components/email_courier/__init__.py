"""Email Courier: mail from a house that arrives."""

from __future__ import annotations

import contextlib
from copy import replace
from functools import partial
import logging
from pathlib import Path
import sys
from typing import Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ConfigEntryError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.importlib import async_import_module
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.typing import ConfigType

from .account import Account, EmailCourierConfigEntry, loaded_account
from .answer.view import AnswerView
from .connectivity import ContactLog
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
    DOMAIN,
    KEPT_OPTIONS,
    SIGNAL_MAIL,
    SIGNAL_UNLOADED,
)
from .digest import DigestWriter
from .entry import async_context_for, trust_of
from .issues import AccountIssues, async_delete_issues
from .logbook import Activity
from .mail.compose.content import Layout
from .mail.failure import Cause, Failure, FailureKind, Permanence, Stage
from .mail.outbox.backup import AbsentError, Backup, readdress
from .mail.outbox.courier import CourierConfig
from .mail.outbox.hold import FloodLimit
from .mail.outbox.spool import QuotaLimits
from .mail.outbox.store import Store
from .mail.outbox.submission import OutgoingMail
from .moving import OldNames
from .oauth.tokens import async_tokens_for
from .outbox_host import outbox_folder
from .phrases import Phrases
from .report.schedule import Reports, async_forget_reports
from .services import async_import_actions, async_register_classic, async_setup_services

_LOGGER = logging.getLogger(__name__)

CONFIG_SCHEMA = cv.config_entry_only_config_schema(DOMAIN)
PLATFORMS = [
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.NOTIFY,
    Platform.SENSOR,
    Platform.SWITCH,
]

_UNLIMITED: Final = sys.maxsize
"""Mails that were held back under a limit go out under this one once it is taken away."""

_NOT_LOADED: Final = Failure(
    FailureKind.DISCONNECTED,
    Stage.RESOLVE,
    Permanence.TEMPORARY,
    detail="the backup account is not loaded",
    facts={"cause": Cause.BACKUP_NOT_LOADED.value},
)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    """Register the actions and the page of buttons, which are there while no account is loaded."""
    async_setup_services(hass)
    hass.http.register_view(AnswerView())
    async_at_started(hass, _async_on_started)
    return True


async def _async_on_started(hass: HomeAssistant) -> None:
    """Import the actions, so that no call has to wait for it, and go on asking by mail."""
    await async_import_actions(hass)
    from .answer.book import book_of  # noqa: PLC0415 - a start goes without
    from .send.message import async_send  # noqa: PLC0415
    from .send.repeat import async_repeater  # noqa: PLC0415

    if await hass.async_add_executor_job(book_of(hass).path.exists):
        await async_repeater(hass, async_send)


async def async_migrate_entry(hass: HomeAssistant, entry: EmailCourierConfigEntry) -> bool:
    """Let an account that an older release has made send its mail as it did."""
    if entry.minor_version < 2:
        options = {**KEPT_OPTIONS, **entry.options}
        hass.config_entries.async_update_entry(entry, options=options, minor_version=2)
    return True


async def async_setup_entry(hass: HomeAssistant, entry: EmailCourierConfigEntry) -> bool:
    """Load an account at once, whether its server is up or not."""
    trust = trust_of(entry.data, entry.options)
    try:
        context = await async_context_for(hass, trust)
    except OSError as error:
        _LOGGER.warning("%s cannot be used: %s", trust.ca_file, error)
        raise ConfigEntryError(
            translation_domain=DOMAIN,
            translation_key="ca_file_unreadable",
            translation_placeholders={"path": trust.ca_file or "-"},
        ) from error
    account = Account(
        hass,
        entry,
        context,
        await async_courier_config(hass, entry),
        await async_tokens_for(hass, entry),
    )
    entry.runtime_data = account
    AccountIssues(account).async_start()
    ContactLog(account).async_start()
    Activity(account).async_start()
    entry.async_on_unload(
        account.async_listen(partial(async_dispatcher_send, hass, SIGNAL_MAIL, account))
    )
    await account.async_open()
    await Reports(account, _async_send_report).async_open()
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    account.async_start()
    async_dispatcher_send(hass, SIGNAL_MAIL, account, None)
    entry.async_on_unload(await async_register_classic(hass, account))
    OldNames(account).async_start()
    entry.async_on_unload(entry.add_update_listener(_async_take_up))
    return True


async def _async_send_report(account: Account, subentry: ConfigSubentry, context: Context) -> None:
    """Send a report; what makes one is imported with the first."""
    await async_import_module(account.hass, f"{__package__}.report.message")
    from .report.message import async_send_report  # noqa: PLC0415

    await async_send_report(account, subentry, context)


async def async_unload_entry(hass: HomeAssistant, entry: EmailCourierConfigEntry) -> bool:
    """Unload an account; its waiting mail stays on disk."""
    if not await hass.config_entries.async_unload_platforms(entry, PLATFORMS):
        return False
    async_dispatcher_send(hass, SIGNAL_UNLOADED, entry.entry_id)
    await entry.runtime_data.async_stop()
    return True


async def async_remove_entry(hass: HomeAssistant, entry: EmailCourierConfigEntry) -> None:
    """Remove an account with its outbox, all mail in it, the history, and what its mail asks."""
    async_delete_issues(hass, entry.entry_id)
    await _async_ask_no_more(hass, entry)
    await async_forget_reports(hass, entry.entry_id)
    folder = outbox_folder(hass, entry.entry_id)
    lost, errors = await hass.async_add_executor_job(_erase, folder)
    if lost:
        _LOGGER.warning("%s was removed, and %s mails that waited there with it", entry.title, lost)
    for error in errors:
        _LOGGER.warning("Something of the removed account %s is left: %s", entry.title, error)


async def _async_ask_no_more(hass: HomeAssistant, entry: EmailCourierConfigEntry) -> None:
    await async_import_module(hass, f"{__package__}.answer.book")
    from .answer.book import async_book  # noqa: PLC0415 - a start goes without

    book = await async_book(hass)
    is_last = not hass.config_entries.async_entries(DOMAIN)
    try:
        await book.async_revoke(lambda _question, mail: mail.entry_id == entry.entry_id)
        if is_last:
            await book.async_erase()
    except OSError as error:
        _LOGGER.warning("Something of what %s has asked is left: %s", entry.title, error.strerror)


def _erase(folder: Path) -> tuple[int, list[OSError]]:
    """Remove an outbox, and the folder around it once it was the last one.

    Returns how many mails waited or were held there, and what went wrong.
    """
    store = Store(folder)
    mails = store.count()
    errors = store.erase()
    with contextlib.suppress(OSError):
        folder.parent.rmdir()
    return mails, errors


async def _async_take_up(hass: HomeAssistant, entry: EmailCourierConfigEntry) -> None:
    """Go by what has changed, and load the account anew only where it has to be."""
    account = entry.runtime_data
    if account.needs_reload:
        await hass.config_entries.async_reload(entry.entry_id)
    else:
        account.async_take_up(await async_courier_config(hass, entry))


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
