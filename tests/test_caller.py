"""What the user behind a call may do; an automation's call has no user, and may do everything."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homeassistant.auth.const import GROUP_ID_ADMIN, GROUP_ID_READ_ONLY, GROUP_ID_USER
from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized, UnknownUser
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    label_registry as lr,
)
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.email_courier.account import Account
from custom_components.email_courier.const import DOMAIN, EVENT_MAIL
from tests.support.accounts import load_account, recipient
from tests.support.fixtures import Bed
from tests.support.pictures import StillCamera, StillImage, add_entities
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import send_from

BEA, CARL = "notify.bea", "notify.carl"
BUTTON = "button.home_send_test_mail"
EMIL = "emil@example.test"
RECIPIENTS = (recipient("Bea", ["bea@example.test"]), recipient("Carl", ["carl@example.test"]))
CONTROL = {POLICY_READ: True, POLICY_CONTROL: True}
READ = {POLICY_READ: True}


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed) -> ScriptedServer:
    """The server of an account with two recipients, in a home with a camera and an image."""
    server = await bed.serve()
    await load_account(hass, server, *RECIPIENTS)
    await add_entities(hass, "camera", StillCamera("Door"))
    await add_entities(hass, "image", StillImage(hass, "Map"))
    return server


async def member(hass: HomeAssistant, group_id: str) -> Context:
    """Return the context of a call by a member of one of Home Assistant's own groups."""
    group = await hass.auth.async_get_group(group_id)
    assert group is not None
    return Context(user_id=MockUser(groups=[group]).add_to_hass(hass).id)


def restricted(hass: HomeAssistant, **entities: Mapping[str, Any]) -> Context:
    """Return the context of a call by someone who may only do this with these entities.

    Two underscores stand for the dot of an entity's id.
    """
    user = MockUser(groups=[]).add_to_hass(hass)
    allowed = {name.replace("__", "."): dict(actions) for name, actions in entities.items()}
    user.mock_policy({"entities": {"entity_ids": allowed}})
    return Context(user_id=user.id)


async def send(hass: HomeAssistant, context: Context, **fields: Any) -> dict[str, Any]:
    response = await hass.services.async_call(
        DOMAIN,
        "send_message",
        {"message": "Hello", **fields},
        blocking=True,
        return_response=True,
        context=context,
    )
    assert isinstance(response, dict)
    return response


async def notify(hass: HomeAssistant, context: Context, **fields: Any) -> None:
    await hass.services.async_call(
        "notify", "home", {"message": "Hello", **fields}, blocking=True, context=context
    )


def reached(server: ScriptedServer) -> list[str]:
    return [address for mail in server.record.mails for address in mail.recipients]


async def refused(hass: HomeAssistant, context: Context, **fields: Any) -> Unauthorized:
    """Return the refusal of a call."""
    with pytest.raises(Unauthorized) as caught:
        await send(hass, context, **fields)
    assert caught.value.context is context
    assert caught.value.user_id == context.user_id
    return caught.value


# Who gets mail


