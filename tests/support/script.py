"""How a scripted server behaves, as data.

A `Script` with its defaults is a healthy submission server with STARTTLS and login. Each field
makes it another server, and `answers` makes it a faulty one, step by step:

    Script(tls=Tls.AT_ONCE, answers={Step.MAIL: say("451 4.3.0 Try again later")})
"""

from collections.abc import Mapping
from copy import replace
from dataclasses import dataclass, field
from enum import StrEnum, auto
import math

from tests.support.certificates import ServerTls

USERNAME = "anna@example.test"
PASSWORD = "Open-Sesame-7421"
TOKEN = "ya29.a-token-of-a-test"


class Tls(StrEnum):
    """When a server speaks TLS."""

    NEVER = auto()
    """Not at all: an old relay, or one whose STARTTLS an attacker on the way has taken out."""
    OFFERED = auto()
    """After STARTTLS (RFC 3207), as on port 587."""
    AT_ONCE = auto()
    """From the first byte (RFC 8314), as on port 465."""


class Step(StrEnum):
    """A point at which the server speaks."""

    GREETING = auto()
    EHLO = auto()
    """The first EHLO of a connection."""
    EHLO_TLS = auto()
    """The EHLO after STARTTLS."""
    HELO = auto()
    STARTTLS = auto()
    TLS = auto()
    """Before the server's part of the TLS handshake, once the client has begun it. A reply is
    sent in clear; a drip is that of the handshake itself."""
    AUTH = auto()
    """Before the exchange; a reply here means that none takes place."""
    AUTH_CHALLENGE = auto()
    """Each 334 of an exchange."""
    AUTH_VERDICT = auto()
    """The last reply of an exchange, whichever mechanism it was."""
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    DOT = auto()
    """To the end of the message."""
    RSET = auto()
    NOOP = auto()
    QUIT = auto()


class After(StrEnum):
    """What follows an answer."""

    GO_ON = auto()
    HANG_UP = auto()
    """The connection is closed without a word (FIN)."""
    RESET = auto()
    """The connection is torn down (RST)."""
    STALL = auto()
    """The connection stays open and nothing more is ever said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server says at one step, and how it goes out.

    The reply's own code decides what the server then believes: a 250 to MAIL starts a mail, a
    550 does not. It believes so even where the client never gets to see the whole reply.
    """

    reply: str | bytes | None = None
    """None: what a healthy server says. A `str` is sent by lines; `bytes` are sent as they are."""
    delay: float = 0
    """Seconds before the first byte: a server under load, or one that tarpits."""
    drip: float = 0
    """Seconds before each byte: a hostile server that defeats a time limit per read."""
    split: int | None = None
    """The reply goes out in two segments, the first of this many bytes, `gap` seconds apart."""
    gap: float = 0.02
    cut: int | None = None
    """Only this many bytes of the reply are sent."""
    glued: bytes = b""
    """Sent in the same segment behind the reply: an attacker's injection, a server out of step."""
    then: After = After.GO_ON


def say(reply: str | bytes, then: After = After.GO_ON) -> Answer:
    r"""Reply with these words: `"250-one\n250 two"`, line ends are added."""
    return Answer(reply=reply, then=then)


def stall(after: int = 0) -> Answer:
    """Fall silent for good, `after` that many bytes of the reply."""
    return Answer(cut=after, then=After.STALL)


def hang_up(after: int = 0) -> Answer:
    """Close the connection, `after` that many bytes of the reply.

    At the final dot the mail has been taken all the same: the reply is lost (RFC 1047).
    """
    return Answer(cut=after, then=After.HANG_UP)


def reset(after: int = 0) -> Answer:
    """Tear the connection down, `after` that many bytes of the reply."""
    return Answer(cut=after, then=After.RESET)


def drip(seconds: float = 1.0) -> Answer:
    """Send the healthy reply one byte at a time, `seconds` before each."""
    return Answer(drip=seconds)


def late(seconds: float) -> Answer:
    """Send the healthy reply after `seconds`."""
    return Answer(delay=seconds)


def split(at: int, gap: float = 0.02) -> Answer:
    """Send the healthy reply in two segments, the first of `at` bytes, `gap` seconds apart."""
    return Answer(split=at, gap=gap)


def glue(extra: bytes) -> Answer:
    """Send the healthy reply with `extra` in the same segment."""
    return Answer(glued=extra)


