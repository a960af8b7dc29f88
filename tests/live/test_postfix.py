"""A whole Home Assistant and a real Postfix, each of which is stopped and started again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
import time

import pytest

from tests.servers.fixtures import fleet
from tests.servers.fleet import Fleet
from tests.servers.mailbox import ReceivedMail
from tests.servers.people import RECIPIENTS, UNKNOWN_RECIPIENT
from tests.servers.server import RunningServer
from tests.support.certificates import Certificates

from .account import add_account
from .client import Json
from .demo import ENTITY
from .dialog import SUBENTRY, Dialog
from .hass_runner import HomeAssistant, home_assistant

__all__ = ["fleet"]

THREE = RECIPIENTS[:3]
QUICKLY = 1.0
"""Seconds within which an account that is known to be down takes a mail."""


@pytest.fixture(scope="session")
def certificates() -> Certificates:
    """The authority that Home Assistant trusts."""
    return Certificates()


@dataclass(frozen=True)
class House:
    """A Home Assistant with an account at a Postfix and a recipient with three addresses."""

    hass: HomeAssistant
    postfix: RunningServer

    async def send(self, title: str, **data: object) -> Json:
        """Send a mail to the family and return what the action answers."""
        answer: Json = await self.hass.client.call(
            "email_courier.send_message",
            {"title": title, "message": "Hello", **data},
            target={"entity_id": ENTITY},
            response=True,
        )
        return answer

    async def mails(self, count: int, within: float = 20) -> list[ReceivedMail]:
        """Wait for mails."""
        return await asyncio.to_thread(lambda: self.postfix.mails(count, within=within))


@pytest.fixture
async def house(fleet: Fleet, certificates: Certificates, tmp_path: Path) -> AsyncIterator[House]:
    """Set everything up in the dialogs, as a person would."""
    postfix = fleet.standing("postfix")
    postfix.clear()
    async with home_assistant(
        tmp_path / "config", authority_pem=certificates.authority_pem
    ) as hass:
        account = await add_account(hass, postfix)
        family = Dialog(hass.client, SUBENTRY)
        await family.complete(
            await family.resume(account["next_flow"][1]), {"name": "Family", "to": [*THREE]}
        )
        await hass.client.until_state(ENTITY)
        yield House(hass, postfix)


async def test_one_call_to_three_recipients_is_one_transaction(house: House) -> None:
    answer = await house.send("One for three")
    mails = await house.mails(3)
    assert {mail.message["Message-ID"] for mail in mails} == {answer["message_id"]}
    assert {mail.message["To"] for mail in mails} == {", ".join(THREE)}
    queue_ids = {
        line.split(": ")[1] for line in house.postfix.log().splitlines() if "nrcpt=3" in line
    }
    assert len(queue_ids) == 1


async def test_a_refused_recipient_is_named_while_the_others_have_the_mail(house: House) -> None:
    answer = await house.send("One of them is unknown", to=[UNKNOWN_RECIPIENT])
    assert answer["status"] == "partial"
    assert answer["accepted"] == [*THREE]
    [refused] = answer["refused"]
    assert refused["address"] == UNKNOWN_RECIPIENT
    assert refused["reply"].startswith("550 5.1.1")
    assert len(await house.mails(3)) == 3


async def test_mail_waits_while_everything_is_stopped_and_started(house: House) -> None:
    await asyncio.to_thread(house.postfix.stop)
    try:
        first = await house.send("While the server is down")
        started = time.monotonic()
        second = await house.send("And another")
        assert time.monotonic() - started < QUICKLY
        assert (first["status"], second["status"]) == ("queued", "queued")
        await house.hass.client.until_state("sensor.house_example_test_waiting_mail", "2")
        await house.hass.restart()
        await house.hass.client.until_state("sensor.house_example_test_waiting_mail", "2")
    finally:
        await asyncio.to_thread(house.postfix.start)
    mails = await house.mails(6, within=60)
    expected = sorted([first["message_id"], second["message_id"]] * 3)
    assert sorted(mail.message["Message-ID"] for mail in mails) == expected
    await house.hass.client.until_state("sensor.house_example_test_waiting_mail", "0")