async def test_a_named_recipient_needs_control_of_its_entity(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    context = restricted(hass, notify__bea=CONTROL, notify__carl=READ)

    await send(hass, context, entity_id=BEA)
    refusal = await refused(hass, context, entity_id=[BEA, CARL])

    assert reached(server) == ["bea@example.test"]
    assert refusal.entity_id == CARL
    assert refusal.permission == POLICY_CONTROL


@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
async def test_typed_addresses_need_control_of_the_test_button(
    hass: HomeAssistant, server: ScriptedServer, field: str
) -> None:
    without = restricted(hass, notify__bea=CONTROL, button__home_send_test_mail=READ)

    refusal = await refused(hass, without, entity_id=BEA, **{field: EMIL})
    assert refusal.entity_id == BUTTON
    assert refusal.permission == POLICY_CONTROL
    assert server.record.connections == 0

    await send(hass, restricted(hass, button__home_send_test_mail=CONTROL), **{field: EMIL})
    assert reached(server) == [EMIL]


async def test_typed_addresses_need_the_button_of_the_account_that_they_go_out_from(
    hass: HomeAssistant, server: ScriptedServer, bed: Bed
) -> None:
    office = await bed.serve()
    account = await load_account(hass, office, title="Office")
    context = restricted(hass, button__home_send_test_mail=CONTROL)

    refusal = await refused(hass, context, to=EMIL, config_entry_id=account.entry.entry_id)

    assert refusal.entity_id == "button.office_send_test_mail"
    assert office.record.connections == server.record.connections == 0


async def test_the_test_button_counts_while_it_is_disabled_or_renamed(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    er.async_get(hass).async_update_entity(
        BUTTON, new_entity_id="button.try", disabled_by=er.RegistryEntryDisabler.USER
    )
    await hass.async_block_till_done()

    await send(hass, restricted(hass, button__try=CONTROL), to=EMIL)
    await refused(hass, restricted(hass, button__home_send_test_mail=CONTROL), to=EMIL)

    assert reached(server) == [EMIL]


async def test_without_a_test_button_typed_addresses_need_control_of_everything(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    er.async_get(hass).async_remove(BUTTON)

    refusal = await refused(
        hass, restricted(hass, button__home_send_test_mail=CONTROL, notify__bea=CONTROL), to=EMIL
    )
    await send(hass, await member(hass, GROUP_ID_USER), to=EMIL)

    assert refusal.entity_id is None
    assert reached(server) == [EMIL]


async def test_all_leaves_out_whom_the_user_may_not_write_to(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await send(hass, restricted(hass, notify__carl=CONTROL), entity_id="all")

    assert reached(server) == ["carl@example.test"]


@pytest.mark.parametrize("by", ["group", "label", "device", "area"])
async def test_a_recipient_is_no_easier_to_reach_within_something_else(
    hass: HomeAssistant, server: ScriptedServer, by: str
) -> None:
    registry = er.async_get(hass)
    label = lr.async_get(hass).async_create("Alarm")
    entity = registry.async_update_entity(CARL, labels={label.label_id})
    assert entity.device_id is not None
    dr.async_get(hass).async_update_device(entity.device_id, area_id="hall")
    # What is in the same area and gets no mail does not matter.
    lamp = registry.async_get_or_create("light", "test", "lamp")
    registry.async_update_entity(lamp.entity_id, area_id="hall")
    assert await async_setup_component(hass, "group", {"group": {"all": {"entities": [BEA, CARL]}}})
    await hass.async_block_till_done()
    target = {
        "group": {"entity_id": "group.all"},
        "label": {"label_id": label.label_id},
        "device": {"device_id": entity.device_id},
        "area": {"area_id": "hall"},
    }[by]

    refusal = await refused(hass, restricted(hass, notify__bea=CONTROL), **target)
    assert refusal.entity_id == CARL
    assert server.record.connections == 0

    await send(hass, restricted(hass, notify__bea=CONTROL, notify__carl=CONTROL), **target)
    assert "carl@example.test" in reached(server)


# What is sent


@pytest.mark.parametrize(
    ("attachment", "entity_id"),
    [
        ({"entity_id": "camera.door"}, "camera.door"),
        ({"entity_id": "image.map"}, "image.map"),
        ({"media_source": "media-source://camera/camera.door"}, "camera.door"),
        ({"media_source": "media-source://camera/Camera.Door"}, "camera.door"),
        ({"media_source": {"media_content_id": "media-source://image/image.map"}}, "image.map"),
        ({"media_source": "media-source://camera/image.map"}, "image.map"),
    ],
)
async def test_pictures_need_the_right_to_see_them(
    hass: HomeAssistant, server: ScriptedServer, attachment: dict[str, Any], entity_id: str
) -> None:
    blind = restricted(hass, notify__bea=CONTROL)

    refusal = await refused(hass, blind, entity_id=BEA, attachments=attachment)
    with pytest.raises(Unauthorized):
        await notify(hass, blind, data={"entity_id": BEA, "attachments": attachment})

    assert refusal.entity_id == entity_id
    assert refusal.permission == POLICY_READ
    assert server.record.connections == 0


async def test_pictures_that_the_user_may_see_are_sent(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    context = restricted(hass, notify__bea=CONTROL, camera__door=READ, image__map=READ)

    await send(
        hass,
        context,
        entity_id=BEA,
        attachments=[
            {"entity_id": "camera.door"},
            {"media_source": "media-source://image/image.map"},
        ],
    )

    assert reached(server) == ["bea@example.test"]


async def test_files_are_for_those_who_may_write_to_whom_they_go_to(
    hass: HomeAssistant, server: ScriptedServer, tmp_path: Path
) -> None:
    (tmp_path / "plan.txt").write_text("plan")
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    files = [{"path": str(tmp_path / "plan.txt")}]

    await refused(hass, await member(hass, GROUP_ID_READ_ONLY), entity_id=BEA, attachments=files)
    assert server.record.connections == 0

    await send(hass, restricted(hass, notify__bea=CONTROL), entity_id=BEA, attachments=files)
    assert reached(server) == ["bea@example.test"]


# What a refusal tells


@pytest.mark.parametrize(
    "fields",
    [
        {"entity_id": "notify.nobody"},
        {"entity_id": "sensor.home_waiting_mail"},
        {"entity_id": "all"},
        {"entity_id": BEA},
        {"entity_id": "group.none"},
        {"area_id": "hall"},
        {"to": EMIL},
        {"to": EMIL, "config_entry_id": "none"},
        {"config_entry_id": "none"},
        {"entity_id": BEA, "attachments": {"entity_id": "camera.gone"}},
        {"to": EMIL, "attachments": {"path": "/etc/passwd"}},
        {"to": EMIL, "attachments": {"media_source": "media-source://nobody/x"}},
        {"to": []},
    ],
)
@pytest.mark.parametrize("loaded", [True, False])
async def test_a_reader_is_refused_alike_whatever_is_there(
    hass: HomeAssistant, server: ScriptedServer, fields: dict[str, Any], loaded: bool
) -> None:
    if not loaded:
        [entry] = hass.config_entries.async_entries(DOMAIN)
        await hass.config_entries.async_unload(entry.entry_id)

    await refused(hass, await member(hass, GROUP_ID_READ_ONLY), **fields)

    assert server.record.connections == 0


@pytest.mark.usefixtures("server")
async def test_a_picture_that_is_not_there_is_refused_like_one_that_is(hass: HomeAssistant) -> None:
    context = restricted(hass, notify__bea=CONTROL)

    for attachment in (
        {"entity_id": "camera.gone"},
        {"media_source": "media-source://camera/camera.gone"},
        {"media_source": "media-source://camera/light.lamp"},
    ):
        refusal = await refused(hass, context, entity_id=BEA, attachments=attachment)
        assert refusal.permission == POLICY_READ


@pytest.mark.usefixtures("server")
async def test_an_account_by_its_id_alone_is_not_told_to_be_there(hass: HomeAssistant) -> None:
    [entry] = hass.config_entries.async_entries(DOMAIN)
    context = restricted(hass, notify__bea=CONTROL)

    for entry_id in (entry.entry_id, "none"):
        await refused(hass, context, config_entry_id=entry_id)


@pytest.mark.usefixtures("server")
async def test_only_accounts_of_ones_own_are_named_where_one_has_to_be_chosen(
    hass: HomeAssistant, bed: Bed
) -> None:
    await load_account(hass, await bed.serve(), title="Office")

    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, restricted(hass, button__home_send_test_mail=CONTROL), to=EMIL)

    assert caught.value.translation_key == "account_unclear"
    assert caught.value.translation_placeholders == {"accounts": "Home"}
    await refused(hass, restricted(hass, notify__bea=CONTROL), to=EMIL)


@pytest.mark.usefixtures("server")
async def test_who_may_use_an_account_reads_that_it_is_not_loaded(hass: HomeAssistant) -> None:
    [entry] = hass.config_entries.async_entries(DOMAIN)
    await hass.config_entries.async_unload(entry.entry_id)
    context = restricted(hass, button__home_send_test_mail=CONTROL, notify__bea=CONTROL)

    for fields, key in (
        ({"entity_id": BEA}, "account_not_loaded"),
        ({"to": EMIL, "config_entry_id": entry.entry_id}, "account_not_loaded"),
        ({"to": EMIL}, "no_account_loaded"),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await send(hass, context, **fields)
        assert caught.value.translation_key == key


# The classic action


async def test_everyone_of_an_account_needs_control_of_every_recipient(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    with pytest.raises(Unauthorized) as caught:
        await notify(hass, restricted(hass, notify__bea=CONTROL, button__home_send_test_mail=READ))
    assert caught.value.entity_id == CARL
    assert caught.value.permission == POLICY_CONTROL
    assert server.record.connections == 0

    await notify(hass, restricted(hass, notify__bea=CONTROL, notify__carl=CONTROL))
    assert reached(server) == ["bea@example.test", "carl@example.test"]


@pytest.mark.parametrize(
    "fields", [{"target": EMIL}, {"data": {"to": EMIL}}, {"data": {"bcc": EMIL}}]
)
async def test_the_classic_action_asks_the_same_for_typed_addresses(
    hass: HomeAssistant, server: ScriptedServer, fields: dict[str, Any]
) -> None:
    with pytest.raises(Unauthorized) as caught:
        await notify(hass, restricted(hass, notify__bea=CONTROL, notify__carl=CONTROL), **fields)

    assert caught.value.entity_id == BUTTON
    assert server.record.connections == 0


async def test_the_classic_action_asks_the_same_for_named_recipients(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    context = restricted(hass, notify__bea=CONTROL)

    await notify(hass, context, data={"entity_id": BEA})
    with pytest.raises(Unauthorized):
        await notify(hass, context, data={"entity_id": CARL})

    assert reached(server) == ["bea@example.test"]


async def test_a_recipient_without_an_entity_needs_control_of_everything(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    er.async_get(hass).async_remove(CARL)

    with pytest.raises(Unauthorized):
        await notify(hass, restricted(hass, notify__bea=CONTROL, notify__carl=CONTROL))
    await notify(hass, await member(hass, GROUP_ID_USER))

    assert reached(server) == ["bea@example.test", "carl@example.test"]


async def test_a_reader_may_not_use_the_classic_action(
    hass: HomeAssistant, server: ScriptedServer, tmp_path: Path
) -> None:
    context = await member(hass, GROUP_ID_READ_ONLY)

    for fields in ({}, {"target": EMIL}, {"data": {"images": [str(tmp_path / "none.jpg")]}}):
        with pytest.raises(Unauthorized):
            await notify(hass, context, **fields)

    assert server.record.connections == 0


# Who may do everything, and who nothing


@pytest.mark.parametrize("group_id", [GROUP_ID_USER, GROUP_ID_ADMIN])
async def test_members_of_a_household_send_as_ever(
    hass: HomeAssistant, server: ScriptedServer, group_id: str
) -> None:
    context = await member(hass, group_id)

    await send(hass, context, entity_id=BEA, cc=EMIL, attachments=[{"entity_id": "camera.door"}])
    await send(hass, context, entity_id="all")
    await notify(hass, context)

    assert len(server.record.mails) == 3
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, context, entity_id="notify.nobody")
    assert caught.value.translation_key == "recipient_not_found"


async def test_a_user_who_is_not_there_any_more_may_nothing(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    gone = Context(user_id="gone")

    for action in ("list_waiting", "drop_waiting", "retry_waiting"):
        with pytest.raises(UnknownUser):
            await waiting(hass, action, gone)
    with pytest.raises(UnknownUser):
        await send(hass, gone, entity_id=BEA)
    with pytest.raises(UnknownUser):
        await notify(hass, gone)

    assert server.record.connections == 0


async def test_a_script_has_the_rights_of_who_starts_it_and_an_automation_all(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    step = {"action": f"{DOMAIN}.send_message", "data": {"message": "Hi", "entity_id": BEA}}
    assert await async_setup_component(hass, "script", {"script": {"mail": {"sequence": [step]}}})
    trigger = {"trigger": "event", "event_type": "door"}
    config = {"automation": {"triggers": [trigger], "actions": [step]}}
    assert await async_setup_component(hass, "automation", config)
    context = restricted(hass, notify__carl=CONTROL)

    with pytest.raises(Unauthorized):
        await hass.services.async_call("script", "mail", {}, blocking=True, context=context)
    assert server.record.connections == 0

    hass.bus.async_fire("door", context=context)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert reached(server) == ["bea@example.test"]


# Waiting mail


async def waiting(hass: HomeAssistant, action: str, context: Context) -> dict[str, Any] | None:
    response = await hass.services.async_call(
        DOMAIN,
        action,
        {},
        blocking=True,
        return_response=action != "retry_waiting",
        context=context,
    )
    await hass.async_block_till_done()
    return response


async def down(hass: HomeAssistant, bed: Bed) -> tuple[Account, ScriptedServer]:
    """Return an account whose server is not there, with one mail that waits."""
    server = await bed.serve()
    account = await load_account(hass, server)
    await server.stop()
    await send_from(account, EMIL)
    return account, server


@pytest.mark.parametrize("group_id", [GROUP_ID_READ_ONLY, GROUP_ID_USER])
async def test_waiting_mail_is_for_administrators(
    hass: HomeAssistant, bed: Bed, group_id: str
) -> None:
    account, server = await down(hass, bed)
    context = await member(hass, group_id)
    await server.start()

    for action in ("list_waiting", "retry_waiting", "drop_waiting"):
        with pytest.raises(Unauthorized) as caught:
            await waiting(hass, action, context)
        assert caught.value.context is context

    assert len(await account.courier.waiting()) == 1
    assert not server.record.mails


async def test_administrators_list_retry_and_drop_it(hass: HomeAssistant, bed: Bed) -> None:
    account, server = await down(hass, bed)
    context = await member(hass, GROUP_ID_ADMIN)

    listed = await waiting(hass, "list_waiting", context)
    assert listed is not None
    assert [mail["recipients"] for mail in listed["mails"]] == [[EMIL]]
    assert await waiting(hass, "drop_waiting", context) == {"dropped": 1}

    await send_from(account, EMIL)
    await server.start()
    await waiting(hass, "retry_waiting", context)
    assert reached(server) == [EMIL]


# The outbox and the devices


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("group_id", [GROUP_ID_USER, GROUP_ID_READ_ONLY])
@pytest.mark.parametrize(
    ("action", "answers"),
    [
        ("list_waiting", True),
        ("list_recent", True),
        ("retry_waiting", False),
        ("drop_waiting", True),
        ("send_again", True),
    ],
)
async def test_the_outbox_is_for_administrators(
    hass: HomeAssistant, group_id: str, action: str, answers: bool
) -> None:
    options: dict[str, Any] = {"blocking": True, "return_response": answers}
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN, action, {}, context=await member(hass, group_id), **options
        )
    admin = await member(hass, GROUP_ID_ADMIN)
    await hass.services.async_call(DOMAIN, action, {}, context=admin, **options)


@pytest.mark.parametrize(
    ("domain", "action", "entity_id"),
    [
        ("switch", "turn_on", "switch.home_pause"),
        ("button", "press", "button.home_try_waiting_emails_now"),
        ("button", "press", "button.bea_send_test_mail"),
    ],
)
async def test_what_is_on_the_devices_needs_control_of_it(
    hass: HomeAssistant, server: ScriptedServer, domain: str, action: str, entity_id: str
) -> None:
    target = {"entity_id": entity_id}
    for context in (
        await member(hass, GROUP_ID_READ_ONLY),
        restricted(hass, **{entity_id.replace(".", "__"): READ}),
    ):
        with pytest.raises(Unauthorized):
            await hass.services.async_call(domain, action, target, blocking=True, context=context)
    assert server.record.connections == 0

    context = restricted(hass, **{entity_id.replace(".", "__"): CONTROL})
    await hass.services.async_call(domain, action, target, blocking=True, context=context)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("group_id", [GROUP_ID_USER, GROUP_ID_READ_ONLY])
async def test_who_is_no_administrator_hears_no_events_of_mail(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator, group_id: str
) -> None:
    context = await member(hass, group_id)
    user = await hass.auth.async_get_user(str(context.user_id))
    assert user is not None
    token = await hass.auth.async_create_refresh_token(user, "https://example.test")
    client = await hass_ws_client(hass, hass.auth.async_create_access_token(token))
    await client.send_json_auto_id({"type": "subscribe_events", "event_type": EVENT_MAIL})
    answer = await client.receive_json()
    assert not answer["success"]
    assert answer["error"]["code"] == "unauthorized"


@pytest.mark.usefixtures("server")
async def test_no_device_shows_an_address_to_those_who_may_not_read_the_entity(
    hass: HomeAssistant,
) -> None:
    [entry] = hass.config_entries.async_entries(DOMAIN)
    devices = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert len(devices) == 3
    assert "bea@example.test" not in str([device.dict_repr for device in devices])
    state = hass.states.get("sensor.bea_addresses")
    assert state is not None
    assert state.state == "bea@example.test"
