"""Dovecot's submission service: it takes the login, and another server the mail."""

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import override

from .enclosure import INSIDE
from .people import PASSWORD, SERVER_NAME, USERNAME
from .postfix import Postfix
from .server import CERTIFICATE, KEY, RunningServer

_DOVECOT = 903


class Dovecot(RunningServer):
    """Dovecot 2.3 with the services "starttls", "tls" and "none", each with login.

    It counts a connection within one machine as secure, and so takes a password without TLS on
    "starttls" too, whatever its settings say.
    """

    name = "dovecot"

    def __init__(
        self,
        folder: Path,
        pem: tuple[bytes, bytes],
        *,
        relay: Postfix,
        mechanisms: Sequence[str] = ("plain", "login"),
    ) -> None:
        """Prepare a Dovecot.

        relay: takes the mails on its "open" port and delivers them.
        mechanisms: offered for the login; Dovecot also has scram-sha-256 and cram-md5.
        """
        super().__init__(folder, pem)
        self._relay = relay
        self._mechanisms = tuple(mechanisms)
        self.mailboxes = relay.mailboxes

    @override
    def _configure(self) -> None:
        self._make_folder("state")
        self._write("dovecot.conf", self._main())
        # In base64, because a colon would end the field.
        password = b64encode(PASSWORD.encode()).decode()
        self._write("users", f"{USERNAME}:{{PLAIN.b64}}{password}\n", mode=0o600, owner=_DOVECOT)

    @override
    def _command(self) -> tuple[str, ...]:
        return ("/usr/sbin/dovecot", "-F", "-c", f"{INSIDE}/etc/dovecot.conf")

    def _passdb(self) -> str:
        """Return the part of the configuration that says who may log in."""
        return f"""\
passdb {{
  driver = passwd-file
  args = scheme=plain username_format=%u {INSIDE}/etc/users
}}"""

    def _main(self) -> str:
        return f"""\
base_dir = /run/dovecot
state_dir = {INSIDE}/state
log_path = /dev/stderr
protocols = submission
listen = 127.0.0.1
hostname = {SERVER_NAME}
mail_location = maildir:/tmp/mail
ssl = required
ssl_cert = <{CERTIFICATE}
ssl_key = <{KEY}
disable_plaintext_auth = no
auth_mechanisms = {" ".join(self._mechanisms)}
auth_failure_delay = 0
{self._passdb()}
userdb {{
  driver = static
  args = uid=courier gid=courier home=/tmp
}}
# The tests' wrong passwords all come from one address, which would soon wait 15 s for each reply.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
submission_relay_host = {self._relay.host}
submission_relay_port = {self._relay.ports["open"]}
submission_relay_ssl = no
service submission-login {{
  inet_listener submission {{
    port = {self.ports["starttls"]}
  }}
  inet_listener submissions {{
    port = {self.ports["tls"]}
    ssl = yes
  }}
}}
# Whether STARTTLS is offered is a setting of a whole process, so the plain port has its own.
service submission-login-plain {{
  executable = submission-login -o ssl=no
  type = login
  protocol = submission
  user = dovenull
  chroot = login
  inet_listener plain {{
    port = {self.ports["none"]}
  }}
}}
"""
