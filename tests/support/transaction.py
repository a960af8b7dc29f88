"""MAIL and RCPT: addresses with their parameters, and one mail on its way (RFC 5321, 3.3)."""

from dataclasses import dataclass, field
import re

_PATH = re.compile(
    r"(?P<keyword>FROM|TO):(?P<space>\s*)<(?P<address>(?:\"(?:[^\"\\]|\\.)*\"|[^\">])*)>"
    r"(?P<parameters>(?: \S+)*)",
    re.IGNORECASE,
)
_EXTENSIONS = {"BODY": "8BITMIME"}
"""The extension that a parameter of MAIL belongs to, where the two are not of one name."""


@dataclass(frozen=True, slots=True)
class Path:
    """The argument of MAIL or RCPT."""

    address: str
    parameters: tuple[str, ...]
    spaced: bool
    """Whether a space follows the colon, which RFC 5321 forbids and many servers take."""

    @classmethod
    def parse(cls, argument: str, keyword: str) -> Path | None:
        """Return the path behind `FROM` or `TO`, None where there is none."""
        match = _PATH.fullmatch(argument)
        if match is None or match["keyword"].upper() != keyword:
            return None
        return cls(match["address"], tuple(match["parameters"].split()), bool(match["space"]))

    def value(self, name: str) -> str | None:
        """Return what a parameter is set to, an empty text where it has no value."""
        for parameter in self.parameters:
            found, _, value = parameter.partition("=")
            if found.upper() == name:
                return value
        return None

    def not_offered(self, extensions: frozenset[str]) -> str | None:
        """Return the first parameter that belongs to none of the extensions offered."""
        for parameter in self.parameters:
            name = parameter.partition("=")[0].upper()
            if _EXTENSIONS.get(name, name) not in extensions:
                return parameter
        return None

    @property
    def needs_smtputf8(self) -> bool:
        """Whether the address is not ASCII and the parameter that this takes is missing."""
        return not self.address.isascii() and self.value("SMTPUTF8") is None


@dataclass(slots=True)
class Transaction:
    """What MAIL and RCPT have agreed on so far."""

    sender: Path
    recipients: list[str] = field(default_factory=list)

    @property
    def eight_bit(self) -> bool:
        """Whether the message may hold 8-bit text."""
        return (self.sender.value("BODY") or "").upper() == "8BITMIME"
