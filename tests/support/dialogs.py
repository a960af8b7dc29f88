"""Dialogs of Home Assistant as a browser holds them: form by form, with the texts that are shown.

Every page that comes up is checked: its title, its description, its fields and its errors have
their texts, and every value that a text names is there.
"""

import asyncio
from collections.abc import Mapping
import json
from pathlib import Path
import re
from typing import Any, Self

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntry
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.data_entry_flow import (
    EVENT_DATA_ENTRY_FLOW_PROGRESSED,
    FlowManager,
    FlowResultType,
    section,
)

from custom_components.email_courier import const
from custom_components.email_courier.const import DOMAIN, SUBENTRY_RECIPIENT, SUBENTRY_REPORT
from custom_components.email_courier.mail.settings import Encryption
from tests.support.script import PASSWORD, USERNAME, Tls
from tests.support.scripted_server import ScriptedServer

TEXTS = json.loads(
    (Path(const.__file__).parent / "translations" / "en.json").read_text(encoding="utf-8")
)

_VALUE = re.compile(r"\{(\w+)\}")
_ENCRYPTION = {
    Tls.NEVER: Encryption.NONE,
    Tls.OFFERED: Encryption.STARTTLS,
    Tls.AT_ONCE: Encryption.TLS,
}
_PAGES_BEFORE_PROOF = frozenset({"address", "server", "login"})


def typed_for(server: ScriptedServer, **changes: Any) -> dict[str, Any]:
    """Return what a person types for an account at a server, with some of it changed."""
    return {
        "sender": USERNAME,
        "host": server.host,
        "port": server.port,
        "encryption": _ENCRYPTION[server.script.tls].value,
        "username": USERNAME,
        "password": PASSWORD,
        **changes,
    }


