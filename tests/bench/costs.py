"""What recipients, waiting mails, imports and set-ups cost."""

from __future__ import annotations

import asyncio
from copy import replace
import sys

from tests.live.dialog import Dialog
from tests.live.hass_runner import INTEGRATION
from tests.servers.people import PASSWORD, RECIPIENTS, SENDER, USERNAME
from tests.servers.ports import free_ports

from .bench import Bench, say
from .endpoint import HOST, Endpoint
from .figures import CORE, COURIER, Measurement
from .house import DOMAINS, Account
from .proxy import SlowLine
from .servers import endpoints_of, settle

_LOGIN_LOGGED = " auth=1"  # where it sums a connection up
IMPORT = "import of all modules"
IMPORT_LATE = "import where cameras, speech and media are"
AT_START = "import at a start"
AT_START_LATE = "import at a start where cameras, speech and media are"
SET_UP = "set-up of one account"
START = "import and set-up of one account"
FAR = ", server 20 ms away"
_PACKAGES = {
    COURIER: f"custom_components.{DOMAINS[COURIER]}",
    CORE: f"homeassistant.components.{DOMAINS[CORE]}",
}
_LATE = "notify camera image media_source tts"
_THERE = {IMPORT: "notify", IMPORT_LATE: _LATE, AT_START: "notify", AT_START_LATE: _LATE}
"""Parts of Home Assistant that are imported already."""
_AT_START = (AT_START, AT_START_LATE)
_IMPORT = """
import importlib, sys, time
import homeassistant.bootstrap, homeassistant.config_entries
clock, there, names = sys.argv[1], sys.argv[2].split(), sys.argv[3].split()
for name in there:
    importlib.import_module(f"homeassistant.components.{name}")
start = getattr(time, clock)()
for name in names:
    importlib.import_module(name)
print(getattr(time, clock)() - start)
"""


async def recipients(bench: Bench) -> None:
    """Send one message to 1, 10 and 50 people: one mail here, one for each with core's."""
    endpoint = endpoints_of(bench.postfix)[0]
    for count in (1, 10, 50):
        say(f"{count} recipients")
        for who in (COURIER, CORE):
            account = await bench.house.add(who, endpoint, RECIPIENTS[:count])
            for _ in range(bench.rounds):
                if who == COURIER:
                    taken = await bench.house.perform(
                        "email_courier.send_message",
                        {"message": "Dinner is ready.", "entity_id": list(account.entities)},
                    )
                else:
                    taken = await bench.house.send(account, 1, parallel=False)
                measurement = Measurement(f"one message to {count} recipients", "ms")
                bench.figures.add(measurement, who, 1000 * taken.seconds)
                await settle(bench.postfix)


async def waiting(bench: Bench) -> None:
    """Call and set up while mails wait for a server that is down."""
    for count in bench.waiting:
        say(f"{count} mails waiting")
        [port] = free_ports(1, HOST)
        account = await bench.house.add(
            COURIER, Endpoint(f"down {count}", port, "starttls", login=True)
        )
        if count:
            taken = await bench.house.send(account, count, parallel=True)
            measurement = Measurement(f"{count} calls while the server is down", "ms a call")
            bench.figures.add(measurement, COURIER, 1000 * taken.seconds / count)
        for _ in range(bench.rounds):
            name = f"set-up with {count} waiting mails"
            seconds = await bench.house.reload(account)
            bench.figures.add(Measurement(name, "ms"), COURIER, 1000 * seconds)
            taken = await bench.house.send(account, 1, parallel=False)
            name = f"a call with {count} waiting mails"
            bench.figures.add(Measurement(name, "ms"), COURIER, 1000 * taken.seconds)


