"""Mail by a schedule: due at the right moment, once, and about the right days."""

from datetime import datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed

from tests.reports.driver import account_at, only_mail, subject_of, text_of
from tests.reports.reports import report
from tests.reports.servers import Bed

BEA = "bea@example.test"
BERLIN = "Europe/Berlin"


async def scheduled(
    hass: HomeAssistant, entry: ConfigEntry, *, when: dict[str, Any], **typed: Any
) -> None:
    """Add a report by its two pages."""
    flows = hass.config_entries.subentries
    page = await flows.async_init((entry.entry_id, "report"), context={"source": SOURCE_USER})
    what = {"name": "Home", "recipients": [BEA], "sections": ["updates"], **typed}
    page = await flows.async_configure(page["flow_id"], what)
    page = await flows.async_configure(page["flow_id"], when)
    assert page["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done()


async def go_to(hass: HomeAssistant, freezer: FrozenDateTimeFactory, moment: str) -> None:
    """Let the clock be at a moment."""
    freezer.move_to(datetime.fromisoformat(moment))
    async_fire_time_changed(hass, dt_util.utcnow())
    await hass.async_block_till_done(wait_background_tasks=True)


async def at(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, moment: str, zone: str = BERLIN
) -> None:
    """Live somewhere, at a moment."""
    await hass.config.async_set_time_zone(zone)
    freezer.move_to(datetime.fromisoformat(moment))


@report(
    source="home-assistant/core#140771",
    symptom="Home Assistant: what is scheduled for 2:00 is skipped as the clocks go forward.",
    ours="It is sent at the moment that the clock leaps to.",
    held_at_first=True,
)
@pytest.mark.parametrize("time", ["02:00:00", "02:30:00"])
async def test_a_time_that_is_left_out_is_no_day_left_out(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory, time: str
) -> None:
    await at(hass, freezer, "2027-03-27T12:00:00+01:00")
    server = await bed.serve()
    entry = await account_at(hass, server)
    await scheduled(hass, entry, frequency="daily", when={"time": time})
    await go_to(hass, freezer, "2027-03-28T01:59:59+01:00")
    assert not server.record.mails
    await go_to(hass, freezer, "2027-03-28T03:30:00+02:00")
    only_mail(server)


@report(
    source="home-assistant/core#114612",
    symptom="Home Assistant: what is scheduled for 2:30 runs twice as the clocks go back.",
    ours="It is sent the first time alone.",
    held_at_first=True,
)
async def test_an_hour_that_comes_twice_sends_once(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    await at(hass, freezer, "2027-10-30T12:00:00+02:00")
    server = await bed.serve()
    entry = await account_at(hass, server)
    await scheduled(hass, entry, frequency="daily", when={"time": "02:30:00"})
    await go_to(hass, freezer, "2027-10-31T02:30:00+02:00")
    await go_to(hass, freezer, "2027-10-31T02:30:00+01:00")
    await go_to(hass, freezer, "2027-10-31T12:00:00+01:00")
    only_mail(server)


@report(
    source="matomo-org/matomo#7658",
    symptom="Matomo: daily reports come an hour late as long as it is summer time.",
    ours="They come at the same time by the clock on the wall all year.",
    held_at_first=True,
)
async def test_summer_time_moves_nothing(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    await at(hass, freezer, "2027-03-27T13:00:00+01:00")
    server = await bed.serve()
    entry = await account_at(hass, server)
    await scheduled(hass, entry, frequency="daily", when={"time": "12:00:00"})
    for day in (28, 29):
        await go_to(hass, freezer, f"2027-03-{day}T11:59:59+02:00")
        assert len(server.record.mails) == day - 28
        await go_to(hass, freezer, f"2027-03-{day}T12:00:00+02:00")
        assert len(server.record.mails) == day - 27


@report(
    source="matomo-org/matomo#24980",
    symptom="Matomo: a weekly report for Monday, 05:00 in Shanghai comes on Tuesday.",
    ours="The day of the week is that of the home.",
    held_at_first=True,
)
async def test_monday_is_monday_east_of_greenwich_too(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    await at(hass, freezer, "2027-03-27T12:00:00+08:00", "Asia/Shanghai")
    server = await bed.serve()
    entry = await account_at(hass, server)
    when = {"weekday": "mon", "time": "05:00:00"}
    await scheduled(hass, entry, frequency="weekly", when=when)
    await go_to(hass, freezer, "2027-03-29T04:59:59+08:00")
    assert not server.record.mails
    await go_to(hass, freezer, "2027-03-29T05:00:00+08:00")
    assert subject_of(only_mail(server)) == "Home: 22 Mar 2027 \u2013 28 Mar 2027"


@report(
    source="healthchecks/healthchecks#706",
    symptom="Healthchecks: a monthly report is never sent, and its next date stays where it was.",
    ours="It is sent without anything else having to run, and the next date moves on.",
    held_at_first=True,
)
async def test_a_date_that_has_come_moves_on(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    await at(hass, freezer, "2027-01-30T12:00:00+01:00")
    server = await bed.serve()
    entry = await account_at(hass, server)
    await scheduled(hass, entry, frequency="monthly", when={"day": 1, "time": "07:00:00"})
    dates = []
    for month in (2, 3):
        await go_to(hass, freezer, f"2027-0{month}-01T07:00:00+01:00")
        (entity_id,) = (one for one in hass.states.async_entity_ids("sensor") if "next_rep" in one)
        state = hass.states.get(entity_id)
        assert state is not None
        dates.append(state.state[:10])
    assert dates == ["2027-03-01", "2027-04-01"]
    assert len(server.record.mails) == 2


@report(
    source="home-assistant/operating-system#4134",
    symptom="Home Assistant OS: after a power cut the clock is put right, and timers stay wrong.",
    ours="The clock is looked at again every hour.",
    held_at_first=True,
)
async def test_a_clock_that_is_put_right_is_noticed(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    await at(hass, freezer, "2027-01-04T03:00:00+01:00")
    server = await bed.serve()
    entry = await account_at(hass, server)
    await scheduled(hass, entry, frequency="daily", when={"time": "12:00:00"})
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=59))
    await hass.async_block_till_done()
    assert not server.record.mails
    freezer.move_to("2027-01-04T12:10:00+01:00")  # it had been nine hours behind
    async_fire_time_changed(hass, dt_util.utcnow())
    await hass.async_block_till_done(wait_background_tasks=True)
    only_mail(server)


@report(
    source="kindmetrics/kindmetrics#15",
    symptom="Kindmetrics: on the first of a month, a summary of the one before is wished for.",
    ours="A monthly report on the 1st is about the month before, on another day about 30 days.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    ("day", "subject"),
    [
        (1, "Home: 1 Feb 2027 \u2013 28 Feb 2027"),
        (10, "Home: 8 Feb 2027 \u2013 10 Mar 2027"),
    ],
)
async def test_a_month_is_the_calendars(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory, day: int, subject: str
) -> None:
    await at(hass, freezer, "2027-02-20T12:00:00+01:00")
    server = await bed.serve()
    entry = await account_at(hass, server)
    await scheduled(hass, entry, frequency="monthly", when={"day": day, "time": "07:00:00"})
    await go_to(hass, freezer, f"2027-03-{day:02}T07:00:00+01:00")
    assert subject_of(only_mail(server)) == subject


@report(
    source="home-assistant/core#114521",
    symptom="Home Assistant: a time trigger comes an hour late after a change of clocks.",
    ours="A restart in between changes nothing, and none is needed.",
    held_at_first=True,
)
async def test_a_restart_across_a_change_of_clocks_changes_nothing(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    await at(hass, freezer, "2027-03-27T13:00:00+01:00")
    server = await bed.serve()
    entry = await account_at(hass, server)
    await scheduled(hass, entry, frequency="daily", when={"time": "07:00:00"})
    assert await hass.config_entries.async_reload(entry.entry_id)
    await go_to(hass, freezer, "2027-03-28T06:59:59+02:00")
    assert not server.record.mails
    await go_to(hass, freezer, "2027-03-28T07:00:00+02:00")
    only_mail(server)


@report(
    source="louislam/uptime-kuma#7385",
    symptom="Uptime Kuma: a summary at 19:00 of what was and what still needs care is wished for.",
    ours="A daily report in the evening is about the day, and an empty section says so.",
    held_at_first=True,
)
async def test_a_summary_in_the_evening_is_about_the_day(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    await at(hass, freezer, "2027-01-04T12:00:00+01:00")
    server = await bed.serve()
    entry = await account_at(hass, server)
    sections = ["batteries", "updates", "repairs", "mail"]
    await scheduled(hass, entry, frequency="daily", when={"time": "19:00:00"}, sections=sections)
    await go_to(hass, freezer, "2027-01-04T19:00:00+01:00")
    mail = only_mail(server)
    assert subject_of(mail) == "Home: 4 Jan 2027"
    assert "Everything is up to date." in text_of(mail)
    assert "Nothing needs to be repaired." in text_of(mail)


@report(
    source="metbril/home-assistant-config#15",
    symptom="A daily briefing by SMTP at 9:00 is wished for, and nobody gets to writing it.",
    ours="Two pages of a dialog, and values of one's own stand large in the mail.",
    held_at_first=True,
)
async def test_a_daily_briefing_shows_chosen_values(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    await at(hass, freezer, "2027-01-04T12:00:00+01:00")
    server = await bed.serve()
    entry = await account_at(hass, server)
    hass.states.async_set("weather.home", "sunny", {"friendly_name": "Weather"})
    facts = ["weather.home"]
    await scheduled(hass, entry, frequency="daily", when={"time": "09:00:00"}, facts=facts)
    await go_to(hass, freezer, "2027-01-05T09:00:00+01:00")
    assert "Weather: sunny" in text_of(only_mail(server)).replace("Sunny", "sunny")
