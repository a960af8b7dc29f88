"""The forms of the set-up dialog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from homeassistant.const import (
    CONF_CLIENT_ID,
    CONF_CLIENT_SECRET,
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
)
from homeassistant.data_entry_flow import section
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from ..const import (
    CONF_ALLOW_PLAIN_LOGIN,
    CONF_AUTHORITY,
    CONF_AUTHORIZE_URL,
    CONF_CA_FILE,
    CONF_ENCRYPTION,
    CONF_HELLO_NAME,
    CONF_LOGIN_WITH,
    CONF_SCOPE,
    CONF_SENDER,
    CONF_TEST_RECIPIENT,
    CONF_TOKEN_URL,
    CONF_TRUST_CERTIFICATE,
    CONF_USE_SIGN_IN,
)
from ..mail.settings import Encryption
from .core_smtp import CoreAccount

CONF_ADVANCED = "advanced"
CONF_GO_BACK = "go_back"
CONF_MANUAL = "enter_manually"

EMAIL = TextSelector(TextSelectorConfig(type=TextSelectorType.EMAIL, autocomplete="email"))
TEXT = TextSelector()
PORT = vol.All(
    NumberSelector(NumberSelectorConfig(min=1, max=65535, step=1, mode=NumberSelectorMode.BOX)),
    vol.Coerce(int),
)

_MANUAL = {vol.Optional(CONF_MANUAL, default=False): BooleanSelector()}
_BACK = {vol.Optional(CONF_GO_BACK, default=False): BooleanSelector()}

# What is needed is not marked as required: an empty page could not be left backwards then.
_SENDER = {vol.Optional(CONF_SENDER): EMAIL}
_SERVER = {
    vol.Optional(CONF_HOST): TEXT,
    vol.Required(CONF_PORT): PORT,
    vol.Required(CONF_ENCRYPTION, default=Encryption.AUTO.value): SelectSelector(
        SelectSelectorConfig(
            options=[encryption.value for encryption in Encryption],
            mode=SelectSelectorMode.DROPDOWN,
            translation_key="encryption",
        )
    ),
    vol.Required(CONF_VERIFY_SSL, default=True): BooleanSelector(),
}
_ADVANCED = {
    vol.Required(CONF_ADVANCED): section(
        vol.Schema(
            {
                vol.Optional(CONF_CA_FILE): TEXT,
                vol.Optional(CONF_HELLO_NAME): TEXT,
            }
        ),
        {"collapsed": True},
    ),
}

SERVER_FORM = vol.Schema({**_SERVER, **_ADVANCED, **_BACK})
CERTIFICATE_FORM = vol.Schema(
    {
        # The question comes first: the other fields only repeat what was typed.
        vol.Required(CONF_TRUST_CERTIFICATE, default=False): BooleanSelector(),
        **_SERVER,
        **_ADVANCED,
        **_BACK,
    }
)

_LOGIN = {
    vol.Optional(CONF_USERNAME): TextSelector(
        TextSelectorConfig(type=TextSelectorType.TEXT, autocomplete="username")
    ),
    vol.Optional(CONF_PASSWORD): TextSelector(
        TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="current-password")
    ),
}
LOGIN_FORM = vol.Schema(
    {**_LOGIN, vol.Optional(CONF_USE_SIGN_IN, default=False): BooleanSelector(), **_BACK}
)

PLAIN_LOGIN_FORM = vol.Schema(
    {vol.Required(CONF_ALLOW_PLAIN_LOGIN, default=False): BooleanSelector(), **_BACK}
)

FINISH_FORM = vol.Schema({vol.Optional(CONF_TEST_RECIPIENT): EMAIL, **_BACK})


def address_form(*, offers_lookup: bool, offers_back: bool) -> vol.Schema:
    """Return the form for the sender's address."""
    return vol.Schema(
        {**_SENDER, **(_MANUAL if offers_lookup else {}), **(_BACK if offers_back else {})}
    )


