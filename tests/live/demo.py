"""The whole way, unattended: from an empty Home Assistant to a mail in the inbox.

Run by `scripts/demo`, which makes what this needs.
"""

import argparse
import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
import logging
from pathlib import Path
import secrets
import shutil
import signal
import sys
import tempfile
import time

from homeassistant.const import __version__ as hass_version

from tests.support.certificates import Certificates, ServerTls

from .client import HassError, Json
from .dialog import SUBENTRY, Dialog, DialogError
from .hass_runner import HomeAssistant, StartError, home_assistant
from .mail_server import Login, MailServer, ReceivedMail, mail_server

DOMAIN = "email_courier"
SENDER = "home@courier.test"
FAMILY = ["Grace <grace@courier.test>", "alan@courier.test"]
FAMILY_ADDRESSES = ("grace@courier.test", "alan@courier.test")
ENTITY = "notify.family"
TITLE = "Wäsche fertig – the washing machine is done"
MESSAGE = "It took 1 h 42 min and used 0.61 kWh.\n.\nThe door is unlocked."


class DemoError(Exception):
    """What came out is not what was asked for."""


def say(text: str) -> None:
    """Print a heading."""
    print(f"==> {text}", flush=True)


def note(text: str) -> None:
    """Print what belongs to the last heading."""
    print(f"    {text}", flush=True)


@contextmanager
def timed(text: str) -> Iterator[None]:
    """Print a heading, and afterwards how long that took."""
    say(text)
    start = time.monotonic()
    yield
    note(f"done after {time.monotonic() - start:.1f} s")


def watch(step: Json) -> None:
    """Print a dialog's step."""
    match step["type"]:
        case "form":
            names = [field["name"] for field in step["data_schema"]]
            note(f"form {step['step_id']}: {', '.join(names) or 'nothing to fill in'}")
        case "menu":
            note(f"menu {step['step_id']}: {', '.join(step['menu_options'])}")
        case "progress":
            note(f"at work: {step.get('progress_action') or step['step_id']}")
        case "create_entry":
            note(f"created: {step['title']}")


async def add_account(hass: HomeAssistant, server: MailServer) -> Json:
    """Set the account up as a person would, and return the dialog's last step."""
    dialog = Dialog(hass.client, watch=watch)
    return await dialog.complete(
        await dialog.begin(DOMAIN),
        {
            "sender": SENDER,
            "host": server.host,
            "port": server.starttls_port,
            "encryption": "starttls",
            "verify_ssl": True,
            "username": server.login.username,
            "password": server.login.password,
        },
    )


async def add_recipient(hass: HomeAssistant, account: Json) -> None:
    """Add a recipient to the account, in the dialog that opens by itself if there is one."""
    dialog = Dialog(hass.client, SUBENTRY, watch=watch)
    following = account.get("next_flow")
    if following:
        step = await dialog.resume(following[1])
    else:
        step = await dialog.begin((account["result"]["entry_id"], "recipient"))
    await dialog.complete(step, {"name": "Family", "to": FAMILY})
    try:
        await hass.client.until_state(ENTITY, timeout=10)
    except TimeoutError:
        there = ", ".join(await hass.client.states("notify")) or "none"
        raise DemoError(f"there is no {ENTITY}; entities of notify: {there}") from None


def check(mail: ReceivedMail, server: MailServer) -> None:
    """Compare what arrived with what was asked for."""
    for what, got, wanted in (
        ("login", mail.username, server.login.username),
        ("MAIL FROM", mail.sender, SENDER),
        ("RCPT TO", mail.recipients, FAMILY_ADDRESSES),
        ("subject", mail.message["Subject"], TITLE),
        ("text", mail.text, MESSAGE),
    ):
        if got != wanted:
            raise DemoError(f"the {what} is {got!r}, and not {wanted!r}")


def show(mail: ReceivedMail) -> None:
    """Print a mail: envelope, headers as a person reads them, text."""
    print(f"MAIL FROM: {mail.sender}   RCPT TO: {', '.join(mail.recipients)}")
    for name, value in mail.message.items():
        print(f"{name}: {value}")
    print(f"\n{mail.text}\n", flush=True)


