"""The forms of the set-up dialog about signing in."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from homeassistant.const import CONF_CLIENT_ID, CONF_CLIENT_SECRET, CONF_USERNAME
from homeassistant.helpers.selector import (
    BooleanSelector,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
    TextSelectorConfig,
    TextSelectorType,
)
import voluptuous as vol

from .const import (
    CONF_AUTHORITY,
    CONF_AUTHORIZE_URL,
    CONF_LOGIN_WITH,
    CONF_SCOPE,
    CONF_TOKEN_URL,
)
from .flow_forms import CONF_GO_BACK, TEXT

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
_BACK = {vol.Optional(CONF_GO_BACK, default=False): BooleanSelector()}


class LoginWith(StrEnum):
    """What an account with a sign-in is to log in with from now on."""

    KEEP = "keep_sign_in"
    AGAIN = "sign_in_again"
    OTHER = "change_login"


GOOGLE_FORM = vol.Schema({**_USERNAME, **_BACK})
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
        **_BACK,
    }
)
CUSTOM_FORM = vol.Schema(
    {
        **_USERNAME,
        vol.Required(CONF_AUTHORIZE_URL): _URL,
        vol.Required(CONF_TOKEN_URL): _URL,
        vol.Optional(CONF_SCOPE): TEXT,
        **_CLIENT,
        **_BACK,
    }
)
CREDENTIALS_FORM = vol.Schema(
    {
        # Not marked as required: the page could not be left backwards then.
        vol.Optional(CONF_CLIENT_ID): TEXT,
        vol.Optional(CONF_CLIENT_SECRET): _SECRET,
        **_BACK,
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
            **_BACK,
        }
    )
