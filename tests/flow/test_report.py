"""Adding and changing a report."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.email_courier.const import SUBENTRY_REPORT
from custom_components.email_courier.report.plan import ReportSection
from tests.support.accounts import account_entry, load, recipient, report
from tests.support.dialogs import Dialog
from tests.support.fixtures import Bed
from tests.support.sending import state_of

BEA, CARL = recipient("Bea", ["bea@example.test"]), recipient("Carl", ["carl@example.test"])


async def account(hass: HomeAssistant, bed: Bed, *subentries: Any) -> MockConfigEntry:
    """Return a loaded account."""
    entry = account_entry(await bed.serve(), *subentries)
    await load(hass, entry)
    return entry


def subentry_named(entry: MockConfigEntry, title: str) -> str:
    """Return the id of a subentry."""
    (found,) = (one.subentry_id for one in entry.subentries.values() if one.title == title)
    return found


def only_report(entry: MockConfigEntry) -> Any:
    """Return the one report of an account."""
    (found,) = entry.get_subentries_of_type(SUBENTRY_REPORT)
    return found


async def test_two_pages_lead_to_a_weekly_report(hass: HomeAssistant, bed: Bed) -> None:
    entry = await account(hass, bed, BEA)
    dialog = await Dialog.new_report(hass, entry)
    assert dialog.step == "user"
    assert dialog.fields["name"] == "Weekly report"
    assert dialog.fields["recipients"] == [subentry_named(entry, "Bea")]
    assert dialog.fields["frequency"] == "weekly"
    assert dialog.fields["sections"] == [section.value for section in ReportSection]
    await dialog.submit()
    assert dialog.step == "when"
    await dialog.submit(weekday="sun", time="20:15:00")
    assert dialog.type is FlowResultType.CREATE_ENTRY
    saved = only_report(entry)
    assert saved.title == "Weekly report"
    assert saved.data == {
        "recipients": [subentry_named(entry, "Bea")],
        "frequency": "weekly",
        "weekday": "sun",
        "time": "20:15:00",
        "sections": [section.value for section in ReportSection],
    }
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert state_of(hass, "button.weekly_report_send_now").state == "unknown"
    assert state_of(hass, "sensor.weekly_report_last_report").state == "unknown"
    assert state_of(hass, "sensor.weekly_report_next_report").state not in (
        "unknown",
        "unavailable",
    )


@pytest.mark.parametrize(
    ("frequency", "fields", "stored"),
    [
        ("daily", {"time": "06:30:00"}, {"time": "06:30:00"}),
        ("monthly", {"day": 31, "time": "08:00:00"}, {"day": 31, "time": "08:00:00"}),
    ],
)
async def test_the_second_page_asks_for_what_the_first_leaves_open(
    hass: HomeAssistant, bed: Bed, frequency: str, fields: dict[str, Any], stored: dict[str, Any]
) -> None:
    entry = await account(hass, bed, BEA)
    dialog = await Dialog.new_report(hass, entry)
    await dialog.submit(frequency=frequency, sections=["updates"])
    assert dialog.fields.keys() == fields.keys()
    await dialog.submit(**fields)
    data = only_report(entry).data
    assert stored.items() <= data.items()
    assert data["frequency"] == frequency
    assert data["sections"] == ["updates"]


async def test_nobody_is_chosen_where_there_are_several(hass: HomeAssistant, bed: Bed) -> None:
    entry = await account(hass, bed, BEA, CARL)
    dialog = await Dialog.new_report(hass, entry)
    assert dialog.fields["recipients"] == []
    await dialog.submit()
    assert dialog.errors == {"recipients": "invalid_recipient"}
    assert "The address is empty." in dialog.error_texts["recipients"]


async def test_recipients_are_named_in_every_way_that_people_know_them(
    hass: HomeAssistant, bed: Bed
) -> None:
    entry = await account(hass, bed, BEA, CARL)
    dialog = await Dialog.new_report(hass, entry)
    await dialog.submit(
        recipients=["notify.bea", "carl", "Dora <dora@example.test>", "emil@EXAMPLE.test"]
    )
    await dialog.submit()
    assert only_report(entry).data["recipients"] == [
        subentry_named(entry, "Bea"),
        subentry_named(entry, "Carl"),
        '"Dora" <dora@example.test>',
        "emil@example.test",
    ]


async def test_a_malformed_address_is_an_error_that_quotes_it_and_loses_nothing(
    hass: HomeAssistant, bed: Bed
) -> None:
    entry = await account(hass, bed, BEA)
    dialog = await Dialog.new_report(hass, entry)
    await dialog.submit(name="Home", recipients=["dora@"], sections=["mail"])
    assert dialog.step == "user"
    assert dialog.errors == {"recipients": "invalid_recipient"}
    assert '"dora@"' in dialog.error_texts["recipients"]
    typed = {"name": "Home", "recipients": ["dora@"], "sections": ["mail"]}
    assert typed.items() <= dialog.fields.items()


async def test_a_report_of_nothing_is_not_saved(hass: HomeAssistant, bed: Bed) -> None:
    entry = await account(hass, bed, BEA)
    dialog = await Dialog.new_report(hass, entry)
    await dialog.submit(sections=[])
    assert dialog.errors == {"sections": "report_empty"}
    await dialog.submit(facts=["sensor.kitchen"])
    assert dialog.step == "when"


async def test_a_report_without_a_name_keeps_the_one_it_had(hass: HomeAssistant, bed: Bed) -> None:
    entry = await account(hass, bed, BEA)
    dialog = await Dialog.new_report(hass, entry)
    await dialog.submit(name=" ")
    await dialog.submit()
    assert only_report(entry).title == "Weekly report"


async def test_a_change_begins_with_what_is_stored_and_keeps_the_entities(
    hass: HomeAssistant, bed: Bed, entity_registry: er.EntityRegistry
) -> None:
    entry = await account(
        hass,
        bed,
        BEA,
        report("Home", "bea@example.test", frequency="monthly", day=3, charts=["sensor.kitchen"]),
    )
    before = entity_registry.async_get("button.home_send_now_2") or entity_registry.async_get(
        "button.home_send_now"
    )
    assert before is not None
    dialog = await Dialog.change_of_report(hass, entry, only_report(entry).subentry_id)
    assert dialog.step == "reconfigure"
    assert dialog.fields["name"] == "Home"
    assert dialog.fields["frequency"] == "monthly"
    assert dialog.fields["charts"] == ["sensor.kitchen"]
    await dialog.submit(name="Our home")
    assert dialog.fields["day"] == 3
    await dialog.submit(day=5)
    assert dialog.reason == "reconfigure_successful"
    assert only_report(entry).title == "Our home"
    assert only_report(entry).data["day"] == 5
    after = entity_registry.async_get(before.entity_id)
    assert after is not None
    assert after.unique_id == before.unique_id


async def test_a_recipient_that_is_gone_is_not_filled_in(hass: HomeAssistant, bed: Bed) -> None:
    entry = await account(
        hass, bed, BEA, report("Home", "gone", "dora@example.test", sections=["mail"])
    )
    dialog = await Dialog.change_of_report(hass, entry, only_report(entry).subentry_id)
    assert dialog.fields["recipients"] == ["dora@example.test"]


async def test_a_report_of_an_account_that_is_not_loaded_can_be_changed(
    hass: HomeAssistant, bed: Bed
) -> None:
    entry = account_entry(
        await bed.serve(), BEA, report("Home", "a@example.test", facts=["sun.sun"])
    )
    entry.add_to_hass(hass)
    dialog = await Dialog.change_of_report(hass, entry, only_report(entry).subentry_id)
    await dialog.submit(frequency="weekly")
    await dialog.submit(weekday="fri")
    assert dialog.reason == "reconfigure_successful"
    assert only_report(entry).data["weekday"] == "fri"


async def test_removing_a_report_removes_its_entities_and_nothing_else(
    hass: HomeAssistant, bed: Bed
) -> None:
    entry = await account(hass, bed, BEA, report("Week", "a@example.test", sections=["mail"]))
    assert hass.states.get("button.week_send_now") is not None
    hass.config_entries.async_remove_subentry(entry, only_report(entry).subentry_id)
    await hass.async_block_till_done()
    assert hass.states.get("button.week_send_now") is None
    assert hass.states.get("notify.bea") is not None
