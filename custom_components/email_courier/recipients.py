"""The addresses of a recipient, as they are stored and as the mail layer takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from homeassistant.config_entries import ConfigSubentry

from .const import CONF_BCC, CONF_CC, CONF_TO, DOMAIN
from .mail.address import Mailbox, parse_mailboxes


def signal_notified(subentry_id: str) -> str:
    """Return the signal that a mail to a recipient was taken by an action of our own."""
    return f"{DOMAIN}_notified_{subentry_id}"


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who a mail goes to, openly, as a copy, and unseen."""

    to: tuple[Mailbox, ...] = ()
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()

    @classmethod
    def of_subentry(cls, subentry: ConfigSubentry) -> Recipients:
        """Read what a recipient's form has stored."""
        data = subentry.data
        return cls(
            to=tuple(parse_mailboxes(data.get(CONF_TO) or [])),
            cc=tuple(parse_mailboxes(data.get(CONF_CC) or [])),
            bcc=tuple(parse_mailboxes(data.get(CONF_BCC) or [])),
        )

    def __add__(self, other: Recipients) -> Recipients:
        """Join two sets of recipients."""
        return Recipients(self.to + other.to, self.cc + other.cc, self.bcc + other.bcc)


NO_RECIPIENTS: Final = Recipients()


def format_mailbox(mailbox: Mailbox) -> str:
    """Write a mailbox so that it reads back as the same."""
    if not mailbox.name:
        return mailbox.address
    escaped = mailbox.name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{mailbox.address}>'
