"""One row of the table: what is typed, what the server is like, what has to be answered."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from custom_components.email_courier.mail.failure import FailureKind
from custom_components.email_courier.mail.settings import Encryption
from tests.support.certificates import ServerTls
from tests.support.other_protocols import OtherProtocol
from tests.support.script import PASSWORD, USERNAME, Script

HOST = "mail.example.test"
"""The name that every case's server has, unless it says otherwise."""

type Servers = Mapping[int, Script | OtherProtocol]


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """Settings, a server, and the answer.

    key: None where the settings are right.
    remedy: what the form has to come back with, such as `465 tls`, `hello ha.example.test` or
    `host mail.example.test`; `trust` where the certificate is offered to be trusted; empty
    where nothing on this server would help.
    words: what the answer has to quote, from the server or about it.
    """

    name: str
    key: FailureKind | None
    remedy: str = ""
    _: KW_ONLY
    words: str = ""

    # What is typed.
    port: int = 587
    encryption: Encryption = Encryption.STARTTLS
    host: str = HOST
    sender: str = USERNAME
    username: str | None = USERNAME
    password: str = PASSWORD
    hello_name: str | None = None
    verify: bool = True
    trusts: ServerTls | None = None
    """Whose certificate is trusted by its fingerprint, which may have been changed since."""

    # What the server is like.
    servers: Servers = field(default_factory=dict)
    """What listens at which port of the host; the others refuse."""
    filtered: frozenset[int] = frozenset()
    """Ports that a firewall swallows."""
    dead_ipv6: bool = False
    """Whether the name also has an address where nobody answers."""
    other_names: frozenset[str] = frozenset()
    """Further names of the same server."""
    strangers_names: frozenset[str] = frozenset()
    """Names that lead to another machine, on which the same things listen."""

    in_clear: bool = False
    """Whether "none" was chosen and confirmed for a server that lets one log in like that."""

    def __str__(self) -> str:
        """The name, for the titles of the tests."""
        return self.name
