"""Short mails at once: how many a second."""

from __future__ import annotations

import asyncio

from .bench import Bench, say
from .endpoint import Endpoint
from .figures import CORE, COURIER, Measurement
from .house import Account
from .servers import endpoints_of, settle

USUAL, QUICK = "", ", quickack"
_ROUTE = (
    "ip route replace table local local 127.0.0.0/8 dev lo proto kernel scope host src 127.0.0.1"
)
_OTHERS_FRESH = 10
"""A client that connects for each mail gets this part of the mails: its rate is the same."""


async def measure(bench: Bench) -> None:
    """Send bursts over the usual route of loopback, and over one whose answers are not delayed."""
    endpoints = [bench.sinks[0], *endpoints_of(bench.postfix)]
    accounts = {
        (who, endpoint): await bench.house.add(who, endpoint)
        for endpoint in endpoints
        for who in (COURIER, CORE)
    }
    await _card(bench)
    for route, option in ((USUAL, ""), (QUICK, " quickack 1")):
        await _run(_ROUTE + option)
        for endpoint in endpoints:
            say(f"Bursts of {bench.burst} mails into {endpoint.name}{route}")
            for _ in range(bench.rounds):
                await _burst(bench, endpoint, route, accounts)
    await _run(_ROUTE)


async def _card(bench: Bench) -> None:
    """Send a burst of mails that are shown in the card, the other bursts being plain text."""
    endpoint = endpoints_of(bench.postfix)[0]
    say(f"Bursts of {bench.burst} mails into {endpoint.name}, card")
    account = await bench.house.add(COURIER, endpoint, layout="card")
    measurement = Measurement(f"{endpoint.name}, card", "mails/s", more_is_better=True)
    for _ in range(bench.rounds):
        await bench.house.send(account, 1, parallel=False)
        taken = await bench.house.send(account, bench.burst, parallel=True)
        bench.figures.add(measurement, COURIER, bench.burst / taken.seconds)
        await settle(bench.postfix)


async def measure_few(bench: Bench) -> None:
    """Call 20 times at once, as an alarm does."""
    say("20 calls at once")
    endpoint = endpoints_of(bench.postfix)[0]
    for who in (COURIER, CORE):
        account = await bench.house.add(who, endpoint)
        for _ in range(bench.rounds):
            await bench.house.reload(account)
            taken = await bench.house.send(account, 20, parallel=True)
            bench.figures.add(
                Measurement("20 calls at once, cold", "ms"), who, 1000 * taken.seconds
            )
            await settle(bench.postfix)


async def _burst(
    bench: Bench, endpoint: Endpoint, route: str, accounts: dict[tuple[str, Endpoint], Account]
) -> None:
    measurement = Measurement(f"{endpoint.name}{route}", "mails/s", more_is_better=True)
    for who in (COURIER, CORE):
        account = accounts[who, endpoint]
        await bench.house.send(account, 1, parallel=False)
        taken = await bench.house.send(account, bench.burst, parallel=True)
        bench.figures.add(measurement, who, bench.burst / taken.seconds)
        await settle(bench.postfix)
    for peer in bench.peers:
        if endpoint.encryption != "none" and not peer.encrypts:
            continue
        count = bench.burst if peer.keeps else max(bench.burst // _OTHERS_FRESH, 1)
        seconds = await peer.send(endpoint, count)
        bench.figures.add(measurement, peer.name, count / seconds)
        await settle(bench.postfix)


async def _run(command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command.split())
    if await process.wait():
        raise RuntimeError(command)