def complaints(log: str) -> list[str]:
    """Return what Home Assistant logged against this integration."""
    return [
        line
        for line in log.splitlines()
        if DOMAIN in line
        and (" WARNING " in line or " ERROR " in line)
        and "has not been tested by Home Assistant" not in line
    ]


async def keep_running(hass: HomeAssistant, server: MailServer) -> None:
    """Say where everything is, and print each mail that arrives until this is cancelled."""
    say("Running until Ctrl-C, on 127.0.0.1 only")
    note(f"Home Assistant   {hass.url}")
    note(f"user, password   {hass.person.username}, {hass.person.password}")
    note(f"inbox            {server.inbox.folder}")
    note(f"its log          {hass.log_file}")
    note("To add an account by hand:")
    note(
        f"  server {server.host}, ports {server.starttls_port} (STARTTLS) and "
        f"{server.tls_port} (TLS)"
    )
    note(f"  user name {server.login.username}, password {server.login.password}")
    seen = len(server.inbox.mails)
    while True:
        for mail in (await server.inbox.wait_for(seen + 1, timeout=86_400 * 365))[seen:]:
            say(f"A mail arrived: {mail.file}")
            show(mail)
            seen += 1


async def run(folder: Path, *, keep: bool) -> None:
    """Do all of it in a new folder."""
    certificates = Certificates()
    context = certificates.server_context(ServerTls.VALID)
    login = Login("home", secrets.token_urlsafe(12))
    async with AsyncExitStack() as stack:
        say("Starting a mail server")
        server = await stack.enter_async_context(mail_server(login, context, folder / "inbox"))
        note(f"{server.host}, STARTTLS on port {server.starttls_port}, TLS on {server.tls_port}")
        with timed(f"Starting Home Assistant {hass_version}"):
            hass = await stack.enter_async_context(
                home_assistant(folder / "config", authority_pem=certificates.authority_pem)
            )
        with timed("Adding the account: STARTTLS, certificate checked, login"):
            account = await add_account(hass, server)
        with timed("Adding a recipient with two addresses"):
            await add_recipient(hass, account)
        with timed(f"Calling notify.send_message on {ENTITY}"):
            await hass.client.call(
                "notify.send_message",
                {"title": TITLE, "message": MESSAGE},
                target={"entity_id": ENTITY},
            )
            mails = await server.inbox.wait_for(1)
        say("The mail that arrived")
        show(mails[0])
        check(mails[0], server)
        if len(mails) != 1:
            raise DemoError(f"one call made {len(mails)} mails")
        if logged := complaints(hass.log()):
            raise DemoError("Home Assistant logged:\n" + "\n".join(logged))
        if keep:
            await keep_running(hass, server)
    say("The whole way works")


def explain(error: Exception, log: Path) -> None:
    """Say what failed, and what Home Assistant had to say about it."""
    print(f"\n!!! {type(error).__name__}: {error}", file=sys.stderr)
    if log.exists():
        for line in complaints(log.read_text(encoding="utf-8", errors="replace"))[-10:]:
            print(f"    | {line}", file=sys.stderr)
        print(f"    All that Home Assistant logged: {log}", file=sys.stderr)


def main() -> int:
    """Run it, and leave the folder for a look where it failed."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave it running to click through")
    keep: bool = parser.parse_args().keep
    folder = Path(tempfile.mkdtemp(prefix="email-courier-demo-"))
    # Whoever ends this program, Home Assistant is stopped with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # aiosmtpd logs a warning about its own use of what it deprecated.
    logging.getLogger("mail.log").setLevel(logging.ERROR)
    try:
        asyncio.run(run(folder, keep=keep))
    except KeyboardInterrupt:
        say("Stopped")
        shutil.rmtree(folder)
        return 0 if keep else 130
    except (DemoError, DialogError, HassError, StartError, TimeoutError) as error:
        explain(error, folder / "config" / "output.log")
        return 1
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
