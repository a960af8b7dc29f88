"""One row of the table: what goes wrong, and what has to become of the mail."""

from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum

from custom_components.email_courier.mail.failure import FailureKind
from custom_components.email_courier.mail.settings import Encryption
from tests.support.other_protocols import OtherProtocol
from tests.support.script import Script

ONE = ("anna@example.test",)
THREE = ("anna@example.test", "ben@example.test", "carl@example.test")


class Nobody(StrEnum):
    """What there is in place of a server."""

    REFUSING = "refusing"
    FILTERED = "filtered"
    NO_NAME = "no name"


class Fate(StrEnum):
    """What becomes of a mail for one recipient."""

    SENT = "sent"
    """Arrives at once."""
    LATER = "later"
    """Is kept, and arrives once when the server is well again."""
    TWICE = "twice"
    """Arrives, and its reply is lost: a copy comes when the server is well again."""
    REFUSED = "refused"
    """Never arrives; the server's reply is quoted, after one attempt."""


type Behaviour = Script | OtherProtocol | Nobody


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A fault, and its consequences.

    kind: what the failure is called; None where nothing fails.
    fates: what becomes of the mail, by recipient.
    words: what the failure has to quote of the server's reply.
    """

    step: str
    fault: str
    fates: tuple[Fate, ...]
    kind: FailureKind | None
    before: Behaviour
    _: KW_ONLY
    words: str = ""
    encryption: Encryption = Encryption.STARTTLS
    has_login: bool = True
    pauses: bool = False
    size: int = 1_000
    recipients: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Address as many as there are fates."""
        object.__setattr__(self, "recipients", ONE if len(self.fates) == 1 else THREE)

    def __str__(self) -> str:
        """The name, for the titles of the tests."""
        return f"{self.step}: {self.fault}, {len(self.fates)} recipient(s)"
