"""What waits and was given up is said, with what can be done; changes without a reload."""

from types import MappingProxyType
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import STATE_OFF, STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.email_courier.account import Account
from custom_components.email_courier.const import (
    CONF_FLOOD_LIMIT,
    CONF_SENDER_NAME,
    CONF_WAITING_AFTER,
    DOMAIN,
    SUBENTRY_RECIPIENT,
)
from custom_components.email_courier.issues import Issue
from tests.support.accounts import account_entry, load, load_account, recipient
from tests.support.fixtures import Bed
from tests.support.mails import only_mail, read
from tests.support.script import HEALTHY, Script, Step, say
from tests.support.sending import let_pass, pass_time, send_from, state_of
from tests.test_repairs import Dialog, expire, issue_of, placeholders

FAMILY = recipient("Family", ["bea@example.test"])
GREYLISTED = HEALTHY.but(answers={Step.MAIL: say("451 4.3.0 Try again later")})
PAUSE = "switch.home_pause"


async def waits(hass: HomeAssistant, account: Account) -> ir.IssueEntry | None:
    """Let the account look at what waits."""
    await pass_time(hass, minutes=1)
    return issue_of(hass, account, Issue.MAIL_WAITING)


async def turn(hass: HomeAssistant, action: str) -> None:
    await hass.services.async_call("switch", action, {"entity_id": PAUSE}, blocking=True)
    await hass.async_block_till_done(wait_background_tasks=True)


def make_older(account: Account, seconds: float) -> None:
    """Have all mail waited so much longer."""
    for entry in account.courier._queue:  # noqa: SLF001 - time cannot be turned in a running home
        entry.born -= seconds


