"""Drives the integration from outside, by the names that users and automations rely on.

Nothing of the integration is imported, and this module alone imports the test servers.
"""

import asyncio
from collections.abc import Mapping
import contextlib
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from pathlib import Path
import re
import ssl
import tempfile
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowManager, FlowResultType, section
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util, slugify
from pytest_homeassistant_custom_component.common import async_fire_time_changed
import voluptuous as vol

from tests.pictures import JPEG, PNG, StillCamera, add_entities
from tests.reports.oddities import OddCertificate, leaf_of_an_own_authority, odd_certificate
from tests.support.certificates import Certificates, ServerTls
from tests.support.dialogue import Dialogue
from tests.support.fixtures import Bed
from tests.support.network import Network
from tests.support.record import Mail
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PASSWORD,
    PLAIN_LOGIN,
    PLAIN_RELAY,
    USERNAME,
    After,
    Answer,
    AuthStyle,
    Pipelining,
    Script,
    Step,
    Tls,
    hang_up,
    late,
    reset,
    say,
    split,
    stall,
)
from tests.support.scripted_server import ScriptedServer
from tests.support.strangers import FTP, HTTP, IMAP, POP3, SSH, Stranger
from tests.support.stream import Stream

__all__ = [
    "DOMAIN",
    "FTP",
    "HEALTHY",
    "HEALTHY_TLS",
    "HTTP",
    "IMAP",
    "JPEG",
    "PASSWORD",
    "PLAIN_LOGIN",
    "PLAIN_RELAY",
    "PNG",
    "POP3",
    "SSH",
    "USERNAME",
    "After",
    "Answer",
    "AsksTwice",
    "AuthStyle",
    "Bed",
    "Dialog",
    "GreetDelay",
    "Mail",
    "NameCheck",
    "Network",
    "OddCertificate",
    "Pipelining",
    "Script",
    "ScriptedServer",
    "ServerTls",
    "Step",
    "StillCamera",
    "Stranger",
    "Tls",
    "account_at",
    "add_entities",
    "attached",
    "classic",
    "dialog_at",
    "hang_up",
    "kind_of",
    "last_failure",
    "late",
    "leaf_of_an_own_authority",
    "notify",
    "odd_certificate",
    "only_mail",
    "options",
    "parts_of",
    "pass_time",
    "pictures_in",
    "read",
    "recipient",
    "refused",
    "refusing",
    "reset",
    "say",
    "send",
    "serve_certificate",
    "set_up",
    "slug_of",
    "split",
    "stall",
    "subject_of",
    "text_of",
    "typed_for",
    "waiting",
]

DOMAIN = "email_courier"

_ENCRYPTION = {Tls.NEVER: "none", Tls.OFFERED: "starttls", Tls.AT_ONCE: "tls"}
_BY_PASSWORD = "password"
_PAGES = 30


class NameCheck(ScriptedServer):
    """A server that complains of the client's name at one step, unless a pattern fits it.

    Use it as an asynchronous context manager.
    """

    def __init__(self, bed: Bed, step: Step, reply: str, taken: str = r"[^\[]+\.[^\[]+") -> None:
        """Be healthy but for the names."""
        super().__init__(HEALTHY, bed.certificates)
        self.step = step
        self.complaint = reply
        self.taken = taken

    async def converse(self, stream: Stream, number: int) -> None:
        """Hold one conversation."""
        dialogue = _NameCheckDialogue(self.script, self._certificates, self._memory, stream, number)
        dialogue.server = self
        await dialogue.run()


class _NameCheckDialogue(Dialogue):
    server: NameCheck

    def plan(self, step: Step, healthy: str) -> tuple[Answer, bytes]:
        """Complain at the step in question."""
        answer, reply = super().plan(step, healthy)
        asked = {step, Step.EHLO} if step in (Step.EHLO_TLS, Step.HELO) else {step}
        if self.server.step in asked and not re.fullmatch(self.server.taken, self._name()):
            words = self.server.complaint
            then = After.HANG_UP if words.startswith("421") else After.GO_ON
            return Answer(reply=words, then=then), "".join(
                f"{line}\r\n" for line in words.split("\n")
            ).encode()
        return answer, reply

    def _name(self) -> str:
        """Return the name that this client has given last."""
        said = [
            line.text.decode().split()
            for line in self.record.lines
            if line.connection == self.number and line.text[:5].upper() in (b"EHLO ", b"HELO ")
        ]
        return said[-1][1] if said else ""


