"""Where a person signs in instead of typing a password, as a config entry keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
import re
from typing import Any, Final, Self

from yarl import URL

from ..mail.settings import is_loopback

_GOOGLE_CLIENT: Final = ".apps.googleusercontent.com"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_TENANT = re.compile(
    rf"[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}|(?:{_LABEL}\.)+{_LABEL}",
    re.ASCII | re.IGNORECASE,
)


class OAuthProvider(StrEnum):
    """Who hands out the tokens. The values are steps of the dialog."""

    GOOGLE = "google"
    MICROSOFT = "microsoft"
    CUSTOM = "custom"


class Audience(StrEnum):
    """Whose accounts an app at Microsoft lets in.

    The values are Microsoft's authorities, but for TENANT, whose authority is its domain or id:
    https://learn.microsoft.com/entra/identity-platform/msal-client-application-configuration.
    """

    PERSONAL = "consumers"
    WORK = "organizations"
    ANY = "common"
    TENANT = "tenant"

    @classmethod
    def of_authority(cls, authority: str) -> Self:
        """Return the audience of what a sign-in keeps as its authority."""
        return cls(authority) if authority in cls else cls("tenant")


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """An OAuth 2 provider, and the client that Home Assistant is there.

    authority: whose accounts Microsoft lets in: the value of an audience, or the domain or id of
    one tenant.
    credential: the id of the application credentials that the client is stored under; the
    client of a custom provider is stored here.
    """

    provider: OAuthProvider
    authorize_url: str
    token_url: str
    scope: str
    authority: str = ""
    credential: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)

    @classmethod
    def google(cls) -> Self:
        """Return Google's: https://developers.google.com/identity/protocols/oauth2/web-server."""
        return cls(
            provider=OAuthProvider.GOOGLE,
            authorize_url="https://accounts.google.com/o/oauth2/v2/auth",
            token_url="https://oauth2.googleapis.com/token",  # noqa: S106 - no secret
            scope="https://mail.google.com/",
        )

    @classmethod
    def microsoft(cls, authority: str = "common") -> Self:
        """Return Microsoft's: https://learn.microsoft.com/entra/identity-platform/v2-protocols."""
        base = f"https://login.microsoftonline.com/{authority}/oauth2/v2.0"
        return cls(
            provider=OAuthProvider.MICROSOFT,
            authority=authority,
            authorize_url=f"{base}/authorize",
            token_url=f"{base}/token",
            scope="https://outlook.office.com/SMTP.Send offline_access",
        )

    @classmethod
    def of_client(cls, client_id: str) -> Self:
        """Return the provider of application credentials: Google's clients show by their name."""
        return cls.google() if client_id.endswith(_GOOGLE_CLIENT) else cls.microsoft()

    @classmethod
    def of_data(cls, data: Mapping[str, Any]) -> Self:
        """Return what as_data has made."""
        return cls(**{**data, "provider": OAuthProvider(data["provider"])})

    def as_data(self) -> dict[str, str]:
        """Return what the config entry keeps."""
        return {name: str(value) for name, value in asdict(self).items() if value}

    @property
    def extra_parameters(self) -> dict[str, str]:
        """What else the provider wants to be told, so that it hands out a refresh token."""
        if self.provider is OAuthProvider.GOOGLE:
            return {"access_type": "offline", "prompt": "consent"}
        return {}


def is_tenant(text: str) -> bool:
    """Tell whether this can be a tenant of Microsoft's: one of its domains (ASCII), or its id."""
    return _TENANT.fullmatch(text) is not None


def is_safe_url(text: str) -> bool:
    """Tell whether secrets may go there: over TLS, or not out of this machine at all.

    RFC 6749 sections 3.1 and 3.2 ask for TLS.
    """
    try:
        url = URL(text)
    except ValueError:
        return False
    if not url.host or url.user is not None or url.fragment:
        return False
    return url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host))
