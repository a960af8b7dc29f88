"""Drives the integration from outside, by the names that users and automations rely on.

Nothing of the integration is imported. The servers are in servers.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from pathlib import Path
from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntry
from homeassistant.core import Context, HomeAssistant
from homeassistant.data_entry_flow import FlowManager, FlowResultType, section
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, entity_registry as er
from homeassistant.helpers.script import Script as HaScript
from homeassistant.util import dt as dt_util, slugify
from pytest_homeassistant_custom_component.common import async_fire_time_changed
import voluptuous as vol

from tests.reports.servers import (
    HEALTHY,
    JPEG,
    PASSWORD,
    USERNAME,
    Bed,
    Mail,
    Script,
    ScriptedServer,
    Step,
    Tls,
    say,
)

DOMAIN = "email_courier"

_ENCRYPTION = {Tls.NEVER: "none", Tls.OFFERED: "starttls", Tls.AT_ONCE: "tls"}
_BY_PASSWORD = "password"
_PAGES = 30


@dataclass(slots=True)
class Dialog:
    """The set-up dialog, where it has stopped: an account, a form with an error, or an end.

    pages: the forms and menus that were shown up to there.
    """

    hass: HomeAssistant
    result: dict[str, Any]
    pages: list[dict[str, Any]]

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

    def at(self, step: str) -> dict[str, Any]:
        """Return the page of this name as it was first shown, with its fields flattened."""
        page = next(page for page in self.pages if page["step_id"] == step)
        is_form = page["type"] is FlowResultType.FORM
        return {**page, "fields": dict(_fields(page["data_schema"])) if is_form else {}}

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
    assert result["data_schema"] is not None
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
    assert result["data_schema"] is not None
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


async def run_step(hass: HomeAssistant, step: dict[str, Any]) -> None:
    """Run a script with one step, whose templates are filled in as everywhere."""
    script = HaScript(hass, cv.SCRIPT_SCHEMA([step]), "mail", "test")
    await script.async_run(context=Context())
    await hass.async_block_till_done()


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
    pages: list[dict[str, Any]] = []
    for _ in range(_PAGES):
        if result["type"] in (FlowResultType.FORM, FlowResultType.MENU):
            pages.append(dict(result))
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
                return Dialog(hass, dict(result), pages)
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