class _OneCertificate(Certificates):
    """One certificate for every kind of server."""

    def __init__(self, key: bytes, certificate: bytes) -> None:
        super().__init__()
        self._own = key, certificate

    def pem(self, kind: ServerTls) -> tuple[bytes, bytes]:  # noqa: ARG002 - there is one alone
        return self._own

    def server_context(self, kind: ServerTls) -> ssl.SSLContext:  # noqa: ARG002
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(b"".join(self._own))
            file.flush()
            context.load_cert_chain(file.name)
        return context


def serve_certificate(key: bytes, certificate: bytes) -> ScriptedServer:
    """Return a server that shows a certificate, both in PEM.

    Use it as an asynchronous context manager.
    """
    return ScriptedServer(HEALTHY, _OneCertificate(key, certificate))


class GreetDelay(ScriptedServer):
    """A server that greets late, and turns away who speaks before that.

    Use it as an asynchronous context manager.
    """

    def __init__(self, bed: Bed, seconds: float) -> None:
        """Be healthy but for the delay."""
        super().__init__(HEALTHY, bed.certificates)
        self.seconds = seconds
        self.turned_away = 0

    async def converse(self, stream: Stream, number: int) -> None:
        """Hold one conversation."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.seconds):
                await stream.peek(1)
                self.turned_away += 1
                stream.send(b"421 mail.example.test You talk too soon\r\n")
                stream.hang_up()
                return
        await super().converse(stream, number)


class AsksTwice(ScriptedServer):
    """A server that answers an initial response by asking for it.

    Use it as an asynchronous context manager.
    """

    def __init__(self, bed: Bed, challenge: str) -> None:
        """Offer PLAIN alone."""
        super().__init__(HEALTHY.but(mechanisms=("PLAIN",)), bed.certificates)
        self.challenge = challenge

    async def converse(self, stream: Stream, number: int) -> None:
        """Hold one conversation."""
        dialogue = _AsksTwiceDialogue(self.script, self._certificates, self._memory, stream, number)
        dialogue.challenge = self.challenge
        await dialogue.run()


class _AsksTwiceDialogue(Dialogue):
    challenge: str

    async def _on_auth(self, rest: str) -> None:
        mechanism, _, initial = rest.partition(" ")
        if initial:
            await self.reply(self.challenge)
            if (rest := await self.read_line("login")) == "*":
                await self.reply("501 5.7.0 Authentication cancelled")
                return
            rest = f"{mechanism} {rest}"
        await super()._on_auth(rest)


@dataclass(slots=True)
class Dialog:
    """The set-up dialog, where it has stopped: an account, a form with an error, or an end."""

    hass: HomeAssistant
    result: dict[str, Any]

    @property
    def outcome(self) -> str:
        """`ok`, the key of the error, or the reason of the abort."""
        match self.result["type"]:
            case FlowResultType.CREATE_ENTRY:
                return "ok"
            case FlowResultType.ABORT:
                return str(self.result["reason"])
            case _:
                return ",".join(sorted(set(self.errors.values())))

    @property
    def errors(self) -> dict[str, str]:
        """The keys of the errors by their fields."""
        return dict(self.result.get("errors") or {})

    @property
    def said(self) -> str:
        """All that the texts of the page are filled in with, the server's words among it."""
        values = self.result.get("description_placeholders") or {}
        return "\n".join(str(value) for value in values.values())

    @property
    def fields(self) -> dict[str, Any]:
        """What is filled in, by the names of the fields; sections are flattened."""
        return dict(_fields(self.result["data_schema"]))

    @property
    def entry(self) -> ConfigEntry:
        """The account that was made."""
        assert self.outcome == "ok", f"{self.outcome}: {self.said}"
        entry: ConfigEntry = self.result["result"]
        return entry

    async def go_on(self, **typed: Any) -> Dialog:
        """Submit the form as it is filled in, with some of it changed, up to the next stop."""
        flows = self.hass.config_entries.flow
        data = _filled_in(self.result["data_schema"], typed)
        result = await flows.async_configure(self.result["flow_id"], data)
        return await _drive(self.hass, flows, result, typed)


async def set_up(hass: HomeAssistant, **typed: Any) -> Dialog:
    """Answer the set-up dialog with what is typed, until it ends or shows an error."""
    flows = hass.config_entries.flow
    result = await flows.async_init(DOMAIN, context={"source": SOURCE_USER})
    return await _drive(hass, flows, result, {"enter_manually": True, **typed})