class Pipelining(StrEnum):
    """What a server makes of commands that come together (RFC 2920)."""

    OFFERED = auto()
    ABSENT = auto()
    """Not offered, and taken all the same, as most servers do."""
    ENFORCED_ABSENT = auto()
    """Not offered, and a client that does it is thrown out, as Exim does."""
    BROKEN = auto()
    """Offered, but all that came with a command is lost: a filter in front of the server."""
    BROKEN_BEHIND_A_MESSAGE = auto()
    """Offered, but all that came with the end of a message is lost."""
    REFUSED_BEHIND_A_MESSAGE = auto()
    """Offered, but whoever says something with the end of a message is thrown out afterwards."""

    @property
    def is_offered(self) -> bool:
        """Whether the reply to EHLO says so."""
        return self not in (Pipelining.ABSENT, Pipelining.ENFORCED_ABSENT)


class AuthStyle(StrEnum):
    """How the mechanisms are listed in the reply to EHLO."""

    STANDARD = auto()
    LEGACY = auto()
    """`AUTH=PLAIN`, as servers of 1998 had it for clients of 1998."""
    BOTH = auto()

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What stands before the mechanisms, line by line."""
        match self:
            case AuthStyle.STANDARD:
                return ("AUTH ",)
            case AuthStyle.LEGACY:
                return ("AUTH=",)
            case AuthStyle.BOTH:
                return ("AUTH ", "AUTH=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """How the server reads a message."""

    rate: float | None = None
    """Bytes per second: a slow line."""
    stop_after: int | None = None
    """After this many bytes `then` happens."""
    then: After = After.STALL
    """`STALL`: reading stops, and the window fills up. `GO_ON` makes no sense here."""
    words: str = ""
    """Said before that: a server that has had enough."""
    stall: float = math.inf
    """How many seconds a stall lasts; the server then reads on as if nothing had been."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """All that a scripted server does."""

    name: str = "mail.example.test"
    """How it calls itself."""
    program: str = "ready"
    """What its greeting ends with."""
    answers: Mapping[Step, Answer | tuple[Answer, ...]] = field(default_factory=dict)
    """What is different from a healthy server. One answer holds each time; a tuple's hold one
    after the other over all connections, and after the last the server is healthy."""

    tls: Tls = Tls.OFFERED
    tls_kind: ServerTls = ServerTls.VALID
    tls_required: bool = False
    """Whether all but EHLO, NOOP, STARTTLS and QUIT is refused outside TLS (530 5.7.0)."""

    users: Mapping[str, str] = field(default_factory=lambda: {USERNAME: PASSWORD})
    tokens: Mapping[str, str] = field(default_factory=lambda: {USERNAME: TOKEN})
    """The OAuth access token of each user."""
    mechanisms: tuple[str, ...] = ("PLAIN", "LOGIN")
    """Offered inside TLS. Those known to `sasl` are really verified; others can be offered."""
    mechanisms_in_clear: tuple[str, ...] = ()
    """Offered outside TLS."""
    auth_style: AuthStyle = AuthStyle.STANDARD
    login_required: bool = False
    """Whether MAIL is refused without a login (530 5.7.0)."""

    capabilities: tuple[str, ...] = ("8BITMIME", "ENHANCEDSTATUSCODES")
    """Offered besides those that have a field of their own."""
    capabilities_in_clear: tuple[str, ...] | None = None
    """Outside TLS; None: the same."""
    size_limit: int | None = None
    """In bytes; None: no SIZE (RFC 1870), as Dovecot has it."""
    smtputf8: bool = False
    pipelining: Pipelining = Pipelining.OFFERED

    hello_pattern: str | None = None
    """A regular expression for the EHLO and HELO names that are not refused."""
    own_senders: frozenset[str] | None = None
    """The addresses allowed in MAIL; None: any."""
    recipient_replies: Mapping[str, str] = field(default_factory=dict)
    """The reply to RCPT by address, in place of 250."""

    upload: Upload = Upload()
    idle_limit: float | None = None
    """Seconds without a command after which the server says 421 and hangs up."""
    recipients_per_mail: int | None = None
    """Each one more is refused with `too_many` (RFC 5321, 4.5.3.1.10)."""
    too_many: str = "452 4.5.3 Error: too many recipients"
    mails_per_connection: int | None = None
    """After so many the next MAIL gets a 421."""
    connections_at_once: int | None = None
    """One more gets a 421 for a greeting."""

    def but(self, **changes: object) -> Script:
        """Return this script with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


HEALTHY = Script()
"""A submission server as on port 587."""
HEALTHY_TLS = Script(tls=Tls.AT_ONCE)
"""A submission server as on port 465."""
PLAIN_RELAY = Script(tls=Tls.NEVER, mechanisms=())
"""A relay in a home network: no TLS, no login."""
PLAIN_LOGIN = Script(tls=Tls.NEVER, mechanisms_in_clear=("PLAIN", "LOGIN"))
"""No TLS, but a login: also what a client sees when STARTTLS was taken out on the way."""
