"""Loading, unloading, reloading and removing an account."""

import asyncio
from collections.abc import Callable
import errno
import os
from pathlib import Path
import shutil
from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.util.async_ import get_scheduled_timer_handles
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.email_courier.const import DOMAIN
from custom_components.email_courier.outbox_host import outbox_folder
from tests.support.accounts import account_entry, load, load_state, recipient
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.script import HEALTHY, HEALTHY_TLS, PLAIN_LOGIN, Script, Step, say, stall
from tests.support.sending import pass_time, send_from

BUSY = HEALTHY.but(answers={Step.GREETING: say("421 4.3.2 Come back later")})
FAMILY = recipient("Family", ["bea@example.test"])


def timers() -> set[asyncio.TimerHandle]:
    """Return the timers that are still to fire, but those with which registries are written."""
    handles = get_scheduled_timer_handles(asyncio.get_running_loop())
    return {
        handle
        for handle in handles
        if not handle.cancelled() and "delayed_write" not in repr(handle)
    }


async def timers_of_others(hass: HomeAssistant, entry: MockConfigEntry) -> set[asyncio.TimerHandle]:
    """Return what is scheduled while an account is known, and all it needs, but not loaded."""
    await load(hass, entry)
    assert await hass.config_entries.async_unload(entry.entry_id)
    return timers()


@pytest.mark.parametrize("script", [HEALTHY, HEALTHY_TLS, PLAIN_LOGIN])
async def test_an_account_loads_without_asking_its_server(
    hass: HomeAssistant, bed: Bed, script: Script
) -> None:
    server = await bed.serve(script)
    entry = account_entry(server, FAMILY)
    await load(hass, entry)
    assert load_state(entry) is ConfigEntryState.LOADED
    assert server.record.connections == 0


