"""The syntax of header fields: folding, encoded words, mailboxes, parameters.

Values are built here and not with email.headerregistry, which reads a value again as header
syntax: a subject that looks like an encoded word or a name with an odd quotation mark would
come out as something else. Every value is returned folded with CRLF.
"""

from __future__ import annotations

from collections.abc import Sequence
import re
from urllib.parse import quote

from ..address import Mailbox
from .encoding import one_line

# RFC 5322 section 2.1.1 and, for lines with an encoded word, RFC 2047 section 2.
LINE_LIMIT = 998
_LINE_WISH = 78
_ENCODED_LINE = 76

_FOLD = "\r\n "
_ATOM_PHRASE = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_ESCAPE = r'["\\]'
_PARAMETER_PIECE = 50


def unstructured(name: str, text: str) -> str:
    """Return free text, such as a subject, as the value of the field of this name."""
    line = one_line(text)
    if len(name) + 2 + len(line) <= _LINE_WISH and _is_plain(line):
        return line
    words = line.split(" ")
    foldable = _is_plain(line) and "" not in words
    if foldable and max(map(len, words)) + len(name) + 2 <= LINE_LIMIT:
        return _folded(name, words)
    return _encoded(name, line)


def mailbox_list(name: str, mailboxes: Sequence[Mailbox], *, in_ascii: bool = False) -> str:
    """Return mailboxes as the value of the field of this name, one on a line.

    in_ascii: shows an address that only RFC 6531 can carry as an empty group of that name
    (RFC 6857 section 3.1.6), so that the mail can also go where SMTPUTF8 is unknown.
    """
    written = [
        (_empty_group if in_ascii and not mailbox.address.isascii() else _mailbox)(
            name if i == 0 else "", mailbox
        )
        for i, mailbox in enumerate(mailboxes)
    ]
    return f",{_FOLD}".join(written)


def parameter(name: str, value: str) -> str:
    """Return a parameter with the semicolon and the fold in front of it.

    What a quoted string cannot hold safely is written as RFC 2231 asks, in pieces that end at
    character boundaries.
    """
    if _is_quotable(name, value):
        return f';{_FOLD}{name}="{value}"'
    pieces = [""]
    for character in value:
        written = quote(character, safe="")
        if len(pieces[-1]) + len(written) > _PARAMETER_PIECE:
            pieces.append("")
        pieces[-1] += written
    if len(pieces) == 1:
        return f";{_FOLD}{name}*=utf-8''{pieces[0]}"
    first, *rest = pieces
    return f";{_FOLD}{name}*0*=utf-8''{first}" + "".join(
        f";{_FOLD}{name}*{number}*={piece}" for number, piece in enumerate(rest, start=1)
    )


def name_parameter(value: str) -> str:
    """Return the parameter "name" of a Content-Type, as parameter does.

    What a quoted string cannot hold becomes encoded words in quotation marks. No standard knows
    that, but Outlook reads nothing else, and Thunderbird, Gmail and Nodemailer write it; whoever
    keeps to RFC 2231 finds the same name in the Content-Disposition.
    """
    if _is_quotable("name", value):
        return parameter("name", value)
    return f';{_FOLD}name="{_encoded('name="', value, _ENCODED_LINE - 2)}"'


def _is_quotable(name: str, value: str) -> bool:
    return (
        _is_plain(value)
        and value.isprintable()
        and not re.search(_ESCAPE, value)
        and len(value) + len(name) + len(' ="";') <= _LINE_WISH
    )


def _is_plain(line: str) -> bool:
    # An encoded word that somebody typed must arrive as what was typed.
    return line.isascii() and "=?" not in line


def _folded(name: str, words: list[str]) -> str:
    lines: list[str] = []
    current, taken = words[0], len(name) + 2
    for word in words[1:]:
        if taken + len(current) + 1 + len(word) > _LINE_WISH:
            lines.append(current)
            current, taken = word, 1
        else:
            current = f"{current} {word}"
    return _FOLD.join([*lines, current])


def _encoded(name: str, text: str, limit: int = _ENCODED_LINE) -> str:
    # A plain mail needs no encoded word, and importing this loads the character sets.
    from email.header import Header  # noqa: PLC0415

    header = Header(text, "utf-8", maxlinelen=limit, header_name=name)
    return header.encode(linesep="\r\n")


def _empty_group(field_name: str, mailbox: Mailbox) -> str:
    shown = f"{mailbox.name} {mailbox.address}".strip()
    return f"{_encoded(field_name, shown, _ENCODED_LINE - 4)} :;"


def _mailbox(field_name: str, mailbox: Mailbox) -> str:
    name = mailbox.name
    if not name:
        return mailbox.address
    if _is_plain(name) and len(name) <= _LINE_WISH // 2:
        phrase = (
            name if re.fullmatch(_ATOM_PHRASE, name) else f'"{re.sub(_ESCAPE, r"\\\g<0>", name)}"'
        )
    else:
        phrase = _encoded(field_name, name)
    *before, last = phrase.split("\r\n")
    taken = len(last) if before else len(last) + len(field_name) + 2
    fits = taken + len(mailbox.address.encode()) + len(" <>,") <= _ENCODED_LINE
    return f"{phrase}{' ' if fits else _FOLD}<{mailbox.address}>"
