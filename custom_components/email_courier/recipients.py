"""The addresses of a recipient, as they are stored and as the mail layer takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant, callback

from .const import CONF_BCC, CONF_CC, CONF_TO, DOMAIN, SUBENTRY_RECIPIENT
from .mail.address import Mailbox, parse_mailboxes
from .mail.outbox.submission import Origin


class Recipients(NamedTuple):
    """Who a mail goes to, openly, as a copy, and unseen."""

    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()

    @classmethod
    def of_subentry(cls, subentry: ConfigSubentry) -> Recipients:
        """Read what a recipient's form has stored."""
        data = subentry.data
        return cls(
            to=parse_mailboxes(data.get(CONF_TO) or ()),
            cc=parse_mailboxes(data.get(CONF_CC) or ()),
            bcc=parse_mailboxes(data.get(CONF_BCC) or ()),
        )

    def joined(self, other: Recipients) -> Recipients:
        """Return both together."""
        return Recipients(self.to + other.to, self.cc + other.cc, self.bcc + other.bcc)

    @property
    def addresses(self) -> tuple[str, ...]:
        """Everyone, each once, without names."""
        everyone = (*self.to, *self.cc, *self.bcc)
        return tuple(dict.fromkeys(mailbox.address for mailbox in everyone))


_MOST_ADDRESSES: Final = 3
NO_RECIPIENTS: Final = Recipients()


def format_mailbox(mailbox: Mailbox) -> str:
    """Write a mailbox so that it reads back as the same."""
    if not mailbox.name:
        return mailbox.address
    escaped = mailbox.name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{mailbox.address}>'


class Named(NamedTuple):
    """Addresses of a mail by who is behind them.

    name: that of the recipient; None for addresses that are nobody's.
    entry_id: the account that the recipient is of. device: as it is identified.
    """

    name: str | None
    addresses: tuple[str, ...]
    entry_id: str
    device: str


def recipient_device(entry_id: str, subentry_id: str) -> str:
    """Return how the device of a recipient is identified."""
    return f"{entry_id}_{subentry_id}"


def in_short(named: Iterable[Named]) -> str:
    """Return who gets a mail by name, and of addresses without one the first."""
    return ", ".join(each.name or shortened(each.addresses) for each in named)


def shortened(addresses: Sequence[str]) -> str:
    """Return the first addresses, and how many more there are."""
    more = len(addresses) - _MOST_ADDRESSES
    return ", ".join(addresses[:_MOST_ADDRESSES]) + (f" +{more}" if more > 0 else "")


@callback
def async_named(
    hass: HomeAssistant,
    entry: ConfigEntry,
    addresses: tuple[str, ...],
    origin: Origin | None,
    own: Callable[[str], Recipients],
) -> list[Named]:
    """Return who is behind the addresses of a mail.

    own: returns who is behind a recipient of this account, by the id of its subentry.

    Recipients are those that were named when it was sent, of this account or of the one that has
    handed it over; without any, those of this account all of whose addresses are there.
    """
    left = dict.fromkeys(addresses)
    named: list[Named] = []
    for owner, subentry in _candidates(hass, entry, origin):
        is_own = owner.entry_id == entry.entry_id
        behind = own(subentry.subentry_id) if is_own else Recipients.of_subentry(subentry)
        theirs = {address.casefold() for address in behind.addresses}
        found = tuple(address for address in left if address.casefold() in theirs)
        is_all = len(found) == len(theirs)
        if not found or not (is_all or (origin is not None and origin.recipients)):
            continue
        name = subentry.title if is_all else f"{subentry.title} ({', '.join(found)})"
        device = recipient_device(owner.entry_id, subentry.subentry_id)
        named.append(Named(name, found, owner.entry_id, device))
        left = {address: None for address in left if address not in found}
    if left:
        named.append(Named(None, tuple(left), entry.entry_id, entry.entry_id))
    return named


def _candidates(
    hass: HomeAssistant, entry: ConfigEntry, origin: Origin | None
) -> Iterator[tuple[ConfigEntry, ConfigSubentry]]:
    if origin is not None and origin.recipients:
        own = [id_ for id_ in origin.recipients if id_ in entry.subentries]
        yield from ((entry, entry.subentries[id_]) for id_ in own)
        if len(own) < len(origin.recipients):
            for other in hass.config_entries.async_entries(DOMAIN):
                there = other.subentries if other is not entry else {}
                yield from ((other, there[id_]) for id_ in origin.recipients if id_ in there)
        return
    for subentry in entry.get_subentries_of_type(SUBENTRY_RECIPIENT):
        yield entry, subentry
