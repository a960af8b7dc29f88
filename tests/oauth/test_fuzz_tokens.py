"""Token endpoints that answer what they like: a token that can be used, or a failure of ours."""

import json
from random import Random
import time

from aiohttp import web
from homeassistant.core import HomeAssistant
from homeassistant.helpers.json import json_bytes
import pytest

from custom_components.email_courier.mail.failure import FailureKind, MailError, Permanence
from custom_components.email_courier.oauth.client import read_token
from custom_components.email_courier.oauth.provider import OAuthProvider, SignIn
from custom_components.email_courier.oauth.tokens import GrantedTokens
from tests.support.bent import INPUTS, bent_json
from tests.support.listener import listening

ANSWER = {
    "access_token": "ya29.a0AfH6SMBx",
    "expires_in": 3599,
    "refresh_token": "1//0gdJ",
    "scope": "https://mail.google.com/",
    "token_type": "Bearer",
}
