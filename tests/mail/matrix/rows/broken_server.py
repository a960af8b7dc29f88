"""The server is busy, picky, slow or broken."""

from custom_components.email_courier.mail.failure import FailureKind as Key
from custom_components.email_courier.mail.settings import Encryption
from tests.mail.matrix.case import Case
from tests.mail.matrix.servers import SUBMISSIONS, at, at_mail
from tests.support.script import HEALTHY, PLAIN_RELAY, Step, drip, glue, hang_up, reset, say, stall

BROKEN_SERVER = (
    Case(
        "nonsense for a reply", Key.PROTOCOL_ERROR, servers=at(Step.EHLO, say(b"hello there\r\n"))
    ),
    Case(
        "a greeting with a code that is none",
        Key.PROTOCOL_ERROR,
        servers=at(Step.GREETING, "354 Go ahead"),
    ),
    Case(
        "a reply without an end",
        Key.PROTOCOL_ERROR,
        servers=at(Step.EHLO, say(b"250-more\r\n" * 10_000)),
    ),
    Case(
        "two replies for one command",
        Key.PROTOCOL_ERROR,
        servers=at(Step.EHLO_TLS, glue(b"250 Ok\r\n")),
    ),
    Case("a line break behind a reply", Key.PROTOCOL_ERROR, servers=at(Step.MAIL, glue(b"\r\n"))),
    Case(
        "commands injected behind STARTTLS",
        Key.PROTOCOL_ERROR,
        servers=at(Step.STARTTLS, glue(b"250 AUTH PLAIN\r\n")),
    ),
    Case(
        "one byte a second from the first", Key.SERVER_TOO_SLOW, servers=at(Step.GREETING, drip(1))
    ),
    Case(
        "automatic at a port that says one byte a second",
        Key.SERVER_TOO_SLOW,
        port=2525,
        encryption=Encryption.AUTO,
        servers={2525: HEALTHY.but(answers=dict.fromkeys(Step, drip(1)))},
    ),
    Case(
        "automatic at a port that falls silent when it hears our name",
        Key.SERVER_TOO_SLOW,
        port=2525,
        encryption=Encryption.AUTO,
        servers={2525: HEALTHY.but(answers={Step.EHLO: stall()})},
    ),
    Case(
        "automatic at a port that hangs up when it hears our name, but 465 works",
        Key.DISCONNECTED,
        "465 tls",
        port=2525,
        encryption=Encryption.AUTO,
        servers={2525: HEALTHY.but(answers={Step.EHLO: hang_up()}), **SUBMISSIONS},
    ),
    Case("one byte a second after TLS", Key.SERVER_TOO_SLOW, servers=at(Step.EHLO_TLS, drip(1))),
    Case("it falls silent after its greeting", Key.SERVER_TOO_SLOW, servers=at(Step.EHLO, stall())),
    Case(
        "it falls silent when it should check the password",
        Key.SERVER_TOO_SLOW,
        servers=at(Step.AUTH_VERDICT, stall()),
    ),
    Case("it hangs up when it hears our name", Key.DISCONNECTED, servers=at(Step.EHLO, hang_up())),
    Case(
        "it hangs up when it hears our name, but 465 works",
        Key.DISCONNECTED,
        "465 tls",
        servers=at(Step.EHLO, hang_up()) | SUBMISSIONS,
    ),
    Case(
        "it hangs up when it hears the password",
        Key.DISCONNECTED,
        servers=at(Step.AUTH_VERDICT, hang_up()),
    ),
    Case("it resets when it hears the sender", Key.DISCONNECTED, servers=at(Step.MAIL, reset())),
    Case(
        "too many connections",
        Key.SERVER_BUSY,
        words="421 4.7.0",
        servers=at(Step.GREETING, "421 4.7.0 Too many connections from your host"),
    ),
    Case(
        "out of order for the moment",
        Key.SERVER_BUSY,
        words="451 4.3.2",
        servers=at(Step.GREETING, "451 4.3.2 Please try again later"),
    ),
    Case(
        "it shuts down as we come",
        Key.SERVER_BUSY,
        words="421 4.3.2",
        servers=at(Step.EHLO, "421 4.3.2 Service shutting down"),
    ),
    Case(
        "our address is on a block list",
        Key.GREETING_REJECTED,
        words="blocked using",
        servers=at(
            Step.GREETING,
            "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example.test",
        ),
    ),
    Case(
        "our address is on a block list at 25, but not at 587",
        Key.GREETING_REJECTED,
        "587 starttls",
        port=25,
        servers={25: HEALTHY.but(answers={Step.GREETING: say("554 5.7.1 No")}), 587: HEALTHY},
    ),
    Case(
        "our name is refused, and a better one is taken",
        Key.HELO_REJECTED,
        "hello homeassistant.example.test",
        words="504 5.5.2",
        servers={587: HEALTHY.but(hello_pattern=r"[a-z]+(\.[a-z]+)+")},
    ),
    Case(
        "our name is refused at a relay, and a better one is taken",
        Key.HELO_REJECTED,
        "hello homeassistant.example.test",
        port=25,
        encryption=Encryption.NONE,
        username=None,
        servers={25: PLAIN_RELAY.but(hello_pattern=r"[a-z]+(\.[a-z]+)+")},
    ),
    Case(
        "our name is refused, whatever it is",
        Key.HELO_REJECTED,
        words="501 5.5.2",
        servers={
            587: HEALTHY.but(
                answers=dict.fromkeys((Step.EHLO, Step.HELO), say("501 5.5.2 Invalid name"))
            )
        },
    ),
    Case(
        "our name is only refused with the sender",
        Key.HELO_REJECTED,
        words="504 5.5.2",
        servers=at_mail(
            "504 5.5.2 <[127.0.0.1]>: Helo command rejected: need fully-qualified hostname"
        ),
    ),
)
