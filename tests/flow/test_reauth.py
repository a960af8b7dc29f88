"""Giving an account its login again."""

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.email_courier.const import DOMAIN, KEPT_OPTIONS
from tests.support.accounts import account_entry, load, recipient
from tests.support.dialogs import Dialog
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY, PASSWORD, USERNAME, Step, say
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import pass_time, send_from

CHANGED = HEALTHY.but(users={USERNAME: "a new password"})


async def locked_out(hass: HomeAssistant, server: ScriptedServer) -> MockConfigEntry:
    """Load an account that has a mail waiting when its password is changed at the server."""
    server.script = HEALTHY.but(answers={Step.GREETING: say("421 4.3.2 Come back later")})
    entry = account_entry(server)
    account = await load(hass, entry)
    receipt = await send_from(account, "bea@example.test")
    assert receipt.status == "queued"
    server.script = CHANGED
    await pass_time(hass, minutes=5)
    assert server.record.auth_commands == 1
    assert not server.record.mails
    return entry


async def test_a_wrong_login_asks_for_reauthentication_and_quotes_the_server(
    hass: HomeAssistant, bed: Bed, issue_registry: ir.IssueRegistry
) -> None:
    server = await bed.serve()
    await locked_out(hass, server)
    dialog = await Dialog.reauthentication(hass)
    assert dialog.step == "login"
    assert "535 5.7.8" in dialog.description
    assert dialog.fields["username"] == USERNAME
    assert dialog.fields["password"] is None
    assert [issue.translation_key for issue in issue_registry.issues.values()] == [
        "config_entry_reauth"
    ]


async def test_a_wrong_password_changes_nothing(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = await locked_out(hass, server)
    dialog = await Dialog.reauthentication(hass)
    logins = server.record.auth_commands
    await dialog.submit(password="wrong again")
    assert dialog.step == "login"
    assert dialog.errors == {"base": "invalid_auth"}
    assert dialog.fields["password"] == "wrong again"
    assert server.record.auth_commands == logins + 1
    assert entry.data["password"] == PASSWORD


async def test_the_right_password_is_saved_and_waiting_mail_goes_out(
    hass: HomeAssistant, bed: Bed, issue_registry: ir.IssueRegistry
) -> None:
    server = await bed.serve()
    entry = await locked_out(hass, server)
    dialog = await Dialog.reauthentication(hass)
    await dialog.submit(password="a new password")
    assert dialog.step == "finish"
    await dialog.submit()
    assert dialog.reason == "reauth_successful"
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.data["password"] == "a new password"
    assert len(server.record.mails) == 1
    assert not hass.config_entries.flow.async_progress()
    assert not issue_registry.issues


async def test_the_same_password_ends_the_pause_where_the_server_takes_it_again(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    entry = await locked_out(hass, server)
    server.script = HEALTHY
    before = dict(entry.data)
    dialog = await Dialog.reauthentication(hass)
    await dialog.submit()
    assert dialog.step == "finish"
    await dialog.submit()
    await hass.async_block_till_done(wait_background_tasks=True)
    assert {**entry.data, "proven_at": None} == {**before, "proven_at": None}
    assert len(server.record.mails) == 1


async def test_recipients_and_options_stay(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = account_entry(
        server, recipient("Family", ["bea@example.test"]), options={"sender_name": "Our home"}
    )
    await load(hass, entry)
    subentries = dict(entry.subentries)
    server.script = CHANGED
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    dialog = await Dialog.reauthentication(hass)
    await dialog.submit(password="a new password")
    await dialog.submit()
    assert entry.subentries == subentries
    assert entry.options == {**KEPT_OPTIONS, "sender_name": "Our home"}
    assert hass.states.get("notify.family") is not None


async def test_a_temporary_refusal_of_the_login_asks_nobody(hass: HomeAssistant, bed: Bed) -> None:
    refused = say("454 4.7.0 Temporary authentication failure")
    server = await bed.serve(HEALTHY.but(answers={Step.AUTH_VERDICT: refused}))
    account = await load(hass, account_entry(server))
    receipt = await send_from(account, "bea@example.test")
    assert receipt.status == "queued"
    assert not hass.config_entries.flow.async_progress()


async def test_it_can_be_opened_without_a_failure(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = account_entry(server)
    entry.add_to_hass(hass)
    await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_REAUTH, "entry_id": entry.entry_id}
    )
    dialog = await Dialog.reauthentication(hass)
    assert dialog.step == "login"
    assert dialog.description == f"Server: `{server.host}`, port {server.port}, STARTTLS."


async def test_the_username_may_change_with_the_password(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(users={"anna": "another"}))
    entry = account_entry(server)
    entry.add_to_hass(hass)
    await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_REAUTH, "entry_id": entry.entry_id}
    )
    dialog = await Dialog.reauthentication(hass)
    await dialog.submit(username="anna")
    assert dialog.errors == {"password": "invalid_auth"}, "the stored one is another user's"
    assert server.record.auth_commands == 0
    await dialog.submit(password="another")
    await dialog.submit()
    assert (entry.data["username"], entry.data["password"]) == ("anna", "another")


async def test_a_server_that_is_down_can_be_waited_for(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = account_entry(server)
    entry.add_to_hass(hass)
    await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_REAUTH, "entry_id": entry.entry_id}
    )
    await server.stop()
    dialog = await Dialog.reauthentication(hass)
    await dialog.submit()
    assert (dialog.step, dialog.errors) == ("server", {"base": "connection_refused"})
    await server.start()
    await dialog.submit()
    assert dialog.step == "finish"
    await dialog.submit()
    assert dialog.reason == "reauth_successful"
