"""Addresses as people type them, turned into mailboxes (RFC 5322 section 3.4, RFC 5321 4.1.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
import re
from typing import NoReturn
import unicodedata

import idna

from .failure import Failure, FailureKind, MailError, Permanence, Stage
from .reply import clean_text

# RFC 5321 section 4.5.3.1: octets of a local part, of a domain, and of a path without its brackets.
MAX_LOCAL_PART = 64
MAX_DOMAIN = 255
MAX_ADDRESS = 254

_MAX_LABEL = 63
_MAX_NAME = 500
_MAX_QUOTED = 100
_ATEXT = r"[^\x00-\x20\"(),.:;<>@\[\\\]\x7f]+"
"""RFC 5322 section 3.2.3 with RFC 6531: all but controls, blanks and specials."""
_DOT_ATOM = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_SEPARATORS = ",;"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address and the name shown beside it.

    address: normalised: the domain as lower-case A-labels, the local part with no more quoting
    than it needs. Two mailboxes are equal when their addresses are.
    name: may be empty; never holds control characters.

    Raises MailError for an address that is not in this form already, so that none can exist.
    """

    address: str
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Refuse what no parser of ours returns."""
        reader = _Reader(self.address, FailureKind.INVALID_RECIPIENT)
        if reader.bare_address() != self.address:
            reader.refuse("is not in its normal form")
        _Reader(self.name, FailureKind.INVALID_RECIPIENT)

    @property
    def local_part(self) -> str:
        """What stands before the @, quotes included."""
        return self.address.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """What stands behind the @: A-labels or an address literal."""
        return self.address.rpartition("@")[2]

    @property
    def needs_smtputf8(self) -> bool:
        """Whether only a server with SMTPUTF8 (RFC 6531) can take this address."""
        return not self.address.isascii()

    def named(self, name: str) -> Mailbox:
        """Return the same address under another name; line breaks in it become spaces."""
        return replace(self, name=" ".join(clean_text(name).split()))


def parse_mailbox(text: str, kind: FailureKind = FailureKind.INVALID_RECIPIENT) -> Mailbox:
    """Read exactly one `a@b` or `Name <a@b>`.

    Raises MailError of the given kind (INVALID_SENDER or INVALID_RECIPIENT).
    """
    reader = _Reader(text, kind)
    if len(reader.pieces()) != 1:
        reader.refuse("holds several addresses where one is expected")
    return reader.mailbox()


def parse_mailboxes(
    value: str | Iterable[str], kind: FailureKind = FailureKind.INVALID_RECIPIENT
) -> tuple[Mailbox, ...]:
    """Read any number of mailboxes from a list, or from text with commas or semicolons between.

    Blank entries are passed over, so that a template may end in a comma. Order and repetitions
    are kept. Raises MailError of the given kind.
    """
    texts = [value] if isinstance(value, str) else value
    pieces = [piece for text in texts for piece in _Reader(text, kind).pieces()]
    return tuple(_Reader(piece, kind).mailbox() for piece in pieces if piece.strip())


class _Reader:
    """Reads one typed text; knows how to say what is wrong with it.

    Raises MailError for text that could end a line or that UTF-8 cannot hold.
    """

    def __init__(self, text: str, kind: FailureKind) -> None:
        # Some characters turn into ASCII punctuation when they are composed (U+037E into a
        # semicolon). Composing comes first, so that nothing read below changes afterwards.
        self._text = unicodedata.normalize("NFC", text)
        self._kind = kind
        if any(unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} for c in self._text):
            self.refuse("holds a control character or a line break")

    def refuse(self, reason: str) -> NoReturn:
        """Raise the failure that quotes the text."""
        quoted = clean_text(self._text)[:_MAX_QUOTED]
        sender = self._kind is FailureKind.INVALID_SENDER
        raise MailError(
            Failure(
                self._kind,
                Stage.SENDER if sender else Stage.RECIPIENT,
                Permanence.PERMANENT,
                detail=f'"{quoted}" {reason}' if quoted else "the address is empty",
                facts={"address": quoted},
            )
        )

    def pieces(self) -> list[str]:
        """Cut the text at its commas and semicolons."""
        cuts = [-1, *(i for i, c in self._bare(self._text) if c in _SEPARATORS), len(self._text)]
        return [self._text[start + 1 : end] for start, end in pairwise(cuts)]

    def mailbox(self) -> Mailbox:
        """Read the text as one `a@b` or `Name <a@b>`."""
        text = self._text.strip()
        opening = next((i for i, c in self._bare(text) if c == "<"), None)
        if opening is None:
            return Mailbox(self._address(text))
        name = text[:opening]
        if any(c == ">" for _, c in self._bare(name)) or not text.endswith(">"):
            self.refuse("has unpaired angle brackets")
        if len(name) > _MAX_NAME:
            self.refuse("has too long a name")
        return Mailbox(self._address(text[opening + 1 : -1].strip()), self._name(name))

    def bare_address(self) -> str:
        """Read the text as an address alone."""
        return self._address(self._text)

    def _address(self, text: str) -> str:
        ats = [i for i, c in self._bare(text) if c == "@"]
        if not ats:
            self.refuse("has no @ with a domain behind it")
        if len(ats) > 1:
            self.refuse("has more than one @")
        local_part, domain = self._local_part(text[: ats[0]]), self._domain(text[ats[0] + 1 :])
        if len(f"{local_part}@{domain}".encode()) > MAX_ADDRESS:
            self.refuse(f"is longer than {MAX_ADDRESS} bytes")
        return f"{local_part}@{domain}"

    def _bare(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield the characters outside quotation marks, with their positions."""
        quoted = escaped = False
        for i, character in enumerate(text):
            if escaped:
                escaped = False
            elif quoted and character == "\\":
                escaped = True
            elif character == '"':
                quoted = not quoted
            elif not quoted:
                yield i, character
        if quoted:
            self.refuse("has an unpaired quotation mark")

    def _name(self, phrase: str) -> str:
        unquoted = _QUOTED.sub(lambda match: _ESCAPED.sub(r"\1", match[1]), phrase)
        return " ".join(unquoted.split())

    def _local_part(self, text: str) -> str:
        if match := _QUOTED.fullmatch(text):
            content = _ESCAPED.sub(r"\1", match[1])
        elif _DOT_ATOM.fullmatch(text):
            content = text
        else:
            self.refuse("has characters before the @ that do not belong there")
        if not content.isprintable():
            self.refuse("has invisible characters before the @")
        # RFC 5321 section 4.1.2: quote no more than needed.
        if not _DOT_ATOM.fullmatch(content):
            content = '"' + re.sub(r'(["\\])', r"\\\1", content) + '"'
        if len(content.encode()) > MAX_LOCAL_PART:
            self.refuse(f"has more than {MAX_LOCAL_PART} bytes before the @")
        return content

    def _domain(self, text: str) -> str:
        if text.startswith("[") and text.endswith("]"):
            return self._literal(text[1:-1])
        domain = text.lower()
        if len(domain) > MAX_DOMAIN:
            self.refuse(f"has more than {MAX_DOMAIN} characters behind the @")
        if not domain.isascii() or "xn--" in domain:
            try:
                domain = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
            except idna.IDNAError as error:
                self.refuse(f"has no valid domain: {clean_text(str(error))}")
        labels = domain.split(".")
        if not all(_LABEL.fullmatch(label) and len(label) <= _MAX_LABEL for label in labels):
            self.refuse("has no valid domain behind the @")
        return domain

    def _literal(self, text: str) -> str:
        """Read an address literal (RFC 5321 section 4.1.3)."""
        tag, colon, address = text.partition(":")
        try:
            if colon and tag.lower() == "ipv6" and "%" not in address:
                return f"[IPv6:{IPv6Address(address)}]"
            return f"[{IPv4Address(text)}]"
        except ValueError:
            self.refuse("has no valid address literal behind the @")
