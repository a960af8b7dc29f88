"""The target of the action: recipients, and accounts with all of theirs."""

from pathlib import Path
from typing import Any

from homeassistant.components.websocket_api import automation
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.helpers import (
    area_registry as ar,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    label_registry as lr,
)
from homeassistant.helpers.selector import TargetSelector
from homeassistant.util.yaml import load_yaml_dict
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.email_courier.account import Account
from custom_components.email_courier.const import DOMAIN
from custom_components.email_courier.send import targets
from tests.support.accounts import load_account, recipient
from tests.support.fixtures import Bed
from tests.support.mails import only_mail, send
from tests.support.scripted_server import ScriptedServer

BEA, CARL = recipient("Bea", ["bea@example.test"]), recipient("Carl", ["carl@example.test"])


@pytest.fixture
async def server(bed: Bed) -> ScriptedServer:
    """The account's server."""
    return await bed.serve()


@pytest.fixture
async def account(hass: HomeAssistant, server: ScriptedServer) -> Account:
    """An account with two recipients."""
    return await load_account(hass, server, BEA, CARL)


def device_of(hass: HomeAssistant, account: Account, name: str = "Home") -> str:
    """Return the id of the device of this name."""
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), account.entry.entry_id)
    (device,) = (device for device in devices if device.name == name)
    return device.id


async def _send(hass: HomeAssistant, where: dict[str, Any], **fields: Any) -> Any:
    return await hass.services.async_call(
        DOMAIN,
        "send_message",
        {"message": "Hello", **fields},
        target=where,
        blocking=True,
        return_response=True,
    )


@pytest.mark.parametrize("name", ["Home", "Bea"])
async def test_it_is_offered_under_accounts_recipients_areas_and_labels(
    hass: HomeAssistant, account: Account, name: str
) -> None:
    device_id = device_of(hass, account, name)
    floor = fr.async_get(hass).async_create("Upstairs")
    area = ar.async_get(hass).async_create("Office", floor_id=floor.floor_id)
    label = lr.async_get(hass).async_create("Alarm")
    dr.async_get(hass).async_update_device(device_id, area_id=area.id, labels={label.label_id})
    path = str(Path(targets.__file__).parents[1] / "services.yaml")
    described: Any = load_yaml_dict(path)["send_message"]
    shown = TargetSelector.CONFIG_SCHEMA(described["target"])

    for where in (
        {"device_id": [device_id]},
        {"area_id": [area.id]},
        {"floor_id": [floor.floor_id]},
        {"label_id": [label.label_id]},
    ):
        offered = automation._async_get_automation_components_for_target(  # noqa: SLF001 - there is no other
            hass,
            automation.AutomationComponentType.SERVICES,
            where,
            expand_group=False,
            component_descriptions={"email_courier.send_message": {"target": shown}},
        )
        assert offered == {"email_courier.send_message"}, where


async def test_an_accounts_device_means_all_its_recipients(
    hass: HomeAssistant, server: ScriptedServer, account: Account
) -> None:
    await _send(hass, {"device_id": device_of(hass, account)})

    assert only_mail(server)["To"] == "bea@example.test, carl@example.test"


async def test_typed_addresses_alone_get_the_mail_of_an_account(
    hass: HomeAssistant, server: ScriptedServer, account: Account, bed: Bed
) -> None:
    await load_account(hass, await bed.serve(), title="Office")

    await _send(hass, {"device_id": device_of(hass, account)}, to="dora@example.test")

    assert only_mail(server)["To"] == "dora@example.test"


