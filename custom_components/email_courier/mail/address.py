"""Addresses as people type them, turned into mailboxes (RFC 5322 section 3.4, RFC 5321 4.1.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
import re
from typing import Final, NoReturn
import unicodedata
from urllib.parse import unquote

from .failure import Cause, Failure, FailureKind, MailError, Permanence, Stage
from .reply import clean_text

# RFC 5321 section 4.5.3.1: octets of a domain, and of a path without its brackets. The 64 octets
# of a local part are the receiving server's affair: addresses with more are in use.
MAX_DOMAIN = 255
MAX_ADDRESS = 254

_MAX_LABEL = 63
_MAX_NAME = 500
_MAX_QUOTED = 100

# Patterns are compiled when they are first used: importing this module must cost nothing.
_ATEXT = r"[^\x00-\x20\"(),.:;<>@\[\\\]\x7f]+"
"""RFC 5322 section 3.2.3 with RFC 6531: all but controls, blanks and specials."""
_DOT_ATOM = rf"{_ATEXT}(?:\.{_ATEXT})*"
_DOTTED = rf"(?:{_ATEXT}|\.)+"
"""A dot-atom, or one with dots at its ends or side by side, as some providers have issued."""
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_ESCAPED = r"\\(.)"
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_CONTROL = "[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"
_CONTROL_IN_LIST = _CONTROL.replace("\x1f", "\x09\x0b-\x1f")

_SEPARATORS = ",;\n"
_JOINERS = "\u200c\u200d"
"""Invisible, but letters of some languages and pictures of people need them within."""

# What a copy from a contact list, a web page or a word processor brings along unseen.
_LINE_ENDS = "\r\v\f\x85\u2028\u2029"
_BLANKS = (
    "\t\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u202f\u205f\u3000"
)
_UNSEEN = (
    "\xad\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_CLEANING = str.maketrans(
    dict.fromkeys(_LINE_ENDS, "\n") | dict.fromkeys(_BLANKS, " ") | dict.fromkeys(_UNSEEN, "")
)


class Mailbox:
    """One address and the name shown beside it; never changes.

    address: normalised: the domain as lower-case A-labels, the local part with no more quoting
    than it needs. Where that is not ASCII, only a server with SMTPUTF8 (RFC 6531) can take it.
    Two mailboxes are equal when their addresses are.
    name: may be empty; never holds control characters.

    Raises MailError for an address that is not in this form already, so that none can exist.
    """

    __slots__ = ("address", "name")

    def __init__(self, address: str, name: str = "") -> None:
        """Refuse what no parser of ours returns."""
        reader = _Reader(address, FailureKind.INVALID_RECIPIENT)
        if reader.bare_address() != address:
            reader.refuse("is not in its normal form", Cause.ADDRESS_LOCAL_PART)
        _Reader(name, FailureKind.INVALID_RECIPIENT)
        self.address: Final = address
        self.name: Final = name

    def __eq__(self, other: object) -> bool:
        return self.address == other.address if isinstance(other, Mailbox) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.address)

    def __repr__(self) -> str:
        return f"Mailbox({self.address!r}, {self.name!r})"

    @property
    def local_part(self) -> str:
        """What stands before the @, quotes included."""
        return self.address.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """What stands behind the @: A-labels or an address literal."""
        return self.address.rpartition("@")[2]

    def named(self, name: str) -> Mailbox:
        """Return the same address under another name; line breaks in it become spaces."""
        return Mailbox(self.address, " ".join(clean_text(name).split()))


def parse_mailbox(text: str, kind: FailureKind = FailureKind.INVALID_RECIPIENT) -> Mailbox:
    """Read exactly one `a@b` or `Name <a@b>`, cleaned as parse_mailboxes does.

    Raises MailError of the given kind (INVALID_SENDER or INVALID_RECIPIENT).
    """
    reader = _Reader(_cleaned(text), kind, in_list=True)
    entries = reader.entries()
    if len(entries) > 1:
        reader.refuse("holds several addresses where one is expected", Cause.ADDRESS_SEVERAL)
    return _Reader(entries[0] if entries else "", kind).mailbox()


def parse_mailboxes(
    value: str | Iterable[str], kind: FailureKind = FailureKind.INVALID_RECIPIENT
) -> tuple[Mailbox, ...]:
    """Read any number of mailboxes from a list, or from text with separators between.

    A comma, a semicolon and a line end separate. Blank entries are passed over, so that a
    template may end in a comma; so are blanks of any kind around an address, invisible
    characters, "mailto:" in front and doubled angle brackets. An unquoted name may hold a comma.
    Order and repetitions are kept. Raises MailError of the given kind.
    """
    texts = [value] if isinstance(value, str) else value
    return tuple(
        _Reader(entry, kind).mailbox()
        for text in texts
        for entry in _Reader(_cleaned(text), kind, in_list=True).entries()
    )


def _cleaned(text: str) -> str:
    # Some characters turn into ASCII punctuation when they are composed (U+037E into a
    # semicolon). Composing comes first, so that nothing read afterwards changes.
    return unicodedata.normalize("NFC", text).translate(_CLEANING)


class _Reader:
    """Reads one typed text; knows how to say what is wrong with it.

    Raises MailError for text that could end a line or that UTF-8 cannot hold; in a list a line
    end (LF) separates.
    """

    def __init__(self, text: str, kind: FailureKind, *, in_list: bool = False) -> None:
        self._text = text
        self._kind = kind
        if re.search(_CONTROL_IN_LIST if in_list else _CONTROL, text):
            self.refuse("holds a control character or a line break", Cause.ADDRESS_CONTROL)

    def refuse(self, reason: str, cause: Cause) -> NoReturn:
        """Raise the failure that quotes the text. reason: for the log; cause: for people."""
        quoted = clean_text(self._text)[:_MAX_QUOTED]
        sender = self._kind is FailureKind.INVALID_SENDER
        raise MailError(
            Failure(
                self._kind,
                Stage.SENDER if sender else Stage.RECIPIENT,
                Permanence.PERMANENT,
                detail=f'"{quoted}" {reason}' if quoted else "the address is empty",
                facts={
                    "address": quoted,
                    "cause": (cause if quoted else Cause.ADDRESS_EMPTY).value,
                },
            )
        )

    def entries(self) -> list[str]:
        """Cut the text at its separators; what is blank is no entry."""
        entries: list[str] = []
        # What may be the beginning of a name with a comma in it: Lang, Anna <anna@example.com>
        beginning: list[str] = []
        for piece, separator in self._pieces():
            if separator == "," and piece.strip() and "@" not in piece:
                beginning.append(piece)
            elif "<" in piece and "@" in piece:
                entries.append(",".join([*beginning, piece]))
                beginning.clear()
            else:
                entries += [*beginning, piece]
                beginning.clear()
        return [entry for entry in entries if entry.strip()]

    def _pieces(self) -> Iterator[tuple[str, str]]:
        """Yield what stands between separators, each with the one behind it."""
        start = 0
        for i, character in self._bare(self._text):
            if character in _SEPARATORS:
                yield self._text[start:i], character
                start = i + 1
        yield self._text[start:], ""

    def mailbox(self) -> Mailbox:
        """Read the text as one `a@b` or `Name <a@b>`."""
        text = self._text.strip()
        opening = next((i for i, c in self._bare(text) if c == "<"), None)
        if opening is None:
            return Mailbox(self._typed_address(text))
        name = text[:opening]
        if any(c == ">" for _, c in self._bare(name)) or not text.endswith(">"):
            self.refuse("has unpaired angle brackets", Cause.ADDRESS_BRACKETS)
        if len(name) > _MAX_NAME:
            self.refuse("has too long a name", Cause.ADDRESS_NAME_LONG)
        return Mailbox(self._typed_address(text[opening:]), self._name(name))

    def _typed_address(self, text: str) -> str:
        """Read an address with what people leave around it."""
        text = text.strip()
        while text.startswith("<") and text.endswith(">"):
            text = text[1:-1].strip()
        text = text.strip(_JOINERS)
        if text[:7].lower() == "mailto:":
            # RFC 6068: percent-encoded, with fields of the mail behind a question mark.
            text = unquote(text[7:].partition("?")[0]).strip()
        return self._address(text)

    def bare_address(self) -> str:
        """Read the text as an address alone."""
        return self._address(self._text)

    def _address(self, text: str) -> str:
        ats = [i for i, c in self._bare(text) if c == "@"]
        if not ats:
            self.refuse("has no @ with a domain behind it", Cause.ADDRESS_NO_AT)
        if len(ats) > 1:
            self.refuse("has more than one @", Cause.ADDRESS_TWO_ATS)
        local_part, domain = self._local_part(text[: ats[0]]), self._domain(text[ats[0] + 1 :])
        if len(f"{local_part}@{domain}".encode()) > MAX_ADDRESS:
            self.refuse(f"is longer than {MAX_ADDRESS} bytes", Cause.ADDRESS_LONG)
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
            self.refuse("has an unpaired quotation mark", Cause.ADDRESS_QUOTE)

    def _name(self, phrase: str) -> str:
        unquoted = re.sub(_QUOTED, lambda match: re.sub(_ESCAPED, r"\1", match[1]), phrase)
        return " ".join(unquoted.split())

    def _local_part(self, text: str) -> str:
        if match := re.fullmatch(_QUOTED, text):
            content = re.sub(_ESCAPED, r"\1", match[1])
        elif re.fullmatch(_DOTTED, text):
            content = text
        else:
            self.refuse(
                "has characters before the @ that do not belong there", Cause.ADDRESS_LOCAL_PART
            )
        if not content.isprintable():
            self.refuse("has invisible characters before the @", Cause.ADDRESS_LOCAL_PART)
        # RFC 5321 section 4.1.2: quote no more than needed.
        if not re.fullmatch(_DOT_ATOM, content):
            content = '"' + re.sub(r'(["\\])', r"\\\1", content) + '"'
        return content

    def _domain(self, text: str) -> str:
        if text.startswith("[") and text.endswith("]"):
            return self._literal(text[1:-1])
        domain = text.lower()
        if len(domain) > MAX_DOMAIN:
            self.refuse(f"has more than {MAX_DOMAIN} characters behind the @", Cause.ADDRESS_LONG)
        if not domain.isascii() or "xn--" in domain:
            # Few addresses need it, and its tables are large.
            import idna  # noqa: PLC0415

            try:
                domain = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
            except idna.IDNAError as error:
                self.refuse(f"has no valid domain: {clean_text(str(error))}", Cause.ADDRESS_DOMAIN)
        labels = domain.split(".")
        if not all(re.fullmatch(_LABEL, label) and len(label) <= _MAX_LABEL for label in labels):
            self.refuse("has no valid domain behind the @", Cause.ADDRESS_DOMAIN)
        return domain

    def _literal(self, text: str) -> str:
        """Read an address literal (RFC 5321 section 4.1.3)."""
        tag, colon, address = text.partition(":")
        try:
            if colon and tag.lower() == "ipv6" and "%" not in address:
                return f"[IPv6:{IPv6Address(address)}]"
            return f"[{IPv4Address(text)}]"
        except ValueError:
            self.refuse("has no valid address literal behind the @", Cause.ADDRESS_DOMAIN)
