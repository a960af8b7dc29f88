"""An account that takes over what another one cannot deliver."""

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.email_courier.account import Account
from custom_components.email_courier.const import CONF_BACKUP_ACCOUNT, CONF_BACKUP_AFTER
from tests.support.accounts import load_account
from tests.support.fixtures import Bed
from tests.support.mails import only_mail
from tests.support.script import USERNAME
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import pass_time, send_from, state_of

BACKUP = "backup@example.org"


async def with_backup(
    hass: HomeAssistant, main: ScriptedServer, backup: ScriptedServer, after: int = 5
) -> tuple[Account, Account]:
    """Load an account and another one that takes over for it."""
    spare = await load_account(hass, backup, title="Spare", sender=BACKUP)
    options = {CONF_BACKUP_ACCOUNT: spare.entry.entry_id, CONF_BACKUP_AFTER: after}
    return await load_account(hass, main, options=options), spare


async def test_it_takes_over_what_could_not_be_delivered_for_a_while(
    hass: HomeAssistant, bed: Bed
) -> None:
    main, backup = await bed.serve(), await bed.serve()
    account, _ = await with_backup(hass, main, backup)
    await main.stop()
    receipt = await send_from(account, "bea@example.test")

    await pass_time(hass, minutes=3)
    assert backup.record.mails == []
    await pass_time(hass, minutes=6)

    [taken] = backup.record.mails
    assert taken.sender == BACKUP
    assert taken.recipients == ("bea@example.test",)
    mail = only_mail(backup)
    assert mail["From"] == BACKUP
    assert mail["Reply-To"] == USERNAME
    assert mail["Message-ID"] == receipt.message_id
    assert state_of(hass, "sensor.home_waiting_mail").state == "0"
    assert state_of(hass, "event.spare_mail").attributes["event_type"] == "delivered"

    await main.start()
    await pass_time(hass, hours=2)
    assert main.record.mails == []
    assert len(backup.record.mails) == 1


async def test_it_takes_over_at_once_what_the_account_is_to_blame_for(
    hass: HomeAssistant, bed: Bed
) -> None:
    main, backup = await bed.serve(), await bed.serve()
    account, _ = await with_backup(hass, main, backup)
    hass.config_entries.async_update_entry(
        account.entry, data={**account.entry.data, "password": "wrong"}
    )
    await hass.async_block_till_done()

    receipt = await send_from(account.entry.runtime_data, "bea@example.test")

    assert receipt.status.value == "queued"
    assert main.record.auth_commands == 1
    assert len(backup.record.mails) == 1


async def test_a_backup_that_is_not_loaded_leaves_the_mail_where_it_is(
    hass: HomeAssistant, bed: Bed
) -> None:
    main, backup = await bed.serve(), await bed.serve()
    account, spare = await with_backup(hass, main, backup)
    await hass.config_entries.async_unload(spare.entry.entry_id)
    await main.stop()
    await send_from(account, "bea@example.test")

    await pass_time(hass, minutes=6)

    assert state_of(hass, "sensor.home_waiting_mail").state == "1"
    await hass.config_entries.async_setup(spare.entry.entry_id)
    await pass_time(hass, minutes=20)
    assert len(backup.record.mails) == 1


async def test_two_accounts_that_back_each_other_up_do_not_pass_a_mail_in_circles(
    hass: HomeAssistant, bed: Bed
) -> None:
    main, backup = await bed.serve(), await bed.serve()
    account, spare = await with_backup(hass, main, backup, after=1)
    hass.config_entries.async_update_entry(
        spare.entry,
        options={CONF_BACKUP_ACCOUNT: account.entry.entry_id, CONF_BACKUP_AFTER: 1},
    )
    await hass.async_block_till_done()
    await main.stop()
    await send_from(account, "bea@example.test")
    await backup.stop()
    await pass_time(hass, minutes=2)
    assert waiting(hass) == {"home": 0, "spare": 1}

    for minutes in (4, 10, 30, 60):
        await pass_time(hass, minutes=minutes)
    assert waiting(hass) == {"home": 0, "spare": 1}

    await main.start()
    await backup.start()
    await pass_time(hass, hours=2)
    assert waiting(hass) == {"home": 0, "spare": 0}
    assert (len(main.record.mails), len(backup.record.mails)) == (0, 1)


def waiting(hass: HomeAssistant) -> dict[str, int]:
    return {
        name: int(state_of(hass, f"sensor.{name}_waiting_mail").state) for name in ("home", "spare")
    }


async def test_a_refused_recipient_is_not_handed_over(hass: HomeAssistant, bed: Bed) -> None:
    main, backup = await bed.serve(), await bed.serve()
    account, _ = await with_backup(hass, main, backup)
    main.script = main.script.but(
        recipient_replies={"bea@example.test": "550 5.1.1 No such user here"}
    )

    with pytest.raises(HomeAssistantError, match=r"550 5\.1\.1"):
        await send_from(account, "bea@example.test")
    await pass_time(hass, minutes=10)

    assert backup.record.mails == []
