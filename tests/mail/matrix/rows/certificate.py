"""TLS itself is the trouble."""

from custom_components.email_courier.mail.failure import FailureKind as Key
from custom_components.email_courier.mail.settings import Encryption
from tests.mail.matrix.case import Case
from tests.mail.matrix.servers import SUBMISSIONS, USUAL, at, showing
from tests.support.certificates import OTHER_NAME, ServerTls
from tests.support.script import HEALTHY, Step, hang_up, say, stall

CERTIFICATE = (
    Case(
        "a self-signed certificate",
        Key.CERTIFICATE_UNTRUSTED,
        "trust",
        servers=showing(ServerTls.SELF_SIGNED),
    ),
    Case(
        "a self-signed certificate at 465",
        Key.CERTIFICATE_UNTRUSTED,
        "trust",
        port=465,
        encryption=Encryption.TLS,
        servers=showing(ServerTls.SELF_SIGNED),
    ),
    Case(
        "an authority that nobody knows",
        Key.CERTIFICATE_UNTRUSTED,
        "trust",
        servers=showing(ServerTls.UNTRUSTED_AUTHORITY),
    ),
    Case(
        "a certificate without its intermediate one",
        Key.CERTIFICATE_UNTRUSTED,
        "trust",
        port=465,
        encryption=Encryption.TLS,
        servers=showing(ServerTls.INCOMPLETE_CHAIN),
    ),
    Case(
        "a certificate that has changed since it was trusted",
        Key.CERTIFICATE_UNTRUSTED,
        "trust",
        trusts=ServerTls.SELF_SIGNED,
        servers=USUAL,
    ),
    Case(
        "an expired certificate",
        Key.CERTIFICATE_EXPIRED,
        words="expired",
        servers=showing(ServerTls.EXPIRED),
    ),
    Case(
        "an expired certificate at 465",
        Key.CERTIFICATE_EXPIRED,
        words="expired",
        port=465,
        encryption=Encryption.TLS,
        servers=showing(ServerTls.EXPIRED),
    ),
    Case(
        "a certificate of tomorrow",
        Key.CERTIFICATE_EXPIRED,
        words="not yet valid",
        servers=showing(ServerTls.NOT_YET_VALID),
    ),
    Case(
        "a certificate for another name",
        Key.CERTIFICATE_HOSTNAME_MISMATCH,
        words=OTHER_NAME,
        servers=showing(ServerTls.OTHER_NAME),
    ),
    Case(
        "a certificate for another name of the same server",
        Key.CERTIFICATE_HOSTNAME_MISMATCH,
        f"host {OTHER_NAME}",
        words=OTHER_NAME,
        servers=showing(ServerTls.OTHER_NAME),
        other_names=frozenset({OTHER_NAME}),
    ),
    Case(
        "a certificate for another name of the same server at 465",
        Key.CERTIFICATE_HOSTNAME_MISMATCH,
        f"host {OTHER_NAME}",
        port=465,
        encryption=Encryption.TLS,
        servers=showing(ServerTls.OTHER_NAME),
        other_names=frozenset({OTHER_NAME}),
    ),
    Case(
        "a certificate for the name of another machine",
        Key.CERTIFICATE_HOSTNAME_MISMATCH,
        words=OTHER_NAME,
        servers=showing(ServerTls.OTHER_NAME),
        strangers_names=frozenset({OTHER_NAME}),
    ),
    Case("TLS of 2006 at most", Key.TLS_FAILED, servers=showing(ServerTls.OLD_PROTOCOL)),
    Case(
        "TLS of 2006 at most at 587, but 465 is of today",
        Key.TLS_FAILED,
        "465 tls",
        servers={587: HEALTHY.but(tls_kind=ServerTls.OLD_PROTOCOL)} | SUBMISSIONS,
    ),
    Case(
        "no cipher in common",
        Key.TLS_FAILED,
        port=465,
        encryption=Encryption.TLS,
        servers=showing(ServerTls.WEAK_CIPHERS),
    ),
    Case(
        "nonsense where TLS should begin",
        Key.TLS_FAILED,
        servers=at(Step.TLS, say(b"* nonsense *\r\n")),
    ),
    Case("it hangs up where TLS should begin", Key.TLS_FAILED, servers=at(Step.TLS, hang_up())),
    Case(
        "it falls silent where TLS should begin", Key.SERVER_TOO_SLOW, servers=at(Step.TLS, stall())
    ),
)
