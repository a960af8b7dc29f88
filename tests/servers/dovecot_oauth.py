"""Dovecot's submission service, with logins by access tokens alone."""

from pathlib import Path
from typing import override

from .dovecot import Dovecot
from .enclosure import INSIDE
from .postfix import Postfix


class OAuthDovecot(Dovecot):
    """Asks an OAuth 2 server what each token is worth (RFC 7662)."""

    name = "dovecot_oauth"

    def __init__(
        self,
        folder: Path,
        pem: tuple[bytes, bytes],
        *,
        relay: Postfix,
        introspection_url: str,
        mechanisms: tuple[str, ...] = ("xoauth2", "oauthbearer"),
    ) -> None:
        """Prepare a Dovecot; `introspection_url` has to be on loopback."""
        super().__init__(folder, pem, relay=relay, mechanisms=mechanisms)
        self._introspection_url = introspection_url

    @override
    def _configure(self) -> None:
        super()._configure()
        self._write(
            "oauth2.conf",
            "introspection_mode = post\n"
            f"introspection_url = {self._introspection_url}\n"
            "username_attribute = username\n"
            "active_attribute = active\n"
            "active_value = true\n",
        )

    @override
    def _passdb(self) -> str:
        return f"""\
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {INSIDE}/etc/oauth2.conf
}}"""