def typed_for(server: ScriptedServer, **changes: Any) -> dict[str, Any]:
    """Return what a person types for an account at a server, with some of it changed."""
    return {
        "sender": USERNAME,
        "host": server.host,
        "port": server.port,
        "encryption": _ENCRYPTION[server.script.tls],
        "verify_ssl": True,
        "username": USERNAME if server.script.users and _logs_in(server.script) else None,
        "password": PASSWORD if _logs_in(server.script) else None,
        **changes,
    }


async def dialog_at(hass: HomeAssistant, bed: Bed, script: Script, **changes: Any) -> Dialog:
    """Start a server and set up an account there; what is typed fits it unless changed."""
    return await set_up(hass, **typed_for(await bed.serve(script), **changes))


async def account_at(
    hass: HomeAssistant, server: ScriptedServer, script: Script | None = None, **changes: Any
) -> ConfigEntry:
    """Set up an account at a healthy server, which follows the script from then on."""
    dialog = await set_up(hass, **typed_for(server, **changes))
    entry = dialog.entry
    await hass.async_block_till_done()
    subentries = hass.config_entries.subentries
    for flow in subentries.async_progress():
        subentries.async_abort(flow["flow_id"])
    if script is not None:
        server.script = script
    return entry


async def options(hass: HomeAssistant, entry: ConfigEntry, **typed: Any) -> None:
    """Change some options of an account."""
    flows = hass.config_entries.options
    result = await flows.async_init(entry.entry_id)
    data = _filled_in(result["data_schema"], typed)
    result = await flows.async_configure(result["flow_id"], data)
    while result["type"] is FlowResultType.SHOW_PROGRESS:
        await hass.async_block_till_done()
        result = await flows.async_configure(result["flow_id"])
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    await hass.async_block_till_done()


async def recipient(
    hass: HomeAssistant, entry: ConfigEntry, name: str, to: list[str], **more: Any
) -> tuple[str, dict[str, str]]:
    """Add a recipient; return its entity and the errors of the form, one of them empty."""
    flows = hass.config_entries.subentries
    before = set(hass.states.async_entity_ids("notify"))
    result = await flows.async_init((entry.entry_id, "recipient"), context={"source": SOURCE_USER})
    typed = {"name": name, "to": to, **more}
    result = await flows.async_configure(
        result["flow_id"], _filled_in(result["data_schema"], typed)
    )
    await hass.async_block_till_done()
    if result["type"] is not FlowResultType.CREATE_ENTRY:
        return "", dict(result["errors"] or {})
    (entity_id,) = set(hass.states.async_entity_ids("notify")) - before
    return entity_id, {}


async def send(hass: HomeAssistant, **fields: Any) -> dict[str, Any]:
    """Call `email_courier.send_message` and return its response."""
    if not fields.keys() & {"message", "html", "markdown"}:
        fields["message"] = "Hello"
    response = await hass.services.async_call(
        DOMAIN, "send_message", fields, blocking=True, return_response=True
    )
    await hass.async_block_till_done()
    assert isinstance(response, dict)
    return response


async def classic(hass: HomeAssistant, entry: ConfigEntry, **fields: Any) -> dict[str, Any]:
    """Call `notify.<account>` and return its response."""
    response = await hass.services.async_call(
        "notify",
        slug_of(entry),
        {"message": "Hello", **fields},
        blocking=True,
        return_response=True,
    )
    await hass.async_block_till_done()
    assert isinstance(response, dict)
    return response


async def notify(hass: HomeAssistant, entity_id: str, **fields: Any) -> None:
    """Call `notify.send_message` on a recipient."""
    await hass.services.async_call(
        "notify",
        "send_message",
        {"entity_id": entity_id, "message": "Hello", **fields},
        blocking=True,
    )
    await hass.async_block_till_done()


async def refused(hass: HomeAssistant, **fields: Any) -> HomeAssistantError:
    """Send what has to fail, and return the error."""
    try:
        response = await send(hass, **fields)
    except HomeAssistantError as error:
        return error
    raise AssertionError(f"it was taken: {response}")


def slug_of(entry: ConfigEntry) -> str:
    """Return the name of an account's action in the domain `notify`."""
    return slugify(entry.title)


def kind_of(error: HomeAssistantError) -> str:
    """Return the kind of a failure."""
    return error.translation_key or ""


