"""What discovery finds, as plain data."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from ..address import Mailbox
from ..settings import Encryption


class LookupFailed(Exception):
    """A question to the network got no usable answer."""


class Origin(StrEnum):
    """Where the proposed settings come from."""

    TABLE = "table"
    MX = "mx"
    SRV = "srv"
    AUTOCONFIG = "autoconfig"
    GUESS = "guess"
    NONE = "none"


class SecretKind(StrEnum):
    """What a provider wants in the password field."""

    PASSWORD = "password"
    APP_PASSWORD = "app_password"
    AUTHORIZATION_CODE = "authorization_code"
    API_KEY = "api_key"
    OAUTH = "oauth"
    BRIDGE_PASSWORD = "bridge_password"


class Hint(StrEnum):
    """What a person should know before logging in; the words are translations."""

    ADMIN_ENABLES_SMTP = "admin_enables_smtp"
    APP_PASSWORD_WITH_TWO_FACTOR = "app_password_with_two_factor"
    BRIDGE_RUNNING = "bridge_running"
    CLIENT_ACCESS_MAY_BE_BLOCKED = "client_access_may_be_blocked"
    ENABLE_SMTP_ACCESS = "enable_smtp_access"
    KEY_PAIR = "key_pair"
    LOGIN_WITH_MAIN_ADDRESS = "login_with_main_address"
    OWN_DOMAIN_ONLY = "own_domain_only"
    PAID_PLAN_ONLY = "paid_plan_only"
    PASSWORDS_SWITCHED_OFF = "passwords_switched_off"
    REGION_SPECIFIC = "region_specific"
    SELF_SIGNED_CERTIFICATE = "self_signed_certificate"
    SEPARATE_MAIL_PASSWORD = "separate_mail_password"
    SMTP_KEY_NOT_API_KEY = "smtp_key_not_api_key"
    TEMPLATES_ONLY = "templates_only"
    TOKEN_IS_USERNAME_TOO = "token_is_username_too"
    TWO_FACTOR_FIRST = "two_factor_first"
    VERIFIED_SENDER = "verified_sender"


class UsernameForm(StrEnum):
    """How a username follows from the address.

    OWN: it does not; it is a key or a name that the provider issues.
    """

    ADDRESS = "address"
    LOCAL_PART = "local_part"
    FIXED = "fixed"
    OWN = "own"


class Candidate(NamedTuple):
    """One server that may take the mail.

    verified: False where only unsigned DNS names a host outside the sender's own domain, which
    a person has to look at before any password goes there (RFC 6186 section 6).
    """

    host: str
    port: int
    encryption: Encryption
    verified: bool = True


class Provider(NamedTuple):
    """One row of the table.

    domains: address domains that are the provider's own.
    mx_suffixes: ends of the mail exchangers' names of domains that it hosts.
    servers: the preferred one first, never without encryption.
    username_name: the username itself where the form is FIXED.
    help_url: the provider's own page on how to get the secret.
    sources: where the facts are from.
    """

    key: str
    name: str
    domains: tuple[str, ...]
    mx_suffixes: tuple[str, ...]
    servers: tuple[Candidate, ...]
    username: UsernameForm
    username_name: str | None
    secret: SecretKind
    help_url: str
    hints: tuple[Hint, ...]
    sources: tuple[str, ...]

    def username_for(self, mailbox: Mailbox) -> str | None:
        """Return the username of a mailbox, or None where only the person knows it."""
        match self.username:
            case UsernameForm.ADDRESS:
                return mailbox.address
            case UsernameForm.LOCAL_PART:
                return mailbox.local_part
            case UsernameForm.FIXED:
                return self.username_name
            case _:
                return None


class Discovery(NamedTuple):
    """The answer for one address.

    candidates: the best one first; empty where nothing was found.
    provider: the row that the settings match, whatever the origin.
    username: the likely username; None where only the person knows it.
    """

    origin: Origin
    candidates: tuple[Candidate, ...] = ()
    provider: Provider | None = None
    username: str | None = None
    secret: SecretKind = SecretKind.PASSWORD
    help_url: str | None = None
    hints: tuple[Hint, ...] = ()

    @property
    def best(self) -> Candidate | None:
        """The first candidate, if there is one."""
        return self.candidates[0] if self.candidates else None

    @classmethod
    def of_provider(
        cls,
        origin: Origin,
        provider: Provider,
        mailbox: Mailbox,
        candidates: tuple[Candidate, ...] | None = None,
    ) -> Discovery:
        """Return what the table knows, with the candidates found elsewhere if there are any."""
        return cls(
            origin=origin,
            candidates=provider.servers if candidates is None else candidates,
            provider=provider,
            username=provider.username_for(mailbox),
            secret=provider.secret,
            help_url=provider.help_url,
            hints=provider.hints,
        )
