"""When reports are sent: after restarts and clock changes, and a missed one once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EVENT_CORE_CONFIG_UPDATE
from homeassistant.core import CALLBACK_TYPE, Context, Event, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_point_in_utc_time
from homeassistant.helpers.start import async_at_started
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..account import Account
from ..const import DOMAIN, LOGGER, SIGNAL_REPORT, SUBENTRY_REPORT
from ..issues import Issue, async_create, async_delete
from .plan import Plan

_VERSION: Final = 1
_LOOK_AGAIN: Final = timedelta(hours=1)
"""How long a timer runs at most, so that a clock that is put right is noticed."""
_REPORTS: HassKey[dict[str, Reports]] = HassKey(f"{DOMAIN}_reports")

type Send = Callable[[Account, ConfigSubentry, Context], Awaitable[None]]
"""Sends a report as it is just now. Raises HomeAssistantError."""


class _Appointment:
    """The next time of one report, and the last.

    plan: what `next` was reckoned by. error: why the last one was not sent; empty where it was.
    """

    __slots__ = ("cancel", "error", "last", "next", "plan")

    def __init__(self, plan: Plan, stored: Mapping[str, Any] | None = None) -> None:
        """Take up what is stored, as long as the plan is the same."""
        stored = stored or {}
        self.plan = plan
        self.last = _time(stored.get("last"))
        self.error = str(stored.get("error") or "")
        due = _time(stored.get("next")) if stored.get("plan") == plan.key else None
        self.next = due or plan.next_after(dt_util.utcnow())
        self.cancel: CALLBACK_TYPE | None = None

    @property
    def as_dict(self) -> dict[str, str | None]:
        """What is stored of it."""
        return {
            "plan": self.plan.key,
            "next": self.next.isoformat(),
            "last": None if self.last is None else self.last.isoformat(),
            "error": self.error or None,
        }

    def stop(self) -> None:
        """Let no timer fire any more."""
        if self.cancel is not None:
            self.cancel()
            self.cancel = None


class Reports:
    """The reports of one account, each sent when it is due."""

    def __init__(self, account: Account, send: Send) -> None:
        """Send nothing yet; async_open takes up what is stored."""
        self._account = account
        self._send = send
        self._hass: HomeAssistant = account.hass
        self._store: Store[dict[str, dict[str, str | None]]] = _store(
            self._hass, account.entry.entry_id
        )
        self._appointments: dict[str, _Appointment] = {}
        self._is_started = False
        self._is_saved = True

    async def async_open(self) -> None:
        """Take up what is stored; nothing is sent before Home Assistant has started."""
        entry = self._account.entry
        stored = (await self._store.async_load() or {}) if _subentries(self._account) else {}
        for subentry in _subentries(self._account):
            self._appointments[subentry.subentry_id] = _Appointment(
                Plan.of(subentry.data), stored.get(subentry.subentry_id)
            )
        self._is_saved = stored == self._as_dict()
        self._hass.data.setdefault(_REPORTS, {})[entry.entry_id] = self
        entry.async_on_unload(self._close)
        entry.async_on_unload(self._account.async_on_change(self._async_take_up))
        entry.async_on_unload(
            self._hass.bus.async_listen(EVENT_CORE_CONFIG_UPDATE, self._async_reckon_anew)
        )
        entry.async_on_unload(async_at_started(self._hass, self._async_begin))

    def next(self, subentry_id: str) -> datetime | None:
        """Return when a report is due next."""
        one = self._appointments.get(subentry_id)
        return None if one is None else one.next

    def last(self, subentry_id: str) -> datetime | None:
        """Return when a report was last sent; None for never."""
        one = self._appointments.get(subentry_id)
        return None if one is None else one.last

    def error(self, subentry_id: str) -> str | None:
        """Return why the last one was not sent; None where it was."""
        one = self._appointments.get(subentry_id)
        return (one.error or None) if one is not None else None

    async def async_send(self, subentry_id: str, context: Context) -> None:
        """Send a report now, whenever it is due. Raises HomeAssistantError."""
        subentry = self._account.entry.subentries[subentry_id]
        error = ""
        try:
            await self._send(self._account, subentry, context)
        except HomeAssistantError as failure:
            error = str(failure)
            raise
        finally:
            if (one := self._appointments.get(subentry_id)) is not None:
                one.error = error
                one.last = one.last if error else dt_util.utcnow()
                self._async_report_trouble(subentry, error)
                await self._async_save(subentry_id)

    @callback
    def _async_begin(self, _hass: HomeAssistant) -> None:
        self._is_started = True
        for subentry in _subentries(self._account):
            one = self._appointments[subentry.subentry_id]
            self._async_report_trouble(subentry, one.error)
            self._async_wait(subentry.subentry_id)
        if not self._is_saved:
            self._store.async_delay_save(self._as_dict, 0)

    @callback
    def _async_wait(self, subentry_id: str) -> None:
        """Set the timer of a report; one that was missed is due at once."""
        one = self._appointments[subentry_id]
        one.stop()
        if not self._is_started:
            return

        @callback
        def come(_now: datetime) -> None:
            one.cancel = None
            self._async_come(subentry_id)

        when = min(one.next, dt_util.utcnow() + _LOOK_AGAIN)
        one.cancel = async_track_point_in_utc_time(self._hass, come, when)

    @callback
    def _async_come(self, subentry_id: str) -> None:
        one = self._appointments[subentry_id]
        if self._hass.is_stopping:
            return  # as it is stored, it goes out after the start
        now = dt_util.utcnow()
        if now >= one.next:
            one.next = one.plan.next_after(now)
            self._account.entry.async_create_task(
                self._hass, self._async_send_due(subentry_id), f"{DOMAIN} report"
            )
        self._async_wait(subentry_id)

    async def _async_send_due(self, subentry_id: str) -> None:
        """Send a report of which nobody waits for the answer."""
        try:
            await self.async_send(subentry_id, Context())
        except HomeAssistantError as error:
            title = self._account.entry.subentries[subentry_id].title
            LOGGER.error("The report %s was not sent: %s", title, error)

    @callback
    def _async_report_trouble(self, subentry: ConfigSubentry, error: str) -> None:
        if error:
            values = {"report": subentry.title, "error": error}
            async_create(
                self._account, Issue.REPORT_FAILED, values, subentry_id=subentry.subentry_id
            )
        else:
            async_delete(self._account, Issue.REPORT_FAILED, subentry.subentry_id)

    @callback
    def _async_take_up(self) -> None:
        """Go by reports that are new, changed or gone."""
        subentries = {one.subentry_id: one for one in _subentries(self._account)}
        is_changed = False
        for subentry_id in self._appointments.keys() - subentries.keys():
            self._appointments.pop(subentry_id).stop()
            async_delete(self._account, Issue.REPORT_FAILED, subentry_id)
            is_changed = True
        for subentry_id, subentry in subentries.items():
            plan = Plan.of(subentry.data)
            known = self._appointments.get(subentry_id)
            if known is not None and known.plan == plan:
                continue
            if known is not None:
                known.stop()
            self._appointments[subentry_id] = _Appointment(
                plan, None if known is None else known.as_dict
            )
            self._async_wait(subentry_id)
            async_dispatcher_send(self._hass, SIGNAL_REPORT.format(subentry_id))
            is_changed = True
        if is_changed:
            self._store.async_delay_save(self._as_dict, 0)

    @callback
    def _async_reckon_anew(self, event: Event) -> None:
        """Go by another time zone; what is overdue stays so."""
        if "time_zone" not in event.data:
            return
        now = dt_util.utcnow()
        for subentry_id, one in self._appointments.items():
            if one.next > now:
                one.next = one.plan.next_after(now)
                self._async_wait(subentry_id)
                async_dispatcher_send(self._hass, SIGNAL_REPORT.format(subentry_id))
        self._store.async_delay_save(self._as_dict, 0)

    async def _async_save(self, subentry_id: str) -> None:
        await self._store.async_save(self._as_dict())
        async_dispatcher_send(self._hass, SIGNAL_REPORT.format(subentry_id))

    def _as_dict(self) -> dict[str, dict[str, str | None]]:
        return {name: one.as_dict for name, one in self._appointments.items()}

    @callback
    def _close(self) -> None:
        for subentry_id, one in self._appointments.items():
            one.stop()
            async_delete(self._account, Issue.REPORT_FAILED, subentry_id)
        self._hass.data[_REPORTS].pop(self._account.entry.entry_id, None)


@callback
def async_reports(account: Account) -> Reports:
    """Return the reports of a loaded account."""
    return account.hass.data[_REPORTS][account.entry.entry_id]


async def async_forget_reports(hass: HomeAssistant, entry_id: str) -> None:
    """Remove what is stored of an account's reports."""
    await _store(hass, entry_id).async_remove()


def _store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, dict[str, str | None]]]:
    return Store(hass, _VERSION, f"{DOMAIN}.reports.{entry_id}", atomic_writes=True)


def _subentries(account: Account) -> list[ConfigSubentry]:
    return [*account.entry.get_subentries_of_type(SUBENTRY_REPORT)]


def _time(stored: object) -> datetime | None:
    time = dt_util.parse_datetime(stored) if isinstance(stored, str) else None
    return None if time is None or time.tzinfo is None else dt_util.as_utc(time)
