"""Which accounts a mail goes out from, and to whom, told by entities and by typed addresses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.components.event.const import DOMAIN as EVENT_DOMAIN
from homeassistant.components.notify.const import DOMAIN as NOTIFY_DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import (
    ATTR_AREA_ID,
    ATTR_DEVICE_ID,
    ATTR_ENTITY_ID,
    ATTR_FLOOR_ID,
    ATTR_LABEL_ID,
    ENTITY_MATCH_ALL,
)
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    target as target_helpers,
)
from homeassistant.helpers.group import expand_entity_ids
from homeassistant.helpers.target import TargetSelection, async_extract_referenced_entity_ids

from ..account import Account, EmailCourierConfigEntry, async_reloaded, loaded_account
from ..caller import Rights
from ..const import DOMAIN, SUBENTRY_RECIPIENT
from ..entity import async_entity_id, async_test_button
from ..errors import error_for_content, error_for_failure, request_error
from ..mail.address import Mailbox, parse_mailboxes
from ..mail.compose.content import ContentError, ContentFault
from ..mail.failure import MailError
from ..recipients import NO_RECIPIENTS, Recipients
from .fields import Field

WITHIN: Final = (ATTR_DEVICE_ID, ATTR_AREA_ID, ATTR_FLOOR_ID, ATTR_LABEL_ID)
"""Where entities are that a target names all at once."""
_RECIPIENTS = frozenset({NOTIFY_DOMAIN, "group"})


class Destination(NamedTuple):
    """One mail to be: its account and everyone it goes to.

    subentry_ids: the recipients that were named by their entities.
    """

    account: Account
    recipients: Recipients = NO_RECIPIENTS
    subentry_ids: tuple[str, ...] = ()

    def also_to(self, recipients: Recipients, *subentry_ids: str) -> Destination:
        """Return the same mail to more recipients."""
        return Destination(
            self.account,
            self.recipients.joined(recipients) if self.recipients != NO_RECIPIENTS else recipients,
            (*self.subentry_ids, *subentry_ids),
        )

    @property
    def addresses(self) -> tuple[str, ...]:
        """Everyone, each once, without names."""
        everyone = (*self.recipients.to, *self.recipients.cc, *self.recipients.bcc)
        return tuple(dict.fromkeys(mailbox.address for mailbox in everyone))


async def async_destinations(
    hass: HomeAssistant,
    fields: Mapping[str, Any],
    rights: Rights,
    own: Destination | None = None,
) -> list[Destination]:
    """Return one destination per account, in the order in which they are named.

    Waits for accounts that are being reloaded.
    own: what typed addresses are added to; without it, their account has to be told by the fields.
    Raises ServiceValidationError for addresses, entities and accounts that are none, and when
    there is nobody to send to; before that, Unauthorized for whom the user may not write to.
    """
    for entry in hass.config_entries.async_entries(DOMAIN):
        if entry.state is not ConfigEntryState.LOADED:
            await async_reloaded(entry)
    destinations: dict[str, Destination] = {}
    if own is not None and own.addresses:
        destinations[own.account.entry.entry_id] = own
        rights.require(POLICY_CONTROL, _entities_of(hass, own))
    for account, subentry_id in _named_by_entities(hass, fields, rights):
        known = destinations.get(account.entry.entry_id, Destination(account))
        destinations[account.entry.entry_id] = known.also_to(
            account.recipients(subentry_id), subentry_id
        )
    typed = Recipients(
        to=mailboxes(fields.get(Field.TO)),
        cc=mailboxes(fields.get(Field.CC)),
        bcc=mailboxes(fields.get(Field.BCC)),
    )
    targeted = _targeted_accounts(hass, fields)
    if typed != NO_RECIPIENTS:
        named = [destination.account for destination in destinations.values()]
        account = _account_of_typed(hass, fields, rights, own, targeted) or _only(
            hass, named, rights
        )
        rights.require(POLICY_CONTROL, [async_test_button(hass, account.entry)])
        known = destinations.get(account.entry.entry_id, Destination(account))
        destinations[account.entry.entry_id] = known.also_to(typed)
    else:
        for entry in targeted:
            destinations[entry.entry_id] = _all_of(hass, entry, fields, rights)
    if not destinations:
        rights.require_all(POLICY_CONTROL)
        raise _nobody(fields)
    return list(destinations.values())


def _account_of_typed(
    hass: HomeAssistant,
    fields: Mapping[str, Any],
    rights: Rights,
    own: Destination | None,
    targeted: list[EmailCourierConfigEntry],
) -> Account | None:
    """Return the account that typed addresses go with where the call says so."""
    if own is not None:
        return own.account
    chosen = _chosen(hass, fields, rights)
    if chosen is None and len(targeted) == 1:
        rights.require(POLICY_CONTROL, [async_test_button(hass, targeted[0])])
        return _loaded(hass, targeted[0])
    if targeted and (chosen is None or chosen.entry not in targeted):
        for entry in targeted:
            rights.require(POLICY_CONTROL, [async_test_button(hass, entry)])
        raise request_error(
            "account_conflict",
            field=Field.CONFIG_ENTRY_ID,
            accounts=", ".join(sorted(entry.title for entry in targeted)),
        )
    return chosen


def _all_of(
    hass: HomeAssistant, entry: EmailCourierConfigEntry, fields: Mapping[str, Any], rights: Rights
) -> Destination:
    """Return a mail to all recipients of an account that is a target."""
    for subentry in entry.get_subentries_of_type(SUBENTRY_RECIPIENT):
        entity_id = async_entity_id(hass, entry, NOTIFY_DOMAIN, subentry.subentry_id)
        rights.require(POLICY_CONTROL, [entity_id])
    everyone = async_everyone(_loaded(hass, entry), async_excluded(hass, fields))
    if not everyone.addresses:
        rights.require(POLICY_CONTROL, [async_test_button(hass, entry)])
        raise request_error("account_without_recipients", field=Field.TO, account=entry.title)
    return everyone


def _nobody(fields: Mapping[str, Any]) -> ServiceValidationError:
    """Return the error for a mail to nobody."""
    if any(fields.get(name) for name in WITHIN):
        return request_error("target_empty", field="target")
    return error_for_content(ContentError(Field.TO, ContentFault.NO_RECIPIENT))


@callback
def async_everyone(account: Account, excluded: Collection[str | None] = frozenset()) -> Destination:
    """Return a mail to all recipients of an account but those whose entities are excluded."""
    everyone = Destination(account)
    for subentry in account.entry.get_subentries_of_type(SUBENTRY_RECIPIENT):
        subentry_id = subentry.subentry_id
        entity_id = async_entity_id(account.hass, account.entry, NOTIFY_DOMAIN, subentry_id)
        if entity_id not in excluded:
            everyone = everyone.also_to(account.recipients(subentry_id), subentry_id)
    return everyone


def mailboxes(typed: list[str] | None) -> tuple[Mailbox, ...]:
    """Read addresses. Raises ServiceValidationError that quotes the one at fault."""
    if not typed:
        return ()
    try:
        return parse_mailboxes(typed)
    except MailError as error:
        raise error_for_failure(error.failure, account="") from error


def _entities_of(hass: HomeAssistant, everyone: Destination) -> Iterator[str | None]:
    """Yield the entity of each recipient, None for one whose entity has been removed."""
    for subentry_id in everyone.subentry_ids:
        yield async_entity_id(hass, everyone.account.entry, NOTIFY_DOMAIN, subentry_id)


def _named_by_entities(
    hass: HomeAssistant, fields: Mapping[str, Any], rights: Rights
) -> Iterator[tuple[Account, str]]:
    """Yield each recipient that is named, and its account."""
    registry = er.async_get(hass)
    for entity_id in _entity_ids(hass, registry, fields, rights):
        entity = registry.async_get(entity_id)
        if entity is None and hass.states.get(entity_id) is None:
            raise request_error("recipient_not_found", entity_id=entity_id)
        if _means_account(entity):
            continue
        entry = entity and hass.config_entries.async_get_entry(entity.config_entry_id or "")
        subentry = entity and entry and entry.subentries.get(entity.config_subentry_id or "")
        if not entity or not entry or not subentry or not _is_recipient(entity):
            raise request_error("not_a_recipient", entity_id=entity_id)
        yield _loaded(hass, entry), subentry.subentry_id


def _entity_ids(
    hass: HomeAssistant, registry: er.EntityRegistry, fields: Mapping[str, Any], rights: Rights
) -> list[str]:
    """Return the entities that are named, then those within what is named, but for the excluded.

    As everywhere in Home Assistant, `all` are all that the user may control. Raises Unauthorized
    for any other that the user may not control, whether it is there or not.
    """
    named = fields.get(ATTR_ENTITY_ID)
    excluded = async_excluded(hass, fields)
    if named == ENTITY_MATCH_ALL:
        everyone = [
            entity.entity_id for entity in registry.entities.values() if _is_recipient(entity)
        ]
        return [
            entity_id
            for entity_id in everyone
            if entity_id not in excluded and rights.allow(POLICY_CONTROL, entity_id)
        ]
    direct = expand_entity_ids(hass, named if isinstance(named, list) else [])
    found = [
        entity_id
        for entity_id in dict.fromkeys((*direct, *async_recipients_within(hass, fields)))
        if entity_id not in excluded
    ]
    rights.require(POLICY_CONTROL, found)
    return found


@callback
def async_excluded(hass: HomeAssistant, fields: Mapping[str, Any]) -> Collection[str]:
    """Return the entities that a target leaves out, where Home Assistant knows that (2026.11)."""
    extract = getattr(target_helpers, "async_extract_excluded_entity_ids", None)
    excluded: set[str] = extract(hass, TargetSelection(dict(fields))) if extract else set()
    return excluded


@callback
def async_may_be_recipient(hass: HomeAssistant, entity_id: str) -> bool:
    """Tell whether an entity is a recipient, or looks like one and is not there."""
    entity = er.async_get(hass).async_get(entity_id)
    if entity is not None:
        return _is_recipient(entity)
    domain = entity_id.partition(".")[0]
    return domain in _RECIPIENTS and hass.states.get(entity_id) is None


@callback
def async_recipients_within(hass: HomeAssistant, fields: Mapping[str, Any]) -> list[str]:
    """Return the recipients in the devices, areas, floors and with the labels that are named."""
    registry = er.async_get(hass)
    within = async_extract_referenced_entity_ids(
        hass, TargetSelection({**fields, ATTR_ENTITY_ID: None})
    ).indirectly_referenced
    return [
        entity_id
        for entity_id in sorted(within)
        if (entity := registry.async_get(entity_id)) is not None and _is_recipient(entity)
    ]


def _targeted_accounts(
    hass: HomeAssistant, fields: Mapping[str, Any]
) -> list[EmailCourierConfigEntry]:
    """Return the accounts that are named by their devices or events.

    An account that merely lies in an area or has a label is meant where no recipient does.
    """
    registry, devices = er.async_get(hass), dr.async_get(hass)
    named = fields.get(ATTR_ENTITY_ID)
    entities = [registry.async_get(one) for one in named] if isinstance(named, list) else []
    found = [one.config_entry_id for one in entities if one is not None and _means_account(one)]
    if any(fields.get(name) for name in WITHIN):
        selection = TargetSelection({**fields, ATTR_ENTITY_ID: None})
        has_recipients = bool(async_recipients_within(hass, fields))
        for device_id in sorted(
            async_extract_referenced_entity_ids(hass, selection).referenced_devices
        ):
            device = devices.async_get(device_id)
            if device and (device_id in selection.device_ids or not has_recipients):
                found += [key for domain, key in device.identifiers if domain == DOMAIN]
    entries = [hass.config_entries.async_get_entry(found_id or "") for found_id in found]
    return [*{entry.entry_id: entry for entry in entries if entry is not None}.values()]


def _means_account(entity: er.RegistryEntry | None) -> bool:
    """Tell whether an entity stands for its whole account: the event of all its mail."""
    return entity is not None and entity.platform == DOMAIN and entity.domain == EVENT_DOMAIN


def _is_recipient(entity: er.RegistryEntry) -> bool:
    return entity.platform == DOMAIN and entity.domain == NOTIFY_DOMAIN


def _chosen(hass: HomeAssistant, fields: Mapping[str, Any], rights: Rights) -> Account | None:
    """Return the account whose id was given."""
    entry_id: str | None = fields.get(Field.CONFIG_ENTRY_ID)
    if entry_id is None:
        return None
    entry = hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.domain != DOMAIN:
        rights.require_all(POLICY_CONTROL)
        raise request_error("account_not_found", entry_id=entry_id)
    if loaded_account(hass, entry_id) is None:
        rights.require(POLICY_CONTROL, [async_test_button(hass, entry)])
    return _loaded(hass, entry)


def _only(hass: HomeAssistant, named: list[Account], rights: Rights) -> Account:
    """Return the account that typed addresses go with when none was chosen.

    Where it cannot be told, the error names those accounts that the user may write from.
    """
    if len(named) == 1:
        return named[0]
    entries = hass.config_entries.async_entries(DOMAIN)
    loaded = [account for entry in entries if (account := loaded_account(hass, entry.entry_id))]
    if len(loaded) == 1:
        return loaded[0]
    usable = [
        entry
        for entry in [account.entry for account in loaded] or entries
        if rights.allow(POLICY_CONTROL, async_test_button(hass, entry))
    ]
    if not usable:
        rights.require_all(POLICY_CONTROL)
    if not loaded:
        raise request_error("no_account_loaded")
    names = ", ".join(sorted(entry.title for entry in usable))
    raise request_error("account_unclear", accounts=names)


def _loaded(hass: HomeAssistant, entry: EmailCourierConfigEntry) -> Account:
    if (account := loaded_account(hass, entry.entry_id)) is None:
        raise request_error("account_not_loaded", account=entry.title)
    return account