async def test_mail_that_waits_for_too_long_is_said_with_its_cause(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(GREYLISTED)
    account = await load_account(hass, server)
    await send_from(account, "bea@example.test", subject="Smoke")
    await send_from(account, "bea@example.test")
    assert await waits(hass, account) is None
    make_older(account, 1810)

    assert placeholders(await waits(hass, account)) == {
        "account": "Home",
        "count": "2",
        "subject": "`Smoke`",
        "cause": "Put off by the server",
        "reply": "`451 4.3.0 Try again later`",
    }

    server.script = HEALTHY
    await pass_time(hass, hours=1)
    assert issue_of(hass, account, Issue.MAIL_WAITING) is None


async def test_how_long_is_an_option(hass: HomeAssistant, bed: Bed) -> None:
    entry = account_entry(await bed.serve(GREYLISTED), options={CONF_WAITING_AFTER: 60})
    account = await load(hass, entry)
    await send_from(account, "bea@example.test")
    make_older(account, 1810)
    assert await waits(hass, account) is None
    hass.config_entries.async_update_entry(entry, options={CONF_WAITING_AFTER: 5})
    await hass.async_block_till_done()
    assert await waits(hass, account) is not None


async def test_a_pause_is_no_reason_to_say_so(hass: HomeAssistant, bed: Bed) -> None:
    account = await load_account(hass, await bed.serve(GREYLISTED))
    await send_from(account, "bea@example.test")
    make_older(account, 1810)
    assert await waits(hass, account) is not None
    await turn(hass, "turn_on")
    assert await waits(hass, account) is None


async def test_try_now_tries_it(
    hass: HomeAssistant, bed: Bed, hass_client: ClientSessionGenerator
) -> None:
    server = await bed.serve(GREYLISTED)
    account = await load_account(hass, server)
    await send_from(account, "bea@example.test")
    make_older(account, 1810)
    issue = await waits(hass, account)
    assert issue is not None
    server.script = HEALTHY

    dialog, page = await Dialog.open(hass, hass_client, issue.issue_id)
    assert page["menu_options"] == ["try_now"]
    assert (await dialog.submit(next_step_id="try_now"))["type"] == "create_entry"
    await hass.async_block_till_done(wait_background_tasks=True)

    assert len(server.record.mails) == 1
    assert issue_of(hass, account, Issue.MAIL_WAITING) is None


async def test_what_cannot_be_tried_says_why(
    hass: HomeAssistant, bed: Bed, hass_client: ClientSessionGenerator
) -> None:
    account = await load_account(hass, await bed.serve(GREYLISTED))
    await send_from(account, "bea@example.test")
    make_older(account, 1810)
    issue = await waits(hass, account)
    assert issue is not None
    dialog, _ = await Dialog.open(hass, hass_client, issue.issue_id)
    await turn(hass, "turn_on")

    page = await dialog.submit(next_step_id="try_now")

    assert page["errors"] == {"base": "not_tried"}
    assert "Home" in page["description_placeholders"]["error"]
    await turn(hass, "turn_off")
    assert (await dialog.submit())["type"] == "create_entry"


async def test_given_up_mail_is_sent_again_from_its_repair(
    hass: HomeAssistant,
    bed: Bed,
    freezer: FrozenDateTimeFactory,
    hass_client: ClientSessionGenerator,
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server, FAMILY)
    await expire(hass, freezer, account, server, "First")
    await expire(hass, freezer, account, server, "Second")
    issue = issue_of(hass, account, Issue.MAIL_EXPIRED)
    assert issue is not None
    assert placeholders(issue)["recipient"] == "`Family`"
    dialog, _ = await Dialog.open(hass, hass_client, issue.issue_id)
    await server.start()

    assert (await dialog.submit(next_step_id="send_again"))["type"] == "create_entry"

    subjects = [read(mail.content)["Subject"] for mail in server.record.mails]
    assert subjects == ["First", "Second"]
    assert issue_of(hass, account, Issue.MAIL_EXPIRED) is None


async def test_a_mail_that_cannot_be_sent_again_either_says_why(
    hass: HomeAssistant, bed: Bed, hass_client: ClientSessionGenerator
) -> None:
    server = await bed.serve(GREYLISTED)
    account = await load_account(hass, server)
    await send_from(account, "bea@example.test")
    server.script = Script(recipient_replies={"bea@example.test": "550 5.1.1 No such user here"})
    account.courier.retry_now()
    await hass.async_block_till_done(wait_background_tasks=True)
    issue = issue_of(hass, account, Issue.MAIL_EXPIRED)
    assert placeholders(issue)["reply"] == "`550 5.1.1 No such user here`"
    assert issue is not None
    dialog, _ = await Dialog.open(hass, hass_client, issue.issue_id)

    page = await dialog.submit(next_step_id="send_again")

    assert page["errors"] == {"base": "not_sent"}
    assert "No such user" in page["description_placeholders"]["error"]


async def test_the_repair_goes_once_its_mail_was_sent_again_by_an_action(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await expire(hass, freezer, account, server, "First")
    assert issue_of(hass, account, Issue.MAIL_EXPIRED) is not None
    await server.start()
    await hass.services.async_call(DOMAIN, "send_again", {}, blocking=True)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert only_mail(server)["Subject"] == "First"
    assert issue_of(hass, account, Issue.MAIL_EXPIRED) is None


async def test_the_repair_goes_after_seven_days(
    hass: HomeAssistant, bed: Bed, freezer: FrozenDateTimeFactory
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await expire(hass, freezer, account, server, "First")
    await let_pass(hass, freezer, days=8)
    assert issue_of(hass, account, Issue.MAIL_EXPIRED) is None


async def test_several_accounts_need_a_choice_of_what_is_sent_again(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, server)
    await load_account(hass, server, title="Other", sender="other@example.test")
    for action in ("send_again", "drop_waiting"):
        with pytest.raises(HomeAssistantError) as caught:
            await hass.services.async_call(DOMAIN, action, {}, blocking=True)
        assert caught.value.translation_key == "mails_unclear"
    await hass.services.async_call(DOMAIN, "retry_waiting", {}, blocking=True)


# The switch


async def test_the_switch_keeps_mail_and_says_so(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await turn(hass, "turn_on")
    assert state_of(hass, PAUSE).state == STATE_ON
    assert (await send_from(account, "bea@example.test")).status == "queued"
    with pytest.raises(HomeAssistantError) as caught:
        await send_from(account, "bea@example.test", queue=False)
    assert caught.value.translation_key == "account_paused"
    with pytest.raises(HomeAssistantError) as caught:
        await hass.services.async_call(DOMAIN, "retry_waiting", {}, blocking=True)
    assert caught.value.translation_key == "account_paused"
    assert server.record.connections == 0

    await hass.config_entries.async_reload(account.entry.entry_id)
    await hass.async_block_till_done()
    assert state_of(hass, PAUSE).state == STATE_ON
    await turn(hass, "turn_off")
    assert state_of(hass, PAUSE).state == STATE_OFF
    assert len(server.record.mails) == 1


# Changes without a reload


async def change(hass: HomeAssistant, account: Account, **options: Any) -> None:
    entry = account.entry
    hass.config_entries.async_update_entry(entry, options={**entry.options, **options})
    await hass.async_block_till_done()


async def test_options_are_taken_up_and_the_session_stays(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    account = await load_account(hass, server, FAMILY)
    await send_from(account, "bea@example.test")

    await change(hass, account, **{CONF_SENDER_NAME: "Our home", CONF_FLOOD_LIMIT: 2})

    assert account.entry.runtime_data is account
    await send_from(account, "bea@example.test")
    assert (await send_from(account, "bea@example.test")).status == "queued"
    assert read(server.record.mails[1].content)["From"].startswith("Our home ")
    assert server.record.connections == 1


async def test_what_the_session_goes_by_loads_the_account_anew(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await load_account(hass, await bed.serve())
    await change(hass, account, timeout=60)
    assert account.entry.runtime_data is not account


async def test_recipients_come_change_and_go_without_a_reload(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server, FAMILY)
    entry = account.entry
    new = ConfigSubentry(
        data=MappingProxyType({"to": ["carl@example.test"]}),
        subentry_type=SUBENTRY_RECIPIENT,
        title="Carl",
        unique_id=None,
    )
    hass.config_entries.async_add_subentry(entry, new)
    await hass.async_block_till_done()
    assert state_of(hass, "sensor.carl_addresses").state == "carl@example.test"

    hass.config_entries.async_update_subentry(
        entry, new, title="Karl", data={"to": ["karl@example.test"]}
    )
    await hass.async_block_till_done()
    assert state_of(hass, "sensor.carl_addresses").state == "karl@example.test"
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert "Karl" in {device.name for device in devices}
    target = {"entity_id": "notify.carl", "message": "Hello"}
    await hass.services.async_call("notify", "send_message", target, blocking=True)
    assert server.record.mails[0].recipients == ("karl@example.test",)
    await hass.services.async_call(
        "button", "press", {"entity_id": "button.carl_send_test_mail"}, blocking=True
    )
    assert server.record.mails[1].recipients == ("karl@example.test",)

    hass.config_entries.async_remove_subentry(entry, new.subentry_id)
    await hass.async_block_till_done()
    assert hass.states.get("notify.carl") is None
    assert hass.states.get("notify.family") is not None
    assert entry.runtime_data is account


async def test_the_device_names_provider_and_server(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    entry_id = account.entry.entry_id
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, entry_id), entry_id)
    assert device is not None
    assert (device.model, device.model_id) == ("SMTP", f"{server.host}:{server.port}")
