"""What waits while the account is mended, taken away, or started anew."""

import asyncio

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.const import EVENT_HOMEASSISTANT_STARTED, EVENT_HOMEASSISTANT_STOP
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.email_courier.account import Account
from custom_components.email_courier.const import CONF_WRITE_FIRST, DOMAIN
from custom_components.email_courier.mail.outbox.submission import Status
from custom_components.email_courier.outbox_host import outbox_folder
from tests.support.accounts import account_entry, load, load_account
from tests.support.fixtures import Bed
from tests.support.script import PASSWORD, Script, Step, late
from tests.support.sending import pass_time, send_from, state_of

WAITING = "sensor.home_waiting_mail"


async def test_a_wrong_password_starts_reauthentication_and_mail_waits_for_its_end(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server, password="wrong")
    with pytest.raises(HomeAssistantError):
        await send_from(account, "bea@example.test")

    receipts = [await send_from(account, f"{name}@example.test") for name in ("carl", "dora")]
    await pass_time(hass, hours=3)

    [flow] = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert [receipt.status for receipt in receipts] == [Status.QUEUED, Status.QUEUED]
    assert state_of(hass, WAITING).state == "2"
    assert server.record.auth_commands == 1

    hass.config_entries.async_update_entry(
        account.entry, data={**account.entry.data, "password": PASSWORD}
    )
    await hass.async_block_till_done()

    assert [mail.recipients for mail in server.record.mails] == [
        ("carl@example.test",),
        ("dora@example.test",),
    ]
    assert state_of(hass, WAITING).state == "0"


async def test_waiting_mail_goes_out_once_after_a_reload(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await server.stop()
    receipt = await send_from(account, "bea@example.test")
    await server.start()

    await hass.config_entries.async_reload(account.entry.entry_id)
    await hass.async_block_till_done()

    [mail] = server.record.mails
    assert receipt.message_id.encode() in mail.content
    assert account.entry.runtime_data.courier.state.waiting == 0


async def test_mail_handed_in_while_home_assistant_starts_goes_out_once(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    entry = account_entry(server)
    hass.set_state(CoreState.starting)
    account = await load(hass, entry)
    await server.stop()
    await send_from(account, "bea@example.test")
    await send_from(account, "carl@example.test")
    await server.start()

    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
    assert state_of(hass, WAITING).state == "2"
    await pass_time(hass, minutes=1)

    assert len(server.record.mails) == 2
    assert state_of(hass, WAITING).state == "0"


async def test_the_network_is_left_alone_until_home_assistant_has_started(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await server.stop()
    await send_from(account, "bea@example.test")
    await hass.config_entries.async_unload(account.entry.entry_id)
    await server.start()
    hass.set_state(CoreState.starting)
    connections = server.record.connections

    await hass.config_entries.async_setup(account.entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, WAITING).state == "1"
    assert server.record.connections == connections

    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await hass.async_block_till_done()
    assert len(server.record.mails) == 1


async def test_mail_handed_in_while_home_assistant_stops_lies_on_disk(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await load_account(hass, await bed.serve())
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()

    receipt = await send_from(account, "bea@example.test")

    assert receipt.status is Status.QUEUED
    assert len(await files_of(hass, account, "*.eml")) == 1


@pytest.mark.parametrize(("write_first", "files"), [(True, 1), (False, 0)])
async def test_writing_first_is_an_option(
    hass: HomeAssistant, bed: Bed, write_first: bool, files: int
) -> None:
    server = await bed.serve(Script(answers={Step.DOT: late(0.3)}))
    account = await load_account(hass, server, options={CONF_WRITE_FIRST: write_first})

    sending = hass.async_create_task(send_from(account, "bea@example.test"))
    while not server.record.commands("DATA"):
        await asyncio.sleep(0.01)
    assert len(await files_of(hass, account, "*.eml")) == files

    assert (await sending).status is Status.SENT
    assert await files_of(hass, account, "*.eml") == []


async def test_removing_an_account_removes_its_outbox(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await server.stop()
    await send_from(account, "bea@example.test")
    assert await files_of(hass, account, "*.eml")

    await hass.config_entries.async_remove(account.entry.entry_id)
    await hass.async_block_till_done()

    folder = outbox_folder(hass, account.entry.entry_id)
    assert not await hass.async_add_executor_job(folder.exists)


async def files_of(hass: HomeAssistant, account: Account, pattern: str) -> list[str]:
    """Return the names of files in the outbox."""
    folder = outbox_folder(hass, account.entry.entry_id)
    found = await hass.async_add_executor_job(lambda: list(folder.glob(pattern)))
    return [file.name for file in found]
