"""What a person has typed so far in the set-up dialog."""

from __future__ import annotations

from collections.abc import Mapping
from copy import replace
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_TOKEN,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
)
from homeassistant.core import HomeAssistant

from ..const import (
    CONF_ALLOW_PLAIN_LOGIN,
    CONF_CA_FILE,
    CONF_ENCRYPTION,
    CONF_HELLO_NAME,
    CONF_IMPLEMENTATION,
    CONF_SENDER_NAME,
    CONF_SIGN_IN,
    CONF_TIMEOUT,
    DEFAULT_TIMEOUT,
)
from ..entry import settings_of
from ..mail.settings import (
    DIALOG_DEADLINES,
    SUBMISSION_PORT,
    SUBMISSIONS_PORT,
    Deadlines,
    Encryption,
    ServerSettings,
    is_loopback,
)
from ..oauth.provider import SignIn
from ..oauth.tokens import async_tokens_for
from .pasted import server_in

if TYPE_CHECKING:
    from ..account import EmailCourierConfigEntry
    from ..mail.discovery.model import Discovery
    from ..oauth.client import MailOAuth2Implementation
    from ..oauth.tokens import GrantedTokens


@dataclass(frozen=True)
class Draft:
    """The account as it stands in the forms.

    certificate_fingerprint: the one certificate to trust, SHA-256 as lower-case hex.
    sign_in, tokens: what stands in for a password.
    sender_name: the name beside the sender's address, where one was given here.
    timeout: seconds for reaching the server, where somebody has set them.
    token_host: the server that the sign-in was granted for. No token goes to another one.
    proven_at, delivered_at: when the handshake passed, and when a test mail was taken.
    replaces: names of an account that is taken over, each with the address that it wrote to.
    """

    sender: str = ""
    host: str = ""
    port: int = SUBMISSION_PORT
    encryption: Encryption = Encryption.AUTO
    verify_ssl: bool = True
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    allow_plain_login: bool = False
    certificate_fingerprint: str | None = None
    hello_name: str | None = None
    ca_file: str | None = None
    sender_name: str | None = None
    timeout: int | None = None
    sign_in: SignIn | None = None
    tokens: GrantedTokens | None = field(default=None, repr=False, compare=False)
    token_host: str | None = None
    proven_at: str | None = None
    delivered_at: str | None = None
    replaces: Mapping[str, str] | None = None

    @classmethod
    def of_entry(cls, data: Mapping[str, Any], options: Mapping[str, Any]) -> Draft:
        """Begin with what an account has stored."""
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        return cls(
            **{
                **known,
                CONF_ENCRYPTION: Encryption(data[CONF_ENCRYPTION]),
                CONF_PORT: int(data[CONF_PORT]),
                CONF_HELLO_NAME: options.get(CONF_HELLO_NAME),
                CONF_CA_FILE: options.get(CONF_CA_FILE),
                CONF_TIMEOUT: _timeout_in(options),
                CONF_SIGN_IN: SignIn.of_data(data[CONF_SIGN_IN]) if CONF_SIGN_IN in data else None,
                "token_host": data[CONF_HOST],
            }
        )

    def with_discovery(self, found: Discovery) -> Draft:
        """Fill in what is known about the sender's provider."""
        draft = replace(self, username=found.username)
        if found.best is None:
            return draft
        return replace(
            draft, host=found.best.host, port=found.best.port, encryption=found.best.encryption
        )

    def with_settings(self, settings: ServerSettings) -> Draft:
        """Take over a server that was found to work."""
        return replace(
            self,
            host=settings.host,
            port=settings.port,
            encryption=settings.encryption,
            hello_name=settings.hello_name,
        )

    def at_server(self, **server: Any) -> Draft:
        """Take over another server; trust and consent were given to one server only."""
        draft = replace(self, **server)
        if draft.host != self.host:
            return replace(draft, certificate_fingerprint=None, allow_plain_login=False)
        return draft

    def at_typed_server(self, typed: Mapping[str, Any]) -> Draft:
        """Take over a server as it was typed in the fields of a form."""
        server = server_in(typed.get(CONF_HOST, ""))
        port: int = typed[CONF_PORT] if server.port is None else server.port
        if server.encryption is Encryption.TLS and port == SUBMISSION_PORT and server.port is None:
            port = SUBMISSIONS_PORT
        return self.at_server(
            host=server.host,
            port=port,
            encryption=server.encryption or Encryption(typed[CONF_ENCRYPTION]),
            verify_ssl=typed[CONF_VERIFY_SSL],
        )

    def signed_in(self, username: str, sign_in: SignIn, tokens: GrantedTokens) -> Draft:
        """Log in with a token that was granted for this server; no password is kept beside it."""
        return replace(
            self,
            username=username,
            password=None,
            sign_in=sign_in,
            tokens=tokens,
            token_host=self.host,
        )

    def without_sign_in(self) -> Draft:
        """Log in with a password again."""
        return replace(self, sign_in=None, tokens=None, token_host=None)

    @property
    def is_token_at_home(self) -> bool:
        """Whether there is no token, or the server is the one that it was granted for."""
        return self.sign_in is None or self.host == self.token_host

    def has_login_of(self, other: Draft) -> bool:
        """Whether the same password belongs to both: same server, same username."""
        return (self.host, self.username) == (other.host, other.username)

    @property
    def needs_plain_consent(self) -> bool:
        """Whether a password would cross a network unencrypted, and nobody said yes to it."""
        return self.sends_password_in_clear and not self.allow_plain_login

    def settings(self) -> ServerSettings:
        """Return the settings for a handshake of the dialog.

        Raises ValueError where a token would go to another server than it was granted for.
        """
        if not self.is_token_at_home:
            raise ValueError(f"the sign-in was granted for {self.token_host}")
        return settings_of(
            self.data(), self.options(), deadlines=self._deadlines(), tokens=self.tokens
        )

    def _deadlines(self) -> Deadlines:
        """Return how long a person waits for an answer: longer where a time limit asks for it."""
        usual = DIALOG_DEADLINES
        if self.timeout is None:
            return usual
        asked = Deadlines().within(self.timeout)
        return replace(
            usual,
            handshake=max(usual.handshake, asked.handshake),
            connect=max(usual.connect, asked.connect),
            greeting=max(usual.greeting, asked.greeting),
            transaction=max(usual.transaction, self.timeout),
        )

    def data(self) -> dict[str, Any]:
        """Return what the config entry keeps; without a username there is no password either."""
        data = asdict(self.without_sign_in())
        data[CONF_ENCRYPTION] = self.encryption.value
        for name in (CONF_HELLO_NAME, CONF_CA_FILE, CONF_SENDER_NAME, CONF_TIMEOUT):
            data.pop(name)
        if not self.username:
            data[CONF_USERNAME] = data[CONF_PASSWORD] = None
        if not self.sends_password_in_clear:
            data.pop(CONF_ALLOW_PLAIN_LOGIN)
        if self.sign_in is not None and self.tokens is not None:
            data[CONF_PASSWORD] = None
            data[CONF_SIGN_IN] = self.sign_in.as_data()
            data[CONF_TOKEN] = dict(self.tokens.token)
            data[CONF_IMPLEMENTATION] = self.sign_in.credential or None
        return {name: value for name, value in data.items() if value is not None}

    @property
    def sends_password_in_clear(self) -> bool:
        """Whether the password crosses a network without encryption; a token never does."""
        return (
            bool(self.username)
            and self.sign_in is None
            and self.encryption is Encryption.NONE
            and not is_loopback(self.host)
        )

    def server(self) -> dict[str, Any]:
        """Return what the server's form shows; an empty host is left to be typed."""
        return {
            CONF_HOST: self.host or None,
            CONF_PORT: self.port,
            CONF_ENCRYPTION: self.encryption.value,
            CONF_VERIFY_SSL: self.verify_ssl,
        }

    def options(self) -> dict[str, Any]:
        """Return the options that were found or given during set-up."""
        return {
            name: value
            for name, value in (
                (CONF_HELLO_NAME, self.hello_name),
                (CONF_CA_FILE, self.ca_file),
                (CONF_SENDER_NAME, self.sender_name),
                (CONF_TIMEOUT, self.timeout),
            )
            if value
        }


def _timeout_in(options: Mapping[str, Any]) -> int | None:
    """Return the time limit of an account, None for the usual one, which the form has stored."""
    timeout = int(options.get(CONF_TIMEOUT, DEFAULT_TIMEOUT))
    return None if timeout == DEFAULT_TIMEOUT else timeout


class SignInAttempt:
    """A sign-in that has been begun in the dialog.

    username: the mailbox that is signed in on.
    sign_in: the one that was begun last, with the client where a person has typed one.
    client, client_id: the client that it was begun as; set before the person is sent away.
    url: where the person is sent to. answer: the parameters that the provider sends them back with.
    detail: why it came to nothing.
    """

    client: MailOAuth2Implementation

    def __init__(self) -> None:
        """Begin with nobody signed in."""
        self.username = ""
        self.sign_in: SignIn | None = None
        self.client_id = ""
        self.url = ""
        self.answer: Mapping[str, Any] = {}
        self.detail = ""


async def async_draft_of(hass: HomeAssistant, entry: EmailCourierConfigEntry) -> Draft:
    """Begin with what an account has stored, its tokens included."""
    draft = Draft.of_entry(entry.data, entry.options)
    return replace(draft, tokens=await async_tokens_for(hass, entry))
