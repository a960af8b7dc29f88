"""The big case against the small one: what each further account, mail, row or button costs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email import message_from_bytes, policy
from html import unescape
import json
from pathlib import Path
import re
import tempfile
import time

import aiohttp

from tests.live.client import Json
from tests.servers.people import RECIPIENTS
from tests.servers.ports import free_ports
from tests.support.script import PLAIN_RELAY
from tests.support.scripted_server import ScriptedServer

from .bench import Bench, say
from .endpoint import HOST, Endpoint
from .figures import COURIER, Scaled
from .house import Account, House, house
from .servers import endpoints_of, settle

_OUTSIDE = "https://home.example.test"
"""Where buttons lead to; here it is replaced by the address that Home Assistant has."""
_SEND = "email_courier.send_message"
_LINK = re.compile(rf"{re.escape(_OUTSIDE)}(/api/email_courier/answer\?\S+)")
_PROOF = re.compile(r'name="proof" value="([^"]+)"')
_MOST_ROUNDS = 3
"""Beyond that the big cases take too long."""
_TAKEN_AT_ONCE = 500
"""Calls that are made at the same time to fill the outbox."""

ACCOUNTS, WAITING, BUTTONS, PEOPLE, ROWS = (
    "accounts of 20 recipients",
    "waiting mails",
    "open questions",
    "recipients",
    "rows of history",
)


@dataclass(frozen=True)
class _Sizes:
    """The small and the big case of each. starts: how often Home Assistant is started again."""

    accounts: tuple[int, int] = (1, 100)
    waiting: tuple[int, int] = (10, 10_000)
    buttons: tuple[int, int] = (1, 1000)
    people: tuple[int, int] = (10, 1000)
    at_once: int = 100
    rows: int = 200
    starts: int = 6


_FULL = _Sizes()
_QUICK = _Sizes((1, 3), (2, 20), (1, 8), (3, 30), 10, 10, 1)


async def measure(bench: Bench) -> None:
    """Measure in a Home Assistant of its own, which becomes larger and small again."""
    with tempfile.TemporaryDirectory(prefix="email-courier-scale-") as folder:
        async with house(Path(folder) / "config", bench.authority_pem) as home:
            await home.hass.client.command("config/core/update", external_url=_OUTSIDE)
            await _Scale(bench, home, _QUICK if bench.quick else _FULL).run()


class _Scale:
    """What was added to a Home Assistant, and how it fares."""

    def __init__(self, bench: Bench, home: House, sizes: _Sizes) -> None:
        self._bench = bench
        self._home = home
        self._sizes = sizes
        self._starts = sizes.starts
        self._rounds = min(bench.rounds, _MOST_ROUNDS)
        self._endpoint = endpoints_of(bench.postfix)[0]

    async def run(self) -> None:
        """Go through all of it, the small cases first."""
        few, many = self._sizes.accounts
        account = await self._add_account()
        await self._accounts([account], few)
        await self._at_start({ACCOUNTS: few})
        down = await self._add_down()
        link = await self._ask(account)
        await self._buttons(account, link, self._sizes.buttons[0])
        await self._fill(down, self._sizes.waiting[0])
        await self._waiting(down, self._sizes.waiting[0])
        for people in self._sizes.people:
            await self._people(people)
        await self._at_start({WAITING: self._sizes.waiting[0], BUTTONS: self._sizes.buttons[0]})
        await self._many_buttons(account, link)
        await self._many_waiting(down)
        await self._home.remove(down)
        say(f"{many} {ACCOUNTS}")
        accounts = [account, *[await self._add_account() for _ in range(many - few)]]
        await self._accounts(accounts, many)
        await self._at_start({ACCOUNTS: many, ROWS: 0})
        await self._rows(accounts)

    # Accounts.

    async def _add_account(self) -> Account:
        return await self._home.add(COURIER, self._endpoint, RECIPIENTS[:20])

    async def _accounts(self, accounts: list[Account], size: int) -> None:
        """Send from one of them, and set all up at once, as a start does."""
        for _ in range(min(self._rounds, 2)):
            seconds = await self._home.reload_all(accounts)
            self._note("set-up of all accounts", "ms", ACCOUNTS, size, 1000 * seconds)
        one = Account(accounts[-1].entry_id, accounts[-1].entities[:1])
        await self._home.send(one, 1, parallel=False)
        for _ in range(self._rounds):
            taken = await self._home.send(one, 5, parallel=False)
            self._note("a mail", "ms", ACCOUNTS, size, 200 * taken.seconds)
            await settle(self._bench.postfix)

    # Waiting mails.

    async def _add_down(self) -> Account:
        [port] = free_ports(1, HOST)
        endpoint = Endpoint("down", port, "starttls", login=True)
        return await self._home.add(COURIER, endpoint, max_mails=20_000)

    async def _fill(self, down: Account, count: int) -> None:
        while count:
            piece = min(count, _TAKEN_AT_ONCE)
            await self._home.send(down, piece, parallel=True)
            count -= piece

    async def _waiting(self, down: Account, size: int) -> None:
        for _ in range(self._rounds):
            seconds = await self._home.reload(down)
            self._note("set-up", "ms", WAITING, size, 1000 * seconds)
            # What is on disk is looked through first.
            opened = await self._home.perform(_SEND, self._to(down), watch=True)
            self._note("the first call after it", "ms", WAITING, size, 1000 * opened.seconds)
            self._note(
                "the first call after it: longest stall", "ms", WAITING, size, 1000 * opened.stall
            )
            taken = await self._home.send(down, 5, parallel=False)
            self._note("a call", "ms", WAITING, size, 200 * taken.seconds)
        listed = await self._home.perform(
            "email_courier.list_waiting",
            {"config_entry_id": down.entry_id},
            watch=True,
            response=True,
        )
        self._note("list_waiting", "ms", WAITING, size, 1000 * listed.seconds)
        self._note("list_waiting: longest stall", "ms", WAITING, size, 1000 * listed.stall)

    async def _many_waiting(self, down: Account) -> None:
        few, many = self._sizes.waiting
        say(f"{many} {WAITING}")
        await self._fill(down, many - few)
        await self._waiting(down, many)
        await self._at_start({WAITING: many})

    @staticmethod
    def _to(account: Account) -> Json:
        return {"message": "Look", "entity_id": list(account.entities[:1])}

    # Buttons.

    def _question(self, account: Account) -> Json:
        actions = [{"action": "YES", "title": "Yes"}, {"action": "NO", "title": "No"}]
        return {**self._to(account), "actions": actions, "actions_once": False}

    async def _ask(self, account: Account) -> str:
        """Ask once, and return where its first button leads to."""
        await self._home.perform(_SEND, self._question(account))
        [mail] = await asyncio.to_thread(self._bench.postfix.mails)
        body = message_from_bytes(mail.raw, policy=policy.default).get_body(("plain",))
        found = None if body is None else _LINK.search(body.get_content())
        if found is None:
            raise RuntimeError("the mail has no button")
        await settle(self._bench.postfix)
        return found[1]

    async def _buttons(self, account: Account, link: str, size: int) -> None:
        """Ask once more and press a button; what is asked here is taken back."""
        for _ in range(self._rounds):
            asked = await self._home.perform(_SEND, self._question(account), watch=True)
            self._note("a mail with buttons", "ms", BUTTONS, size, 1000 * asked.seconds)
            name = "a mail with buttons: longest stall"
            self._note(name, "ms", BUTTONS, size, 1000 * asked.stall)
            await settle(self._bench.postfix)
        async with aiohttp.ClientSession(raise_for_status=True) as session:
            for _ in range(5 * self._rounds):
                self._note("a press", "ms", BUTTONS, size, 1000 * await self._press(session, link))

    async def _press(self, session: aiohttp.ClientSession, link: str) -> float:
        address = self._home.hass.url + link
        async with session.get(address) as response:
            found = _PROOF.search(await response.text())
        assert found is not None
        start = time.perf_counter()
        async with session.post(address, data={"proof": unescape(found[1])}) as response:
            await response.read()
        return time.perf_counter() - start

    async def _many_buttons(self, account: Account, link: str) -> None:
        few, many = self._sizes.buttons
        say(f"{many} {BUTTONS}")
        sink = await self._home.add(COURIER, self._bench.sinks[0])
        asked = few + self._rounds
        await self._home.perform(_SEND, self._question(sink), times=many - asked - self._rounds)
        await self._buttons(account, link, many)
        await self._at_start({BUTTONS: many})
        await self._home.hass.client.call(
            "email_courier.revoke_actions", {"config_entry_id": sink.entry_id}
        )
        await self._home.remove(sink)

    # Recipients of one call.

    async def _people(self, size: int) -> None:
        """Call once for all of them, at a server that takes some of them for one mail."""
        script = PLAIN_RELAY.but(recipients_per_mail=self._sizes.at_once)
        async with ScriptedServer(script) as server:
            endpoint = Endpoint("limited", server.port, "none", login=False)
            account = await self._home.add(COURIER, endpoint)
            data: Json = {
                "message": "Look",
                "config_entry_id": account.entry_id,
                "to": [f"guest{number}@example.test" for number in range(size)],
            }
            for _ in range(self._rounds):
                server.record.mails.clear()
                taken = await self._home.perform(_SEND, data, watch=True)
                reached = [to for mail in server.record.mails for to in mail.recipients]
                if len(set(reached)) != size or len(reached) != size:
                    raise RuntimeError(f"{len(reached)} of {size} recipients have the mail")
                self._note("a call", "ms", PEOPLE, size, 1000 * taken.seconds)
                self._note("a call: longest stall", "ms", PEOPLE, size, 1000 * taken.stall)
            await self._home.remove(account)

    # Rows of history.

    async def _rows(self, accounts: list[Account]) -> None:
        """Give each account a long past, as if it had been stored."""
        if not self._starts:
            return
        hass = self._home.hass
        await hass.stop()
        folder = hass.folder / ".storage" / "email_courier"
        rows = self._sizes.rows
        last = json.loads((folder / accounts[-1].entry_id / "history").read_bytes())[-1]
        text = json.dumps([{**last, "message_id": f"<{n}@example.test>"} for n in range(rows)])
        for account in accounts:
            own = folder / account.entry_id
            own.mkdir(exist_ok=True)
            (own / "history").write_text(text, encoding="ascii")
        await hass.start()
        await self._at_start({ROWS: rows * len(accounts)}, is_started=True)

    # Starts.

    async def _at_start(self, sizes: dict[str, int], *, is_started: bool = False) -> None:
        """Start Home Assistant again, and note what that took of ours, and its memory."""
        if not self._starts:
            return
        self._starts -= 1
        hass = self._home.hass
        if not is_started:
            await hass.restart()
        times = await hass.client.command("integration/setup_info")
        [seconds] = [it["seconds"] for it in times if it["domain"] == "email_courier"]
        memory = await self._home.footprint()
        for of, size in sizes.items():
            self._note("start: our part", "ms", of, size, 1000 * seconds)
            self._note("memory of Home Assistant", "MB", of, size, memory / 1_000_000)

    def _note(self, name: str, unit: str, of: str, size: int, value: float) -> None:
        self._bench.scale.add(Scaled(name, unit, of), size, value)
