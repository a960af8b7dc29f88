"""What automations can begin with: an email that failed, waits, or was delivered."""

from collections.abc import Callable
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
    target,
)
from homeassistant.helpers.trigger import async_get_all_descriptions
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.email_courier.account import Account
from custom_components.email_courier.const import DOMAIN
from tests.support.accounts import load_account, recipient
from tests.support.fixtures import Bed
from tests.support.mails import send
from tests.support.script import HEALTHY, Script
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import let_pass, pass_time, send_from

REFUSED = "550 5.1.1 No such user here"
REFUSING = Script(recipient_replies={"bea@example.test": REFUSED})
FAMILY = recipient("Family", ["bea@example.test", "carl@example.test"])
NEIGHBOUR = recipient("Neighbour", ["dora@example.test"], bcc=["Emil <emil@example.test>"])

_TRIGGERS = ("failed", "waiting", "delivered", "button_pressed")
_VARIABLES = (
    *("account", "config_entry_id", "subject", "recipients", "message_id"),
    *("attempts", "kind", "reply"),
)


@pytest.fixture
def runs(hass: HomeAssistant) -> list[ServiceCall]:
    """What automations have done: a call with the trigger's variables."""
    return async_mock_service(hass, "test", "run")


async def begin_with(
    hass: HomeAssistant, trigger: str, where: dict[str, Any] | None = None, **options: Any
) -> None:
    """Have an automation wait for a trigger; without a target, for all mail."""
    config: dict[str, Any] = {"trigger": f"{DOMAIN}.{trigger}", "options": options}
    if where is not None:
        config["target"] = where
    data = {name: f"{{{{ trigger.{name} }}}}" for name in _VARIABLES}
    automation = {
        "alias": "test",
        "mode": "parallel",
        "max": 100,
        "triggers": [config],
        "actions": [{"action": "test.run", "data": data}],
    }
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    await hass.async_block_till_done()
    state = hass.states.get("automation.test")
    assert state is not None
    assert state.state == "on"


def device_of(hass: HomeAssistant, account: Account, name: str) -> dr.DeviceEntry:
    """Return the device of an account or a recipient by its name."""
    registry = dr.async_get(hass)
    (device,) = (
        device
        for device in dr.async_entries_for_config_entry(registry, account.entry.entry_id)
        if device.name == name
    )
    return device


async def defer(server: ScriptedServer, account: Account, *to: str) -> None:
    """Have a mail wait for a server that is down."""
    await server.stop()
    await send_from(account, *to)


async def test_the_triggers_are_described_with_their_target(hass: HomeAssistant, bed: Bed) -> None:
    await load_account(hass, await bed.serve())
    await begin_with(hass, "failed")

    descriptions = await async_get_all_descriptions(hass)

    ours = {name: shown for name, shown in descriptions.items() if name.startswith(DOMAIN)}
    assert set(ours) == {f"{DOMAIN}.{name}" for name in _TRIGGERS}
    for shown in ours.values():
        assert shown is not None
        (entity,) = shown["target"]["entity"]
        assert entity["integration"] == DOMAIN
        assert set(entity["domain"]) == {"event", "notify"}
    waiting = ours[f"{DOMAIN}.waiting"]
    assert waiting is not None
    assert set(waiting["fields"]) == {"for"}


async def test_a_failed_email_tells_an_author_all_that_is_needed(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall]
) -> None:
    account = await load_account(hass, await bed.serve(REFUSING))
    await begin_with(hass, "failed")

    await send_from(account, "bea@example.test", "carl@example.test", subject="Smoke")

    (run,) = runs
    assert run.data["message_id"].endswith("@example.test>")
    assert run.data == {
        "account": "Home",
        "config_entry_id": account.entry.entry_id,
        "subject": "Smoke",
        "recipients": ["bea@example.test"],
        "message_id": run.data["message_id"],
        "attempts": 1,
        "kind": "recipient_rejected",
        "reply": REFUSED,
    }


async def test_a_mail_that_is_refused_to_its_sender_at_once_has_failed_too(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall]
) -> None:
    account = await load_account(hass, await bed.serve(REFUSING))
    await begin_with(hass, "failed")

    with pytest.raises(HomeAssistantError):
        await send_from(account, "bea@example.test")

    assert [run.data["subject"] for run in runs] == ["Washing machine"]


async def test_a_delivered_email_brings_the_servers_words(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall]
) -> None:
    account = await load_account(hass, await bed.serve())
    await begin_with(hass, "delivered")

    receipt = await send_from(account, "bea@example.test")

    (run,) = runs
    assert run.data["message_id"] == receipt.message_id
    assert run.data["reply"].startswith("250 ")
    assert run.data["kind"] is None


