"""The commands that name an envelope: MAIL and RCPT (RFC 5321 sections 4.1.1.2 and 4.1.1.3)."""

from __future__ import annotations

from collections.abc import Iterable
import re

from .capabilities import Capabilities
from .failure import Failure, FailureKind, MailError, Permanence, Stage
from .reply import clean_text

_PATH = re.compile(
    r"""(?:"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"|[^\s<>()\[\],;:\\"@\x00-\x1f\x7f]+)"""
    r"""@(?:[^\s<>()\[\],;:\\"@\x00-\x1f\x7f]+|\[[0-9A-Za-z.:]+\])"""
)


def mail_command(
    sender: str,
    offered: Capabilities,
    *,
    size: int | None = None,
    smtputf8: bool = False,
    recipients: Iterable[str] = (),
) -> bytes:
    """Write MAIL with what the server offers of SIZE, SMTPUTF8 and 8BITMIME.

    size: octets of the message (RFC 1870). smtputf8: whether the mail needs RFC 6531.
    recipients: who else may be the reason for that. Raises MailError.
    """
    parts = [b"MAIL FROM:" + _path(sender, FailureKind.INVALID_SENDER, Stage.SENDER)]
    if size is not None and offered.has("size"):
        parts.append(b"SIZE=%d" % size)
    if smtputf8:
        if not offered.has("smtputf8"):
            raise MailError(_no_smtputf8(sender, recipients))
        parts.append(b"SMTPUTF8")
        if offered.has("8bitmime"):
            parts.append(b"BODY=8BITMIME")
    return b" ".join(parts)


def rcpt_command(recipient: str) -> bytes:
    """Write RCPT. Raises MailError."""
    return b"RCPT TO:" + _path(recipient, FailureKind.INVALID_RECIPIENT, Stage.RECIPIENT)


def check_size(size: int, offered: Capabilities) -> None:
    """Raise MailError for a message of more octets than the server takes."""
    limit = offered.size_limit
    if limit is not None and size > limit:
        raise MailError(
            Failure(
                FailureKind.MESSAGE_TOO_LARGE,
                Stage.SENDER,
                Permanence.PERMANENT,
                detail=f"{size} bytes, and the server takes {limit}",
                facts={"size": str(size), "limit": str(limit)},
            )
        )


def _path(address: str, kind: FailureKind, stage: Stage) -> bytes:
    """Write an address as a path (section 4.1.2), which must end where it says."""
    if _PATH.fullmatch(address) is None:
        raise MailError(
            Failure(
                kind,
                stage,
                Permanence.PERMANENT,
                detail="not an address",
                facts={"address": clean_text(address)},
            )
        )
    return b"<%b>" % address.encode()


def _no_smtputf8(sender: str, recipients: Iterable[str]) -> Failure:
    """Name the first address that asks too much of the server."""
    address = next((one for one in (sender, *recipients) if not one.isascii()), sender)
    return Failure(
        FailureKind.INVALID_RECIPIENT if sender.isascii() else FailureKind.INVALID_SENDER,
        Stage.SENDER,
        Permanence.PERMANENT,
        detail=f"{clean_text(address)}: the server takes no addresses with letters outside ASCII",
        facts={"address": address},
    )
