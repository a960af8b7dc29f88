"""Everything fits but the address in From."""

from custom_components.email_courier.mail.failure import FailureKind as Key
from tests.mail.matrix.case import Case
from tests.mail.matrix.servers import USUAL, at, at_mail
from tests.support.script import HEALTHY, USERNAME, After, Answer, Step

SENDER = (
    Case(
        "a login is wanted, and none was typed",
        Key.AUTH_REQUIRED,
        words="530 5.7.0",
        username=None,
        servers={587: HEALTHY.but(login_required=True)},
    ),
    Case(
        "a login is wanted (550), and none was typed",
        Key.AUTH_REQUIRED,
        username=None,
        servers=at_mail("550 5.7.1 Authentication required to send from this domain"),
    ),
    Case(
        "somebody else's address",
        Key.SENDER_REJECTED,
        words="not owned by user",
        sender="bert@example.test",
        servers={587: HEALTHY.but(own_senders=frozenset({USERNAME}))},
    ),
    Case(
        "QQ: an address that is not the user's",
        Key.SENDER_REJECTED,
        servers=at_mail("501 Mail from address must be same as authorization user."),
    ),
    Case(
        "Exchange: no right to send as this sender",
        Key.SENDER_REJECTED,
        words="5.7.60",
        servers=at_mail("550 5.7.60 SMTP; Client does not have permissions to send as this sender"),
    ),
    Case(
        "an address in a domain that does not exist",
        Key.SENDER_REJECTED,
        words="Domain not found",
        servers=at_mail("550 5.1.8 <anna@example.test>: Sender address rejected: Domain not found"),
    ),
    Case(
        "the disk is full",
        Key.DEFERRED,
        words="452 4.3.1",
        servers=at_mail("452 4.3.1 Insufficient system storage"),
    ),
    Case(
        "greylisted",
        Key.DEFERRED,
        words="450 4.7.1",
        servers=at_mail("450 4.7.1 Greylisted, try again in 5 minutes"),
    ),
    Case(
        "Gmail: as many mails as may be sent in a day",
        Key.QUOTA_EXCEEDED,
        words="5.4.5",
        servers=at_mail("550 5.4.5 Daily user sending limit exceeded"),
    ),
    Case(
        "a spent quota that the login tells of",
        Key.QUOTA_EXCEEDED,
        words="Maximum credits exceeded",
        servers=at(Step.AUTH_VERDICT, "451 Authentication failed: Maximum credits exceeded"),
    ),
    Case(
        "it does not know how to take a sender back",
        None,
        servers=at(Step.RSET, "502 5.5.1 What?"),
    ),
    Case(
        "it shuts down after the login",
        Key.DEFERRED,
        words="421 4.3.2",
        servers=at_mail("421 4.3.2 Service shutting down"),
    ),
    Case("an address without a domain", Key.INVALID_SENDER, sender="anna", servers=USUAL),
    Case(
        "an address with a space", Key.INVALID_SENDER, sender="anna b@example.test", servers=USUAL
    ),
    Case(
        "an address with a second command in it",
        Key.INVALID_SENDER,
        sender="a@b.test>\r\nRCPT TO:<c@d.test",
        servers=USUAL,
    ),
    Case("two addresses", Key.INVALID_SENDER, sender="a@b.test, c@d.test", servers=USUAL),
    Case(
        "an address of letters that the server does not take",
        Key.INVALID_SENDER,
        sender="jürgen@example.test",
        servers=USUAL,
    ),
    Case(
        "it hangs up and says goodbye at the sender",
        Key.DISCONNECTED,
        servers=at(Step.MAIL, Answer(cut=0, then=After.HANG_UP)),
    ),
)