def by_entity(_hass: HomeAssistant, _account: Account) -> dict[str, Any]:
    return {"entity_id": "notify.neighbour"}


def by_device(hass: HomeAssistant, account: Account) -> dict[str, Any]:
    return {"device_id": device_of(hass, account, "Neighbour").id}


def by_area(hass: HomeAssistant, account: Account) -> dict[str, Any]:
    area = ar.async_get(hass).async_create("Street")
    device = device_of(hass, account, "Neighbour")
    dr.async_get(hass).async_update_device(device.id, area_id=area.id)
    return {"area_id": area.id}


def by_label(hass: HomeAssistant, _account: Account) -> dict[str, Any]:
    label = lr.async_get(hass).async_create("Street")
    er.async_get(hass).async_update_entity("notify.neighbour", labels={label.label_id})
    return {"label_id": label.label_id}


@pytest.mark.parametrize("where", [by_entity, by_device, by_area, by_label])
async def test_a_recipient_stands_for_its_addresses_however_they_came_into_the_mail(
    hass: HomeAssistant,
    bed: Bed,
    runs: list[ServiceCall],
    where: Callable[[HomeAssistant, Account], dict[str, Any]],
) -> None:
    account = await load_account(hass, await bed.serve(), FAMILY, NEIGHBOUR)
    await begin_with(hass, "delivered", where(hass, account))

    await send(hass, entity_id="notify.family", title="1")
    await send(hass, entity_id="notify.neighbour", title="2")
    await send(hass, to="DORA@example.test", title="3")
    await send(hass, bcc="emil@example.test", to="x@example.test", title="4")
    await hass.async_block_till_done()

    assert [run.data["subject"] for run in runs] == [2, 3, 4]


@pytest.mark.parametrize("is_device", [True, False])
async def test_an_account_stands_for_all_its_mail_and_no_other(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall], *, is_device: bool
) -> None:
    account = await load_account(hass, await bed.serve(), FAMILY)
    other = await load_account(hass, await bed.serve(), title="Office")
    where = (
        {"device_id": device_of(hass, account, "Home").id}
        if is_device
        else {"entity_id": "event.home_mail"}
    )
    await begin_with(hass, "delivered", where)

    await send_from(other, "bea@example.test", subject="Office")
    await send_from(account, "anybody@example.test", subject="Home")

    assert [run.data["subject"] for run in runs] == ["Home"]


async def test_the_other_accounts_mail_to_the_same_address_is_not_the_recipients(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall]
) -> None:
    await load_account(hass, await bed.serve(), NEIGHBOUR)
    other = await load_account(hass, await bed.serve(), title="Office")
    await begin_with(hass, "delivered", {"entity_id": "notify.neighbour"})

    await send_from(other, "dora@example.test")

    assert not runs


async def test_a_reload_a_new_name_and_a_removed_recipient_are_taken_as_they_come(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall]
) -> None:
    account = await load_account(hass, await bed.serve(), FAMILY, NEIGHBOUR)
    entry = account.entry
    await begin_with(hass, "delivered", {"device_id": device_of(hass, account, "Neighbour").id})

    er.async_get(hass).async_update_entity("notify.neighbour", new_entity_id="notify.dora")
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert not runs
    await send(hass, entity_id="notify.dora")
    await hass.async_block_till_done()
    assert len(runs) == 1

    (subentry_id,) = (one for one, each in entry.subentries.items() if each.title == "Neighbour")
    hass.config_entries.async_remove_subentry(entry, subentry_id)
    await hass.async_block_till_done()
    await send(hass, to="dora@example.test")
    await hass.async_block_till_done()
    assert len(runs) == 1


async def test_an_account_that_is_added_later_is_followed_as_well(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall]
) -> None:
    await begin_with(hass, "delivered")

    account = await load_account(hass, await bed.serve())
    await send_from(account, "bea@example.test")

    assert len(runs) == 1


@pytest.mark.skipif(
    not hasattr(target, "async_extract_excluded_entity_ids"), reason="known from 2026.11 on"
)
async def test_who_is_excluded_is_not_meant(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall]
) -> None:
    account = await load_account(hass, await bed.serve(), FAMILY, NEIGHBOUR)
    label = lr.async_get(hass).async_create("Street")
    for entity_id in ("notify.family", "notify.neighbour"):
        er.async_get(hass).async_update_entity(entity_id, labels={label.label_id})
    where = {"label_id": label.label_id, "exclude": {"entity_id": "notify.family"}}
    await begin_with(hass, "delivered", where)

    await send_from(account, "bea@example.test")
    await send_from(account, "dora@example.test", subject="Neighbour")

    assert [run.data["subject"] for run in runs] == ["Neighbour"]


