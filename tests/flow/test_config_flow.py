"""The way from "Add integration" to an account."""

from datetime import datetime, timedelta

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.email_courier.const import DOMAIN, SUBENTRY_RECIPIENT
from tests.support.accounts import account_entry
from tests.support.dialogs import Dialog, typed_for
from tests.support.fixtures import Bed
from tests.support.network import Network
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PASSWORD,
    PLAIN_LOGIN,
    PLAIN_RELAY,
    USERNAME,
    Script,
)


async def test_an_account_is_made_page_by_page(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    dialog = await Dialog.new_account(hass)
    assert dialog.step == "address"

    await dialog.submit(sender=USERNAME)
    assert dialog.step == "server"
    assert dialog.fields["encryption"] == "auto"

    await dialog.submit(host=server.host, port=server.port, encryption="starttls")
    assert dialog.step == "login"
    assert dialog.fields["username"] == USERNAME

    await dialog.submit(password=PASSWORD)
    assert dialog.step == "finish"
    assert dialog.fields["sender_name"] == hass.config.location_name

    await dialog.submit()
    assert dialog.entry.state is ConfigEntryState.LOADED
    assert dialog.entry.title == USERNAME
    data = dict(dialog.entry.data)
    proven_at = datetime.fromisoformat(data.pop("proven_at"))
    assert abs(dt_util.utcnow() - proven_at) < timedelta(minutes=5)
    assert data == {
        "sender": USERNAME,
        "host": server.host,
        "port": server.port,
        "encryption": "starttls",
        "verify_ssl": True,
        "username": USERNAME,
        "password": PASSWORD,
    }
    assert dialog.entry.options == {
        "default_subject": "first_line",
        "sender_name": hass.config.location_name,
    }


async def test_setting_up_an_account_is_one_login(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server))
    await dialog.submit()
    assert dialog.entry.state is ConfigEntryState.LOADED
    assert server.record.auth_commands == 1
    assert not server.record.secrets_in_clear([PASSWORD])
    assert not server.record.violations


async def test_the_first_recipient_is_asked_for_next(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server))
    await dialog.submit()
    _, flow_id = dialog.page["next_flow"]
    (following,) = hass.config_entries.subentries.async_progress()
    assert following["flow_id"] == flow_id
    assert following["handler"] == (dialog.entry.entry_id, SUBENTRY_RECIPIENT)


@pytest.mark.parametrize(
    ("script", "found"), [(HEALTHY, "starttls"), (HEALTHY_TLS, "tls"), (PLAIN_LOGIN, "none")]
)
async def test_automatic_encryption_is_decided_once_and_saved(
    hass: HomeAssistant, bed: Bed, script: Script, found: str
) -> None:
    server = await bed.serve(script)
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, encryption="auto"))
    assert dialog.step == "finish", dialog.error_texts
    await dialog.submit()
    assert dialog.entry.data["encryption"] == found


@pytest.mark.parametrize(("port", "means"), [(465, "tls"), (587, "starttls")])
async def test_automatic_encryption_takes_well_known_ports_at_their_word(
    hass: HomeAssistant, bed: Bed, network: Network, port: int, means: str
) -> None:
    scripts = {"tls": HEALTHY_TLS, "starttls": HEALTHY}
    server = await bed.serve(scripts[means])
    network.add("mail.example.test", {port: server})
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(
        **typed_for(server, host="mail.example.test", port=port, encryption="auto")
    )
    await dialog.submit()
    assert dialog.entry.data["encryption"] == means
    assert server.record.connections == 1


async def test_automatic_never_takes_a_stripped_starttls_for_none(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    server = await bed.serve(PLAIN_LOGIN)
    network.add("mail.example.test", {587: server})
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, host="mail.example.test", port=587, encryption="auto"))
    assert dialog.errors == {"base": "starttls_not_offered"}
    assert dialog.fields["encryption"] == "auto"
    assert server.record.auth_commands == 0


async def test_without_a_username_there_is_no_login(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(PLAIN_RELAY)
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, username=None, password="left over"))
    await dialog.submit()
    assert not {"username", "password"} & dialog.entry.data.keys()
    assert server.record.auth_commands == 0


