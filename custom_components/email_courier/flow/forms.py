"""The forms of the set-up dialog, each made when its page is shown.

What most people leave alone lies in sections that are folded: other settings, other ways, the way
back. What is needed is not marked as required where a page leads back: an empty page could not be
left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

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
    CONF_SENDER_NAME,
    CONF_TENANT,
    CONF_TEST_RECIPIENT,
    CONF_TIMEOUT,
    CONF_TOKEN_URL,
    CONF_TRUST_CERTIFICATE,
    CONF_USE_SIGN_IN,
    MAX_TIMEOUT,
    MIN_TIMEOUT,
)
from ..mail.compose.content import Layout
from ..mail.settings import Encryption
from ..oauth.provider import Audience
from .core_smtp import CoreAccount

CONF_ADVANCED = "advanced"
CONF_GO_BACK = "go_back"
CONF_MANUAL = "enter_manually"
CONF_MORE = "more"
CONF_OTHER_SERVER = "other_server"

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


class LoginWith(StrEnum):
    """What an account with a sign-in is to log in with from now on."""

    KEEP = "keep_sign_in"
    AGAIN = "sign_in_again"
    OTHER = "change_login"


def nested(form: vol.Schema, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as the form shows them, section by section."""
    shown: dict[str, Any] = {}
    for marker, field in form.schema.items():
        if isinstance(field, section):
            shown[str(marker)] = nested(field.schema, values)
        elif str(marker) in values:
            shown[str(marker)] = values[str(marker)]
    return shown