async def test_with_the_server_down_everything_is_there_and_mail_is_taken(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await server.stop()
    entry = account_entry(server, FAMILY)
    account = await load(hass, entry)
    assert load_state(entry) is ConfigEntryState.LOADED
    states = hass.states.async_all()
    assert {state.domain for state in states} == {
        "binary_sensor",
        "button",
        "event",
        "notify",
        "sensor",
        "switch",
    }
    assert all(state.state != STATE_UNAVAILABLE for state in states)

    receipt = await send_from(account, "bea@example.test")
    assert receipt.status == "queued"
    await server.start()
    await pass_time(hass, minutes=5)
    assert len(server.record.mails) == 1


@pytest.mark.parametrize(
    "script",
    [HEALTHY, BUSY, HEALTHY.but(answers={Step.EHLO: stall()})],
    ids=["idle", "waiting", "sending"],
)
async def test_unloading_leaves_nothing_running(
    hass: HomeAssistant, bed: Bed, script: Script
) -> None:
    server = await bed.serve(script)
    entry = account_entry(server, FAMILY)
    others = await timers_of_others(hass, entry)
    async with nothing_left(server):
        assert await hass.config_entries.async_setup(entry.entry_id)
        account = entry.runtime_data
        assert timers() - others
        sending = hass.async_create_task(send_from(account, "bea@example.test"))
        await asyncio.wait([sending], timeout=0.5)
        assert await hass.config_entries.async_unload(entry.entry_id)
        await asyncio.wait([sending])
        assert not timers() - others
    assert load_state(entry) is ConfigEntryState.NOT_LOADED


async def test_an_account_whose_entities_stay_goes_on_sending(
    hass: HomeAssistant, bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await bed.serve()
    entry = account_entry(server, FAMILY)
    account = await load(hass, entry)

    async def refuse(*_: object) -> bool:
        return False

    with monkeypatch.context() as patch:
        patch.setattr(hass.config_entries, "async_unload_platforms", refuse)
        assert not await hass.config_entries.async_unload(entry.entry_id)
    assert load_state(entry) is ConfigEntryState.FAILED_UNLOAD
    assert (await send_from(account, "bea@example.test")).status == "sent"
    entry.mock_state(hass, ConfigEntryState.LOADED)
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_waiting_mail_survives_a_reload_and_is_tried_at_once(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(BUSY)
    entry = account_entry(server, FAMILY)
    await send_from(await load(hass, entry), "bea@example.test")
    assert not server.record.mails
    server.script = HEALTHY
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [mail.recipients for mail in server.record.mails] == [("bea@example.test",)]


async def test_reloading_many_times_keeps_one_of_everything(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = account_entry(server, FAMILY)
    await load(hass, entry)
    entities, running = set(hass.states.async_entity_ids()), len(timers())
    for _ in range(5):
        assert await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
    assert set(hass.states.async_entity_ids()) == entities
    assert len(timers()) == running


async def test_removing_leaves_nothing_behind(
    hass: HomeAssistant,
    bed: Bed,
    entity_registry: er.EntityRegistry,
    device_registry: dr.DeviceRegistry,
    issue_registry: ir.IssueRegistry,
) -> None:
    server = await bed.serve(BUSY)
    entry = account_entry(server, FAMILY, verify_ssl=False, host="mail.example.test")
    folder = outbox_folder(hass, entry.entry_id)
    files = await hass.async_add_executor_job(_files, folder.parent)
    others = await timers_of_others(hass, entry)
    async with nothing_left(server):
        assert await hass.config_entries.async_setup(entry.entry_id)
        await send_from(entry.runtime_data, "bea@example.test")
        assert await hass.async_add_executor_job(_files, folder)
        assert issue_registry.issues
        assert hass.services.has_service("notify", "home")
        assert await hass.config_entries.async_remove(entry.entry_id)
        await hass.async_block_till_done()
        assert not timers() - others
    assert await hass.async_add_executor_job(_files, folder.parent) == files
    assert not issue_registry.issues
    assert not hass.states.async_all()
    assert not er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    assert not dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert not hass.services.has_service("notify", "home")
    assert not hass.config_entries.flow.async_progress()


async def test_removing_an_account_leaves_the_outbox_of_another_alone(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(BUSY)
    entries = [account_entry(server, sender=f"{name}@example.test") for name in ("anna", "bea")]
    for entry in entries:
        await send_from(await load(hass, entry), "carl@example.test")
    await hass.config_entries.async_remove(entries[0].entry_id)
    kept = outbox_folder(hass, entries[1].entry_id)
    assert await hass.async_add_executor_job(_files, kept)


@pytest.mark.parametrize(("mails", "told"), [(0, 0), (2, 1)])
async def test_waiting_mail_that_goes_with_its_account_is_counted_in_the_log(
    hass: HomeAssistant, bed: Bed, caplog: pytest.LogCaptureFixture, mails: int, told: int
) -> None:
    account = await load(hass, account_entry(await bed.serve(BUSY)))
    for _ in range(mails):
        await send_from(account, "bea@example.test")
    caplog.clear()
    await hass.config_entries.async_remove(account.entry.entry_id)
    assert caplog.text.count("Home was removed, and 2 mails that waited there with it") == told
    assert caplog.text.count("was removed, and") == told


async def test_removing_the_last_account_removes_all_that_was_kept_for_it(
    hass: HomeAssistant, bed: Bed
) -> None:
    entry = account_entry(await bed.serve(BUSY))
    folder = outbox_folder(hass, entry.entry_id)
    await send_from(await load(hass, entry), "bea@example.test")
    await hass.async_add_executor_job(_leave_traces, folder)
    await hass.config_entries.async_remove(entry.entry_id)
    assert not await hass.async_add_executor_job(folder.parent.exists)


async def test_what_cannot_be_removed_is_named_and_the_rest_is_gone(
    hass: HomeAssistant,
    bed: Bed,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    entry = account_entry(await bed.serve())
    await load(hass, entry)
    folder = outbox_folder(hass, entry.entry_id)
    await hass.async_add_executor_job(_leave_traces, folder)
    with monkeypatch.context() as patched:
        patched.setattr(os, "unlink", _unlink_but("history"))
        await hass.config_entries.async_remove(entry.entry_id)
    assert await hass.async_add_executor_job(_files, folder) == [folder / "history"]
    assert entry.title in caplog.text
    assert str(folder / "history") in caplog.text
    await hass.async_add_executor_job(shutil.rmtree, folder.parent)


async def test_a_reauthentication_that_is_open_goes_with_its_account(
    hass: HomeAssistant, bed: Bed
) -> None:
    entry = account_entry(await bed.serve())
    await load(hass, entry)
    entry.async_start_reauth(hass)
    await hass.async_block_till_done()
    assert hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    await hass.config_entries.async_remove(entry.entry_id)
    assert not hass.config_entries.flow.async_progress_by_handler(DOMAIN)


async def test_an_authority_that_cannot_be_read_is_named(hass: HomeAssistant, bed: Bed) -> None:
    entry = account_entry(await bed.serve(), options={"ca_file": "/nowhere.pem"})
    entry.add_to_hass(hass)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert load_state(entry) is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "ca_file_unreadable"
    assert "/nowhere.pem" in str(entry.reason)


async def _set_up(hass: HomeAssistant, bed: Bed, ca_file: str) -> str:
    """Set up an account with a file that is no authority; return why it is not loaded."""
    entry = account_entry(await bed.serve(), options={"ca_file": ca_file})
    entry.add_to_hass(hass)
    async with asyncio.timeout(5):
        assert not await hass.config_entries.async_setup(entry.entry_id)
    assert load_state(entry) is ConfigEntryState.SETUP_ERROR
    assert entry.error_reason_translation_key == "ca_file_unreadable"
    return str(entry.reason)


async def test_an_authority_that_is_a_pipe_holds_up_nothing(
    hass: HomeAssistant, bed: Bed, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "ca.pem")
    path = str(tmp_path / "ca.pem")
    assert f"cannot be read: {path}" in await _set_up(hass, bed, path)


async def test_an_authority_of_an_endless_size_is_not_read(hass: HomeAssistant, bed: Bed) -> None:
    assert "cannot be read: /dev/zero" in await _set_up(hass, bed, "/dev/zero")


async def test_a_path_of_an_authority_that_can_be_none_is_named(
    hass: HomeAssistant, bed: Bed
) -> None:
    assert "cannot be read: /a" in await _set_up(hass, bed, "/a\0b.pem")


async def test_home_assistants_stop_ends_everything(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = account_entry(server)
    async with nothing_left(server):
        await send_from(await load(hass, entry), "bea@example.test")
        await hass.async_stop()
    assert len(server.record.mails) == 1


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*")) if folder.exists() else []


def _leave_traces(folder: Path) -> None:
    """Put files where held and damaged mail and the history of an account are kept."""
    for name in ("held/a.eml", "damaged/b.json", "history"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _unlink_but(stuck: str) -> Callable[..., None]:
    unlink = os.unlink

    def unlink_or_fail(path: Any, **options: Any) -> None:
        if Path(path).name == stuck:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM), path)
        unlink(path, **options)

    return unlink_or_fail
