"""A password without encryption needs an explicit yes, unless it stays on this machine."""

from homeassistant.core import HomeAssistant
import pytest

from tests.support.dialogs import Dialog, typed_for
from tests.support.fixtures import Bed
from tests.support.network import Network
from tests.support.script import HEALTHY, PASSWORD, PLAIN_LOGIN, PLAIN_RELAY
from tests.support.scripted_server import ScriptedServer

HOST = "mail.example.test"


async def asked_for_consent(
    hass: HomeAssistant, bed: Bed, network: Network, encryption: str = "none"
) -> tuple[Dialog, ScriptedServer]:
    server = await bed.serve(PLAIN_LOGIN)
    network.add(HOST, {2525: server})
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, host=HOST, port=2525, encryption=encryption))
    assert dialog.step == "plain_login"
    return dialog, server


@pytest.mark.parametrize("encryption", ["none", "auto"])
async def test_the_question_is_no_error_and_comes_before_the_password_is_sent(
    hass: HomeAssistant, bed: Bed, network: Network, encryption: str
) -> None:
    dialog, server = await asked_for_consent(hass, bed, network, encryption)
    assert not dialog.errors
    assert f"The server `{HOST}` would get your password" in dialog.description
    assert dialog.fields["allow_plain_login"] is False
    assert not server.record.secrets_in_clear([PASSWORD])
    assert server.record.auth_commands == 0


@pytest.mark.parametrize("encryption", ["none", "auto"])
async def test_a_yes_is_saved_with_the_account(
    hass: HomeAssistant, bed: Bed, network: Network, encryption: str
) -> None:
    dialog, server = await asked_for_consent(hass, bed, network, encryption)
    await dialog.submit(allow_plain_login=True)
    assert dialog.step == "finish"
    assert "sent without encryption" in dialog.description
    await dialog.submit()
    assert dialog.entry.data["allow_plain_login"] is True
    assert dialog.entry.data["encryption"] == "none"
    assert server.record.auth_commands_in_clear == 1


async def test_without_a_yes_the_password_stays_here(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    dialog, server = await asked_for_consent(hass, bed, network)
    await dialog.submit()
    assert dialog.step == "plain_login"
    assert dialog.errors == {"allow_plain_login": "auth_needs_encryption"}
    assert "Without a yes the password is not sent." in dialog.error_texts["allow_plain_login"]
    assert server.record.connections == 0


@pytest.mark.parametrize("encryption", ["none", "auto"])
async def test_the_way_back_leads_to_the_server_as_it_was_typed(
    hass: HomeAssistant, bed: Bed, network: Network, encryption: str
) -> None:
    dialog, server = await asked_for_consent(hass, bed, network, encryption)
    await dialog.submit(go_back=True)
    assert dialog.step == "server"
    assert dialog.fields["encryption"] == encryption
    server.script = HEALTHY
    await dialog.submit(encryption="starttls")
    assert (dialog.step, dialog.fields["password"]) == ("login", PASSWORD)
    await dialog.submit()
    assert dialog.step == "finish"
    await dialog.submit()
    assert "allow_plain_login" not in dialog.entry.data


async def test_a_yes_to_one_server_is_none_to_another(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    dialog, _ = await asked_for_consent(hass, bed, network)
    other = await bed.serve(PLAIN_LOGIN)
    network.add("other.example.test", {2525: other})
    await dialog.submit(allow_plain_login=True)
    await dialog.submit(go_back=True)
    await dialog.submit(go_back=True)
    await dialog.submit(host="other.example.test")
    await dialog.submit()
    assert dialog.step == "plain_login"
    assert other.record.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_loopback_is_never_asked_about(hass: HomeAssistant, bed: Bed, host: str) -> None:
    server = await bed.serve(PLAIN_LOGIN)
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, host=host))
    assert dialog.step == "finish"
    assert "sent without encryption" not in dialog.description
    await dialog.submit()
    assert "allow_plain_login" not in dialog.entry.data


async def test_without_a_password_there_is_nothing_to_ask(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    server = await bed.serve(PLAIN_RELAY)
    network.add(HOST, {25: server})
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, host=HOST, port=25, username=None, password=None))
    assert dialog.step == "finish"


async def test_an_encrypted_password_is_nothing_to_ask_about(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    server = await bed.serve()
    network.add(HOST, {587: server})
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, host=HOST, port=587))
    assert dialog.step == "finish"
    assert not server.record.secrets_in_clear([PASSWORD])
