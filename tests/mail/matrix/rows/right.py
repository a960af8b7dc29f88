"""Settings that are right, though the server may be an odd one."""

from custom_components.email_courier.mail.settings import Encryption
from tests.mail.matrix.case import Case
from tests.mail.matrix.servers import USUAL, at, showing
from tests.support.certificates import ServerTls
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PLAIN_LOGIN,
    PLAIN_RELAY,
    USERNAME,
    AuthStyle,
    Pipelining,
    Step,
    late,
    say,
)

RIGHT = (
    Case("STARTTLS at 587", None, servers=USUAL),
    Case("TLS at 465", None, port=465, encryption=Encryption.TLS, servers=USUAL),
    Case(
        name="TLS at a port of its own",
        key=None,
        port=2465,
        encryption=Encryption.TLS,
        servers={2465: HEALTHY_TLS},
    ),
    Case("STARTTLS at 25", None, port=25, servers={25: HEALTHY}),
    Case("STARTTLS at 2525", None, port=2525, servers={2525: HEALTHY}),
    Case(
        name="a relay at home: no encryption, no login",
        key=None,
        port=25,
        encryption=Encryption.NONE,
        username=None,
        servers={25: PLAIN_RELAY},
    ),
    Case(
        name="no encryption with a login, confirmed",
        key=None,
        port=25,
        encryption=Encryption.NONE,
        servers={25: PLAIN_LOGIN},
        in_clear=True,
    ),
    Case(
        name="no encryption, but a mechanism that hides the password",
        key=None,
        port=25,
        encryption=Encryption.NONE,
        servers={25: PLAIN_LOGIN.but(mechanisms_in_clear=("SCRAM-SHA-256",))},
        in_clear=True,
    ),
    Case("no login at a server that has one", None, username=None, servers=USUAL),
    Case("automatic at 465", None, port=465, encryption=Encryption.AUTO, servers=USUAL),
    Case("automatic at 587", None, encryption=Encryption.AUTO, servers=USUAL),
    Case(
        name="automatic at 25 with STARTTLS",
        key=None,
        port=25,
        encryption=Encryption.AUTO,
        servers={25: HEALTHY},
    ),
    Case(
        name="automatic at 2525, which speaks TLS",
        key=None,
        port=2525,
        encryption=Encryption.AUTO,
        servers={2525: HEALTHY_TLS},
    ),
    Case(
        name="automatic at 25 without any TLS",
        key=None,
        port=25,
        encryption=Encryption.AUTO,
        username=None,
        servers={25: PLAIN_RELAY},
    ),
    Case(
        name="a user name that is no address",
        key=None,
        username="anna",
        servers={587: HEALTHY.but(users={"anna": "Open-Sesame-7421"})},
    ),
    Case(
        name="a password with letters of all kinds",
        key=None,
        password="Пароль-äöü 🔑",
        servers={587: HEALTHY.but(users={USERNAME: "Пароль-äöü 🔑"})},
    ),
    Case(
        name="a secret of 1000 characters",
        key=None,
        password="k" * 1000,
        servers={587: HEALTHY.but(users={USERNAME: "k" * 1000})},
    ),
    Case("only LOGIN", None, servers={587: HEALTHY.but(mechanisms=("LOGIN",))}),
    Case("only CRAM-MD5", None, servers={587: HEALTHY.but(mechanisms=("CRAM-MD5",))}),
    Case(
        name="only SCRAM-SHA-256",
        key=None,
        servers={587: HEALTHY.but(mechanisms=("SCRAM-SHA-256",))},
    ),
    Case(
        name="mechanisms listed as in 1998",
        key=None,
        servers={587: HEALTHY.but(auth_style=AuthStyle.LEGACY)},
    ),
    Case(
        name="a server without pipelining that enforces it",
        key=None,
        servers={587: HEALTHY.but(pipelining=Pipelining.ENFORCED_ABSENT)},
    ),
    Case(
        name="a greeting of several lines",
        key=None,
        servers=at(Step.GREETING, "220-mail.example.test ESMTP\n220-No spam\n220 please"),
    ),
    Case(
        name="a greeting after 4 seconds, to keep spammers off",
        key=None,
        servers=at(Step.GREETING, late(4)),
    ),
    Case(
        name="a relay that only knows HELO",
        key=None,
        port=25,
        encryption=Encryption.NONE,
        username=None,
        servers={25: PLAIN_RELAY.but(answers={Step.EHLO: say("500 Command unrecognized")})},
    ),
    Case("an IPv6 address where nobody answers", None, servers=USUAL, dead_ipv6=True),
    Case(
        name="a self-signed certificate, checks switched off",
        key=None,
        verify=False,
        servers=showing(ServerTls.SELF_SIGNED),
    ),
    Case(
        name="a self-signed certificate that is trusted",
        key=None,
        trusts=ServerTls.SELF_SIGNED,
        servers=showing(ServerTls.SELF_SIGNED),
    ),
    Case(
        name="a greeting name of one's own where the usual is refused",
        key=None,
        hello_name="ha.example.test",
        servers={587: HEALTHY.but(hello_pattern=r"[a-z.]+")},
    ),
)
