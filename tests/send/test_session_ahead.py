"""The session is opened while what a mail shows is still being made."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.email_courier.mail.outbox.submission import Status
from tests.support.accounts import load_account
from tests.support.clock import SOON
from tests.support.fixtures import Bed
from tests.support.mails import only_mail, send
from tests.support.pictures import PNG, StillCamera, add_entities
from tests.support.script import HEALTHY, Script, Step, say
from tests.support.scripted_server import ScriptedServer

ANNA = "anna@example.test"
DOOR = {"entity_id": "camera.door"}


class _Waiting(StillCamera):
    """Has its picture only when it is told."""

    def __init__(self) -> None:
        super().__init__("Door", PNG)
        self.may_look = asyncio.Event()

    async def async_camera_image(
        self,
        width: int | None = None,  # noqa: ARG002
        height: int | None = None,  # noqa: ARG002
    ) -> bytes | None:
        await self.may_look.wait()
        return PNG


async def _logged_in(server: ScriptedServer) -> None:
    async with asyncio.timeout(SOON):
        while Step.AUTH_VERDICT not in server.record.steps:
            await asyncio.sleep(0.01)


async def test_the_login_is_done_before_the_picture_is_there(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    await load_account(hass, server)
    camera = _Waiting()
    await add_entities(hass, "camera", camera)
    sending = hass.async_create_task(send(hass, to=ANNA, attachments=[DOOR]))
    await _logged_in(server)
    assert not server.record.mails
    camera.may_look.set()
    assert (await sending)["status"] == Status.SENT
    assert only_mail(server)
    assert (server.record.connections, server.record.auth_commands) == (1, 1)


async def test_a_refused_login_is_counted_once_and_said_once(hass: HomeAssistant, bed: Bed) -> None:
    refusal = say("535 5.7.8 Username and Password not accepted")
    server = await bed.serve(Script(answers={Step.AUTH_VERDICT: refusal}))
    await load_account(hass, server)
    camera = _Waiting()
    await add_entities(hass, "camera", camera)
    sending = hass.async_create_task(send(hass, to=ANNA, attachments=[DOOR]))
    await _logged_in(server)
    camera.may_look.set()
    with pytest.raises(HomeAssistantError, match="does not accept the login"):
        await sending
    assert server.record.auth_commands == 1
    # Now that the account waits for another password, nothing is opened ahead either.
    assert (await send(hass, to=ANNA, attachments=[DOOR]))["status"] == Status.QUEUED
    await hass.async_block_till_done(wait_background_tasks=True)
    assert server.record.auth_commands == 1


@pytest.mark.parametrize("fields", [{"markdown": "*Hello*"}, {"message": "Hello"}])
async def test_a_mail_without_pictures_goes_over_one_connection_as_ever(
    hass: HomeAssistant, bed: Bed, fields: dict[str, Any]
) -> None:
    server = await bed.serve(HEALTHY)
    await load_account(hass, server)
    await send(hass, to=ANNA, **fields)
    assert only_mail(server)
    assert server.record.connections == 1


async def test_a_paused_account_leaves_its_server_alone(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    account = await load_account(hass, server)
    await account.courier.suspend(is_suspended=True)
    await add_entities(hass, "camera", StillCamera("Door", PNG))
    assert (await send(hass, to=ANNA, attachments=[DOOR]))["status"] == Status.QUEUED
    await hass.async_block_till_done(wait_background_tasks=True)
    assert server.record.connections == 0


async def test_an_account_that_is_unloaded_meanwhile_keeps_no_connection(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY)
    account = await load_account(hass, server)
    account.async_warm_up()
    await hass.config_entries.async_unload(account.entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert await server.all_closed()
