"""The secret in a link."""

import base64
from collections import Counter
import string

import pytest

from custom_components.email_courier.answer.token import KEY_SIZE, LENGTH, Refusal, Signer

KEY = bytes(range(KEY_SIZE))
SIGNS = string.ascii_letters + string.digits + "-_"


def test_a_token_has_39_characters_that_every_mail_program_keeps_in_a_link() -> None:
    token, _ = Signer(KEY).token()

    assert len(token) == LENGTH
    assert set(token) <= set(SIGNS)


def test_a_token_holds_96_bits_of_chance_and_a_mac_of_128() -> None:
    data = base64.urlsafe_b64decode(Signer(KEY).token()[0] + "=")

    assert len(data) == 1 + 12 + 16


def test_a_token_is_read_by_the_home_that_has_made_it_also_after_a_restart() -> None:
    token, name = Signer(KEY).token()

    assert Signer(KEY).name(token) == name


def test_the_token_of_another_home_is_forged() -> None:
    token, _ = Signer(bytes(KEY_SIZE)).token()

    assert Signer(KEY).name(token) is Refusal.FORGED


def test_no_token_is_like_another() -> None:
    signer = Signer(KEY)

    tokens = [signer.token() for _ in range(1000)]

    assert len({token for token, _ in tokens}) == len({name for _, name in tokens}) == 1000


def test_every_character_that_is_changed_makes_it_forged_or_malformed() -> None:
    signer = Signer(KEY)
    token, name = signer.token()

    found = Counter(
        signer.name(token[:at] + sign + token[at + 1 :])
        for at in range(LENGTH)
        for sign in SIGNS
        if sign != token[at]
    )

    assert name not in found
    assert found.keys() == {Refusal.FORGED, Refusal.MALFORMED}


@pytest.mark.parametrize("size", [*range(LENGTH), LENGTH + 1, 1000])
def test_a_token_that_is_cut_or_has_grown_is_malformed(size: int) -> None:
    token, _ = Signer(KEY).token()

    assert Signer(KEY).name((token * 30)[:size]) is Refusal.MALFORMED


@pytest.mark.parametrize("bent", ["\n", " ", "=", "ä", "\x00"])
def test_what_is_added_to_a_token_makes_it_malformed(bent: str) -> None:
    token, _ = Signer(KEY).token()

    for text in (token + bent, bent + token, token[:-1] + bent):
        assert Signer(KEY).name(text) is Refusal.MALFORMED


def test_the_name_a_token_is_kept_under_tells_nothing_of_it() -> None:
    token, name = Signer(KEY).token()
    body = base64.urlsafe_b64decode(token + "=")

    assert body[:13].hex() not in name
    assert body[13:].hex() not in name


def test_a_page_proves_itself_for_its_own_token_and_reader_alone() -> None:
    signer = Signer(KEY)
    (one, _), (other, _) = signer.token(), signer.token()
    proof = signer.proof(one, "anna", "100")

    assert signer.proves(proof, one, "anna", "100")
    assert not signer.proves(proof, other, "anna", "100")
    assert not signer.proves(proof, one, "bob", "100")
    assert not signer.proves(proof, one, "anna", "1000")
    assert not signer.proves(proof, one)
    assert not signer.proves("", one, "anna", "100")
    assert not signer.proves("ä", one, "anna", "100")


@pytest.mark.parametrize("size", [0, KEY_SIZE - 1, KEY_SIZE + 1])
def test_a_key_of_another_size_is_not_taken(size: int) -> None:
    with pytest.raises(ValueError, match="size"):
        Signer(bytes(size))
