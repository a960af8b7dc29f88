"""Sections that say how things stand: batteries, updates, repairs, backups, mail."""

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
import pytest

from custom_components.email_courier.account import Account
from custom_components.email_courier.report import message
from custom_components.email_courier.report.plan import ReportSection
from tests.report.house import add, fields_of
from tests.support.accounts import account_entry, load, report
from tests.support.fixtures import Bed
from tests.support.mails import only_mail, text_of
from tests.support.script import HEALTHY
from tests.support.sending import send_from

BATTERY: dict[str, Any] = {"device_class": "battery", "unit_of_measurement": "%"}


@pytest.fixture(autouse=True)
def _now(freezer: FrozenDateTimeFactory) -> None:
    """Be in the evening of a Saturday."""
    freezer.move_to("2026-11-28T20:00:00+01:00")


async def home(hass: HomeAssistant, bed: Bed, *names: str, **more: Any) -> Account:
    """Return an account with a report of today."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    one = report("Day", "anna@example.test", sections=[*names], **{"time": "20:00:00", **more})
    return await load(hass, account_entry(await bed.serve(), one))


async def said(hass: HomeAssistant, account: Account) -> str:
    """Return what the report says below its first heading."""
    markdown: str = (await fields_of(hass, account))["markdown"]
    return markdown.partition("\n\n")[2]


async def test_low_batteries_are_named_the_emptiest_first(hass: HomeAssistant, bed: Bed) -> None:
    account = await home(hass, bed, "batteries")
    add(hass, "sensor.remote", "15.4", **BATTERY)
    add(hass, "sensor.lock", "3", **BATTERY)
    add(hass, "sensor.phone", "20", **BATTERY)
    add(hass, "sensor.gone", "unavailable", **BATTERY)
    add(hass, "sensor.volts", "2.9", device_class="battery", unit_of_measurement="V")
    add(hass, "binary_sensor.smoke", "on", device_class="battery")
    add(hass, "binary_sensor.leak", "off", device_class="battery")
    assert await said(hass, account) == (
        "|  | Charge |\n| --- | --- |\n| Lock | 3% |\n| Remote | 15% |\n| Smoke | Low |"
    )


async def test_batteries_that_are_full_enough_are_counted_and_the_lowest_is_named(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await home(hass, bed, "batteries")
    add(hass, "sensor.remote", "64", **BATTERY)
    add(hass, "sensor.phone", "20", **BATTERY)
    add(hass, "binary_sensor.leak", "off", device_class="battery")
    assert await said(hass, account) == (
        "None is low. Devices with a battery: 3. The lowest: Phone, 20%."
    )


async def test_warnings_alone_have_no_lowest(hass: HomeAssistant, bed: Bed) -> None:
    account = await home(hass, bed, "batteries")
    add(hass, "binary_sensor.leak", "off", device_class="battery")
    assert await said(hass, account) == "None is low. Devices with a battery: 1."


async def test_updates_are_named_with_their_versions(hass: HomeAssistant, bed: Bed) -> None:
    account = await home(hass, bed, "updates")
    add(
        hass,
        "update.core",
        "on",
        title="Home Assistant Core",
        installed_version="2026.10.4",
        latest_version="2026.11.0",
    )
    add(hass, "update.lamp", "on", friendly_name="Lamp *new*")
    add(hass, "update.old", "off", title="Old")
    assert await said(hass, account) == (
        "- **Home Assistant Core**: 2026.10.4 \u2192 2026.11.0\n- **Lamp \\*new\\***"
    )


async def test_repairs_are_named_as_home_assistant_names_them_the_worst_first(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await home(hass, bed, "repairs")
    ir.async_create_issue(
        hass,
        "homeassistant",
        "config_entry_x",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key="no_such_text",
    )
    ir.async_create_issue(
        hass,
        "email_courier",
        "disk",
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key="outbox_disk",
        translation_placeholders={"account": "Home", "detail": "-"},
    )
    ir.async_create_issue(
        hass,
        "email_courier",
        "ignored",
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key="plain_login",
    )
    ir.async_ignore_issue(hass, "email_courier", "ignored", ignore=True)
    assert await said(hass, account) == (
        "- The outbox of Home cannot be used\n- homeassistant: no\\_such\\_text"
    )


async def test_backups_are_told_by_their_times(hass: HomeAssistant, bed: Bed) -> None:
    account = await home(hass, bed, "backups")
    for name, time in (
        ("last_successful_automatic_backup", "2026-11-28T03:00:00+00:00"),
        ("last_attempted_automatic_backup", "2026-11-28T03:00:00+00:00"),
        ("next_scheduled_automatic_backup", "2026-11-29T03:00:00+00:00"),
    ):
        add(hass, f"sensor.{name}", time, platform="backup", device_class="timestamp")
    assert await said(hass, account) == (
        "Last backup: 28 Nov 2026, 04:00\nNext backup: 29 Nov 2026, 04:00"
    )
    add(hass, "sensor.last_attempted_automatic_backup", "2026-11-28T12:00:00+00:00")
    assert (await said(hass, account)).startswith("**The last attempt failed: 28 Nov 2026, 13:00**")
    add(hass, "sensor.last_successful_automatic_backup", "unknown")
    assert "No automatic backup has succeeded yet." in await said(hass, account)


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ("energy", "The energy dashboard is not set up."),
        ("batteries", "No device reports its battery."),
        ("updates", "Everything is up to date."),
        ("repairs", "Nothing needs to be repaired."),
        ("backups", "Automatic backups are not set up."),
        ("mail", "No email was sent."),
    ],
)
async def test_a_section_with_nothing_to_tell_says_so_in_one_line(
    hass: HomeAssistant, bed: Bed, section: str, sentence: str
) -> None:
    assert await said(hass, await home(hass, bed, section)) == sentence


async def test_without_the_recorder_doors_and_people_are_told_as_they_are_now(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await home(hass, bed, "openings", "presence", "batteries")
    add(hass, "binary_sensor.front_door", "on", device_class="door")
    add(hass, "person.anna", "Work")
    add(hass, "sensor.lock", "3", **BATTERY)
    fields = await fields_of(hass, account)
    assert "Open now: **Front door**" in fields["markdown"]
    assert "There is no history: the recorder is off." in fields["markdown"]
    assert "| Anna | \u2013 | Work |" in fields["markdown"]
    assert "charts" not in fields


async def test_mail_is_counted_and_what_failed_is_named(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    replies = {"bea@example.test": "550 5.1.1 Unknown user"}
    server = await bed.serve(HEALTHY.but(recipient_replies=replies))
    one = report("Day", "anna@example.test", sections=["mail"], time="20:00:00")
    account = await load(hass, account_entry(server, one))
    freezer.move_to("2026-11-27T12:00:00+01:00")
    await send_from(account, "carl@example.test", subject="Yesterday")
    freezer.move_to("2026-11-28T12:00:00+01:00")
    await send_from(account, "carl@example.test", "dora@example.test")
    with pytest.raises(HomeAssistantError):
        await send_from(account, "bea@example.test", subject="[Alarm]")
    freezer.move_to("2026-11-28T20:00:00+01:00")
    assert await said(hass, account) == (
        "| Delivered | Failed | Waiting |\n| --- | --- | --- |\n| 1 | 1 | 0 |\n\n"
        "- 28 Nov 2026, 12:00: **\\[Alarm\\]**, Recipient refused"
    )


async def test_a_long_list_says_how_much_more_there_is(hass: HomeAssistant, bed: Bed) -> None:
    account = await home(hass, bed, "updates")
    for number in range(25):
        add(hass, f"update.lamp_{number:02}", "on")
    text = await said(hass, account)
    assert text.count("\n- ") == 19
    assert text.endswith("\n\nAnd 5 more.")


async def test_sections_come_in_one_order_and_under_their_names(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await home(hass, bed, *reversed(ReportSection))
    fields = await fields_of(hass, account)
    headings = [line for line in fields["markdown"].splitlines() if line.startswith("## ")]
    assert headings == [
        "## Energy",
        "## Climate by room",
        "## Doors and windows",
        "## People at home",
        "## Low batteries",
        "## Updates",
        "## Repairs",
        "## Backups",
        "## Email",
    ]
    assert fields["title"] == "Day: 28 Nov 2026"


async def test_a_section_that_breaks_keeps_no_other_back(
    hass: HomeAssistant,
    bed: Bed,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(_subject: object) -> list[Any]:
        raise KeyError("stat_energy_from")

    monkeypatch.setitem(message.SECTIONS, ReportSection.ENERGY, broken)
    account = await home(hass, bed, "energy", "updates")
    markdown = (await fields_of(hass, account))["markdown"]
    assert "the log of Home Assistant says why" in markdown
    assert "Everything is up to date." in markdown
    assert "The section energy of a report could not be made" in caplog.text


async def test_the_mail_has_the_sections_as_a_card_and_as_text_in_the_homes_language(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    one = report(
        "Week", "anna@example.test", sections=["updates"], facts=["sensor.power", "sensor.gone"]
    )
    await load(hass, account_entry(server, one, options={"layout": "card"}))
    add(hass, "sensor.power", "120", unit_of_measurement="W")
    await hass.services.async_call(
        "button", "press", {"entity_id": "button.week_send_now"}, blocking=True
    )
    mail = only_mail(server)
    assert mail["Subject"].startswith("Week: ")
    text = text_of(mail)
    assert "Everything is up to date." in text
    assert "Power: 120\u00a0W" in text
    assert "sensor.gone: \u2013" in text
    assert mail.get_body(("html",)) is not None