async def test_an_email_that_waits_is_told_once_when_its_time_has_come(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall], freezer: FrozenDateTimeFactory
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await begin_with(hass, "waiting", **{"for": {"minutes": 30}})
    await defer(server, account, "bea@example.test")

    await let_pass(hass, freezer, minutes=29)
    assert not runs
    await let_pass(hass, freezer, minutes=2)
    (run,) = runs
    assert run.data["kind"] == "connection_refused"
    assert run.data["recipients"] == ["bea@example.test"]
    assert run.data["subject"] == "Washing machine"

    await let_pass(hass, freezer, hours=2)
    assert len(runs) == 1


async def test_an_email_that_is_delivered_in_time_is_not_told(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall], freezer: FrozenDateTimeFactory
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await begin_with(hass, "waiting", None, **{"for": "00:30:00"})
    await defer(server, account, "bea@example.test")

    await server.start()
    await let_pass(hass, freezer, minutes=29)
    assert len(server.record.mails) == 1
    await let_pass(hass, freezer, hours=1)

    assert not runs


async def test_an_email_that_somebody_dropped_is_not_told(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall], freezer: FrozenDateTimeFactory
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await begin_with(hass, "waiting")
    await defer(server, account, "bea@example.test")

    await hass.services.async_call(DOMAIN, "drop_waiting", blocking=True)
    await let_pass(hass, freezer, hours=2)

    assert not runs


async def test_only_those_are_told_for_whom_the_email_waits(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall], freezer: FrozenDateTimeFactory
) -> None:
    script = HEALTHY.but(recipient_replies={"carl@example.test": "450 4.2.1 Busy"})
    account = await load_account(hass, await bed.serve(script), FAMILY)
    await begin_with(hass, "waiting", {"entity_id": "notify.family"}, **{"for": "00:10:00"})

    await send_from(account, "bea@example.test", "carl@example.test")
    await let_pass(hass, freezer, minutes=11)

    (run,) = runs
    assert run.data["recipients"] == ["carl@example.test"]
    assert run.data["reply"] == "450 4.2.1 Busy"


@pytest.mark.parametrize("reloaded", ["account", "automation"])
async def test_time_counts_from_the_beginning_across_a_reload(
    hass: HomeAssistant,
    bed: Bed,
    runs: list[ServiceCall],
    freezer: FrozenDateTimeFactory,
    reloaded: str,
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    if reloaded == "account":
        await begin_with(hass, "waiting")
    await defer(server, account, "bea@example.test")
    await let_pass(hass, freezer, minutes=40)

    if reloaded == "account":
        await hass.config_entries.async_reload(account.entry.entry_id)
        await hass.async_block_till_done()
    else:
        await begin_with(hass, "waiting")
    await let_pass(hass, freezer, minutes=19)
    assert not runs
    await let_pass(hass, freezer, minutes=2)

    assert len(runs) == 1


async def test_what_has_waited_long_enough_before_is_not_told_again(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall], freezer: FrozenDateTimeFactory
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await defer(server, account, "bea@example.test")
    await let_pass(hass, freezer, hours=3)

    await begin_with(hass, "waiting")
    await let_pass(hass, freezer, hours=3)

    assert not runs


async def test_what_the_flood_guard_holds_back_does_not_wait_for_a_server(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall]
) -> None:
    account = await load_account(hass, await bed.serve(), options={"flood_limit": 1})
    await begin_with(hass, "waiting", **{"for": {"seconds": 1}})

    for _ in range(3):
        await send_from(account, "bea@example.test")
    await pass_time(hass, minutes=30)

    assert not runs


async def test_mail_of_a_removed_account_is_forgotten(
    hass: HomeAssistant, bed: Bed, runs: list[ServiceCall], freezer: FrozenDateTimeFactory
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await begin_with(hass, "waiting")
    await defer(server, account, "bea@example.test")

    await hass.config_entries.async_remove(account.entry.entry_id)
    await let_pass(hass, freezer, hours=2)

    assert not runs


@pytest.mark.parametrize(
    "config",
    [
        {"trigger": "email_courier.waiting", "options": {"for": "soon"}},
        {"trigger": "email_courier.failed", "options": {"for": "01:00:00"}},
        {"trigger": "email_courier.lost"},
    ],
)
async def test_a_trigger_that_makes_no_sense_is_an_automation_that_says_so(
    hass: HomeAssistant, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    automation = {"alias": "test", "triggers": [config], "actions": []}

    await async_setup_component(hass, "automation", {"automation": [automation]})

    state = hass.states.get("automation.test")
    assert state is not None
    assert state.state == "unavailable"
    assert "test" in caplog.text
