"""What becomes of mail, as a whole Home Assistant of the newest release shows it."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.support.certificates import Certificates, ServerTls

from .client import Client
from .demo import ENTITY, add_account, add_recipient, complaints
from .hass_runner import home_assistant
from .mail_server import Login, mail_server

LOGIN = Login("home", "Open-Sesame-7421")


async def device_of(client: Client, entity_id: str) -> str:
    entities = await client.command("config/entity_registry/list")
    return next(str(each["device_id"]) for each in entities if each["entity_id"] == entity_id)


async def lines_of(client: Client, entity_id: str, count: int) -> list[str]:
    """Return what the activity of an entity's device says, once it says so much."""
    device_id = await device_of(client, entity_id)
    now = datetime.now(UTC)
    for _ in range(60):
        entries: list[dict[str, Any]] = await client.command(
            "logbook/get_events",
            start_time=(now - timedelta(hours=1)).isoformat(),
            end_time=(now + timedelta(hours=1)).isoformat(),
            device_ids=[device_id],
        )
        told = [f"{entry['name']} {entry['message']}" for entry in entries if "message" in entry]
        if len(told) >= count:
            break
        await asyncio.sleep(0.5)  # until the recorder has written it
    return told


async def test_the_activity_of_a_recipient_tells_what_became_of_its_mail(tmp_path: Path) -> None:
    certificates = Certificates()
    context = certificates.server_context(ServerTls.VALID)
    async with (
        mail_server(LOGIN, context, tmp_path / "inbox") as server,
        home_assistant(
            tmp_path / "config",
            authority_pem=certificates.authority_pem,
            configuration="logbook:\n",
        ) as hass,
    ):
        client = hass.client
        await add_recipient(hass, await add_account(hass, server))
        smoke = {"title": "Smoke in the hallway", "message": "Get out."}
        await client.call("notify.send_message", smoke, target={"entity_id": ENTITY})
        (pause,) = await client.states("switch")
        await client.call("switch.turn_on", {}, target={"entity_id": pause})
        await client.call("notify.send_message", smoke, target={"entity_id": ENTITY})
        told = await lines_of(client, ENTITY, 2)
        recent = await client.call("email_courier.list_recent", {}, response=True)

    assert told == [
        "“Smoke in the hallway” to Family – delivered",
        "“Smoke in the hallway” to Family – kept for later: the account is paused",
    ]
    assert [mail["state"] for mail in recent["mails"]] == ["deferred", "delivered"]
    assert not complaints(hass.log())
