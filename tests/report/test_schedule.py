"""Reports are sent when they are due: once, and after a restart, too."""

from datetime import datetime, timedelta
import logging
from types import MappingProxyType
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import Context, CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_fire_time_changed,
)

from custom_components.email_courier.const import DOMAIN, SUBENTRY_REPORT
from tests.support.accounts import account_entry, load, recipient, report
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import state_of

BEA = recipient("Bea", ["bea@example.test"])
DAILY = report("Day", "anna@example.test", sections=["updates"])
NEXT, LAST, BUTTON = (
    "sensor.day_next_report",
    "sensor.day_last_report",
    "button.day_send_now",
)


@pytest.fixture(autouse=True)
async def _berlin(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    """Live where clocks change, on a Saturday in November."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to("2026-11-28T12:00:00+01:00")


@pytest.fixture
async def server(bed: Bed) -> ScriptedServer:
    """The account's server."""
    return await bed.serve()


def moment(text: str) -> datetime:
    """Return a moment of the frozen clock."""
    return dt_util.as_utc(datetime.fromisoformat(text))


async def go_on(hass: HomeAssistant, freezer: FrozenDateTimeFactory, until: str) -> None:
    """Let the clock go on hour by hour."""
    end = moment(until)
    while (now := min(dt_util.utcnow() + timedelta(hours=1), end)) < end:
        freezer.move_to(now)
        async_fire_time_changed(hass, now)
        await hass.async_block_till_done()
    freezer.move_to(end)
    async_fire_time_changed(hass, end)
    await hass.async_block_till_done(wait_background_tasks=True)


async def restart(hass: HomeAssistant, entry: MockConfigEntry, *, after: Any = None) -> None:
    """Unload an account, do something, and load it while Home Assistant is still starting."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    await hass.async_block_till_done()
    if after is not None:
        after()
    hass.set_state(CoreState.starting)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()


async def started(hass: HomeAssistant) -> None:
    """Let Home Assistant have started."""
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
    async_fire_time_changed(hass, dt_util.utcnow())
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_it_is_sent_every_day_at_its_time(
    hass: HomeAssistant, server: ScriptedServer, freezer: FrozenDateTimeFactory
) -> None:
    await load(hass, account_entry(server, DAILY))
    assert state_of(hass, NEXT).state == "2026-11-29T06:00:00+00:00"
    await go_on(hass, freezer, "2026-11-29T06:59:59+01:00")
    assert not server.record.mails
    await go_on(hass, freezer, "2026-11-29T07:00:00+01:00")
    (mail,) = server.record.mails
    assert mail.recipients == ("anna@example.test",)
    assert state_of(hass, NEXT).state == "2026-11-30T06:00:00+00:00"
    assert state_of(hass, LAST).state == "2026-11-29T06:00:00+00:00"
    await go_on(hass, freezer, "2026-12-01T07:00:00+01:00")
    assert len(server.record.mails) == 3


async def test_it_keeps_its_time_by_the_clock_on_the_wall_through_daylight_saving(
    hass: HomeAssistant, server: ScriptedServer, freezer: FrozenDateTimeFactory
) -> None:
    freezer.move_to("2027-03-27T12:00:00+01:00")
    await load(hass, account_entry(server, DAILY))
    assert state_of(hass, NEXT).state == "2027-03-28T05:00:00+00:00"
    await go_on(hass, freezer, "2027-03-28T07:00:00+02:00")
    assert len(server.record.mails) == 1
    freezer.move_to("2027-10-30T12:00:00+02:00")
    async_fire_time_changed(hass, dt_util.utcnow())  # it was away in between
    await hass.async_block_till_done(wait_background_tasks=True)
    assert len(server.record.mails) == 2
    assert state_of(hass, NEXT).state == "2027-10-31T06:00:00+00:00"
    await go_on(hass, freezer, "2027-10-31T23:00:00+01:00")
    assert len(server.record.mails) == 3


async def test_a_missed_one_is_sent_once_after_the_start(
    hass: HomeAssistant, server: ScriptedServer, freezer: FrozenDateTimeFactory
) -> None:
    entry = account_entry(server, DAILY)
    await load(hass, entry)
    await restart(hass, entry, after=lambda: freezer.move_to("2026-12-03T12:00:00+01:00"))
    assert not server.record.mails, "not before Home Assistant has started"
    await started(hass)
    assert len(server.record.mails) == 1, "and not once for each day"
    assert state_of(hass, NEXT).state == "2026-12-04T06:00:00+00:00"
    await restart(hass, entry)
    await started(hass)
    assert len(server.record.mails) == 1


async def test_a_restart_changes_nothing_of_what_is_to_come(
    hass: HomeAssistant, server: ScriptedServer, freezer: FrozenDateTimeFactory
) -> None:
    entry = account_entry(server, DAILY)
    await load(hass, entry)
    await go_on(hass, freezer, "2026-11-29T07:00:00+01:00")
    await restart(hass, entry)
    await started(hass)
    assert len(server.record.mails) == 1
    assert state_of(hass, NEXT).state == "2026-11-30T06:00:00+00:00"
    assert state_of(hass, LAST).state == "2026-11-29T06:00:00+00:00"


async def test_another_plan_begins_anew(
    hass: HomeAssistant, server: ScriptedServer, freezer: FrozenDateTimeFactory
) -> None:
    entry = account_entry(server, DAILY)
    await load(hass, entry)
    await go_on(hass, freezer, "2026-11-29T07:00:00+01:00")
    (subentry,) = entry.get_subentries_of_type(SUBENTRY_REPORT)
    data = {**subentry.data, "frequency": "weekly", "weekday": "fri", "time": "18:00:00"}
    hass.config_entries.async_update_subentry(entry, subentry, data=data)
    await hass.async_block_till_done()
    assert state_of(hass, NEXT).state == "2026-12-04T17:00:00+00:00"
    assert state_of(hass, LAST).state == "2026-11-29T06:00:00+00:00", "which was still sent"
    await go_on(hass, freezer, "2026-12-04T18:00:00+01:00")
    assert len(server.record.mails) == 2


async def test_other_content_keeps_the_plan(hass: HomeAssistant, server: ScriptedServer) -> None:
    entry = account_entry(server, DAILY)
    await load(hass, entry)
    (subentry,) = entry.get_subentries_of_type(SUBENTRY_REPORT)
    before = state_of(hass, NEXT)
    data = {**subentry.data, "sections": ["repairs"]}
    hass.config_entries.async_update_subentry(entry, subentry, data=data, title="Our day")
    await hass.async_block_till_done()
    after = state_of(hass, NEXT)
    assert after.state == before.state
    assert after.name == "Our day Next report"


async def test_a_removed_report_is_not_sent(
    hass: HomeAssistant, server: ScriptedServer, freezer: FrozenDateTimeFactory
) -> None:
    entry = account_entry(server, DAILY)
    await load(hass, entry)
    (subentry,) = entry.get_subentries_of_type(SUBENTRY_REPORT)
    hass.config_entries.async_remove_subentry(entry, subentry.subentry_id)
    await go_on(hass, freezer, "2026-11-30T07:00:00+01:00")
    assert not server.record.mails


async def test_another_time_zone_moves_it(
    hass: HomeAssistant, server: ScriptedServer, freezer: FrozenDateTimeFactory
) -> None:
    await load(hass, account_entry(server, DAILY))
    await hass.config.async_update(time_zone="America/New_York")
    await hass.async_block_till_done()
    assert state_of(hass, NEXT).state == "2026-11-28T12:00:00+00:00"
    await hass.config.async_update(location_name="Elsewhere")
    await hass.async_block_till_done()
    assert state_of(hass, NEXT).state == "2026-11-28T12:00:00+00:00"
    await go_on(hass, freezer, "2026-11-28T07:00:00-05:00")
    assert len(server.record.mails) == 1


async def test_nothing_begins_while_home_assistant_stops(
    hass: HomeAssistant, server: ScriptedServer, freezer: FrozenDateTimeFactory
) -> None:
    entry = account_entry(server, DAILY)
    await load(hass, entry)
    await go_on(hass, freezer, "2026-11-28T13:00:00+01:00")
    hass.set_state(CoreState.stopping)
    freezer.move_to("2026-11-29T07:00:00+01:00")
    async_fire_time_changed(hass, dt_util.utcnow())
    await hass.async_block_till_done()
    assert not server.record.mails
    hass.set_state(CoreState.running)
    await restart(hass, entry)
    await started(hass)
    assert len(server.record.mails) == 1, "it goes out after the start"


async def press(hass: HomeAssistant, **more: Any) -> None:
    """Press the button."""
    await hass.services.async_call("button", "press", {"entity_id": BUTTON}, blocking=True, **more)
    await hass.async_block_till_done()


async def test_the_button_sends_it_now_and_leaves_the_plan_as_it_is(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await load(hass, account_entry(server, DAILY))
    await press(hass)
    (mail,) = server.record.mails
    assert mail.recipients == ("anna@example.test",)
    assert state_of(hass, NEXT).state == "2026-11-29T06:00:00+00:00"
    assert state_of(hass, LAST).state == "2026-11-28T11:00:00+00:00"


async def test_its_entities_are_on_a_device_of_its_own_below_the_accounts(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    entry = account_entry(server, DAILY)
    await load(hass, entry)
    (subentry,) = entry.get_subentries_of_type(SUBENTRY_REPORT)
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    (device,) = (one for one in devices if one.name == "Day")
    assert device.via_device_id is not None
    assert (DOMAIN, f"{entry.entry_id}_{subentry.subentry_id}") in device.identifiers


async def test_it_goes_to_recipients_as_they_are_by_then(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    entry = account_entry(server, BEA)
    await load(hass, entry)
    (bea,) = entry.subentries
    hass.config_entries.async_add_subentry(entry, _as_subentry("Day", bea, "anna@example.test"))
    await hass.async_block_till_done()
    await press(hass)
    assert list(server.record.mails[-1].recipients) == ["bea@example.test", "anna@example.test"]
    hass.config_entries.async_update_subentry(
        entry, entry.subentries[bea], data={"to": ["carl@example.test"]}
    )
    await hass.async_block_till_done()
    await press(hass)
    assert list(server.record.mails[-1].recipients) == ["carl@example.test", "anna@example.test"]
    hass.config_entries.async_remove_subentry(entry, bea)
    await hass.async_block_till_done()
    await press(hass)
    assert list(server.record.mails[-1].recipients) == ["anna@example.test"]


def _as_subentry(title: str, *recipients: str) -> ConfigSubentry:
    stored = report(title, *recipients, sections=["updates"])
    return ConfigSubentry(
        data=MappingProxyType(stored["data"]),
        subentry_type=stored["subentry_type"],
        title=title,
        unique_id=None,
    )


async def test_a_report_without_anybody_left_says_so_to_who_presses_the_button(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await load(hass, account_entry(server, report("Day", "gone", sections=["updates"])))
    with pytest.raises(ServiceValidationError, match='"Day" has nobody left to go to'):
        await press(hass)
    assert not server.record.mails


async def test_one_that_cannot_be_sent_is_told_in_log_repairs_and_sensor(
    hass: HomeAssistant,
    server: ScriptedServer,
    freezer: FrozenDateTimeFactory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entry = account_entry(server, report("Day", "gone", sections=["updates"]))
    await load(hass, entry)
    (subentry,) = entry.get_subentries_of_type(SUBENTRY_REPORT)
    with caplog.at_level(logging.ERROR):
        await go_on(hass, freezer, "2026-11-29T07:00:00+01:00")
    assert "The report Day was not sent" in caplog.text
    issue = ir.async_get(hass).async_get_issue(DOMAIN, f"report_failed_{subentry.subentry_id}")
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert "nobody left" in issue.translation_placeholders["error"]
    assert "nobody left" in state_of(hass, LAST).attributes["error"]
    assert state_of(hass, LAST).state == "unknown"

    await restart(hass, entry)
    await started(hass)
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue.issue_id), "also after a restart"
    assert "nobody left" in state_of(hass, LAST).attributes["error"]

    data = {**subentry.data, "recipients": ["anna@example.test"]}
    hass.config_entries.async_update_subentry(entry, subentry, data=data)
    await go_on(hass, freezer, "2026-11-30T07:00:00+01:00")
    assert len(server.record.mails) == 1
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue.issue_id) is None
    assert state_of(hass, LAST).attributes["error"] is None


async def test_a_server_that_is_down_gets_it_later(
    hass: HomeAssistant, server: ScriptedServer, freezer: FrozenDateTimeFactory
) -> None:
    await load(hass, account_entry(server, DAILY))
    await server.stop()
    await go_on(hass, freezer, "2026-11-29T07:00:00+01:00")
    assert state_of(hass, "sensor.home_waiting_mail").state == "1"
    assert state_of(hass, LAST).state == "2026-11-29T06:00:00+00:00"


async def test_a_recipient_that_the_server_refuses_is_told(hass: HomeAssistant, bed: Bed) -> None:
    replies = {"anna@example.test": "550 5.1.1 Unknown user"}
    server = await bed.serve(HEALTHY.but(recipient_replies=replies))
    await load(hass, account_entry(server, DAILY))
    with pytest.raises(HomeAssistantError, match="Unknown user"):
        await press(hass)
    assert "Unknown user" in state_of(hass, LAST).attributes["error"]


async def test_a_user_who_may_press_the_button_needs_no_right_to_what_the_report_shows(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    hass.states.async_set("sensor.secret", "42", {"friendly_name": "Secret"})
    await load(
        hass, account_entry(server, report("Day", "anna@example.test", facts=["sensor.secret"]))
    )
    user = MockUser(groups=[]).add_to_hass(hass)
    user.mock_policy({"entities": {"entity_ids": {BUTTON: True}}})
    await press(hass, context=Context(user_id=user.id))
    assert len(server.record.mails) == 1


async def test_what_is_stored_of_reports_goes_with_the_account(
    hass: HomeAssistant, server: ScriptedServer, hass_storage: dict[str, Any]
) -> None:
    entry = account_entry(server, DAILY)
    await load(hass, entry)
    await press(hass)
    key = f"{DOMAIN}.reports.{entry.entry_id}"
    assert len(hass_storage[key]["data"]) == 1
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert key not in hass_storage


@pytest.mark.parametrize("stored", ["soon", None, "2026-11-29T06:00:00"])
async def test_a_time_that_cannot_be_read_is_reckoned_anew(
    hass: HomeAssistant, server: ScriptedServer, hass_storage: dict[str, Any], stored: Any
) -> None:
    entry = account_entry(server, DAILY)
    await load(hass, entry)
    await press(hass)
    kept = hass_storage[f"{DOMAIN}.reports.{entry.entry_id}"]["data"]
    for one in kept.values():
        one |= {"next": stored, "last": stored}
    await restart(hass, entry)
    await started(hass)
    assert state_of(hass, NEXT).state == "2026-11-29T06:00:00+00:00"
    assert len(server.record.mails) == 1