def waiting(hass: HomeAssistant) -> int:
    """Return how many mails wait, over all accounts."""
    return sum(int(state) for state in _states(hass, "waiting"))


def last_failure(hass: HomeAssistant) -> str:
    """Return the kind that the account's sensor for the last failure shows."""
    (state,) = _states(hass, "last_failure")
    return state


async def pass_time(hass: HomeAssistant, **time: float) -> None:
    """Let the timers of that time fire, also those that are only set meanwhile."""
    until = dt_util.utcnow() + timedelta(**time)
    for _ in range(3):
        async_fire_time_changed(hass, until)
        await hass.async_block_till_done(wait_background_tasks=True)


def refusing(step: Step, reply: str | bytes, **changes: Any) -> Script:
    """Return a healthy server that always answers so at one step."""
    return HEALTHY.but(answers={step: say(reply)}, **changes)


def read(content: bytes) -> EmailMessage:
    """Parse a message, which has to be free of defects."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def only_mail(server: ScriptedServer) -> Mail:
    """Return the one mail that a server took; its client has kept to the rules of SMTP."""
    assert not server.record.violations
    (mail,) = server.record.mails
    return mail


def text_of(mail: Mail, kind: str = "plain") -> str:
    """Return the plain or the html body, its lines ending as Python has them."""
    body = read(mail.content).get_body((kind,))
    assert body is not None, f"no {kind} body"
    text = body.get_content()
    assert isinstance(text, str)
    return text.replace("\r\n", "\n")


def subject_of(mail: Mail) -> str:
    """Return the subject as a person reads it."""
    return str(read(mail.content)["Subject"])


def parts_of(mail: Mail) -> list[MIMEPart]:
    """Return all parts of a message, itself first."""
    return [*read(mail.content).walk()]


def attached(mail: Mail) -> list[MIMEPart]:
    """Return the parts that have a file name: attachments and inline pictures."""
    return [part for part in parts_of(mail) if part.get_filename() is not None]


def pictures_in(folder: Path, *names: str) -> list[str]:
    """Write pictures, and return where they are."""
    for name in names:
        (folder / name).write_bytes(JPEG)
    return [str(folder / name) for name in names]


async def _drive(
    hass: HomeAssistant, flows: FlowManager[Any, Any, Any], result: Any, typed: Mapping[str, Any]
) -> Dialog:
    for _ in range(_PAGES):
        match result["type"]:
            case FlowResultType.FORM if not result.get("errors"):
                data = _filled_in(result["data_schema"], typed)
                result = await flows.async_configure(result["flow_id"], data)
            case FlowResultType.MENU:
                options = list(result["menu_options"])
                # What leads on comes first; a password is what these accounts have.
                option = _BY_PASSWORD if _BY_PASSWORD in options else options[0]
                result = await flows.async_configure(result["flow_id"], {"next_step_id": option})
            case FlowResultType.SHOW_PROGRESS | FlowResultType.SHOW_PROGRESS_DONE:
                await hass.async_block_till_done()
                result = await flows.async_configure(result["flow_id"])
            case _:
                return Dialog(hass, dict(result))
    raise AssertionError("the dialog does not end")


def _filled_in(schema: vol.Schema, typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a browser sends: what is typed, else what was filled in already."""
    data: dict[str, Any] = {}
    for marker, validator in schema.schema.items():
        name = str(marker)
        if isinstance(validator, section):
            data[name] = _filled_in(validator.schema, typed)
        elif (value := typed.get(name, _shown(marker))) not in (None, "", []):
            data[name] = value
    return data


def _fields(schema: vol.Schema) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for marker, validator in schema.schema.items():
        if isinstance(validator, section):
            fields |= _fields(validator.schema)
        else:
            fields[str(marker)] = _shown(marker)
    return fields


def _shown(marker: Any) -> Any:
    if marker.description and "suggested_value" in marker.description:
        return marker.description["suggested_value"]
    return marker.default() if callable(marker.default) else None


def _logs_in(script: Script) -> bool:
    return bool(script.mechanisms if script.tls is not Tls.NEVER else script.mechanisms_in_clear)


def _states(hass: HomeAssistant, key: str) -> list[str]:
    """Return the states of the sensors of that translation key."""
    return [
        state.state
        for entity in er.async_get(hass).entities.values()
        if (entity.platform, entity.domain, entity.translation_key) == (DOMAIN, "sensor", key)
        and (state := hass.states.get(entity.entity_id)) is not None
    ]
