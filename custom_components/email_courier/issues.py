"""Repair issues: what a person should know or do about an account."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
import os
from pathlib import Path
import tempfile
import time
from typing import Final, NamedTuple

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.event import async_track_time_interval

from .account import Account
from .connectivity import shows_contact
from .const import (
    CONF_HIDE_SUBJECTS,
    CONF_WAITING_AFTER,
    DEFAULT_WAITING_AFTER,
    DOMAIN,
    LOGGER,
)
from .mail.failure import Failure, FailureKind
from .mail.outbox.courier import Overdue
from .mail.outbox.events import (
    CourierEvent,
    Damaged,
    DiskTrouble,
    Failed,
    OutboxState,
    StateChanged,
)
from .mail.outbox.given_up import KEPT_FOR
from .mail.outbox.record import MailRecord
from .mail.outbox.store import DAMAGED
from .mail.settings import Encryption, ServerSettings, format_fingerprint, is_loopback
from .outbox_host import outbox_folder
from .phrases import Phrases, as_code
from .recipients import async_named, in_short

_NEARLY_FULL: Final = 0.8
_ROOMY: Final = 0.7
"""Below this the warning goes; in between it stays as it is, so that it does not flicker."""

_RECHECK: Final = timedelta(minutes=5)
_CHECK_WAITING: Final = timedelta(minutes=1)
_MOST_NAMED: Final = 50
"""Mails of one notice that can be sent again from there."""

type IssueData = dict[str, str | int | float | None]


class Issue(StrEnum):
    """The value is the translation key, and with the entry's id the issue's."""

    MAIL_EXPIRED = "mail_expired"
    MAIL_WAITING = "mail_waiting"
    MAIL_DAMAGED = "mail_damaged"
    OUTBOX_NEARLY_FULL = "outbox_nearly_full"
    OUTBOX_DISK = "outbox_disk"
    CERTIFICATE_CHANGED = "certificate_changed"
    CERTIFICATE_UNCHECKED = "certificate_unchecked"
    PLAIN_LOGIN = "plain_login"
    OLD_NAMES = "old_names"
    REPORT_FAILED = "report_failed"

    def id_for(self, entry_id: str) -> str:
        """Return the id of this issue for one account, or one report by the id of its subentry."""
        return f"{self.value}_{entry_id}"


class _IssueSpec(NamedTuple):
    """is_fixable: a dialog goes with it. is_persistent: it outlives a restart."""

    severity: ir.IssueSeverity
    is_fixable: bool = False
    is_persistent: bool = False


_SPECS: Final = {
    Issue.MAIL_EXPIRED: _IssueSpec(ir.IssueSeverity.ERROR, is_fixable=True, is_persistent=True),
    Issue.MAIL_WAITING: _IssueSpec(ir.IssueSeverity.WARNING, is_fixable=True),
    Issue.MAIL_DAMAGED: _IssueSpec(ir.IssueSeverity.ERROR, is_fixable=True, is_persistent=True),
    Issue.OUTBOX_NEARLY_FULL: _IssueSpec(ir.IssueSeverity.WARNING),
    Issue.OUTBOX_DISK: _IssueSpec(ir.IssueSeverity.ERROR),
    Issue.CERTIFICATE_CHANGED: _IssueSpec(ir.IssueSeverity.ERROR, is_fixable=True),
    Issue.CERTIFICATE_UNCHECKED: _IssueSpec(ir.IssueSeverity.WARNING),
    Issue.PLAIN_LOGIN: _IssueSpec(ir.IssueSeverity.WARNING),
    Issue.OLD_NAMES: _IssueSpec(ir.IssueSeverity.WARNING),
    Issue.REPORT_FAILED: _IssueSpec(ir.IssueSeverity.WARNING),
}


@callback
def async_delete_issues(hass: HomeAssistant, entry_id: str) -> None:
    """Remove everything that was ever said about an account."""
    for issue in Issue:
        ir.async_delete_issue(hass, DOMAIN, issue.id_for(entry_id))


@callback
def async_create(
    account: Account,
    issue: Issue,
    placeholders: dict[str, str],
    data: IssueData | None = None,
    *,
    learn_more_url: str | None = None,
    subentry_id: str | None = None,
) -> None:
    """Raise an issue of an account, or of one subentry; one that is ignored stays so."""
    entry = account.entry
    spec = _SPECS[issue]
    ir.async_create_issue(
        account.hass,
        DOMAIN,
        issue.id_for(subentry_id or entry.entry_id),
        data={"entry_id": entry.entry_id, **(data or {})},
        is_fixable=spec.is_fixable,
        is_persistent=spec.is_persistent,
        learn_more_url=learn_more_url,
        severity=spec.severity,
        translation_key=issue.value,
        translation_placeholders={"account": entry.title, **placeholders},
    )


@callback
def async_delete(account: Account, issue: Issue, subentry_id: str | None = None) -> None:
    """Take an issue of an account, or of one subentry, back."""
    ident = issue.id_for(subentry_id or account.entry.entry_id)
    ir.async_delete_issue(account.hass, DOMAIN, ident)


class AccountIssues:
    """Follows one account, raises its issues, and takes back those that are solved."""

    def __init__(self, account: Account) -> None:
        """Belong to an account."""
        self._account = account
        self._hass = account.hass
        self._last_given_up: str | None = None
        self._is_waiting_told = False
        self._changed_to: str | None = None
        self._is_disk_in_doubt = False

    @callback
    def async_start(self) -> None:
        """Say what the settings alone give cause for, and begin to follow the account.

        What only the last run of the account knew is forgotten: it shows again if it is so.
        """
        settings = self._account.settings
        self._set(Issue.CERTIFICATE_UNCHECKED, is_so=_accepts_any_certificate(settings))
        self._set(Issue.PLAIN_LOGIN, is_so=settings.sends_password_in_clear)
        for issue in (
            Issue.MAIL_WAITING,
            Issue.OUTBOX_NEARLY_FULL,
            Issue.OUTBOX_DISK,
            Issue.CERTIFICATE_CHANGED,
        ):
            self._delete(issue)
        unload = self._account.entry.async_on_unload
        unload(self._account.async_listen(self._async_follow))
        unload(self._account.async_on_change(self._async_recheck_soon))
        unload(async_track_time_interval(self._hass, self._async_recheck, _RECHECK))
        unload(async_track_time_interval(self._hass, self._async_check_waiting, _CHECK_WAITING))

    @callback
    def _async_follow(self, event: CourierEvent) -> None:
        match event:
            case Failed(is_promised=True, digest=None):
                self._note_given_up(event)
            case Damaged(names=names):
                self._note_damaged(names)
            case DiskTrouble(detail=detail):
                self._is_disk_in_doubt = True
                self._create(Issue.OUTBOX_DISK, {"detail": as_code(detail)})
            case StateChanged(state=state):
                self._note_state(state)
                if self._is_waiting_told and not state.waiting:
                    self._is_waiting_told = False
                    self._delete(Issue.MAIL_WAITING)
        if shows_contact(event) and self._changed_to is not None:
            self._changed_to = None
            self._delete(Issue.CERTIFICATE_CHANGED)

    def _note_given_up(self, event: Failed) -> None:
        known = self._data_of(Issue.MAIL_EXPIRED)
        count = int(known.get("count") or 0)
        names = str(known.get("message_ids") or "").split()
        if event.message_id != self._last_given_up:
            self._last_given_up = event.message_id
            count += 1
            names.append(event.message_id)
        failure, account = event.failure, self._account
        named = async_named(
            self._hass, account.entry, event.recipients, event.origin, account.recipients
        )
        self._create(
            Issue.MAIL_EXPIRED,
            {
                "count": str(count),
                "subject": as_code(event.subject),
                "recipient": as_code(in_short(named)),
                **self._words_of(failure),
            },
            {
                "count": count,
                "message_ids": "\n".join(names[-_MOST_NAMED:]),
                "is_kept": account.courier.can_send_again(event.message_id),
                "at": event.at,
            },
        )

    def _words_of(self, failure: Failure | None) -> dict[str, str]:
        """Return what stood in the way, in the language of the home and in the server's words."""
        return {
            "cause": Phrases.cached(self._hass).kind(
                None if failure is None else failure.kind.value
            ),
            "reply": as_code("" if failure is None else failure.server_words),
        }

    async def _async_check_waiting(self, _now: datetime) -> None:
        """Say that mail has waited too long, and take that back once it does not any more."""
        overdue: Overdue | None = None
        courier = self._account.courier
        minutes = self._account.entry.options.get(CONF_WAITING_AFTER, DEFAULT_WAITING_AFTER)
        if courier.state.waiting:
            try:
                overdue = await courier.overdue(60.0 * float(minutes))
            except OSError as error:
                LOGGER.debug("It cannot be read for how long mail has waited: %s", error)
                return
        if overdue is not None:
            self._is_waiting_told = True
            values = {"count": str(overdue.mails), "subject": self._subject_of(overdue.record)}
            self._create(Issue.MAIL_WAITING, values | self._words_of(overdue.failure))
        elif self._is_waiting_told:
            self._is_waiting_told = False
            self._delete(Issue.MAIL_WAITING)

    def _subject_of(self, record: MailRecord) -> str:
        is_hidden = self._account.entry.options.get(CONF_HIDE_SUBJECTS, False)
        return as_code("" if is_hidden else record.subject)

    @callback
    def _async_recheck_soon(self) -> None:
        self._account.entry.async_create_task(self._hass, self._async_recheck_given_up())

    async def _async_recheck_given_up(self) -> None:
        """Take back that mail was given up once none of it can be sent again any more."""
        data = self._data_of(Issue.MAIL_EXPIRED)
        if "at" not in data:
            return
        kept = {record.message_id for record in await self._account.courier.given_up()}
        is_over = time.time() - float(data.get("at") or 0) > KEPT_FOR
        is_settled = data.get("is_kept") and kept.isdisjoint(str(data["message_ids"]).split())
        if is_over or is_settled:
            self._delete(Issue.MAIL_EXPIRED)

    def _note_damaged(self, names: tuple[str, ...]) -> None:
        count = self._count_so_far(Issue.MAIL_DAMAGED) + len(names)
        folder = outbox_folder(self._hass, self._account.entry.entry_id) / DAMAGED
        self._create(
            Issue.MAIL_DAMAGED,
            {"count": str(count), "folder": as_code(str(folder))},
            {"count": count},
        )

    def _note_state(self, state: OutboxState) -> None:
        if state.fullness >= _NEARLY_FULL:
            self._create(
                Issue.OUTBOX_NEARLY_FULL,
                {"count": str(state.waiting), "percent": str(int(state.fullness * 100))},
            )
        elif state.fullness < _ROOMY:
            self._delete(Issue.OUTBOX_NEARLY_FULL)
        if state.down is not None and state.down.kind is FailureKind.CERTIFICATE_UNTRUSTED:
            self._note_certificate(state.down)

    def _note_certificate(self, failure: Failure) -> None:
        facts = failure.facts
        expected = facts.get("expected")
        if expected is None or facts["fingerprint"] == self._changed_to:
            return
        self._changed_to = facts["fingerprint"]
        self._create(
            Issue.CERTIFICATE_CHANGED,
            {
                "host": as_code(self._account.settings.host),
                "expected": as_code(format_fingerprint(expected)),
                **{
                    name: as_code(facts[name])
                    for name in ("fingerprint", "subject", "issuer", "not_before", "not_after")
                },
            },
            {"fingerprint": facts["fingerprint"].replace(":", "").lower()},
        )

    def _count_so_far(self, issue: Issue) -> int:
        return int(self._data_of(issue).get("count") or 0)

    def _data_of(self, issue: Issue) -> IssueData:
        """Return what was remembered with an issue; nothing where there is none."""
        registry = ir.async_get(self._hass)
        known = registry.async_get_issue(DOMAIN, issue.id_for(self._account.entry.entry_id))
        return known.data if known is not None and known.data else {}

    async def _async_recheck(self, _now: datetime) -> None:
        """Take back what is not so any more: given-up mail, and the doubt about the disk."""
        await self._async_recheck_given_up()
        if not self._is_disk_in_doubt:
            return
        folder = outbox_folder(self._hass, self._account.entry.entry_id)
        if await self._hass.async_add_executor_job(_can_write, folder):
            self._is_disk_in_doubt = False
            self._delete(Issue.OUTBOX_DISK)

    def _set(self, issue: Issue, *, is_so: bool) -> None:
        if is_so:
            self._create(issue, {"host": as_code(self._account.settings.host)})
        else:
            self._delete(issue)

    def _create(
        self, issue: Issue, placeholders: dict[str, str], data: IssueData | None = None
    ) -> None:
        async_create(self._account, issue, placeholders, data)

    def _delete(self, issue: Issue) -> None:
        async_delete(self._account, issue)


def _accepts_any_certificate(settings: ServerSettings) -> bool:
    trust = settings.trust
    return (
        settings.encryption is not Encryption.NONE
        and not trust.verify
        and trust.fingerprint is None
        and not is_loopback(settings.host)
    )


def _can_write(folder: Path) -> bool:
    while not folder.exists():
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        return False
    return True
