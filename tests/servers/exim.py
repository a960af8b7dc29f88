"""Exim: Debian's own mail server, with GnuTLS and its own logins."""

from collections.abc import Sequence
from typing import ClassVar, override

from .enclosure import INSIDE
from .people import (
    DOMAIN,
    FULL,
    GREYLISTED,
    PASSWORD,
    RECIPIENTS,
    SENDER,
    SERVER_NAME,
    USERNAME,
    UTF8_RECIPIENT,
    local_part,
)
from .server import CERTIFICATE, KEY, RunningServer

_EXIM = 905


class Exim(RunningServer):
    """Exim 4.96 with the services "starttls", "tls", "none" and "open".

    starttls, tls, none: login wanted, each sender belongs to one user; on "starttls" the login is
        offered only once TLS is up.
    open: neither encryption nor login.
    """

    name = "exim"
    services: ClassVar[Sequence[str]] = ("starttls", "tls", "none", "open")
    key_owner = _EXIM

    @override
    def _configure(self) -> None:
        self._make_folder("spool", owner=_EXIM, mode=0o750)
        # The name is built in: only there does Exim keep the rights to deliver.
        self._write("exim4.conf", self._main())
        self._write("users", f"{USERNAME}: {PASSWORD}\n", mode=0o400, owner=_EXIM)
        names = map(local_part, (*RECIPIENTS, UTF8_RECIPIENT))
        self._write("mailboxes", "".join(f"{name}: {name}\n" for name in names))

    @override
    def _command(self) -> tuple[str, ...]:
        return ("/usr/sbin/exim4", "-bdf")

    def _main(self) -> str:
        starttls, tls, none, plain = (self.ports[service] for service in self.services)
        # PLAIN gives identity, name and password, LOGIN the name and the password.
        authenticators = "".join(
            f"""
{name}:
  driver = plaintext
  public_name = {name.upper()}
  server_prompts = {prompts}
  server_condition = ${{if eq{{{password}}}\
{{${{lookup{{{user}}}lsearch{{{INSIDE}/etc/users}}{{$value}}fail}}}}}}
  server_set_id = {user}
"""
            for name, prompts, user, password in (
                ("plain", ":", "$auth2", "$auth3"),
                ("login", "Username:: : Password::", "$auth1", "$auth2"),
            )
        )
        deferred = "".join(
            f"  defer message = {person.reply}\n        recipients = {person.address}\n"
            for person in (GREYLISTED, FULL)
        )
        return f"""\
primary_hostname = {SERVER_NAME}
disable_ipv6
local_interfaces = 127.0.0.1
daemon_smtp_ports = {starttls} : {tls} : {none} : {plain}
tls_on_connect_ports = {tls}
tls_advertise_hosts = ${{if eq{{$received_port}}{{{starttls}}}{{*}}{{}}}}
tls_certificate = {CERTIFICATE}
tls_privatekey = {KEY}
auth_advertise_hosts = ${{if or{{{{def:tls_in_cipher}}\
{{eq{{$received_port}}{{{none}}}}}}}{{*}}{{}}}}
spool_directory = {INSIDE}/spool
log_file_path = {INSIDE}/log/exim-%s
pid_file_path = /run/exim.pid
message_size_limit = 30M
# Otherwise what comes after the tenth mail of a connection waits for the next queue run.
smtp_accept_queue_per_connection = 0
smtp_accept_max = 0
acl_smtp_mail = check_mail
acl_smtp_rcpt = check_rcpt

begin acl

check_mail:
  deny  message = 530 5.7.0 Authentication required
        condition = ${{if !eq{{$received_port}}{{{plain}}}}}
        !authenticated = *
  deny  message = 553 5.7.1 $sender_address does not belong to you
        !senders = {SENDER} : {USERNAME}
  accept

check_rcpt:
{deferred}\
  deny  message = 550 5.7.1 relay not permitted
        !domains = {DOMAIN}
  deny  message = 550 5.1.1 Unknown user
        !verify = recipient
  accept

begin routers

mailbox:
  driver = accept
  domains = {DOMAIN}
  local_parts = lsearch;{INSIDE}/etc/mailboxes
  transport = maildir

begin transports

maildir:
  driver = appendfile
  maildir_format
  directory = {INSIDE}/mail/$local_part_data
  user = courier
  envelope_to_add
  return_path_add

begin authenticators
{authenticators}"""