def flat(typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was typed without its sections."""
    fields: dict[str, Any] = {}
    for name, value in typed.items():
        if isinstance(value, dict):
            fields |= flat(value)
        else:
            fields[name] = value
    return fields


def address_form(*, offers_lookup: bool, offers_back: bool) -> vol.Schema:
    """Return the form for the sender's address."""
    more: dict[vol.Marker, Any] = {}
    if offers_lookup:
        more[vol.Optional(CONF_MANUAL, default=False)] = BooleanSelector()
    if offers_back:
        more |= _back()
    return vol.Schema({vol.Optional(CONF_SENDER): _email(), **(_folded(more) if more else {})})


def server_form() -> vol.Schema:
    """Return the form for the server."""
    timeout = NumberSelectorConfig(
        min=MIN_TIMEOUT,
        max=MAX_TIMEOUT,
        step=1,
        mode=NumberSelectorMode.BOX,
        unit_of_measurement="s",
    )
    advanced = {
        vol.Optional(CONF_CA_FILE): TextSelector(),
        vol.Optional(CONF_HELLO_NAME): TextSelector(),
        vol.Optional(CONF_TIMEOUT): vol.All(NumberSelector(timeout), vol.Coerce(int)),
        **_back(),
    }
    return vol.Schema({**_server(), **_folded(advanced, CONF_ADVANCED)})


def certificate_form() -> vol.Schema:
    """Return the form for a certificate that is in question."""
    trust = {vol.Required(CONF_TRUST_CERTIFICATE, default=False): BooleanSelector()}
    return vol.Schema({**trust, **_folded(_back())})


def login_form(*, offers_other_ways: bool, unfolds_other_ways: bool = False) -> vol.Schema:
    """Return the form for username and password.

    offers_other_ways: whether there is a choice that has not been made yet.
    """
    other_ways: dict[vol.Marker, Any] = {
        vol.Optional(CONF_USE_SIGN_IN, default=False): BooleanSelector()
    }
    return vol.Schema(
        {
            vol.Optional(CONF_USERNAME): _username(),
            vol.Optional(CONF_PASSWORD): TextSelector(
                TextSelectorConfig(type=TextSelectorType.PASSWORD, autocomplete="current-password")
            ),
            **_folded(_server(), CONF_OTHER_SERVER),
            **_folded(
                {**(other_ways if offers_other_ways else {}), **_back()},
                is_folded=not unfolds_other_ways,
            ),
        }
    )


def plain_login_form() -> vol.Schema:
    """Return the form for the consent to a password without encryption."""
    consent = {vol.Required(CONF_ALLOW_PLAIN_LOGIN, default=False): BooleanSelector()}
    return vol.Schema({**consent, **_folded(_back())})


def finish_form(*, offers_name: bool) -> vol.Schema:
    """Return the form of the page that sums up what was proven.

    offers_name: whether the sender's name is asked for; an account that exists has it among its
    options.
    """
    name = {vol.Optional(CONF_SENDER_NAME): TextSelector()}
    return vol.Schema(
        {
            **(name if offers_name else {}),
            vol.Optional(CONF_TEST_RECIPIENT): _email(),
            **_folded(_back()),
        }
    )


def tested_form() -> vol.Schema:
    """Return the form of the page that says what became of the test mail."""
    return vol.Schema(_folded(_back()))


def core_account_form(accounts: Mapping[str, CoreAccount]) -> vol.Schema:
    """Return the form that offers accounts of Home Assistant's own SMTP integration."""
    options = [
        SelectOptionDict(value=entry_id, label=account.title)
        for entry_id, account in accounts.items()
    ]
    return vol.Schema(
        {
            vol.Required("core_account", default=next(iter(accounts))): SelectSelector(
                SelectSelectorConfig(options=options)
            ),
        }
    )


def google_form() -> vol.Schema:
    """Return the form for signing in with Google."""
    return vol.Schema({vol.Required(CONF_USERNAME): _username(), **_folded(_back())})


def microsoft_form() -> vol.Schema:
    """Return the form for signing in with Microsoft."""
    return vol.Schema(
        {
            vol.Required(CONF_USERNAME): _username(),
            vol.Required(CONF_AUTHORITY): SelectSelector(
                SelectSelectorConfig(
                    options=[audience.value for audience in Audience],
                    mode=SelectSelectorMode.DROPDOWN,
                    translation_key="authority",
                )
            ),
            vol.Optional(CONF_TENANT): TextSelector(),
            **_folded(_back()),
        }
    )


def custom_form() -> vol.Schema:
    """Return the form for signing in with a provider of one's own."""
    url = TextSelector(TextSelectorConfig(type=TextSelectorType.URL))
    return vol.Schema(
        {
            vol.Required(CONF_USERNAME): _username(),
            vol.Required(CONF_AUTHORIZE_URL): url,
            vol.Required(CONF_TOKEN_URL): url,
            vol.Optional(CONF_SCOPE): TextSelector(),
            vol.Required(CONF_CLIENT_ID): TextSelector(),
            vol.Optional(CONF_CLIENT_SECRET): _secret(),
            **_folded(_back()),
        }
    )


def credentials_form() -> vol.Schema:
    """Return the form for the client that Home Assistant is at Google or Microsoft."""
    return vol.Schema(
        {
            vol.Optional(CONF_CLIENT_ID): TextSelector(),
            vol.Optional(CONF_CLIENT_SECRET): _secret(),
            **_folded(_back()),
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
            **_folded(_back()),
        }
    )


def _server() -> dict[vol.Marker, Any]:
    port = NumberSelectorConfig(min=1, max=65535, step=1, mode=NumberSelectorMode.BOX)
    encryption = SelectSelectorConfig(
        options=[encryption.value for encryption in Encryption],
        mode=SelectSelectorMode.DROPDOWN,
        translation_key="encryption",
    )
    return {
        vol.Optional(CONF_HOST): TextSelector(),
        vol.Required(CONF_PORT): vol.All(NumberSelector(port), vol.Coerce(int)),
        vol.Required(CONF_ENCRYPTION, default=Encryption.AUTO.value): SelectSelector(encryption),
        vol.Required(CONF_VERIFY_SSL, default=True): BooleanSelector(),
    }


def layout_selector() -> SelectSelector:
    """Return the choice of what the text of a mail is shown in."""
    # A short list would come as radio buttons, and a choice of those is for good.
    config = SelectSelectorConfig(
        options=[layout.value for layout in Layout],
        mode=SelectSelectorMode.DROPDOWN,
        translation_key="layout",
    )
    return SelectSelector(config)


def _folded(
    fields: dict[vol.Marker, Any], name: str = CONF_MORE, *, is_folded: bool = True
) -> dict[vol.Marker, Any]:
    return {vol.Optional(name): section(vol.Schema(fields), {"collapsed": is_folded})}


def _back() -> dict[vol.Marker, Any]:
    return {vol.Optional(CONF_GO_BACK, default=False): BooleanSelector()}


def _email() -> TextSelector:
    return TextSelector(TextSelectorConfig(type=TextSelectorType.EMAIL, autocomplete="email"))


def _username() -> TextSelector:
    return TextSelector(TextSelectorConfig(type=TextSelectorType.TEXT, autocomplete="username"))


def _secret() -> TextSelector:
    return TextSelector(TextSelectorConfig(type=TextSelectorType.PASSWORD))