@pytest.mark.usefixtures("account")
async def test_the_accounts_event_means_the_account_and_its_other_entities_do_not(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await _send(hass, {"entity_id": "event.home_mail"}, to="dora@example.test")
    assert only_mail(server)["To"] == "dora@example.test"

    with pytest.raises(ServiceValidationError, match=r"sensor\.home_waiting_mail"):
        await _send(hass, {"entity_id": "sensor.home_waiting_mail"})


async def test_a_recipients_device_means_that_recipient(
    hass: HomeAssistant, server: ScriptedServer, account: Account
) -> None:
    await _send(hass, {"device_id": device_of(hass, account, "Carl")})

    assert only_mail(server)["To"] == "carl@example.test"


@pytest.mark.parametrize(("with_recipient", "to"), [(True, "carl"), (False, "bea")])
async def test_in_an_area_the_account_is_meant_only_where_no_recipient_is(
    hass: HomeAssistant,
    server: ScriptedServer,
    account: Account,
    to: str,
    *,
    with_recipient: bool,
) -> None:
    area = ar.async_get(hass).async_create("Office")
    devices = [device_of(hass, account)]
    if with_recipient:
        devices.append(device_of(hass, account, "Carl"))
    for device_id in devices:
        dr.async_get(hass).async_update_device(device_id, area_id=area.id)

    await _send(hass, {"area_id": area.id})

    assert only_mail(server)["To"].startswith(f"{to}@")


async def test_two_accounts_send_one_mail_each(
    hass: HomeAssistant, server: ScriptedServer, account: Account, bed: Bed
) -> None:
    office = await bed.serve()
    other = await load_account(hass, office, recipient("Dora", ["dora@example.test"]), title="Work")

    response = await _send(
        hass, {"device_id": [device_of(hass, account), device_of(hass, other, "Work")]}
    )

    assert len(response["mails"]) == 2
    assert only_mail(server)["To"] == "bea@example.test, carl@example.test"
    assert only_mail(office)["To"] == "dora@example.test"


async def test_a_wrong_combination_is_an_error_that_names_the_field(
    hass: HomeAssistant, account: Account, bed: Bed
) -> None:
    other = await load_account(hass, await bed.serve(), title="Work")
    area = ar.async_get(hass).async_create("Garden")
    home, work = device_of(hass, account), device_of(hass, other, "Work")
    cases: list[tuple[dict[str, Any], dict[str, Any], str, str]] = [
        ({"area_id": area.id}, {}, "target_empty", "target"),
        ({"device_id": work}, {}, "account_without_recipients", "to"),
        (
            {"device_id": [home, work]},
            {"to": "dora@example.test"},
            "account_conflict",
            "config_entry_id",
        ),
        (
            {"device_id": home},
            {"to": "dora@example.test", "config_entry_id": other.entry.entry_id},
            "account_conflict",
            "config_entry_id",
        ),
    ]
    for where, fields, key, field in cases:
        with pytest.raises(ServiceValidationError) as caught:
            await _send(hass, where, **fields)
        assert caught.value.translation_key == key
        assert (caught.value.translation_placeholders or {})["field"] == field


async def test_an_account_chosen_twice_is_chosen(
    hass: HomeAssistant, server: ScriptedServer, account: Account, bed: Bed
) -> None:
    await load_account(hass, await bed.serve(), title="Work")
    entry_id = account.entry.entry_id

    await _send(
        hass,
        {"device_id": device_of(hass, account)},
        to="dora@example.test",
        config_entry_id=entry_id,
    )

    assert only_mail(server)["To"] == "dora@example.test"


@pytest.mark.parametrize(
    ("controlled", "fields", "is_allowed"),
    [
        (["notify.bea", "notify.carl"], {}, True),
        (["notify.bea"], {}, False),
        (["button.home_send_test_mail"], {"to": "dora@example.test"}, True),
        (["notify.bea", "notify.carl"], {"to": "dora@example.test"}, False),
    ],
)
async def test_a_user_needs_the_rights_that_the_recipients_or_addresses_need(
    hass: HomeAssistant,
    server: ScriptedServer,
    account: Account,
    controlled: list[str],
    fields: dict[str, Any],
    *,
    is_allowed: bool,
) -> None:
    user = MockUser(groups=[]).add_to_hass(hass)
    user.mock_policy({"entities": {"entity_ids": dict.fromkeys(controlled, True)}})
    call = hass.services.async_call(
        DOMAIN,
        "send_message",
        {"message": "Hello", **fields},
        target={"device_id": device_of(hass, account)},
        blocking=True,
        context=Context(user_id=user.id),
    )

    if is_allowed:
        await call
    else:
        with pytest.raises(Unauthorized):
            await call

    assert bool(server.record.mails) is is_allowed


@pytest.mark.usefixtures("account")
async def test_entities_named_without_a_target_go_on_as_before(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    er.async_get(hass).async_update_entity("notify.bea", new_entity_id="notify.friend")

    await send(hass, entity_id="notify.friend")

    assert only_mail(server)["To"] == "bea@example.test"