class Dialog:
    """One open dialog; `page` is what is shown."""

    def __init__(
        self, hass: HomeAssistant, manager: FlowManager[Any, Any, Any], texts: Mapping[str, Any]
    ) -> None:
        """Be shown in English."""
        self.page: dict[str, Any] = {}
        self.progress: list[str] = []
        self._hass = hass
        self._manager = manager
        self._texts = texts

    @classmethod
    async def new_account(cls, hass: HomeAssistant) -> Self:
        """Click on "Add integration"."""
        dialog = cls(hass, hass.config_entries.flow, TEXTS["config"])
        return await dialog._open(DOMAIN, {"source": SOURCE_USER})

    @classmethod
    async def reauthentication(cls, hass: HomeAssistant) -> Self:
        """Open the one reauthentication that Home Assistant asks for."""
        dialog = cls(hass, hass.config_entries.flow, TEXTS["config"])
        (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
        assert flow["context"]["source"] == "reauth"
        return await dialog._resume(flow["flow_id"])

    @classmethod
    async def reconfiguration(cls, hass: HomeAssistant, entry: ConfigEntry) -> Self:
        """Click on "Reconfigure" of an account."""
        dialog = cls(hass, hass.config_entries.flow, TEXTS["config"])
        return await dialog._open(
            DOMAIN, {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
        )

    @classmethod
    async def options(cls, hass: HomeAssistant, entry: ConfigEntry) -> Self:
        """Click on the options of an account."""
        dialog = cls(hass, hass.config_entries.options, TEXTS["options"])
        return await dialog._open(entry.entry_id, {})

    @classmethod
    async def _of_subentry(
        cls, hass: HomeAssistant, entry: ConfigEntry, kind: str, context: dict[str, str]
    ) -> Self:
        dialog = cls(hass, hass.config_entries.subentries, TEXTS["config_subentries"][kind])
        return await dialog._open((entry.entry_id, kind), context)

    @classmethod
    async def new_recipient(cls, hass: HomeAssistant, entry: ConfigEntry) -> Self:
        """Click on "Add recipient" of an account."""
        return await cls._of_subentry(hass, entry, SUBENTRY_RECIPIENT, {"source": SOURCE_USER})

    @classmethod
    async def following(cls, hass: HomeAssistant, dialog: Dialog) -> Self:
        """Return the dialog for the first recipient, which a new account leads on to."""
        texts = TEXTS["config_subentries"][SUBENTRY_RECIPIENT]
        _, flow_id = dialog.page["next_flow"]
        following = cls(hass, hass.config_entries.subentries, texts)
        return await following._resume(flow_id)

    @classmethod
    async def change_of_recipient(
        cls, hass: HomeAssistant, entry: ConfigEntry, subentry_id: str
    ) -> Self:
        """Click on "Change recipient"."""
        context = {"source": SOURCE_RECONFIGURE, "subentry_id": subentry_id}
        return await cls._of_subentry(hass, entry, SUBENTRY_RECIPIENT, context)

    @classmethod
    async def new_report(cls, hass: HomeAssistant, entry: ConfigEntry) -> Self:
        """Click on "Add report" of an account."""
        return await cls._of_subentry(hass, entry, SUBENTRY_REPORT, {"source": SOURCE_USER})

    @classmethod
    async def change_of_report(
        cls, hass: HomeAssistant, entry: ConfigEntry, subentry_id: str
    ) -> Self:
        """Click on "Change report"."""
        context = {"source": SOURCE_RECONFIGURE, "subentry_id": subentry_id}
        return await cls._of_subentry(hass, entry, SUBENTRY_REPORT, context)

    @property
    def flow_id(self) -> str:
        """How Home Assistant calls it."""
        return str(self.page["flow_id"])

    @property
    def type(self) -> FlowResultType:
        """What kind of page it is."""
        return FlowResultType(self.page["type"])

    @property
    def step(self) -> str | None:
        """The name of the page; None when the dialog has ended."""
        return self.page.get("step_id")

    @property
    def reason(self) -> str:
        """Why it was ended without a new entry."""
        assert self.type is FlowResultType.ABORT, self.page
        return str(self.page["reason"])

    @property
    def entry(self) -> ConfigEntry:
        """The account that was made."""
        assert self.type is FlowResultType.CREATE_ENTRY, self.page
        entry: ConfigEntry = self.page["result"]
        return entry

    @property
    def fields(self) -> dict[str, Any]:
        """The names of the fields with what is filled in; sections are flattened."""
        return dict(_fields(self.page["data_schema"]))

    @property
    def errors(self) -> dict[str, str]:
        """The errors by their fields."""
        return dict(self.page.get("errors") or {})

    @property
    def error_texts(self) -> dict[str, str]:
        """The errors as a person reads them."""
        return {field: self._say(self._texts["error"][key]) for field, key in self.errors.items()}

    @property
    def description(self) -> str:
        """The text above the fields."""
        return self._say(self._texts["step"][self.step].get("description", ""))

    def help(self, field: str) -> str:
        """Return the text below a field, which every field has."""
        step = self._texts["step"][self.step]
        parts = [step, *step.get("sections", {}).values()]
        (text,) = (
            texts[field] for part in parts if field in (texts := part.get("data_description", {}))
        )
        return self._say(text)

    async def submit(self, **values: Any) -> Self:
        """Change some fields (None empties one), submit, and wait for the next page."""
        await self.begin(**values)
        return await self.wait()

    async def begin(self, **values: Any) -> Self:
        """Submit without waiting for what then makes progress."""
        assert self.type is FlowResultType.FORM, self.page
        schema = self.page["data_schema"]
        unknown = values.keys() - self.fields.keys()
        assert not unknown, f"the page {self.step} has no {unknown}"
        await self._configure(_filled_in(schema, values))
        return self

    async def choose(self, option: str) -> Self:
        """Click on a line of a menu."""
        assert self.type is FlowResultType.MENU, self.page
        assert option in self.page["menu_options"]
        await self._configure({"next_step_id": option})
        return await self.wait()

    async def wait(self) -> Self:
        """Wait for the end of the progress that is shown, asking again when told to."""
        told = asyncio.Event()

        @callback
        def note(event: Event[Any]) -> None:
            if event.data["flow_id"] == self.flow_id:
                told.set()

        stop = self._hass.bus.async_listen(EVENT_DATA_ENTRY_FLOW_PROGRESSED, note)
        try:
            while self.type is FlowResultType.SHOW_PROGRESS:
                async with asyncio.timeout(30):
                    await told.wait()
                told.clear()
                await self.look_again()
        finally:
            stop()
        await self._hass.async_block_till_done()
        return self

    async def fill_in(self, **values: Any) -> Self:
        """Go from page to page, filling in what each asks for, until proof, error or question."""
        while self.step in _PAGES_BEFORE_PROOF and not self.errors:
            fields = self.fields
            await self.submit(**{name: values[name] for name in fields if name in values})
        return self

    async def look_again(self) -> Self:
        """Ask for the page without any input, as a browser does when progress has ended."""
        await self._configure(None)
        return self

    def close(self) -> None:
        """Close it before its end."""
        self._manager.async_abort(self.flow_id)

    async def _open(self, handler: Any, context: dict[str, Any]) -> Self:
        self._show(await self._manager.async_init(handler, context=context))
        return await self.wait()

    async def _resume(self, flow_id: str) -> Self:
        self.page = {"flow_id": flow_id}
        await self._configure(None)
        return await self.wait()

    async def _configure(self, data: dict[str, Any] | None) -> None:
        self._show(await self._manager.async_configure(self.flow_id, data))

    def _show(self, page: Any) -> None:
        self.page = dict(page)
        match self.type:
            case FlowResultType.FORM:
                self._check_form()
            case FlowResultType.MENU:
                self._check_menu()
            case FlowResultType.CREATE_ENTRY:
                if (text := self.page.get("description")) is not None:
                    assert self._say(self._texts["create_entry"][text])
            case FlowResultType.SHOW_PROGRESS:
                action = self.page["progress_action"]
                self._say(self._texts["progress"][action])
                if action not in self.progress:
                    self.progress.append(action)
            case FlowResultType.ABORT:
                if self.page.get("translation_domain") is None:
                    self._say(self._texts["abort"][self.reason])

    def _check_menu(self) -> None:
        step = self._texts["step"][self.step]
        assert self._say(step["title"])
        assert self.description is not None
        assert all(self._say(step["menu_options"][option]) for option in self.page["menu_options"])

    def _check_form(self) -> None:
        step = self._texts["step"][self.step]
        assert self._say(step["title"])
        assert step.get("submit") or self._texts is TEXTS["options"]
        assert self.description is not None
        named = set(step.get("data", {}))
        for sub in step.get("sections", {}).values():
            named |= set(sub["data"])
        assert self.fields.keys() <= named
        assert all(self.help(field) for field in self.fields)
        assert all(self.error_texts.values())

    def _say(self, text: str) -> str:
        """Fill a text in as the browser does, which cannot do without any of its values."""
        values = self.page.get("description_placeholders") or {}
        return _VALUE.sub(lambda match: str(values[match[1]]), text)


def _fields(schema: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for marker, validator in schema.schema.items():
        if isinstance(validator, section):
            fields |= _fields(validator.schema)
        else:
            fields[str(marker)] = _shown(marker)
    return fields


def _filled_in(schema: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a browser sends: what was filled in already, and what is changed."""
    data: dict[str, Any] = {}
    for marker, validator in schema.schema.items():
        name = str(marker)
        if isinstance(validator, section):
            data[name] = _filled_in(validator.schema, values)
        elif (value := values.get(name, _shown(marker))) not in (None, ""):
            data[name] = value
    return data


def _shown(marker: Any) -> Any:
    if marker.description and "suggested_value" in marker.description:
        return marker.description["suggested_value"]
    return marker.default() if callable(marker.default) else None
