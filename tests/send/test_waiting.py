"""The actions on waiting mail."""

from datetime import datetime
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util
import pytest

from custom_components.email_courier.account import Account
from custom_components.email_courier.const import CONF_FLOOD_LIMIT, DOMAIN
from custom_components.email_courier.mail.compose.content import Priority
from custom_components.email_courier.outbox_host import outbox_folder
from tests.support.accounts import load_account
from tests.support.fixtures import Bed
from tests.support.script import PASSWORD, Script
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import pass_time, send_from


async def call(hass: HomeAssistant, action: str, **data: Any) -> dict[str, Any]:
    response = await hass.services.async_call(
        DOMAIN, action, data, blocking=True, return_response=True
    )
    assert isinstance(response, dict)
    await hass.async_block_till_done()
    return response


async def retry(hass: HomeAssistant, **data: Any) -> None:
    await hass.services.async_call(DOMAIN, "retry_waiting", data, blocking=True)
    await hass.async_block_till_done()


async def down(hass: HomeAssistant, bed: Bed) -> tuple[Account, ScriptedServer]:
    server = await bed.serve()
    account = await load_account(hass, server)
    await server.stop()
    return account, server


async def test_waiting_mail_is_listed_in_the_order_in_which_it_goes(
    hass: HomeAssistant, bed: Bed
) -> None:
    account, _ = await down(hass, bed)
    before = dt_util.utcnow()
    first = await send_from(
        account, "bea@example.test", subject="Washing machine", expires_after=3600
    )
    content = account.content(to=(account.sender,), subject="Fire", priority=Priority.HIGHEST)
    await account.async_send(content)

    mails = (await call(hass, "list_waiting"))["mails"]

    assert [(mail["subject"], mail["priority"]) for mail in mails] == [
        ("Fire", "high"),
        ("Washing machine", "normal"),
    ]
    mail = mails[1]
    assert mail["message_id"] == first.message_id
    assert mail["recipients"] == ["bea@example.test"]
    assert mail["attempts"] == 1
    assert mail["kind"] == "connection_refused"
    assert mail["reply"]
    assert mail["size"] > 200
    created, expires, due = (
        datetime.fromisoformat(mail[name]) for name in ("created", "expires", "next_attempt")
    )
    assert (expires - created).total_seconds() == pytest.approx(3600, abs=0.01)
    assert abs((created - before).total_seconds()) < 5
    assert created < due < expires


async def test_a_mail_put_off_by_itself_has_its_own_next_attempt(
    hass: HomeAssistant, bed: Bed
) -> None:
    script = Script(recipient_replies={"bea@example.test": "450 4.2.0 Greylisted"})
    account = await load_account(hass, await bed.serve(script))
    await send_from(account, "bea@example.test")

    [mail] = (await call(hass, "list_waiting"))["mails"]

    assert mail["reply"] == "450 4.2.0 Greylisted"
    assert datetime.fromisoformat(mail["next_attempt"]) > dt_util.utcnow()


