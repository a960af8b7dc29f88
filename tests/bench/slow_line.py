"""Mails over a line of 20 ms, in turn and at once: how long each takes, how many round trips."""

from __future__ import annotations

import asyncio
from copy import replace

from tests.live.client import Json

from .attachments import snapshot
from .bench import Bench, say
from .endpoint import Endpoint
from .figures import CORE, COURIER, Measurement
from .house import Account
from .peers import Peer
from .proxy import SlowLine
from .servers import endpoints_of, settle

COLD = "20 ms line, STARTTLS and login, a single cold mail"
COLD_TLS = "20 ms line, TLS and login, a single cold mail"
COLD_SNAPSHOTS = "20 ms line, STARTTLS and login, a cold mail with three snapshots"
AT_ONCE = ", at once"
_SEVERAL = 10
"""Times as many mails are sent at once as in turn; core's takes as long for each of fewer."""


async def measure(bench: Bench) -> None:
    """Send over delayed lines to servers with and without PIPELINING."""
    for endpoint in (endpoints_of(bench.postfix)[0], *bench.sinks):
        async with SlowLine(endpoint.port) as line:
            there = replace(endpoint, name=f"20 ms line, {endpoint.name}", port=line.port)
            say(there.name)
            for who in (COURIER, CORE):
                account = await bench.house.add(who, there)
                for _ in range(bench.rounds):
                    await _integration(bench, line, there, who, account)
            for peer in bench.peers:
                if peer.encrypts and not peer.bursts_only:
                    for _ in range(bench.rounds):
                        await _peer(bench, line, there, peer)
        await settle(bench.postfix)
    await _cold(bench)


async def _cold(bench: Bench) -> None:
    """Send the first mail of a session: over TLS from the start, and with pictures to be made."""
    say(COLD_SNAPSHOTS)
    file = await asyncio.to_thread(bench.house.add_file, "snapshot.jpg", snapshot())
    starttls, tls = endpoints_of(bench.postfix)
    shown: Json = {"layout": "card", "max_width": 1280, "attachments": [{"path": str(file)}] * 3}
    for name, endpoint, more in ((COLD_TLS, tls, {}), (COLD_SNAPSHOTS, starttls, shown)):
        async with SlowLine(endpoint.port) as line:
            there = replace(endpoint, name=f"cold, {endpoint.name}", port=line.port)
            account = await bench.house.add(COURIER, there)
            for _ in range(bench.rounds):
                await bench.house.reload(account)
                before = line.round_trips
                data: Json = {"message": "Look", "entity_id": account.entities, **more}
                taken = await bench.house.perform("email_courier.send_message", data)
                _note(bench, name, COURIER, taken.seconds, line.round_trips - before)
                await settle(bench.postfix)


async def _integration(
    bench: Bench, line: SlowLine, endpoint: Endpoint, who: str, account: Account
) -> None:
    await bench.house.reload(account)
    before = line.round_trips
    taken = await bench.house.send(account, 1, parallel=False)
    if endpoint.login:
        _note(bench, COLD, who, taken.seconds, line.round_trips - before)
    before = line.round_trips
    taken = await bench.house.send(account, bench.slow_line, parallel=False)
    trips = line.round_trips - before
    count = bench.slow_line
    _note(bench, endpoint.name, who, taken.seconds / count, trips / count)
    count *= _SEVERAL if who == COURIER else 1
    before = line.round_trips
    taken = await bench.house.send(account, count, parallel=True)
    trips = line.round_trips - before
    _note(bench, endpoint.name + AT_ONCE, who, taken.seconds / count, trips / count)


async def _peer(bench: Bench, line: SlowLine, endpoint: Endpoint, peer: Peer) -> None:
    before = line.round_trips
    await peer.send(endpoint, 1)
    alone = line.round_trips - before
    count = bench.slow_line if peer.keeps else 1
    before = line.round_trips
    seconds = await peer.send(endpoint, count + 1 if peer.keeps else 1)
    trips = line.round_trips - before
    if peer.keeps:  # its connection is not part of a mail
        trips -= alone
        seconds *= count / (count + 1)
    _note(bench, endpoint.name, peer.name, seconds / count, trips / count)


def _note(bench: Bench, name: str, who: str, seconds: float, round_trips: float) -> None:
    bench.figures.add(Measurement(name, "ms a mail"), who, 1000 * seconds)
    bench.figures.add(Measurement(f"{name}: round trips", "a mail"), who, round_trips)
