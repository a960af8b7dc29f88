"""The set-up dialog never freezes: it shows progress, and closing it ends everything."""

import asyncio
from unittest.mock import AsyncMock

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, UnknownFlow
import pytest

from custom_components.email_courier.config_flow import EmailCourierConfigFlow
from custom_components.email_courier.flow import server as flow_server
from custom_components.email_courier.flow.draft import Draft
from custom_components.email_courier.mail.discovery.model import Discovery, Origin
from custom_components.email_courier.mail.settings import Encryption
from tests.support.dialogs import Dialog, typed_for
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.network import Network
from tests.support.other_protocols import SILENT
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PASSWORD,
    USERNAME,
    Answer,
    Step,
    drip,
    late,
    stall,
)
from tests.support.sessions import ALL_STEPS, SCRIPTS

_STAGES = ["resolve", "connect", "greeting", "hello", "tls", "login", "sender"]


async def at_the_last_click(hass: HomeAssistant, typed: dict[str, object]) -> Dialog:
    """Fill in all pages, and leave the login's to be submitted."""
    dialog = await Dialog.new_account(hass)
    for page in ("address", "server"):
        assert dialog.step == page
        await dialog.submit(**{name: typed[name] for name in dialog.fields if name in typed})
    return dialog


async def close(dialog: Dialog) -> None:
    """Close a dialog, and give what it ends no more time than a cancelled handshake may take."""
    dialog.close()
    await asyncio.sleep(0.2)


async def test_the_handshake_names_the_stage_it_is_at(hass: HomeAssistant, bed: Bed) -> None:
    slowly = {step: late(0.05) for step in Step}
    server = await bed.serve(HEALTHY.but(answers=slowly))
    dialog = await at_the_last_click(hass, typed_for(server))
    await dialog.submit(username=USERNAME, password=PASSWORD)
    assert dialog.step == "finish"
    assert [action for action in dialog.progress if action != "discovery"] == _STAGES


async def test_progress_is_shown_within_a_second(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.GREETING: stall()}))
    dialog = await at_the_last_click(hass, typed_for(server))
    async with asyncio.timeout(1):
        await dialog.begin(username=USERNAME, password=PASSWORD)
    assert dialog.type is FlowResultType.SHOW_PROGRESS
    await close(dialog)


@pytest.mark.parametrize(("encryption", "step"), ALL_STEPS)
async def test_closing_the_dialog_at_any_step_of_the_server_leaves_nothing(
    hass: HomeAssistant, bed: Bed, encryption: Encryption, step: Step
) -> None:
    server = await bed.serve(SCRIPTS[encryption].but(answers={step: stall()}))
    dialog = await at_the_last_click(hass, typed_for(server))
    async with nothing_left(server):
        await dialog.begin(username=USERNAME, password=PASSWORD)
        async with asyncio.timeout(5):
            while step not in server.record.steps:
                await asyncio.sleep(0.01)
        await close(dialog)
    with pytest.raises(UnknownFlow):
        await dialog.look_again()


@pytest.mark.parametrize("seconds", [0.0, 0.3, 1.7, 2.8])
async def test_closing_the_dialog_while_a_mute_port_is_examined_leaves_nothing(
    hass: HomeAssistant, bed: Bed, seconds: float
) -> None:
    server = await bed.host(SILENT)
    typed = {"sender": USERNAME, "host": server.host, "port": server.port}
    dialog = await at_the_last_click(hass, {**typed, "encryption": "starttls"})
    async with nothing_left(server):
        await dialog.begin(username=USERNAME, password=PASSWORD)
        await asyncio.sleep(seconds)
        await close(dialog)


async def test_closing_the_dialog_while_automatic_encryption_listens_leaves_nothing(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY_TLS)
    dialog = await at_the_last_click(hass, typed_for(server, encryption="auto"))
    async with nothing_left(server):
        await dialog.begin(username=USERNAME, password=PASSWORD)
        await asyncio.sleep(0.2)
        await close(dialog)
    assert server.record.auth_commands == 0


async def test_closing_the_dialog_while_a_remedy_is_looked_for_leaves_nothing(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY_TLS.but(answers={Step.TLS: (Answer(), stall())}))
    dialog = await at_the_last_click(hass, typed_for(server, encryption="starttls"))
    async with nothing_left(server):
        await dialog.begin(username=USERNAME, password=PASSWORD)
        async with asyncio.timeout(10):
            while server.record.steps.count(Step.TLS) < 2:  # the listener's and the remedy's
                await asyncio.sleep(0.01)
        await close(dialog)


async def test_closing_the_dialog_while_the_server_is_searched_for_ends_the_search(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def search(_hass: HomeAssistant, _sender: str) -> Discovery:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return Discovery(Origin.NONE)

    monkeypatch.setattr(flow_server, "async_discover", search)
    monkeypatch.setattr(flow_server, "async_meant_address", AsyncMock(return_value=None))
    dialog = await Dialog.new_account(hass)
    async with asyncio.timeout(1):
        await dialog.begin(sender="anna@example.com")
    await begun.wait()
    assert dialog.progress == ["discovery"]
    await close(dialog)
    assert ended.is_set()


async def test_what_a_closed_page_was_about_to_begin_is_not_begun(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    flow = EmailCourierConfigFlow()
    flow.hass = hass
    flow.draft = Draft(sender=USERNAME, host=server.host, port=server.port)
    flow.async_remove()
    for step in (flow.async_step_discovery, flow.async_step_handshake, flow.async_step_test_mail):
        with pytest.raises(UnknownFlow):
            await step()
    assert server.record.connections == 0


async def test_every_answer_is_there_within_fifteen_seconds(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    dripping = await bed.serve(HEALTHY.but(answers={step: drip(1) for step in Step}))
    slow_tls = await bed.serve(HEALTHY_TLS.but(answers={Step.EHLO: drip(1)}))
    mute = await bed.host(SILENT)
    network.add(
        "mail.example.test",
        {25: dripping, 26: slow_tls, 27: mute},
        filtered=frozenset({28, 465, 587}),
    )
    cases = [(port, encryption) for port in (25, 26, 27, 28) for encryption in ("auto", "starttls")]
    dialogs = [
        await at_the_last_click(
            hass,
            {
                "sender": f"home{port}@example.test",
                "host": "mail.example.test",
                "port": port,
                "encryption": encryption,
            },
        )
        for port, encryption in cases
    ]
    async with asyncio.timeout(15):
        await asyncio.gather(
            *(dialog.submit(username=USERNAME, password=PASSWORD) for dialog in dialogs)
        )
    answers = [dialog.errors["base"] for dialog in dialogs]
    assert dict(zip(cases, answers, strict=True)) == {
        (25, "auto"): "server_too_slow",
        (25, "starttls"): "server_too_slow",
        (26, "auto"): "server_too_slow",
        (26, "starttls"): "tls_expected",
        (27, "auto"): "no_greeting",
        (27, "starttls"): "no_greeting",
        (28, "auto"): "connect_timeout",
        (28, "starttls"): "connect_timeout",
    }
