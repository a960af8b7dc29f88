"""Postfix: the most common mail server, with logins kept by Cyrus SASL."""

from collections.abc import Sequence
import os
from pathlib import Path
from typing import ClassVar, override

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
    UTF8_RECIPIENT,
    local_part,
)
from .server import CERTIFICATE, KEY, RunningServer

_POSTFIX, _POSTDROP, _COURIER = 901, 902, 910

# What lies in the queue folder, with its owner, group and mode, as postfix-files(5) has it.
_QUEUE = (
    *((name, _POSTFIX, 0, 0o700) for name in ("active", "bounce", "corrupt", "defer")),
    *((name, _POSTFIX, 0, 0o700) for name in ("deferred", "flush", "hold", "incoming")),
    *((name, _POSTFIX, 0, 0o700) for name in ("private", "saved", "trace")),
    ("maildrop", _POSTFIX, _POSTDROP, 0o730),
    ("public", _POSTFIX, _POSTDROP, 0o710),
    ("pid", 0, 0, 0o755),
)


class Postfix(RunningServer):
    """Postfix 3.7 with the services "starttls", "tls", "none" and "open".

    starttls, tls, none: login wanted, each sender belongs to one user.
    open: neither encryption nor login, and no relay to other domains.
    """

    name = "postfix"
    services: ClassVar[Sequence[str]] = ("starttls", "tls", "none", "open")

    def __init__(
        self,
        folder: Path,
        pem: tuple[bytes, bytes],
        *,
        size_limit: int = 30 * 1024 * 1024,
        mechanisms: Sequence[str] = ("PLAIN", "LOGIN"),
        refuses_late: bool = False,
        recipient_limit: int = 1000,
    ) -> None:
        """Prepare a Postfix.

        size_limit: the largest mail, in bytes, as EHLO advertises it.
        mechanisms: offered for the login; Cyrus SASL also has SCRAM-SHA-256 and CRAM-MD5.
        refuses_late: whether a bad sender is refused at RCPT, as Postfix does by default, and
            not at MAIL.
        recipient_limit: how many recipients one mail may have; those beyond get a 452.
        """
        super().__init__(folder, pem)
        self._size_limit = size_limit
        self._mechanisms = tuple(mechanisms)
        self._refuses_late = refuses_late
        self._recipient_limit = recipient_limit

    @override
    def _configure(self) -> None:
        queue = self._make_folder("queue")
        for name, owner, group, mode in _QUEUE:
            self._make_folder(f"{queue.name}/{name}", owner=owner, group=group, mode=mode)
        self._make_folder("data", owner=_POSTFIX, mode=0o700)
        self._make_folder("etc/sasl")
        self._write("main.cf", self._main())
        self._write("master.cf", self._master())
        self._write("owners", f"{SENDER} {USERNAME}\n{USERNAME} {USERNAME}\n{REFUSED_SENDER} -\n")
        self._write("refused", f"{REFUSED_SENDER} 553 5.7.1 not your address\n")
        self._write("waiting", "".join(f"{it.address} {it.reply}\n" for it in (GREYLISTED, FULL)))
        self._write(
            "mailboxes",
            "".join(f"{to} {local_part(to)}/\n" for to in (*RECIPIENTS, UTF8_RECIPIENT)),
        )
        self._write(
            "sasl/smtpd.conf",
            f"pwcheck_method: auxprop\nauxprop_plugin: sasldb\nsasldb_path: {INSIDE}/etc/sasldb2\n"
            f"mech_list: {' '.join(self._mechanisms)}\n",
        )
        # Postfix waits two seconds for a file that might still be in an editor.
        for file in (self.folder / "etc").iterdir():
            os.utime(file, (0, 0))
        self._write("password", PASSWORD)
        self._enclosure.run(
            "/bin/sh",
            "-c",
            f"saslpasswd2 -p -c -f {INSIDE}/etc/sasldb2 -u {DOMAIN} {local_part(USERNAME)}"
            f" <{INSIDE}/etc/password",
        )
        os.chown(self.folder / "etc" / "sasldb2", _POSTFIX, _POSTFIX)

    @override
    def _command(self) -> tuple[str, ...]:
        return ("/usr/lib/postfix/sbin/master", "-s", "-c", f"{INSIDE}/etc")

    def _main(self) -> str:
        settings = {
            "compatibility_level": "3.6",
            "queue_directory": INSIDE / "queue",
            "data_directory": INSIDE / "data",
            "maillog_file": INSIDE / "log" / "mail",
            "mail_owner": "postfix",
            "setgid_group": "postdrop",
            "myhostname": SERVER_NAME,
            "mydestination": "",
            "mynetworks": "",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "alias_maps": "",
            "message_size_limit": self._size_limit,
            "smtpd_recipient_limit": self._recipient_limit,
            # Nothing may leave this machine, not even a look-up.
            "default_transport": "error:5.1.2 no way out of here",
            "relay_transport": "error:5.1.2 no way out of here",
            "smtp_dns_support_level": "disabled",
            "smtpd_peername_lookup": "no",
            "virtual_mailbox_domains": DOMAIN,
            "virtual_mailbox_maps": f"texthash:{INSIDE}/etc/mailboxes",
            "virtual_mailbox_base": INSIDE / "mail",
            "virtual_mailbox_limit": 0,
            "virtual_uid_maps": f"static:{_COURIER}",
            "virtual_gid_maps": f"static:{_COURIER}",
            "smtpd_tls_cert_file": CERTIFICATE,
            "smtpd_tls_key_file": KEY,
            "smtpd_tls_auth_only": "no",
            "cyrus_sasl_config_path": INSIDE / "etc" / "sasl",
            "smtpd_sasl_security_options": "noanonymous",
            "broken_sasl_auth_clients": "yes",
            "smtpd_delay_reject": "yes" if self._refuses_late else "no",
            "smtpd_helo_restrictions": "reject_invalid_helo_hostname,reject_non_fqdn_helo_hostname",
            "smtpd_sender_login_maps": f"texthash:{INSIDE}/etc/owners",
            "smtpd_sender_restrictions": "reject_sender_login_mismatch",
            "smtpd_relay_restrictions": "permit_sasl_authenticated,reject",
            "smtpd_recipient_restrictions": f"check_recipient_access,texthash:{INSIDE}/etc/waiting",
            # Tests make mistakes on purpose and are in a hurry.
            "smtpd_error_sleep_time": "0s",
            "smtpd_client_connection_count_limit": 0,
        }
        return "".join(f"{key} = {value}\n" for key, value in settings.items())

    def _master(self) -> str:
        login = "-o smtpd_sasl_auth_enable=yes"
        listeners = {
            "starttls": f"{login} -o smtpd_tls_security_level=encrypt",
            "tls": f"{login} -o smtpd_tls_wrappermode=yes",
            "none": login,
            "open": "-o smtpd_relay_restrictions=reject_unauth_destination"
            f" -o smtpd_sender_restrictions=check_sender_access,texthash:{INSIDE}/etc/refused",
        }
        lines = [
            f"{self.ports[name]} inet n - n - - smtpd -o syslog_name=postfix/{name} {options}"
            for name, options in listeners.items()
        ]
        return "\n".join([*lines, _SERVICES])


_SERVICES = """\
pickup    unix  n  -  n  60    1  pickup
cleanup   unix  n  -  n  -     0  cleanup
qmgr      unix  n  -  n  300   1  qmgr
tlsmgr    unix  -  -  n  1000? 1  tlsmgr
rewrite   unix  -  -  n  -     -  trivial-rewrite
bounce    unix  -  -  n  -     0  bounce
defer     unix  -  -  n  -     0  bounce
trace     unix  -  -  n  -     0  bounce
verify    unix  -  -  n  -     1  verify
flush     unix  n  -  n  1000? 0  flush
proxymap  unix  -  -  n  -     -  proxymap
smtp      unix  -  -  n  -     -  smtp
relay     unix  -  -  n  -     -  smtp
error     unix  -  -  n  -     -  error
retry     unix  -  -  n  -     -  error
discard   unix  -  -  n  -     -  discard
local     unix  -  n  n  -     -  local
virtual   unix  -  n  n  -     -  virtual
lmtp      unix  -  -  n  -     -  lmtp
anvil     unix  -  -  n  -     1  anvil
scache    unix  -  -  n  -     1  scache
postlog   unix-dgram n - n  -  1  postlogd
"""
