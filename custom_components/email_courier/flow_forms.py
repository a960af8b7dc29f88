"""The forms of the set-up dialog."""

from __future__ import annotations

from collections.abc import Mapping

from homeassistant.const import (
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

from .const import (
    CONF_ALLOW_PLAIN_LOGIN,
    CONF_CA_FILE,
    CONF_ENCRYPTION,
    CONF_HELLO_NAME,
    CONF_SENDER,
    CONF_TEST_RECIPIENT,
    CONF_TRUST_CERTIFICATE,
    CONF_USE_SIGN_IN,
)
from .core_smtp import CoreAccount
from .mail.settings import Encryption

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
