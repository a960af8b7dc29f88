"""Taking over an account of Home Assistant's own SMTP integration."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigSubentryData
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.email_courier.const import DOMAIN
from custom_components.email_courier.issues import Issue
from tests.support.accounts import account_entry
from tests.support.dialogs import Dialog, typed_for
from tests.support.fixtures import Bed
from tests.support.network import Network
from tests.support.script import HEALTHY, PASSWORD, USERNAME
from tests.support.scripted_server import ScriptedServer

WHEN_AND_WHAT = ("proven_at", "replaces")
OPTIONS = {"timeout": 1800, "reply_to": "bea@example.test", "reply_to_name": "Bea"}


def core_entry(
    server: ScriptedServer,
    /,
    *recipients: str,
    options: Mapping[str, Any] = OPTIONS,
    **changes: Any,
) -> MockConfigEntry:
    """Return an account as that integration stores it."""
    return MockConfigEntry(
        domain="smtp",
        title="Home mail",
        data={
            "sender": USERNAME,
            "sender_name": "Our home",
            "server": server.host,
            "port": server.port,
            "encryption": "starttls",
            "verify_ssl": True,
            "username": USERNAME,
            "password": PASSWORD,
            **changes,
        },
        options=dict(options),
        subentries_data=[
            ConfigSubentryData(
                data={}, subentry_type="recipient", title=f"To {address}", unique_id=address
            )
            for address in recipients
        ],
    )


async def test_without_such_an_account_nothing_is_offered(hass: HomeAssistant) -> None:
    dialog = await Dialog.new_account(hass)
    assert dialog.step == "address"


async def test_everything_is_taken_over_and_proven(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    core_entry(server, "bea@example.test", "carl@example.test").add_to_hass(hass)
    dialog = await Dialog.new_account(hass)
    assert dialog.type is FlowResultType.MENU
    await dialog.choose("core_account")
    assert dialog.step == "core_account"
    await dialog.submit()
    assert dialog.step == "finish", "what is stored is tested at once"
    assert dialog.fields["sender_name"] == "Our home"
    await dialog.submit()

    entry = dialog.entry
    assert {name: entry.data[name] for name in entry.data if name not in WHEN_AND_WHAT} == {
        "sender": USERNAME,
        "host": server.host,
        "port": server.port,
        "encryption": "starttls",
        "verify_ssl": True,
        "username": USERNAME,
        "password": PASSWORD,
    }
    assert entry.data["replaces"] == {"notify.home_mail": ""}
    assert entry.options == {
        "default_subject": "first_line",
        "sender_name": "Our home",
        "timeout": 300,
        "reply_to": ['"Bea" <bea@example.test>'],
    }
    recipients = [(one.title, dict(one.data), one.unique_id) for one in entry.subentries.values()]
    assert recipients == [
        ("To bea@example.test", {"to": ["bea@example.test"]}, None),
        ("To carl@example.test", {"to": ["carl@example.test"]}, None),
    ]
    assert "next_flow" not in dialog.page, "there are recipients already"
    assert dialog.page["description"] == "next_steps"
    assert server.record.auth_commands == 1
    assert len(hass.config_entries.async_entries("smtp")) == 1


async def test_what_still_names_the_old_account_is_listed_right_after_it_was_taken_over(
    hass: HomeAssistant, bed: Bed
) -> None:
    old = core_entry(await bed.serve(), "bea@example.test")
    old.add_to_hass(hass)
    er.async_get(hass).async_get_or_create(
        "notify",
        "smtp",
        f"{old.entry_id}_bea@example.test",
        config_entry=old,
        suggested_object_id="old_bea",
    )
    action = {"action": "notify.send_message", "target": {"entity_id": "notify.old_bea"}}
    automation = {
        "alias": "Leak",
        "triggers": [{"trigger": "event", "event_type": "leak"}],
        "actions": [{**action, "data": {"message": "Water"}}],
    }
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    dialog = await Dialog.new_account(hass)
    await dialog.choose("core_account")
    await dialog.submit()
    await dialog.fill_in()
    await dialog.submit()
    await hass.async_block_till_done()

    assert dialog.entry.data["replaces"]["notify.old_bea"] == "bea@example.test"
    issue_id = Issue.OLD_NAMES.id_for(dialog.entry.entry_id)
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue is not None
    assert issue.translation_placeholders is not None
    assert issue.translation_placeholders["uses"] == (
        "- Leak (`automation.leak`): `notify.old_bea` → `notify.to_bea_example_test`"
    )


async def test_what_was_saved_wrong_there_is_named_and_mended_here(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    server = await bed.serve()
    network.add("mail.example.test", {587: server})
    core_entry(server, server="mail.example.test", port=587, encryption="tls").add_to_hass(hass)
    dialog = await Dialog.new_account(hass)
    await dialog.choose("core_account")
    await dialog.submit()
    assert dialog.errors == {"base": "tls_not_expected"}
    await dialog.submit()
    assert dialog.step == "finish"


async def test_a_sender_that_is_no_address_is_asked_for(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    core_entry(server, sender="home").add_to_hass(hass)
    dialog = await Dialog.new_account(hass)
    await dialog.choose("core_account")
    await dialog.submit()
    assert dialog.step == "address"
    assert dialog.errors == {"sender": "invalid_sender"}
    assert dialog.fields["sender"] == "home"
    await dialog.submit(sender=USERNAME)
    await dialog.fill_in()
    assert dialog.step == "finish"


async def test_recipients_that_are_no_addresses_are_left_out(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    core_entry(server, "carl", "bea@example.test").add_to_hass(hass)
    dialog = await Dialog.new_account(hass)
    await dialog.choose("core_account")
    await dialog.submit()
    await dialog.fill_in()
    await dialog.submit()
    assert [one.data for one in dialog.entry.subentries.values()] == [{"to": ["bea@example.test"]}]


@pytest.mark.parametrize("reply_to", ["", "nobody"])
async def test_what_is_not_set_there_is_not_set_here(
    hass: HomeAssistant, bed: Bed, reply_to: str
) -> None:
    server = await bed.serve()
    core_entry(server, sender_name="", options={"reply_to": reply_to}).add_to_hass(hass)
    dialog = await Dialog.new_account(hass)
    await dialog.choose("core_account")
    await dialog.submit()
    await dialog.fill_in()
    assert dialog.fields["sender_name"] == hass.config.location_name
    await dialog.submit(sender_name=None)
    assert dialog.entry.options == {"default_subject": "first_line"}


async def test_the_password_from_there_goes_to_no_other_server(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    core_entry(server).add_to_hass(hass)
    dialog = await Dialog.new_account(hass)
    await dialog.choose("core_account")
    await dialog.submit()
    assert dialog.step == "finish"
    await dialog.submit(go_back=True)
    assert dialog.step == "login"
    assert dialog.fields["username"] == USERNAME
    assert dialog.fields["password"] is None, "a stored password is not sent to a browser"
    connections = server.record.connections
    await dialog.submit(host="localhost")
    assert dialog.errors == {"password": "invalid_auth"}
    await dialog.submit(go_back=True)
    await dialog.submit(host="localhost")
    await dialog.submit()
    assert dialog.errors == {"password": "invalid_auth"}
    assert server.record.connections == connections


async def test_what_is_down_can_be_tested_again_or_changed(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    core_entry(server).add_to_hass(hass)
    await server.stop()
    dialog = await Dialog.new_account(hass)
    await dialog.choose("core_account")
    await dialog.submit()
    assert (dialog.step, dialog.errors) == ("server", {"base": "connection_refused"})
    await server.start()
    await dialog.submit()
    assert dialog.step == "finish"


async def test_an_account_that_is_here_already_is_not_offered(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    core_entry(server).add_to_hass(hass)
    account_entry(server).add_to_hass(hass)
    dialog = await Dialog.new_account(hass)
    assert dialog.step == "address"


async def test_a_new_account_can_be_made_instead(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(users={"bea": PASSWORD}))
    core_entry(server, "carl@example.test").add_to_hass(hass)
    dialog = await Dialog.new_account(hass)
    await dialog.choose("core_account")
    await dialog.submit()
    assert dialog.errors == {"base": "invalid_auth"}
    for page in ("server", "address"):
        await dialog.submit(go_back=True)
        assert dialog.step == page
    await dialog.submit(go_back=True)
    assert dialog.type is FlowResultType.MENU
    await dialog.choose("address")
    assert not dialog.fields["sender"]
    await dialog.fill_in(**typed_for(server, sender="bea@example.test", username="bea"))
    assert dialog.fields["sender_name"] == hass.config.location_name
    await dialog.submit(sender_name=None)
    assert dialog.entry.data["sender"] == "bea@example.test"
    assert not dialog.entry.subentries
    assert dialog.entry.options == {"default_subject": "first_line"}