async def test_a_username_need_not_be_an_address(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(users={"apikey": "SG.key"}))
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, username=" apikey ", password="SG.key"))
    await dialog.submit()
    assert dialog.entry.data["username"] == "apikey"
    assert dialog.entry.data["sender"] == USERNAME


async def test_an_address_with_a_name_becomes_the_bare_sender(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, sender="  Anna <anna@EXAMPLE.test> "))
    await dialog.submit()
    assert dialog.entry.data["sender"] == "anna@example.test"


async def test_what_was_found_for_the_greeting_becomes_an_option(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY.but(hello_pattern=r"home\.example\.org"))
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, hello_name="home.example.org"))
    await dialog.submit(sender_name=None)
    assert dialog.entry.options == {
        "default_subject": "first_line",
        "hello_name": "home.example.org",
    }


@pytest.mark.parametrize(
    "changes", [{}, {"sender": "anna@EXAMPLE.TEST"}, {"password": "another"}, {"port": 2525}]
)
async def test_an_account_is_not_set_up_twice(
    hass: HomeAssistant, bed: Bed, changes: dict[str, str]
) -> None:
    server = await bed.serve()
    account_entry(server).add_to_hass(hass)
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, **changes))
    assert dialog.reason == "already_configured"
    assert server.record.connections == 0


@pytest.mark.parametrize("changes", [{"sender": "bea@example.test"}, {"username": None}])
async def test_another_sender_or_login_at_the_same_server_is_another_account(
    hass: HomeAssistant, bed: Bed, changes: dict[str, str]
) -> None:
    server = await bed.serve()
    account_entry(server).add_to_hass(hass)
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, **changes))
    assert dialog.step == "finish"


async def test_of_two_dialogs_for_one_account_the_slower_one_is_refused(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    dialogs = [await Dialog.new_account(hass) for _ in range(2)]
    for dialog in dialogs:
        await dialog.fill_in(**typed_for(server))
        assert dialog.step == "finish"
    for dialog in dialogs:
        await dialog.submit()
    assert dialogs[1].reason == "already_configured"
    assert len(hass.config_entries.async_entries(DOMAIN)) == 1


async def test_no_log_line_holds_the_password(
    hass: HomeAssistant, bed: Bed, caplog: pytest.LogCaptureFixture
) -> None:
    server = await bed.serve(HEALTHY.but(users={USERNAME: "another one"}))
    with caplog.at_level("DEBUG"):
        dialog = await Dialog.new_account(hass)
        await dialog.fill_in(**typed_for(server))
        assert dialog.errors == {"base": "invalid_auth"}
        server.script = HEALTHY
        await dialog.submit()
        await dialog.submit(test_recipient="bea@example.test")
        await dialog.submit()
    assert dialog.entry.data["password"] == PASSWORD
    assert PASSWORD not in caplog.text


@pytest.mark.parametrize("host", [None, "mail example", "a..b"])
async def test_what_can_be_no_server_is_refused_without_asking(
    hass: HomeAssistant, host: str | None
) -> None:
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=USERNAME)
    await dialog.submit(host=host)
    assert (dialog.step, dialog.errors) == ("server", {"host": "host_not_found"})
    assert "A server's name is like smtp.example.com" in dialog.error_texts["host"]
    assert dialog.fields["host"] == host
    await dialog.submit(host="mail.example.test")
    assert dialog.step == "login"


async def test_what_can_be_no_greeting_is_refused_without_asking(hass: HomeAssistant) -> None:
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=USERNAME)
    await dialog.submit(host="mail.example.test", hello_name="my home")
    assert (dialog.step, dialog.errors) == ("server", {"base": "helo_rejected"})
    assert "has to be a host name" in dialog.error_texts["base"]
    assert dialog.fields["hello_name"] == "my home"


async def test_a_username_without_a_password_is_asked_about_before_the_server_is(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**typed_for(server, password=None))
    assert dialog.errors == {"password": "invalid_auth"}
    assert "no password" in dialog.error_texts["password"]
    assert server.record.connections == 0
