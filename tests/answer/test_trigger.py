"""Somebody pressed a button in an email: what automations can begin with."""

from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers.trigger import async_get_all_descriptions
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from custom_components.email_courier.account import Account
from tests.support.accounts import load_account, recipient
from tests.support.answers import GATE, Client, links_of, press
from tests.support.fixtures import Bed
from tests.support.mails import read, send
from tests.support.scripted_server import ScriptedServer

_VARIABLES = (
    *("account", "config_entry_id", "subject", "recipients", "message_id"),
    *("action", "reply_text", "user", "tag"),
)


@pytest.fixture
def runs(hass: HomeAssistant) -> list[ServiceCall]:
    """What automations have done: a call with the trigger's variables."""
    return async_mock_service(hass, "test", "run")


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed, client: Client) -> ScriptedServer:  # noqa: ARG001 - it has to be there first
    """The server of an account with two recipients."""
    server = await bed.serve()
    await load_account(
        hass, server, recipient("Bea", ["bea@example.test"]), recipient("Carl", ["carl@x.test"])
    )
    return server


async def begin_with(
    hass: HomeAssistant, target: dict[str, Any] | None = None, **options: Any
) -> None:
    """Have an automation wait for the trigger."""
    config: dict[str, Any] = {"trigger": "email_courier.button_pressed", "options": options}
    if target is not None:
        config["target"] = target
    automation = {
        "alias": "test",
        "mode": "parallel",
        "triggers": [config],
        "actions": [
            {
                "action": "test.run",
                "data": {name: f"{{{{ trigger.{name} }}}}" for name in _VARIABLES},
            }
        ],
    }
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    await hass.async_block_till_done()
    state = hass.states.get("automation.test")
    assert state is not None
    assert state.state == "on"


async def answer(
    hass: HomeAssistant, server: ScriptedServer, client: Client, whom: str, button: str
) -> None:
    """Send a mail and press one of its buttons."""
    await send(hass, entity_id=f"notify.{whom}", title="Gate?", thread="gate", actions=GATE)
    await press(client, links_of(read(server.record.mails[-1].content))[button])
    await hass.async_block_till_done()


async def test_any_press_runs_the_automation_and_says_all(
    hass: HomeAssistant, server: ScriptedServer, client: Client, runs: list[ServiceCall]
) -> None:
    await begin_with(hass)

    await answer(hass, server, client, "bea", "Ignore")

    (run,) = runs
    account: Account = hass.config_entries.async_entries("email_courier")[0].runtime_data
    assert run.data == {
        "account": "Home",
        "config_entry_id": account.entry.entry_id,
        "subject": "Gate?",
        "recipients": ["bea@example.test"],
        "message_id": read(server.record.mails[0].content)["Message-ID"],
        "action": "IGNORE",
        "reply_text": None,
        "user": None,
        "tag": "gate",
    }


async def test_only_the_actions_that_are_named_count(
    hass: HomeAssistant, server: ScriptedServer, client: Client, runs: list[ServiceCall]
) -> None:
    await begin_with(hass, action=["OPEN", "CLOSE"])

    await answer(hass, server, client, "bea", "Ignore")
    assert runs == []
    await answer(hass, server, client, "bea", "Open the gate")

    assert [run.data["action"] for run in runs] == ["OPEN"]


@pytest.mark.parametrize(
    ("target", "count"),
    [("notify.bea", 1), ("notify.carl", 0), ("event.home_mail", 1), ("event.other", 0)],
)
async def test_only_mail_of_the_target_counts(
    hass: HomeAssistant,
    server: ScriptedServer,
    client: Client,
    runs: list[ServiceCall],
    target: str,
    count: int,
) -> None:
    await begin_with(hass, {"entity_id": target}, action="OPEN")

    await answer(hass, server, client, "bea", "Open the gate")

    assert len(runs) == count


@pytest.mark.usefixtures("server")
async def test_the_editor_offers_it_with_its_field(hass: HomeAssistant) -> None:
    description = (await async_get_all_descriptions(hass))["email_courier.button_pressed"]

    assert description is not None
    assert description["fields"].keys() == {"action"}
    assert description["target"]["entity"][0]["integration"] == "email_courier"
