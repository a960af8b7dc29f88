"""OpenSMTPD: OpenBSD's mail server, which takes no password without encryption."""

from typing import override

from .enclosure import INSIDE
from .people import (
    DOMAIN,
    FULL,
    GREYLISTED,
    PASSWORD,
    RECIPIENTS,
    REFUSED_SENDER,
    SENDER,
    SERVER_NAME,
    USERNAME,
)
from .server import CERTIFICATE, KEY, RunningServer


class OpenSmtpd(RunningServer):
    """OpenSMTPD 7.9 with the services "starttls", "tls" and "none".

    "none" has no login at all: OpenSMTPD refuses such a configuration.
    """

    name = "opensmtpd"
    suite = "forky"

    @override
    def has_login(self, service: str) -> bool:
        return service != "none"

    @override
    def _configure(self) -> None:
        self._make_folder("spool", mode=0o711)
        self._write("smtpd.conf", self._main())
        self._write("password", PASSWORD + "\n")
        self._enclosure.run(
            "/bin/sh",
            "-c",
            f"/usr/libexec/opensmtpd/encrypt <{INSIDE}/etc/password >{INSIDE}/etc/hash",
        )
        hashed = (self.folder / "etc" / "hash").read_text().strip()
        self._write("users", f"{USERNAME} {hashed}\n")
        self._write("owners", f"{USERNAME} {SENDER},{USERNAME}\n")
        # Every mailbox belongs to one account of the system.
        self._write("mailboxes", "".join(f"{to} courier\n" for to in RECIPIENTS))

    @override
    def _command(self) -> tuple[str, ...]:
        return ("/usr/sbin/smtpd", "-d", "-f", f"{INSIDE}/etc/smtpd.conf")

    def _main(self) -> str:
        etc = INSIDE / "etc"
        deferred = {person.address.partition("@")[0]: person for person in (GREYLISTED, FULL)}
        filters = "".join(
            f'filter {name} phase rcpt-to match rcpt-to {{ "{person.address}" }}'
            f' reject "{person.reply}"\n'
            for name, person in deferred.items()
        )
        waiting = ", ".join(f'"{name}"' for name in deferred)
        login = f"pki {SERVER_NAME} auth <users> senders <owners> hostname {SERVER_NAME}"
        return f"""\
table users file:{etc}/users
table owners file:{etc}/owners
table mailboxes file:{etc}/mailboxes
smtp max-message-size "30M"
pki {SERVER_NAME} cert "{CERTIFICATE}"
pki {SERVER_NAME} key "{KEY}"
{filters}
filter stranger phase mail-from match mail-from {{ "{REFUSED_SENDER}" }} \
reject "553 5.7.1 not your address"
filter known chain {{ {waiting} }}
filter anybody chain {{ {waiting}, "stranger" }}
listen on 127.0.0.1 port {self.ports["starttls"]} tls-require {login} filter known
listen on 127.0.0.1 port {self.ports["tls"]} smtps {login} filter known
listen on 127.0.0.1 port {self.ports["none"]} hostname {SERVER_NAME} filter anybody
action deliver maildir "{INSIDE}/mail/%{{rcpt.user}}" virtual <mailboxes>
match from any for domain "{DOMAIN}" action deliver
"""
