"""The addresses of a recipient, as they are stored and as the mail layer takes them."""

from __future__ import annotations

from typing import Final, NamedTuple

from homeassistant.config_entries import ConfigSubentry

from .const import CONF_BCC, CONF_CC, CONF_TO
from .mail.address import Mailbox, parse_mailboxes


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


NO_RECIPIENTS: Final = Recipients()


def format_mailbox(mailbox: Mailbox) -> str:
    """Write a mailbox so that it reads back as the same."""
    if not mailbox.name:
        return mailbox.address
    escaped = mailbox.name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}" <{mailbox.address}>'
