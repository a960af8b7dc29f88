"""Encryption and port do not fit, or the encryption is not to be had."""

from custom_components.email_courier.mail.failure import FailureKind as Key
from custom_components.email_courier.mail.settings import Encryption
from tests.mail.matrix.case import Case
from tests.mail.matrix.servers import SUBMISSION, SUBMISSIONS, USUAL, at
from tests.support.script import HEALTHY, HEALTHY_TLS, PLAIN_LOGIN, PLAIN_RELAY, Step, late, say

WRONG_PAIR = (
    Case(
        "STARTTLS at 465, the classic freeze",
        Key.TLS_EXPECTED,
        "465 tls",
        port=465,
        servers=SUBMISSIONS,
    ),
    Case(
        "STARTTLS at 465 where 587 is there too",
        Key.TLS_EXPECTED,
        "465 tls",
        port=465,
        servers=USUAL,
    ),
    Case(
        "no encryption at 465",
        Key.TLS_EXPECTED,
        "465 tls",
        port=465,
        encryption=Encryption.NONE,
        servers=SUBMISSIONS,
    ),
    Case(
        "STARTTLS at a port of its own that wants TLS",
        Key.TLS_EXPECTED,
        "2465 tls",
        port=2465,
        servers={2465: HEALTHY_TLS},
    ),
    Case(
        "TLS at 587",
        Key.TLS_NOT_EXPECTED,
        "587 starttls",
        encryption=Encryption.TLS,
        servers=SUBMISSION,
    ),
    Case(
        "TLS at 587 where 465 is there too",
        Key.TLS_NOT_EXPECTED,
        "587 starttls",
        encryption=Encryption.TLS,
        servers=USUAL,
    ),
    Case(
        "TLS at 587, whose greeting takes 9 seconds",
        Key.TLS_NOT_EXPECTED,
        encryption=Encryption.TLS,
        servers={587: HEALTHY.but(answers={Step.GREETING: late(9)})},
    ),
    Case(
        "TLS at 587, whose greeting takes 9 seconds, but 465 works",
        Key.TLS_NOT_EXPECTED,
        "465 tls",
        encryption=Encryption.TLS,
        servers={587: HEALTHY.but(answers={Step.GREETING: late(9)}), **SUBMISSIONS},
    ),
    Case(
        "TLS at 25",
        Key.TLS_NOT_EXPECTED,
        "25 starttls",
        port=25,
        encryption=Encryption.TLS,
        servers={25: HEALTHY},
    ),
    Case(
        "TLS at a relay without any",
        Key.TLS_NOT_EXPECTED,
        port=25,
        encryption=Encryption.TLS,
        username=None,
        servers={25: PLAIN_RELAY},
    ),
    Case(
        "TLS at a relay without any, but 587 has it",
        Key.TLS_NOT_EXPECTED,
        "587 starttls",
        port=25,
        encryption=Encryption.TLS,
        servers={25: PLAIN_RELAY, 587: HEALTHY},
    ),
    Case(
        "automatic at 465, where STARTTLS is spoken",
        Key.TLS_NOT_EXPECTED,
        "465 starttls",
        port=465,
        encryption=Encryption.AUTO,
        servers={465: HEALTHY},
    ),
    Case(
        "automatic at 587, where TLS is spoken",
        Key.TLS_EXPECTED,
        "587 tls",
        encryption=Encryption.AUTO,
        servers={587: HEALTHY_TLS},
    ),
    Case(
        "STARTTLS at a relay without any",
        Key.STARTTLS_NOT_OFFERED,
        port=25,
        username=None,
        servers={25: PLAIN_RELAY},
    ),
    Case(
        "STARTTLS at a relay without any, but 465 is there",
        Key.STARTTLS_NOT_OFFERED,
        "465 tls",
        port=25,
        servers={25: PLAIN_RELAY, 465: HEALTHY_TLS},
    ),
    Case(
        "STARTTLS taken out on the way, and a login offered in clear",
        Key.STARTTLS_NOT_OFFERED,
        servers={587: PLAIN_LOGIN},
    ),
    Case(
        "STARTTLS masked by a firewall",
        Key.STARTTLS_NOT_OFFERED,
        servers={587: PLAIN_LOGIN.but(capabilities=("XXXXXXXA",))},
    ),
    Case(
        "automatic at 587 where STARTTLS was taken out",
        Key.STARTTLS_NOT_OFFERED,
        encryption=Encryption.AUTO,
        servers={587: PLAIN_LOGIN},
    ),
    Case(
        "STARTTLS out of order",
        Key.STARTTLS_NOT_OFFERED,
        words="454 4.7.0",
        servers=at(Step.STARTTLS, "454 4.7.0 TLS not available due to local problem"),
    ),
    Case(
        "STARTTLS out of order, but 465 works",
        Key.STARTTLS_NOT_OFFERED,
        "465 tls",
        words="454 4.7.0",
        servers=at(Step.STARTTLS, "454 4.7.0 TLS not available due to local problem") | SUBMISSIONS,
    ),
    Case(
        "STARTTLS offered and then unknown",
        Key.STARTTLS_NOT_OFFERED,
        words="502 5.5.1",
        servers=at(Step.STARTTLS, "502 5.5.1 Error: command not implemented"),
    ),
    Case(
        "no encryption where it is a must, no login",
        Key.ENCRYPTION_REQUIRED,
        "587 starttls",
        words="530 5.7.0",
        encryption=Encryption.NONE,
        username=None,
        servers={587: HEALTHY.but(tls_required=True)},
    ),
    Case(
        "no encryption at an Exchange that insists",
        Key.ENCRYPTION_REQUIRED,
        "587 starttls",
        words="451 5.7.3",
        encryption=Encryption.NONE,
        username=None,
        servers={
            587: HEALTHY.but(
                answers={Step.MAIL: (say("451 5.7.3 STARTTLS is required to send mail [AM0PR]"),)}
            )
        },
    ),
    Case(
        "no encryption, and the login is hidden until TLS is up",
        Key.AUTH_NEEDS_ENCRYPTION,
        "587 starttls",
        encryption=Encryption.NONE,
        servers=SUBMISSION,
    ),
    Case(
        "no encryption, and the login is refused for that (530)",
        Key.ENCRYPTION_REQUIRED,
        "587 starttls",
        encryption=Encryption.NONE,
        servers={587: HEALTHY.but(tls_required=True, mechanisms_in_clear=("PLAIN",))},
        in_clear=True,
    ),
    Case(
        "no encryption, and the login is refused for that (538)",
        Key.AUTH_NEEDS_ENCRYPTION,
        "587 starttls",
        encryption=Encryption.NONE,
        servers={
            587: HEALTHY.but(
                mechanisms_in_clear=("PLAIN",),
                answers={
                    Step.AUTH_VERDICT: (
                        say(
                            "538 5.7.11 Encryption required for requested authentication mechanism"
                        ),
                    )
                },
            )
        },
        in_clear=True,
    ),
)
