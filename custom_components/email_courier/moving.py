"""What still names an account of Home Assistant's own SMTP integration that was taken over here.

Automations, scripts and scenes are searched for the entities, devices and actions of the old
account. They are listed in a repair issue, with what to write instead, until nothing is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
import re
from typing import Any, Final

from homeassistant.const import (
    CONF_HOST,
    CONF_USERNAME,
    EVENT_SERVICE_REGISTERED,
    EVENT_SERVICE_REMOVED,
    Platform,
)
from homeassistant.core import CoreState, Event, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.debounce import Debouncer
from homeassistant.helpers.start import async_at_started

from .account import Account
from .const import (
    CONF_REPLACES,
    CONF_SENDER,
    CONF_TO,
    DOCUMENTATION,
    DOMAIN,
    LOGGER,
    SUBENTRY_RECIPIENT,
)
from .entry import CORE_DOMAIN, CORE_SERVER, names_of, same_account
from .issues import Issue, async_create, async_delete
from .mail.address import parse_mailbox
from .phrases import as_code

_HELP: Final = f"{DOCUMENTATION}/moving.md"
_CORE_ACTION: Final = f"{CORE_DOMAIN}.send_message"
_OWN_ACTION: Final = f"{DOMAIN}.send_message"
_SEARCHED: Final = ("automation", "script")
_SCENES: Final = "homeassistant_scene"
_RELOADED: Final = ("automation_reloaded", "scene_reloaded")
_CALM: Final = 1.0
"""Seconds without a further change after which is searched anew."""
_MOST_SHOWN: Final = 50


class OldNames:
    """Looks for the old names of one account at the start, and whenever something is reloaded."""

    def __init__(self, account: Account) -> None:
        """Belong to an account."""
        self._account = account
        self._hass = account.hass

    @callback
    def async_start(self) -> None:
        """Begin to look, where the account stands for an old one at all."""
        if not self._names():
            async_delete(self._account, Issue.OLD_NAMES)
            return
        unload = self._account.entry.async_on_unload
        later = Debouncer(
            self._hass, LOGGER, cooldown=_CALM, immediate=False, function=self._async_look
        )
        unload(later.async_shutdown)

        @callback
        def look_later(event: Event) -> None:
            # Before the start is over there is less to be found, and what was ignored would be
            # forgotten with the issue.
            is_started = self._hass.state is CoreState.running
            if is_started and event.data.get("domain", "script") == "script":
                later.async_schedule_call()

        for event_type in (*_RELOADED, EVENT_SERVICE_REGISTERED, EVENT_SERVICE_REMOVED):
            unload(self._hass.bus.async_listen(event_type, look_later))
        unload(async_at_started(self._hass, self._async_look_at_once))

    @callback
    def _async_look_at_once(self, _hass: HomeAssistant) -> None:
        self._async_look()

    @callback
    def _async_look(self) -> None:
        """Create the issue with all that was found, or take it back."""
        instead = self._instead()
        found = list(_uses(self._hass, instead)) if instead else []
        if not found:
            async_delete(self._account, Issue.OLD_NAMES)
            return
        lines = [_line(*use, instead) for use in found[:_MOST_SHOWN]]
        if len(found) > _MOST_SHOWN:
            lines.append("- …")
        async_create(
            self._account,
            Issue.OLD_NAMES,
            {"count": str(len(found)), "uses": "\n".join(lines)},
            learn_more_url=_HELP,
        )

    def _names(self) -> dict[str, str]:
        """Return the old names: those of accounts that are still there, and the remembered ones."""
        data = self._account.entry.data
        names = dict(data.get(CONF_REPLACES, {}))
        for core_entry in self._hass.config_entries.async_entries(CORE_DOMAIN):
            core = core_entry.data
            if {CONF_SENDER, CORE_SERVER} <= core.keys() and same_account(
                {**core, CONF_HOST: core[CORE_SERVER], CONF_USERNAME: core.get(CONF_USERNAME)}, data
            ):
                names |= names_of(self._hass, core_entry)
        return names

    def _instead(self) -> dict[str, str]:
        """Return what to write instead of each old name."""
        entities = self._entities()
        every = f"{Platform.NOTIFY}.{self._account.classic_action}"
        names = self._names()
        instead = {name: entities.get(address, every) for name, address in names.items()}
        instead = {name: new for name, new in instead.items() if name != new}
        return {**instead, _CORE_ACTION: _OWN_ACTION} if instead else {}

    def _entities(self) -> dict[str, str]:
        """Return the account's notify entities by the only address that each writes to."""
        entry = self._account.entry
        entities = {}
        for entity in er.async_entries_for_config_entry(er.async_get(self._hass), entry.entry_id):
            subentry = entry.subentries.get(entity.config_subentry_id or "")
            if subentry is None or subentry.subentry_type != SUBENTRY_RECIPIENT:
                continue
            if entity.domain == Platform.NOTIFY and len(subentry.data.get(CONF_TO, ())) == 1:
                address = parse_mailbox(subentry.data[CONF_TO][0]).address
                entities[address] = entity.entity_id
        return entities


type _Use = tuple[str, str, list[str]]
"""The entity that names something old, what it is called, and what it names."""


def _uses(hass: HomeAssistant, instead: Mapping[str, str]) -> Iterator[_Use]:
    """Go through automations, scripts and scenes that name something old."""
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, instead))})(?!\w)")
    for entity, written in _configurations(hass):
        named = {name for text in _texts(written) for name in pattern.findall(text)}
        # Who writes to somebody else by that action may go on.
        if named - {_CORE_ACTION}:
            yield entity.entity_id, str(entity.name), [name for name in instead if name in named]


def _configurations(hass: HomeAssistant) -> Iterator[tuple[Any, Any]]:
    """Go through all entities that a person has written, each with what was written."""
    for domain in _SEARCHED:
        if (component := hass.data.get(domain)) is not None:
            for entity in component.entities:
                yield entity, [entity.raw_config, entity.referenced_entities]
    if (platform := hass.data.get(_SCENES)) is not None:
        for entity in platform.entities.values():
            yield entity, list(entity.scene_config.states)


def _texts(value: object) -> Iterator[str]:
    """Go through all texts at any depth, names of fields among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield str(name)
            yield from _texts(item)
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        for item in value:
            yield from _texts(item)


def _line(entity_id: str, name: str, named: Iterable[str], instead: Mapping[str, str]) -> str:
    """Return one item of the list in Markdown."""
    changes = ", ".join(f"{as_code(old)} → {as_code(instead[old])}" for old in named)
    label = re.sub(r"[\[\]()*_`\n]", " ", name)
    return f"- {label} ({as_code(entity_id)}): {changes}"
