"""Adding, changing and removing a recipient."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.email_courier.const import DOMAIN
from tests.support.accounts import account_entry, load, recipient
from tests.support.dialogs import Dialog, typed_for
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY

FAMILY = recipient("Family", ["bea@example.test"])


async def notify(hass: HomeAssistant, entity_id: str) -> None:
    await hass.services.async_call(
        "notify", "send_message", {"entity_id": entity_id, "message": "Hello"}, blocking=True
    )


def only_subentry(entry: MockConfigEntry) -> str:
    (subentry_id,) = entry.subentries
    return subentry_id


async def test_a_recipient_is_an_entity_named_after_it_and_one_mail_to_all_its_addresses(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    entry = account_entry(server)
    await load(hass, entry)
    dialog = await Dialog.new_recipient(hass, entry)
    await dialog.submit(
        name="Family",
        to=["Bea <bea@example.test>", "carl@EXAMPLE.test"],
        cc=["dora@example.test"],
        bcc=["emil@example.test"],
    )
    assert dialog.type is FlowResultType.CREATE_ENTRY
    (subentry,) = entry.subentries.values()
    assert subentry.title == "Family"
    assert subentry.unique_id is None
    assert subentry.data == {
        "to": ['"Bea" <bea@example.test>', "carl@example.test"],
        "cc": ["dora@example.test"],
        "bcc": ["emil@example.test"],
    }
    assert entry.state is ConfigEntryState.LOADED

    await notify(hass, "notify.family")
    (mail,) = server.record.mails
    assert mail.recipients == (
        "bea@example.test",
        "carl@example.test",
        "dora@example.test",
        "emil@example.test",
    )
    assert b"emil" not in mail.content


async def test_addresses_may_be_typed_as_one_list(hass: HomeAssistant, bed: Bed) -> None:
    entry = account_entry(await bed.serve())
    await load(hass, entry)
    dialog = await Dialog.new_recipient(hass, entry)
    await dialog.submit(name="Family", to=["bea@example.test, carl@example.test; "])
    (subentry,) = entry.subentries.values()
    assert subentry.data == {"to": ["bea@example.test", "carl@example.test"]}


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
async def test_a_malformed_address_is_an_error_on_its_field_that_quotes_it(
    hass: HomeAssistant, bed: Bed, field: str
) -> None:
    entry = account_entry(await bed.serve())
    await load(hass, entry)
    dialog = await Dialog.new_recipient(hass, entry)
    typed = {"name": "Family", "to": ["bea@example.test"], field: ["bea@example.test", "carl@"]}
    await dialog.submit(**typed)
    assert dialog.step == "user"
    assert dialog.errors == {field: "invalid_recipient"}
    assert '"carl@"' in dialog.error_texts[field]
    assert typed.items() <= dialog.fields.items()
    assert not entry.subentries


async def test_no_control_character_gets_into_a_recipient(hass: HomeAssistant, bed: Bed) -> None:
    entry = account_entry(await bed.serve())
    await load(hass, entry)
    dialog = await Dialog.new_recipient(hass, entry)
    await dialog.submit(name="Family", to=["bea@a\0.test"])
    assert dialog.errors == {"to": "invalid_recipient"}


async def test_a_line_end_only_parts_addresses(hass: HomeAssistant, bed: Bed) -> None:
    entry = account_entry(await bed.serve())
    await load(hass, entry)
    dialog = await Dialog.new_recipient(hass, entry)
    await dialog.submit(name="Family", to=["bea@example.test\r\nRCPT TO:<eve@evil.test>"])
    [subentry] = entry.subentries.values()
    assert subentry.data["to"] == ["bea@example.test", '"RCPT TO:" <eve@evil.test>']


@pytest.mark.parametrize("to", [[" ", ","], [""]])
async def test_a_recipient_needs_an_address(hass: HomeAssistant, bed: Bed, to: list[str]) -> None:
    entry = account_entry(await bed.serve())
    await load(hass, entry)
    dialog = await Dialog.new_recipient(hass, entry)
    await dialog.submit(name="Family", to=to)
    assert dialog.errors == {"to": "invalid_recipient"}
    assert "The address is empty." in dialog.error_texts["to"]


async def test_a_recipient_without_a_name_is_called_by_its_address(
    hass: HomeAssistant, bed: Bed
) -> None:
    entry = account_entry(await bed.serve())
    await load(hass, entry)
    dialog = await Dialog.new_recipient(hass, entry)
    await dialog.submit(name=" ", to=["bea@example.test"])
    assert [subentry.title for subentry in entry.subentries.values()] == ["bea@example.test"]


async def test_other_addresses_keep_the_entity(
    hass: HomeAssistant, bed: Bed, entity_registry: er.EntityRegistry
) -> None:
    server = await bed.serve()
    entry = account_entry(server, FAMILY)
    await load(hass, entry)
    before = entity_registry.async_get("notify.family")
    assert before is not None

    dialog = await Dialog.change_of_recipient(hass, entry, only_subentry(entry))
    assert dialog.step == "reconfigure"
    assert dialog.fields["name"] == "Family"
    assert dialog.fields["to"] == ["bea@example.test"]
    await dialog.submit(to=["carl@example.test"])
    assert dialog.reason == "reconfigure_successful"

    after = entity_registry.async_get("notify.family")
    assert after is not None
    assert (after.id, after.unique_id) == (before.id, before.unique_id)
    await notify(hass, "notify.family")
    assert server.record.mails[0].recipients == ("carl@example.test",)


async def test_another_name_keeps_the_entity_id_that_automations_use(
    hass: HomeAssistant, bed: Bed
) -> None:
    entry = account_entry(await bed.serve(), FAMILY)
    await load(hass, entry)
    dialog = await Dialog.change_of_recipient(hass, entry, only_subentry(entry))
    await dialog.submit(name="Everyone")
    state = hass.states.get("notify.family")
    assert state is not None
    assert state.name == "Everyone"


async def test_no_unique_id_depends_on_what_a_person_can_change(
    hass: HomeAssistant, bed: Bed, entity_registry: er.EntityRegistry
) -> None:
    entry = account_entry(await bed.serve(), FAMILY)
    await load(hass, entry)
    unique_ids = [
        entity.unique_id
        for entity in er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    ]
    assert len(unique_ids) > 1
    for unique_id in unique_ids:
        assert unique_id.startswith(f"{entry.entry_id}_")
        assert "@" not in unique_id
        assert "family" not in unique_id.lower()


async def test_removing_a_recipient_removes_its_entity(
    hass: HomeAssistant, bed: Bed, entity_registry: er.EntityRegistry
) -> None:
    entry = account_entry(await bed.serve(), FAMILY, recipient("Carl", ["carl@example.test"]))
    await load(hass, entry)
    family = next(iter(entry.subentries))
    hass.config_entries.async_remove_subentry(entry, family)
    await hass.async_block_till_done()
    assert entity_registry.async_get("notify.family") is None
    assert hass.states.get("notify.family") is None
    assert hass.states.get("notify.carl") is not None


async def test_a_recipient_of_an_account_that_is_not_loaded_can_be_changed(
    hass: HomeAssistant, bed: Bed
) -> None:
    entry = account_entry(await bed.serve(), FAMILY)
    entry.add_to_hass(hass)
    dialog = await Dialog.change_of_recipient(hass, entry, only_subentry(entry))
    await dialog.submit(to=["carl@example.test"])
    assert dialog.reason == "reconfigure_successful"
    (subentry,) = entry.subentries.values()
    assert subentry.data["to"] == ["carl@example.test"]


async def test_the_first_one_is_filled_in_with_the_address_that_was_tested(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server))
    await dialog.submit(test_recipient="bea.baker+home@example.test")
    await dialog.submit()
    entry = dialog.entry
    assert entry.state is ConfigEntryState.LOADED, "the account is there before anybody is asked"
    first = await Dialog.following(hass, dialog)
    assert first.fields["name"] == "Bea Baker"
    assert first.fields["to"] == ["bea.baker+home@example.test"]
    await first.submit()
    assert first.type is FlowResultType.CREATE_ENTRY
    assert first.page["description"] == "next_steps"
    (subentry,) = entry.subentries.values()
    assert subentry.data == {"to": ["bea.baker+home@example.test"]}


@pytest.mark.parametrize("refused", [True, False])
async def test_nothing_is_filled_in_where_no_test_mail_got_through(
    hass: HomeAssistant, bed: Bed, refused: bool
) -> None:
    replies = {"bob@example.test": "550 5.1.1 Unknown user"}
    server = await bed.serve(HEALTHY.but(recipient_replies=replies))
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server))
    if refused:
        await dialog.submit(test_recipient="bob@example.test")
        assert dialog.errors == {"test_recipient": "recipient_rejected"}
    await dialog.submit(test_recipient=None)
    first = await Dialog.following(hass, dialog)
    assert not first.fields["to"]
    first.close()
    assert hass.config_entries.async_entries(DOMAIN) == [dialog.entry]


async def test_only_the_first_one_leads_on(hass: HomeAssistant, bed: Bed) -> None:
    entry = account_entry(await bed.serve(), FAMILY)
    await load(hass, entry)
    dialog = await Dialog.new_recipient(hass, entry)
    await dialog.submit(name="Carl", to=["carl@example.test"])
    assert dialog.page["description"] is None


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
async def test_a_domain_without_a_dot_is_asked_about_once(
    hass: HomeAssistant, bed: Bed, field: str
) -> None:
    entry = account_entry(await bed.serve(), FAMILY)
    await load(hass, entry)
    dialog = await Dialog.new_recipient(hass, entry)
    typed = {"name": "Box", "to": ["bea@example.test"], field: ["Root <root@nas>"]}
    await dialog.submit(**typed)
    assert dialog.errors == {field: "domain_without_dot"}
    assert "root@nas has no dot after the @" in dialog.error_texts[field]
    assert dialog.fields[field] == ["Root <root@nas>"]
    await dialog.submit()
    assert dialog.type is FlowResultType.CREATE_ENTRY
    added = list(entry.subentries.values())[-1]
    assert added.data[field] == ['"Root" <root@nas>']

    dialog = await Dialog.change_of_recipient(hass, entry, added.subentry_id)
    await dialog.submit(name="Box in the cellar")
    assert dialog.reason == "reconfigure_successful", "what was agreed to is not asked again"


@pytest.mark.parametrize("address", ["root@[192.0.2.1]", "root@[IPv6:2001:db8::1]"])
async def test_an_address_of_a_machine_is_not_asked_about(
    hass: HomeAssistant, bed: Bed, address: str
) -> None:
    entry = account_entry(await bed.serve())
    await load(hass, entry)
    dialog = await Dialog.new_recipient(hass, entry)
    await dialog.submit(name="Box", to=[address])
    assert dialog.type is FlowResultType.CREATE_ENTRY