async def test_nothing_is_tried_at_a_known_time_while_the_login_is_refused(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await load_account(hass, await bed.serve(), password="wrong")
    with pytest.raises(HomeAssistantError):
        await send_from(account, "bea@example.test")
    await send_from(account, "bea@example.test")

    [mail] = (await call(hass, "list_waiting"))["mails"]

    assert mail["next_attempt"] is None
    assert mail["attempts"] == 0
    assert mail["kind"] is None
    assert mail["reply"] is None


async def test_a_retry_does_not_wait_for_the_schedule(hass: HomeAssistant, bed: Bed) -> None:
    account, server = await down(hass, bed)
    await send_from(account, "bea@example.test")
    await send_from(account, "carl@example.test")
    await server.start()

    await retry(hass)

    assert len(server.record.mails) == 2
    assert (await call(hass, "list_waiting"))["mails"] == []


async def test_one_mail_can_be_retried_alone(hass: HomeAssistant, bed: Bed) -> None:
    replies = {f"{name}@example.test": "450 4.2.0 Greylisted" for name in ("bea", "carl")}
    server = await bed.serve(Script(recipient_replies=replies))
    account = await load_account(hass, server)
    await send_from(account, "bea@example.test")
    carls = await send_from(account, "carl@example.test")

    await retry(hass, message_id=carls.message_id)

    mails = (await call(hass, "list_waiting"))["mails"]
    assert {mail["recipients"][0]: mail["attempts"] for mail in mails} == {
        "bea@example.test": 1,
        "carl@example.test": 2,
    }


async def test_a_refused_login_is_not_tried_again_by_hand(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    account = await load_account(hass, server, password="wrong")
    with pytest.raises(HomeAssistantError):
        await send_from(account, "bea@example.test")

    with pytest.raises(HomeAssistantError, match=r"535 5\.7\.8") as raised:
        await retry(hass)

    assert raised.value.translation_key == "invalid_auth"
    assert server.record.auth_commands == 1


async def test_dropped_mail_is_never_delivered(hass: HomeAssistant, bed: Bed) -> None:
    account, server = await down(hass, bed)
    await send_from(account, "bea@example.test")
    await send_from(account, "carl@example.test")

    assert await call(hass, "drop_waiting") == {"dropped": 2}

    await server.start()
    await pass_time(hass, minutes=5)
    assert server.record.mails == []


async def test_one_mail_can_be_dropped_with_or_without_the_brackets_of_its_id(
    hass: HomeAssistant, bed: Bed
) -> None:
    account, _ = await down(hass, bed)
    first = await send_from(account, "bea@example.test")
    second = await send_from(account, "carl@example.test")
    await send_from(account, "dora@example.test")

    response = await call(
        hass, "drop_waiting", message_id=[first.message_id, second.message_id.strip("<>")]
    )

    assert response == {"dropped": 2}
    [left] = (await call(hass, "list_waiting"))["mails"]
    assert left["recipients"] == ["dora@example.test"]


async def test_dropping_needs_no_response(hass: HomeAssistant, bed: Bed) -> None:
    account, _ = await down(hass, bed)
    await send_from(account, "bea@example.test")

    await hass.services.async_call(DOMAIN, "drop_waiting", {}, blocking=True)

    assert account.courier.state.waiting == 0


@pytest.mark.parametrize("action", ["retry_waiting", "drop_waiting"])
async def test_a_mail_that_does_not_wait_is_named_and_nothing_is_done(
    hass: HomeAssistant, bed: Bed, action: str
) -> None:
    account, _ = await down(hass, bed)
    receipt = await send_from(account, "bea@example.test")

    with pytest.raises(ServiceValidationError, match="unknown@example") as raised:
        await hass.services.async_call(
            DOMAIN,
            action,
            {"message_id": [receipt.message_id, "<unknown@example.test>"]},
            blocking=True,
        )

    assert raised.value.translation_key == "mail_not_waiting"
    assert account.courier.state.waiting == 1


async def test_held_mail_is_listed_and_dropped_as_well(hass: HomeAssistant, bed: Bed) -> None:
    account = await load_account(hass, await bed.serve(), options={CONF_FLOOD_LIMIT: 1})
    await send_from(account, "bea@example.test")
    held = await send_from(account, "bea@example.test")

    [mail] = (await call(hass, "list_waiting"))["mails"]
    assert mail["message_id"] == held.message_id
    assert mail["attempts"] == 0

    assert await call(hass, "drop_waiting", message_id=held.message_id) == {"dropped": 1}
    assert (await call(hass, "list_waiting"))["mails"] == []


async def test_a_file_that_cannot_be_removed_is_an_error_that_says_so(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await load_account(hass, await bed.serve(), options={CONF_FLOOD_LIMIT: 1})
    await send_from(account, "bea@example.test")
    await send_from(account, "bea@example.test")
    held = outbox_folder(hass, account.entry.entry_id) / "held"
    await hass.async_add_executor_job(_put_folders_in_place_of_records, held)

    with pytest.raises(HomeAssistantError) as raised:
        await call(hass, "drop_waiting")

    assert raised.value.translation_key == "outbox_disk"


def _put_folders_in_place_of_records(folder: Path) -> None:
    for record in folder.glob("*.json"):
        record.unlink()
        record.mkdir()


async def test_without_an_account_all_are_listed_and_each_mail_names_its_own(
    hass: HomeAssistant, bed: Bed
) -> None:
    account, server = await down(hass, bed)
    await send_from(account, "bea@example.test")
    other = await load_account(hass, server, title="Other", sender="other@example.test")

    await send_from(other, "carl@example.test")

    mails = (await call(hass, "list_waiting"))["mails"]

    assert [(mail["config_entry_id"], mail["recipients"]) for mail in mails] == [
        (account.entry.entry_id, ["bea@example.test"]),
        (other.entry.entry_id, ["carl@example.test"]),
    ]
    for loaded, count in ((account, 1), (other, 1)):
        response = await call(hass, "list_waiting", config_entry_id=loaded.entry.entry_id)
        assert len(response["mails"]) == count


async def test_an_account_that_is_not_loaded_is_an_error_of_the_caller(
    hass: HomeAssistant, bed: Bed
) -> None:
    account, _ = await down(hass, bed)
    await hass.config_entries.async_unload(account.entry.entry_id)

    with pytest.raises(ServiceValidationError):
        await call(hass, "list_waiting", config_entry_id=account.entry.entry_id)


async def test_what_was_listed_never_holds_the_password(hass: HomeAssistant, bed: Bed) -> None:
    account, _ = await down(hass, bed)
    await send_from(account, "bea@example.test")

    assert PASSWORD not in str(await call(hass, "list_waiting"))
