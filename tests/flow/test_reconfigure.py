"""Changing an account: server, login, sender."""

from collections.abc import Mapping
from typing import Any

from homeassistant.config_entries import ConfigEntryDisabler, ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
import pytest

from custom_components.email_courier.const import KEPT_OPTIONS
from tests.support.accounts import account_entry, load, load_state, recipient
from tests.support.dialogs import Dialog
from tests.support.fixtures import Bed
from tests.support.network import Network
from tests.support.script import HEALTHY, HEALTHY_TLS, PASSWORD, PLAIN_LOGIN, PLAIN_RELAY, USERNAME
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import state_of

HOST = "mail.example.test"


async def loaded(hass: HomeAssistant, server: ScriptedServer, **changes: Any) -> tuple[Any, Dialog]:
    """Load an account and open its dialog."""
    entry = account_entry(server, recipient("Family", ["bea@example.test"]), **changes)
    await load(hass, entry)
    return entry, await Dialog.reconfiguration(hass, entry)


async def test_all_pages_are_filled_in_with_what_is_stored_but_the_password(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    _, dialog = await loaded(hass, server, options={"hello_name": "ha.example.test"})
    assert dialog.step == "address"
    assert dialog.fields == {"sender": USERNAME}
    await dialog.submit()
    assert {"host": server.host, "port": server.port, "hello_name": "ha.example.test"}.items() <= (
        dialog.fields.items()
    )
    await dialog.submit()
    assert dialog.fields["username"] == USERNAME
    assert dialog.fields["password"] is None


async def test_an_empty_password_keeps_the_stored_one(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry, dialog = await loaded(hass, server)
    before = dict(entry.data)
    await dialog.fill_in()
    assert dialog.step == "finish"
    await dialog.submit()
    assert dialog.reason == "reconfigure_successful"
    assert {**entry.data, "proven_at": None} == {**before, "proven_at": None}
    assert server.record.auth_commands == 1


async def test_only_where_a_password_is_stored_the_page_says_how_to_keep_it(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    keep = "Leave it empty to keep the stored one"
    new = await Dialog.new_account(hass)
    await new.submit(sender=USERNAME, enter_manually=True)
    await new.submit(host=server.host)
    assert new.step == "login"
    assert keep not in new.help("password")
    _, old = await loaded(hass, server)
    await old.submit()
    await old.submit()
    assert keep in old.help("password")


async def test_another_port_and_encryption_of_the_same_host_keep_the_password(
    hass: HomeAssistant, bed: Bed
) -> None:
    entry, dialog = await loaded(hass, await bed.serve())
    other = await bed.serve(HEALTHY_TLS)
    await dialog.fill_in(port=other.port, encryption="tls")
    await dialog.submit()
    assert entry.data["port"] == other.port
    assert entry.data["encryption"] == "tls"
    assert entry.data["password"] == PASSWORD
    assert entry.state is ConfigEntryState.LOADED
    assert entry.runtime_data.settings.port == other.port


@pytest.mark.parametrize("changes", [{"host": "localhost"}, {"username": "bea@example.test"}])
async def test_a_stored_password_goes_to_no_other_server_and_for_no_other_user(
    hass: HomeAssistant, bed: Bed, changes: Mapping[str, str]
) -> None:
    server = await bed.serve(HEALTHY.but(users={USERNAME: "new", "bea@example.test": "new"}))
    entry, dialog = await loaded(hass, server)
    await dialog.fill_in(**changes)
    assert dialog.step == "login"
    assert dialog.errors == {"password": "invalid_auth"}
    assert "no password" in dialog.error_texts["password"]
    assert server.record.auth_commands == 0

    await dialog.submit(password="new")
    await dialog.submit()
    assert dialog.reason == "reconfigure_successful"
    assert changes.items() <= entry.data.items()
    assert entry.data["password"] == "new"


async def test_a_stored_password_goes_to_no_other_server_after_an_error_either(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    server = await bed.serve()
    network.add(HOST, {587: server})
    network.add("other.example.test", {587: server})
    _, dialog = await loaded(hass, server, host=HOST, port=587)
    await server.stop()
    await dialog.fill_in()
    assert (dialog.step, dialog.errors) == ("server", {"base": "connection_refused"})
    await server.start()
    await dialog.submit(host="other.example.test")
    assert dialog.step == "login"
    assert server.record.auth_commands == 0


async def test_a_typed_password_follows_a_corrected_host(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    server = await bed.serve()
    network.add(HOST, {587: server})
    _, dialog = await loaded(hass, server, host=HOST, port=587)
    await dialog.fill_in(host="mial.example.test", password=PASSWORD)
    assert dialog.errors == {"base": "host_not_found"}
    await dialog.submit(host=HOST)
    assert dialog.step == "finish"


async def test_clearing_the_username_removes_the_password(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry, dialog = await loaded(hass, server)
    server.script = PLAIN_RELAY
    await dialog.fill_in(encryption="none", username=None)
    await dialog.submit()
    assert not {"username", "password"} & entry.data.keys()


async def test_consent_to_an_unencrypted_password_is_asked_for_again_at_another_host(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    server = await bed.serve(PLAIN_LOGIN)
    for name in (HOST, "other.example.test"):
        network.add(name, {25: server})
    consented = {"host": HOST, "port": 25, "allow_plain_login": True}
    _, dialog = await loaded(hass, server, **consented)
    await dialog.fill_in()
    assert dialog.step == "finish", "it was given for this host"
    await dialog.submit(go_back=True)
    await dialog.submit(go_back=True)
    await dialog.submit(host="other.example.test")
    await dialog.submit(password=PASSWORD)
    assert dialog.step == "plain_login"


async def test_a_failed_handshake_changes_nothing(hass: HomeAssistant, bed: Bed) -> None:
    entry, dialog = await loaded(hass, await bed.serve())
    before = dict(entry.data)
    other = await bed.serve(HEALTHY.but(users={}))
    await dialog.fill_in(port=other.port)
    assert dialog.errors == {"base": "invalid_auth"}
    dialog.close()
    assert entry.data == before
    assert entry.state is ConfigEntryState.LOADED


async def test_a_title_that_is_the_sender_follows_it_and_ones_own_stays(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    for title, expected in ((USERNAME, "carl@example.test"), ("House", "House")):
        entry, dialog = await loaded(hass, server, title=title)
        await dialog.fill_in(sender="carl@example.test")
        await dialog.submit()
        assert dialog.reason == "reconfigure_successful"
        assert (entry.title, entry.data["sender"]) == (expected, "carl@example.test")
        await hass.config_entries.async_remove(entry.entry_id)


async def test_an_account_cannot_become_another_one(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    account_entry(server, sender="carl@example.test").add_to_hass(hass)
    _, dialog = await loaded(hass, server)
    await dialog.fill_in(sender="carl@example.test")
    assert dialog.reason == "already_configured"


async def test_recipients_options_and_entities_stay(hass: HomeAssistant, bed: Bed) -> None:
    server, other = await bed.serve(), await bed.serve()
    entry, dialog = await loaded(hass, server, options={"sender_name": "Our home"})
    subentries, states = dict(entry.subentries), set(hass.states.async_entity_ids())
    await dialog.fill_in(port=other.port)
    await dialog.submit()
    assert entry.subentries == subentries
    assert entry.options == {**KEPT_OPTIONS, "sender_name": "Our home"}
    assert set(hass.states.async_entity_ids()) == states


async def test_an_account_that_could_not_be_loaded_is_loaded_once_it_is_mended(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    entry = account_entry(server, options={"ca_file": "/nowhere.pem"})
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert load_state(entry) is ConfigEntryState.SETUP_ERROR
    dialog = await Dialog.reconfiguration(hass, entry)
    await dialog.fill_in(ca_file=None)
    await dialog.submit()
    await hass.async_block_till_done()
    assert load_state(entry) is ConfigEntryState.LOADED
    assert entry.options == KEPT_OPTIONS


async def test_an_account_keeps_everything_while_it_is_disabled(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    entry, dialog = await loaded(hass, server, options={"sender_name": "Our home"})
    dialog.close()
    data, options, subentries = dict(entry.data), dict(entry.options), dict(entry.subentries)
    await hass.config_entries.async_set_disabled_by(entry.entry_id, ConfigEntryDisabler.USER)
    await hass.async_block_till_done()
    assert load_state(entry) is ConfigEntryState.NOT_LOADED
    assert state_of(hass, "notify.family").state == STATE_UNAVAILABLE
    await hass.config_entries.async_set_disabled_by(entry.entry_id, None)
    await hass.async_block_till_done()
    assert load_state(entry) is ConfigEntryState.LOADED
    assert (dict(entry.data), dict(entry.options)) == (data, options)
    assert dict(entry.subentries) == subentries
    assert state_of(hass, "notify.family").state != STATE_UNAVAILABLE