async def start_up(bench: Bench) -> None:
    """Import both in fresh processes, set both up, and count the logins of their dialogs."""
    say("Imports and set-ups")
    endpoint = endpoints_of(bench.postfix)[0]
    modules = {
        COURIER: _own_modules(),
        CORE: [
            f"homeassistant.components.smtp{part}"
            for part in ("", ".config_flow", ".notify", ".services", ".diagnostics", ".issue")
        ],
    }
    async with SlowLine(endpoint.port) as line:
        far = replace(endpoint, name=f"20 ms line, {endpoint.name}", port=line.port)
        accounts = {
            who: [await bench.house.add(who, server) for server in (endpoint, far)]
            for who in (COURIER, CORE)
        }
        for _ in range(bench.rounds):
            for who, (near_account, far_account) in accounts.items():
                await _start(bench, who, modules[who], near_account, far_account)
        await _imports_at_start(bench)
    for who in (COURIER, CORE):
        before = bench.postfix.log().count(_LOGIN_LOGGED)
        await _dialog(bench, who, endpoint)
        logins = bench.postfix.log().count(_LOGIN_LOGGED) - before
        bench.figures.add(Measurement("dialog and set-up: logins", "logins"), who, logins)


async def _imports_at_start(bench: Bench) -> None:
    """Start the house again with its accounts, and import alone what was there before any mail."""
    await bench.house.hass.restart()
    imported = await bench.house.imported_at_start()
    for who, package in _PACKAGES.items():
        modules = [name for name in imported if name == package or name.startswith(f"{package}.")]
        bench.figures.add(Measurement(f"{AT_START}: modules", "modules"), who, len(modules))
        for _ in range(bench.rounds):
            for name in _AT_START:
                seconds = await _import(_THERE[name], modules, "process_time")
                bench.figures.add(Measurement(name, "ms"), who, 1000 * seconds)


def _own_modules() -> list[str]:
    """Return the modules of the Home Assistant layer, which import all of the mail layer."""
    files = sorted(file.relative_to(INTEGRATION) for file in INTEGRATION.rglob("*.py"))
    names = (".".join((INTEGRATION.name, *file.with_suffix("").parts)) for file in files)
    return [
        f"custom_components.{name.removesuffix('.__init__')}"
        for name in names
        if not name.startswith(f"{INTEGRATION.name}.mail.")
    ]


async def _start(
    bench: Bench, who: str, modules: list[str], near_account: Account, far_account: Account
) -> None:
    """Import and set up as a start of Home Assistant does, at a server near and far."""

    def note(name: str, seconds: float) -> None:
        bench.figures.add(Measurement(name, "ms"), who, 1000 * seconds)

    imports = {name: await _import(_THERE[name], modules) for name in (IMPORT, IMPORT_LATE)}
    near = await bench.house.reload(near_account)
    far = await bench.house.reload(far_account)
    for name, seconds in imports.items():
        note(name, seconds)
    note(SET_UP, near)
    note(SET_UP + FAR, far)
    note(START, imports[IMPORT] + near)
    note(START + FAR, imports[IMPORT] + far)


async def _import(there: str, modules: list[str], clock: str = "perf_counter") -> float:
    """Return the seconds, of the clock or of computing (process_time), that an import takes."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _IMPORT, clock, there, " ".join(modules)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,  # of libraries that Home Assistant can do without
    )
    output, _ = await process.communicate()
    return float(output)


async def _dialog(bench: Bench, who: str, endpoint: Endpoint) -> None:
    """Set an account up as a person would; one of the same settings must not be there yet."""
    for entry in await bench.house.hass.client.get("/api/config/config_entries/entry"):
        if entry["domain"] in DOMAINS.values():
            await bench.house.hass.client.delete(
                f"/api/config/config_entries/entry/{entry['entry_id']}"
            )
    dialog = Dialog(bench.house.hass.client)
    await dialog.complete(
        await dialog.begin(DOMAINS[who]),
        {
            "sender": SENDER,
            "host": HOST,
            "server": HOST,
            "port": endpoint.port,
            "encryption": endpoint.encryption,
            "verify_ssl": True,
            "username": USERNAME,
            "password": PASSWORD,
        },
    )
    await asyncio.sleep(2)  # core's connects once more in a task of its own
