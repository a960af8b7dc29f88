"""The login is refused, or cannot be tried."""

from custom_components.email_courier.mail.failure import FailureKind as Key
from custom_components.email_courier.mail.settings import Encryption
from tests.mail.matrix.case import Case
from tests.mail.matrix.servers import USUAL, at_login
from tests.support.script import HEALTHY, PLAIN_RELAY, Answer, Step, say

LOGIN = (
    Case(
        "a wrong password",
        Key.INVALID_AUTH,
        words="535 5.7.8",
        password="Open-Sesame-0000",
        servers=USUAL,
    ),
    Case(
        "a wrong password at 465",
        Key.INVALID_AUTH,
        words="535 5.7.8",
        port=465,
        encryption=Encryption.TLS,
        password="Open-Sesame-0000",
        servers=USUAL,
    ),
    Case(
        "a wrong password, many mechanisms on offer",
        Key.INVALID_AUTH,
        password="Open-Sesame-0000",
        servers={587: HEALTHY.but(mechanisms=("SCRAM-SHA-256", "PLAIN", "LOGIN", "CRAM-MD5"))},
    ),
    Case(
        "a wrong user name",
        Key.INVALID_AUTH,
        words="535 5.7.8",
        username="hanna@example.test",
        servers=USUAL,
    ),
    Case(
        "Gmail: a wrong password",
        Key.INVALID_AUTH,
        words="BadCredentials",
        servers=at_login(
            "535-5.7.8 Username and Password not accepted. For more information, go to\n"
            "535 5.7.8  https://support.google.com/mail/?p=BadCredentials a1b2 - gsmtp"
        ),
    ),
    Case(
        "Gmail: an app password is wanted",
        Key.APP_PASSWORD_REQUIRED,
        words="InvalidSecondFactor",
        servers=at_login(
            "534-5.7.9 Application-specific password required. For more information, go to\n"
            "534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor a1b2 - gsmtp"
        ),
    ),
    Case(
        "Gmail: log in with the browser first",
        Key.APP_PASSWORD_REQUIRED,
        servers=at_login(
            "534-5.7.14 Please log in via your web browser and then try again.\n"
            "534 5.7.14 a1b2 - gsmtp"
        ),
    ),
    Case(
        "another password is wanted, in words that nobody knows",
        Key.APP_PASSWORD_REQUIRED,
        words="534 5.7.9",
        servers=at_login("534 5.7.9 Bitte das Passwort aus dem Kundencenter verwenden"),
    ),
    Case(
        "QQ: an authorization code is wanted",
        Key.APP_PASSWORD_REQUIRED,
        servers=at_login(
            "535 Login Fail. Please enter your authorization code to login. More information "
            "in https://service.mail.qq.com/detail/0/53"
        ),
    ),
    Case(
        "163: SMTP is not switched on",
        Key.APP_PASSWORD_REQUIRED,
        servers=at_login("550 User has no permission"),
    ),
    Case(
        "Yandex: SMTP is not switched on",
        Key.APP_PASSWORD_REQUIRED,
        servers=at_login(
            "535 5.7.8 Error: authentication failed: This user does not have access rights "
            "to this service"
        ),
    ),
    Case(
        "Outlook: passwords are switched off",
        Key.OAUTH_REQUIRED,
        words="5.7.139",
        servers=at_login(
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. "
            "[AM0PR.outlook.com]"
        ),
    ),
    Case(
        "Microsoft 365: SMTP is switched off for the tenant",
        Key.OAUTH_REQUIRED,
        servers=at_login(
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled "
            "for the Tenant. Visit https://aka.ms/smtp_auth_disabled"
        ),
    ),
    Case(
        "only tokens are taken",
        Key.OAUTH_REQUIRED,
        words="XOAUTH2",
        servers={587: HEALTHY.but(mechanisms=("XOAUTH2", "OAUTHBEARER"))},
    ),
    Case(
        "only mechanisms of Windows domains",
        Key.AUTH_MECHANISM_UNSUPPORTED,
        words="GSSAPI, NTLM",
        servers={587: HEALTHY.but(mechanisms=("NTLM", "GSSAPI"))},
    ),
    Case(
        "a mechanism that is offered and then unknown",
        Key.AUTH_MECHANISM_UNSUPPORTED,
        words="504 5.5.4",
        servers={
            587: HEALTHY.but(
                mechanisms=("PLAIN",),
                answers={Step.AUTH: say("504 5.5.4 Unrecognized authentication type")},
            )
        },
    ),
    Case(
        "a login at a server without one",
        Key.AUTH_NOT_OFFERED,
        servers={587: HEALTHY.but(mechanisms=())},
    ),
    Case(
        "a login at a relay without one, but 587 has it",
        Key.AUTH_NOT_OFFERED,
        "587 starttls",
        port=25,
        servers={25: HEALTHY.but(mechanisms=()), 587: HEALTHY},
    ),
    Case(
        "a login at a relay without any TLS or login",
        Key.AUTH_NOT_OFFERED,
        port=25,
        encryption=Encryption.NONE,
        servers={25: PLAIN_RELAY},
    ),
    Case(
        "the password cannot be checked for the moment",
        Key.SERVER_BUSY,
        words="454 4.7.0",
        servers=at_login("454 4.7.0 Temporary authentication failure"),
    ),
    Case(
        "too many logins",
        Key.SERVER_BUSY,
        words="421 4.7.0",
        servers=at_login("421 4.7.0 Too many login attempts, please try again later"),
    ),
    Case(
        "too many wrong passwords",
        Key.INVALID_AUTH,
        words="#AUTH005",
        servers=at_login("535 5.7.0 (#AUTH005) Too many bad auth attempts."),
    ),
    Case(
        "the account is closed",
        Key.INVALID_AUTH,
        words="525 5.7.13",
        servers=at_login("525 5.7.13 User account disabled"),
    ),
    Case(
        "a server that only pretends to know the password",
        Key.PROTOCOL_ERROR,
        servers={
            587: HEALTHY.but(
                mechanisms=("SCRAM-SHA-256",),
                answers={Step.AUTH_CHALLENGE: (Answer(), say("235 2.7.0 Welcome"))},
            )
        },
    ),
    Case(
        "a challenge that is nonsense",
        Key.PROTOCOL_ERROR,
        servers={
            587: HEALTHY.but(
                mechanisms=("CRAM-MD5",), answers={Step.AUTH_CHALLENGE: say("334 ???")}
            )
        },
    ),
)