def core_account_form(accounts: Mapping[str, CoreAccount]) -> vol.Schema:
    """Return the form that offers accounts of Home Assistant's own SMTP integration."""
    return vol.Schema(
        {
            vol.Required("core_account", default=next(iter(accounts))): SelectSelector(
                SelectSelectorConfig(
                    options=[
                        SelectOptionDict(value=entry_id, label=account.title)
                        for entry_id, account in accounts.items()
                    ]
                )
            ),
            **_BACK,
        }
    )


REGISTRATION_LINKS: Final = {
    "project_url": "https://console.cloud.google.com/projectcreate",
    "api_url": "https://console.cloud.google.com/apis/library/gmail.googleapis.com",
    "consent_url": "https://console.cloud.google.com/auth/overview",
    "clients_url": "https://console.cloud.google.com/auth/clients",
    "registrations_url": (
        "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade"
    ),
}
"""Where a person registers Home Assistant as a client of Google or Microsoft."""

EXAMPLE_LINKS: Final = {
    "authorize_example": "https://id.example.com/oauth2/authorize",
    "token_example": "https://id.example.com/oauth2/token",
}
"""What the addresses of a provider of one's own look like.

Pages do not break them in the middle: a longer one would not fit a phone.
"""


AUTHORITIES = ("common", "consumers", "organizations")
"""Microsoft's; the name of a tenant can be typed instead."""

_URL = TextSelector(TextSelectorConfig(type=TextSelectorType.URL))
_SECRET = TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
_USERNAME = {
    vol.Required(CONF_USERNAME): TextSelector(
        TextSelectorConfig(type=TextSelectorType.TEXT, autocomplete="username")
    )
}
_CLIENT = {
    vol.Required(CONF_CLIENT_ID): TEXT,
    vol.Optional(CONF_CLIENT_SECRET): _SECRET,
}
_BACK_flow_sign_in_forms = {vol.Optional(CONF_GO_BACK, default=False): BooleanSelector()}


class LoginWith(StrEnum):
    """What an account with a sign-in is to log in with from now on."""

    KEEP = "keep_sign_in"
    AGAIN = "sign_in_again"
    OTHER = "change_login"


GOOGLE_FORM = vol.Schema({**_USERNAME, **_BACK_flow_sign_in_forms})
MICROSOFT_FORM = vol.Schema(
    {
        **_USERNAME,
        vol.Required(CONF_AUTHORITY): SelectSelector(
            SelectSelectorConfig(
                options=list(AUTHORITIES),
                mode=SelectSelectorMode.DROPDOWN,
                custom_value=True,
                translation_key="authority",
            )
        ),
        **_BACK_flow_sign_in_forms,
    }
)
CUSTOM_FORM = vol.Schema(
    {
        **_USERNAME,
        vol.Required(CONF_AUTHORIZE_URL): _URL,
        vol.Required(CONF_TOKEN_URL): _URL,
        vol.Optional(CONF_SCOPE): TEXT,
        **_CLIENT,
        **_BACK_flow_sign_in_forms,
    }
)
CREDENTIALS_FORM = vol.Schema(
    {
        # Not marked as required: the page could not be left backwards then.
        vol.Optional(CONF_CLIENT_ID): TEXT,
        vol.Optional(CONF_CLIENT_SECRET): _SECRET,
        **_BACK_flow_sign_in_forms,
    }
)


def signed_in_form(choices: Sequence[LoginWith], default: LoginWith) -> vol.Schema:
    """Return the form of an account with a sign-in."""
    return vol.Schema(
        {
            vol.Required(CONF_LOGIN_WITH, default=default.value): SelectSelector(
                SelectSelectorConfig(
                    options=[choice.value for choice in choices],
                    mode=SelectSelectorMode.LIST,
                    translation_key="login_with",
                )
            ),
            **_BACK_flow_sign_in_forms,
        }
    )
