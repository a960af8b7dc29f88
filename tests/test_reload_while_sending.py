"""Mail that is on its way to an account while that account is loaded anew, or goes."""

import asyncio
from pathlib import Path
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest

from custom_components.email_courier.const import DOMAIN
from custom_components.email_courier.outbox_host import outbox_folder
from tests.support.accounts import load_account, recipient
from tests.support.fixtures import Bed
from tests.support.mails import send
from tests.support.pictures import StillCamera, add_entities
from tests.support.script import HEALTHY, Script, Step, say
from tests.support.scripted_server import ScriptedServer
from tests.support.sending import pass_time, state_of

FAMILY = recipient("Family", ["bea@example.test"])
SNAPSHOT = {"entity_id": "camera.door"}
BUSY = HEALTHY.but(answers={Step.GREETING: say("421 4.3.2 Later")})


class Picture:
    """A picture that is taken while something else happens."""

    def __init__(self) -> None:
        self._both = asyncio.Barrier(2)
        self.camera = StillCamera("Door")
        self.camera.meeting = self._both

    async def is_wanted(self) -> None:
        """Wait until somebody waits for it."""
        async with asyncio.timeout(5):
            while not self._both.n_waiting:
                await asyncio.sleep(0.01)

    async def take(self) -> None:
        """Let it be taken."""
        await self._both.wait()


@pytest.fixture
async def picture(hass: HomeAssistant) -> Picture:
    """The picture of the door."""
    picture = Picture()
    await add_entities(hass, "camera", picture.camera)
    return picture


async def _account(hass: HomeAssistant, server: ScriptedServer) -> ConfigEntry[Any]:
    return (await load_account(hass, server, FAMILY)).entry


async def _own(hass: HomeAssistant) -> Any:
    return await send(hass, entity_id="notify.family", attachments=[SNAPSHOT])


async def _classic(hass: HomeAssistant) -> Any:
    return await hass.services.async_call(
        "notify",
        "home",
        {"message": "Somebody is there", "data": {"attachments": [SNAPSHOT]}},
        blocking=True,
        return_response=True,
    )


@pytest.mark.parametrize("call", [_own, _classic], ids=["own", "classic"])
async def test_a_mail_whose_account_is_reloaded_meanwhile_is_sent_by_the_new_one(
    hass: HomeAssistant, bed: Bed, picture: Picture, call: Any
) -> None:
    server = await bed.serve()
    entry = await _account(hass, server)
    sending = hass.async_create_task(call(hass))
    await picture.is_wanted()
    assert await hass.config_entries.async_reload(entry.entry_id)
    await picture.take()
    assert (await sending)["status"] == "sent"
    assert len(server.record.mails) == 1


@pytest.mark.parametrize("call", [_own, _classic], ids=["own", "classic"])
async def test_such_a_mail_waits_where_the_new_one_knows_of_it(
    hass: HomeAssistant, bed: Bed, picture: Picture, call: Any
) -> None:
    server = await bed.serve(BUSY)
    entry = await _account(hass, server)
    sending = hass.async_create_task(call(hass))
    await picture.is_wanted()
    assert await hass.config_entries.async_reload(entry.entry_id)
    await picture.take()
    assert (await sending)["status"] == "queued"
    await hass.async_block_till_done()
    assert state_of(hass, "sensor.home_waiting_mail").state == "1"
    server.script = HEALTHY
    await pass_time(hass, minutes=1)
    assert len(server.record.mails) == 1


async def test_a_mail_whose_account_is_removed_meanwhile_is_an_error_and_leaves_nothing(
    hass: HomeAssistant, bed: Bed, picture: Picture
) -> None:
    server = await bed.serve()
    entry = await _account(hass, server)
    sending = hass.async_create_task(_own(hass))
    await picture.is_wanted()
    await hass.config_entries.async_remove(entry.entry_id)
    await picture.take()
    with pytest.raises(ServiceValidationError) as caught:
        await sending
    assert caught.value.translation_key == "account_not_loaded"
    assert server.record.mails == []
    assert not outbox_folder(hass, entry.entry_id).exists()


async def test_an_action_that_comes_in_the_middle_of_a_reload_waits_for_its_end(
    hass: HomeAssistant, bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await bed.serve()
    entry = await _account(hass, server)
    unload, may_unload = hass.config_entries.async_unload_platforms, asyncio.Event()

    async def unload_later(*arguments: Any) -> bool:
        await may_unload.wait()
        return await unload(*arguments)

    monkeypatch.setattr(hass.config_entries, "async_unload_platforms", unload_later)
    reloading = hass.async_create_task(hass.config_entries.async_reload(entry.entry_id))
    sending = hass.async_create_task(send(hass, entity_id="notify.family"))
    await asyncio.sleep(0.05)
    assert not sending.done()
    may_unload.set()
    assert await reloading
    assert (await sending)["status"] == "sent"
    assert len(server.record.mails) == 1


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05])
async def test_large_mails_that_are_composed_during_a_reload_all_arrive(
    hass: HomeAssistant, bed: Bed, tmp_path: Path, delay: float
) -> None:
    (tmp_path / "clip.bin").write_bytes(b"x" * 2_000_000)
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    server = await bed.serve(Script())
    entry = await _account(hass, server)
    clip = {"path": str(tmp_path / "clip.bin")}
    sending = [
        hass.async_create_task(
            send(hass, to="bea@example.test", title=f"Clip {number}", attachments=[clip])
        )
        for number in range(3)
    ]
    await asyncio.sleep(delay)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await asyncio.gather(*sending)
    await pass_time(hass, minutes=1)
    assert len(server.record.mails) == 3
    assert hass.config_entries.async_loaded_entries(DOMAIN) == [entry]
