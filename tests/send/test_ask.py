"""Asking by mail: the script goes on with the answer, or without one."""

import asyncio
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.script import Script as Sequence
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.email_courier.const import DOMAIN
from tests.support.accounts import load_account
from tests.support.answers import GATE, Client, be_reachable, links_of, press
from tests.support.clock import SOON
from tests.support.fixtures import Bed
from tests.support.mails import only_mail, text_of
from tests.support.script import Script, Step, say
from tests.support.scripted_server import ScriptedServer

ANNA = "anna@example.test"


@pytest.fixture
async def client(hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator) -> Client:
    """A browser that has never been here."""
    assert await async_setup_component(hass, DOMAIN, {})
    assert await async_setup_component(hass, "script", {})
    await be_reachable(hass)
    return await hass_client_no_auth()


def ask(hass: HomeAssistant, **fields: Any) -> asyncio.Task[Any]:
    """Ask, and go on while that waits for its answer."""
    given = {"to": ANNA, "title": "Open the gate?", "message": "Ring", "actions": GATE, **fields}
    return hass.async_create_background_task(
        hass.services.async_call(DOMAIN, "ask", given, blocking=True, return_response=True), "ask"
    )


async def mail_arrives(server: ScriptedServer) -> None:
    """Wait for the one mail."""
    async with asyncio.timeout(SOON):
        while not server.record.mails:
            await asyncio.sleep(0.01)


async def test_the_answer_is_the_response(hass: HomeAssistant, bed: Bed, client: Client) -> None:
    server = await bed.serve()
    await load_account(hass, server)
    asking = ask(hass)
    await mail_arrives(server)

    await press(client, links_of(only_mail(server))["Ignore"])

    async with asyncio.timeout(SOON):
        answer = await asking
    assert answer == {
        "status": "answered",
        "action": "IGNORE",
        "reply_text": None,
        "user": None,
        "message_id": only_mail(server)["Message-ID"],
    }


async def test_a_text_is_part_of_the_response(
    hass: HomeAssistant, bed: Bed, client: Client
) -> None:
    server = await bed.serve()
    await load_account(hass, server)
    asking = ask(hass, actions=[{"action": "REPLY", "title": "Answer"}])
    await mail_arrives(server)

    await press(client, links_of(only_mail(server))["Answer"], reply_text="In ten minutes")

    async with asyncio.timeout(SOON):
        assert (await asking)["reply_text"] == "In ten minutes"


async def test_a_script_reads_like_a_sentence(
    hass: HomeAssistant, bed: Bed, client: Client
) -> None:
    server = await bed.serve()
    await load_account(hass, server)
    opened = async_mock_service(hass, "cover", "open_cover")
    sequence = [
        {
            "action": "email_courier.ask",
            "data": {"to": ANNA, "title": "Open?", "message": "Ring", "actions": GATE},
            "response_variable": "answer",
        },
        {"if": "{{ answer.action == 'OPEN' }}", "then": [{"action": "cover.open_cover"}]},
    ]
    script = Sequence(hass, cv.SCRIPT_SCHEMA(sequence), "gate", "script")
    running = hass.async_create_background_task(script.async_run(), "script")
    await mail_arrives(server)
    await press(client, links_of(only_mail(server))["Open the gate"])
    async with asyncio.timeout(SOON):
        await running

    assert len(opened) == 1


async def test_a_timeout_is_no_error_and_ends_the_link(
    hass: HomeAssistant, bed: Bed, client: Client
) -> None:
    server = await bed.serve()
    await load_account(hass, server)

    answer = await ask(hass, timeout={"seconds": 1})

    assert (answer["status"], answer["action"]) == ("timeout", None)
    assert answer["message_id"] == only_mail(server)["Message-ID"]
    link = links_of(only_mail(server))["Open the gate"]
    assert (await client.get(link)).status == 410


async def test_a_link_outlives_the_wait_where_that_was_asked_for(
    hass: HomeAssistant, bed: Bed, client: Client
) -> None:
    server = await bed.serve()
    await load_account(hass, server)

    await ask(hass, timeout={"seconds": 1}, actions_expire_after={"hours": 1})

    link = links_of(only_mail(server))["Open the gate"]
    assert (await press(client, link)).status == 200


@pytest.mark.usefixtures("client")
async def test_a_server_that_refuses_is_a_failure_and_no_error(
    hass: HomeAssistant, bed: Bed
) -> None:
    script = Script(answers={Step.DATA: say("554 5.7.1 No")})
    await load_account(hass, await bed.serve(script))

    answer = await ask(hass)

    assert answer == {
        "status": "failed",
        "action": None,
        "reply_text": None,
        "user": None,
        "message_id": None,
    }


@pytest.mark.parametrize("end", ["unload", "stop", "revoke", "remove"])
@pytest.mark.usefixtures("client")
async def test_what_ends_the_account_ends_the_wait(hass: HomeAssistant, bed: Bed, end: str) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    entry_id = account.entry.entry_id
    asking = ask(hass)
    await mail_arrives(server)

    if end == "unload":
        await hass.config_entries.async_unload(entry_id)
    elif end == "remove":
        await hass.config_entries.async_remove(entry_id)
    elif end == "revoke":
        await hass.services.async_call(DOMAIN, "revoke_actions", {}, blocking=True)
    else:
        hass.bus.async_fire("homeassistant_stop")

    async with asyncio.timeout(SOON):
        assert (await asking)["status"] == "cancelled"


async def test_a_script_that_is_stopped_ends_its_question(
    hass: HomeAssistant, bed: Bed, client: Client
) -> None:
    server = await bed.serve()
    await load_account(hass, server)
    asking = ask(hass)
    await mail_arrives(server)
    link = links_of(only_mail(server))["Open the gate"]
    assert (await client.get(link)).status == 200

    asking.cancel()
    await asyncio.wait([asking])

    async with asyncio.timeout(SOON):
        while (await client.get(link)).status == 200:
            await asyncio.sleep(0.01)
    assert (await client.get(link)).status == 410


@pytest.mark.parametrize(
    "actions", [[], [{"action": "URI", "title": "Map", "uri": "/map"}]], ids=["none", "a link"]
)
@pytest.mark.usefixtures("client")
async def test_a_question_that_nobody_could_answer_is_refused(
    hass: HomeAssistant, bed: Bed, actions: list[Any]
) -> None:
    await load_account(hass, await bed.serve())

    with pytest.raises(ServiceValidationError) as caught:
        await ask(hass, actions=actions)

    assert caught.value.translation_key == "ask_without_actions"


async def test_a_mail_that_waits_for_its_server_is_answered_later(
    hass: HomeAssistant, bed: Bed, client: Client
) -> None:
    server = await bed.serve()
    account = await load_account(hass, server)
    await server.stop()
    asking = ask(hass)
    async with asyncio.timeout(SOON):
        while not account.courier.state.waiting:
            await asyncio.sleep(0.01)
    await server.start()
    account.courier.retry_now(None)
    await mail_arrives(server)
    assert "Open the gate: " in text_of(only_mail(server))

    await press(client, links_of(only_mail(server))["Open the gate"])

    async with asyncio.timeout(SOON):
        assert (await asking)["action"] == "OPEN"
