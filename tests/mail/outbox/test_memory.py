"""What is on disk is in no memory and takes no descriptor until its turn."""

import asyncio
import gc
import os
from pathlib import Path
import weakref

import pytest

from custom_components.email_courier.mail.outbox.courier import CourierConfig
from custom_components.email_courier.mail.outbox.submission import Status
from custom_components.email_courier.mail.payload import FilePayload, gather
from tests.mail.outbox.house import House, mail

COUNT = 40


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("write_first", [False, True])
@pytest.mark.parametrize("leave", [False, True])
async def test_mails_behind_an_attempt_that_hangs_are_on_disk_alone(
    house: House, *, write_first: bool, leave: bool
) -> None:
    house.config = CourierConfig(patience=30 if leave else 0.05, write_first=write_first)
    await house.restart()
    house.server.upload.clear()
    first = asyncio.create_task(house.courier.submit(mail()))
    await asyncio.sleep(0.02)
    before = _descriptors()
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 20
    payloads: weakref.WeakSet[FilePayload] = weakref.WeakSet()

    async def submit() -> Status:
        sent = mail()
        payload = gather([os.urandom(1_100_000)])
        assert isinstance(payload, FilePayload)
        payloads.add(payload)
        object.__setattr__(sent, "data", payload)
        return (await house.courier.submit(sent)).status

    callers = [asyncio.create_task(submit()) for _ in range(COUNT)]
    if leave:
        while house.courier.state.waiting < (COUNT if write_first else 0):
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        for caller in callers:
            caller.cancel()
        await asyncio.wait(callers)
        del caller
    else:
        assert set(await asyncio.gather(*callers)) == {Status.QUEUED}
    del callers
    while payloads and loop.time() < deadline:
        await asyncio.sleep(0.05)
        gc.collect()
    assert len(payloads) == 0
    while _descriptors() > before + 2 and loop.time() < deadline:  # closed in worker threads
        await asyncio.sleep(0.05)
    assert _descriptors() <= before + 2
    house.server.upload.set()
    await first
    while house.courier.state.waiting:
        await asyncio.sleep(0.02)
    assert len(house.server.mails) == 1 + (0 if leave and not write_first else COUNT)
