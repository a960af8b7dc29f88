"""What the token mechanisms say, byte for byte."""

import base64
import json

import pytest

from custom_components.email_courier.mail.smtp.sasl import explain, oauthbearer, xoauth2


def encoded(said: object) -> str:
    return base64.b64encode(json.dumps(said).encode()).decode()


def test_xoauth2_is_as_google_documents_it() -> None:
    message = xoauth2("someuser@example.com", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg")
    assert base64.b64encode(message).decode() == (
        "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52"
        "YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
    )


def test_oauthbearer_is_as_the_rfc_has_it() -> None:
    assert oauthbearer("user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==") == (
        b"n,a=user@example.com,\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01"
    )


def test_a_comma_and_an_equals_sign_in_a_username_are_escaped() -> None:
    assert oauthbearer("a=b,c", "t").startswith(b"n,a=a=3Db=2Cc,\x01")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            {"status": "400", "schemes": "Bearer", "scope": "https://mail.google.com/"},
            "status: 400, schemes: Bearer, scope: https://mail.google.com/",
        ),
        ({"status": "invalid_token", "scope": "mail"}, "status: invalid_token, scope: mail"),
        ({"status": 401, "other": "x"}, ""),
        ({"status": "a\r\nb"}, "status: a  b"),
        ({"scope": "x" * 5000}, "scope: " + "x" * 200),
        (["status"], ""),
    ],
)
def test_an_error_challenge_is_put_into_words(said: object, words: str) -> None:
    assert explain(encoded(said)) == words


@pytest.mark.parametrize("challenge", ["", "not base64!", "eA==", "/w==", "\xe4"])
def test_a_challenge_that_is_no_json_says_nothing(challenge: str) -> None:
    assert explain(challenge) == ""
