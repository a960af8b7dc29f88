"""An upload that is ended from this side is never delivered later, whoever ended it."""

import asyncio
from collections.abc import AsyncIterator
import contextlib
from copy import replace
from pathlib import Path

import pytest

from custom_components.email_courier.mail.outbox import dispatcher
from custom_components.email_courier.mail.outbox.submission import Status
from custom_components.email_courier.mail.settings import Deadlines
from custom_components.email_courier.mail.smtp.keepalive import KeepaliveSession
from tests.mail.outbox.house import MINUTE, House, mail
from tests.support.fixtures import Bed
from tests.support.script import HEALTHY, After, Step, Upload, say, stall
from tests.support.scripted_server import ScriptedServer
from tests.support.sessions import context_for, settings_for

STALL = 1.0
"""Seconds for which the server stops reading; then it reads on as if nothing had been."""
PAUSING = HEALTHY.but(upload=Upload(stop_after=200_000, then=After.STALL, stall=STALL))
BIG = "A line of a big attachment, over and over again.\r\n" * 160_000


@contextlib.asynccontextmanager
async def moved_in(
    bed: Bed, server: ScriptedServer, folder: Path, deadlines: Deadlines | None = None
) -> AsyncIterator[House]:
    settings = settings_for(server)
    if deadlines is not None:
        settings = replace(settings, deadlines=deadlines)
    session = KeepaliveSession(settings, context_for(bed))
    house = House(folder, deliver=session.deliver)
    await house.courier.start()
    yield house
    await house.courier.stop()
    session.close()


async def reading(server: ScriptedServer) -> None:
    """Wait until the server has stopped reading in the middle of a message."""
    while not any(line.text.startswith(b"354") for line in server.record.lines):
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)


async def test_a_stop_during_the_upload(bed: Bed, tmp_path: Path) -> None:
    server = await bed.serve(PAUSING)
    sent = mail(text=BIG)
    async with moved_in(bed, server, tmp_path) as house:
        caller = asyncio.create_task(house.courier.submit(sent))
        await reading(server)
        await house.courier.stop()
        assert (await caller).status is Status.QUEUED
    await asyncio.sleep(STALL + 0.5)
    assert await server.all_closed()
    assert server.record.mails == []

    server.script = HEALTHY
    async with moved_in(bed, server, tmp_path) as house:
        await house.quiet()
    assert [m.content for m in server.record.mails] == [sent.data]


async def test_a_caller_who_leaves_during_the_upload(bed: Bed, tmp_path: Path) -> None:
    server = await bed.serve(PAUSING)
    async with moved_in(bed, server, tmp_path) as house:
        caller = asyncio.create_task(house.courier.submit(mail(text=BIG)))
        await reading(server)
        caller.cancel()
        await asyncio.wait({caller})
        await asyncio.sleep(STALL + 0.5)
        assert await server.all_closed()
        assert server.record.mails == []
        assert house.files == []


async def test_a_server_that_stops_reading_for_too_long(bed: Bed, tmp_path: Path) -> None:
    server = await bed.serve(PAUSING)
    sent = mail(text=BIG)
    async with moved_in(bed, server, tmp_path, Deadlines(stall=0.4)) as house:
        assert (await house.courier.submit(sent)).status is Status.QUEUED
        await asyncio.sleep(STALL + 0.5)
        assert await server.all_closed()
        assert server.record.mails == []
        server.script = HEALTHY
        await house.turn(35)
    assert [m.content for m in server.record.mails] == [sent.data]


async def test_a_mail_that_is_dropped_during_the_upload(bed: Bed, tmp_path: Path) -> None:
    server = await bed.serve(PAUSING)
    async with moved_in(bed, server, tmp_path) as house:
        await house.courier.accept(mail(text=BIG))
        await reading(server)
        assert await house.courier.drop() == 1
        await asyncio.sleep(STALL + 0.5)
        assert await server.all_closed()
        assert server.record.mails == []
        assert house.files == []


async def test_a_stop_between_two_groups_of_recipients(
    bed: Bed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "REPLY_GRACE", 0.05)
    script = HEALTHY.but(recipients_per_mail=2, answers={Step.MAIL: (say("250 2.1.0 Ok"), stall())})
    server = await bed.serve(script)
    people = [f"guest{number}@example.test" for number in range(5)]
    async with moved_in(bed, server, tmp_path) as house:
        caller = asyncio.create_task(house.courier.submit(mail(*people)))
        while len(server.record.commands("MAIL")) < 2:
            await asyncio.sleep(0.01)
        await house.courier.stop()
        receipt = await caller
    assert [outcome.address for outcome in receipt.accepted] == people[:2]
    assert [outcome.address for outcome in receipt.owed] == people[2:]

    server.script = HEALTHY
    async with moved_in(bed, server, tmp_path) as house:
        await house.quiet()
        await house.turn(MINUTE)
    assert [list(mail.recipients) for mail in server.record.mails] == [people[:2], people[2:]]
