"""A button that wants to know who presses it."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

from homeassistant.auth.models import Credentials
from homeassistant.components.auth import create_auth_code
from homeassistant.components.http import ApiConfig
from homeassistant.core import Event, HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.email_courier.answer.sign_in import UNTIL, USER
from custom_components.email_courier.const import ANSWER_PATH
from tests.support.answers import OUTSIDE, Client, Page, ask, page_at, token_of
from tests.support.fixtures import Bed

Events = list[Event[dict[str, Any]]]
CLIENT_ID = f"{OUTSIDE}/"


@pytest.fixture
async def link(hass: HomeAssistant, bed: Bed, client: Client) -> str:
    """The link of a button that has to be signed in for."""
    assert hass.config.api is not None
    hass.config.api = ApiConfig("127.0.0.1", "0.0.0.0", client.port or 0, use_ssl=False)
    return (await ask(hass, bed, actions_sign_in=True))["Open the gate"]


@pytest.fixture
async def person(
    hass: HomeAssistant, hass_admin_user: MockUser, hass_admin_credential: Credentials
) -> MockUser:
    """Somebody who can sign in."""
    await hass.auth.async_link_user(hass_admin_user, hass_admin_credential)
    return hass_admin_user


async def come_back(
    hass: HomeAssistant, client: Client, link: str, credential: Credentials
) -> Page:
    """Return the page that the login leads back to."""
    code = create_auth_code(hass, CLIENT_ID, credential)
    return await page_at(client, f"{ANSWER_PATH}?code={code}&state={token_of(link)}")


async def test_without_a_login_nothing_acts_where_one_is_asked_for(
    client: Client, pressed: Events, link: str
) -> None:
    page = await page_at(client, link)
    assert "Sign in to answer" in page.words

    response = await client.post(link, data=page.fields, allow_redirects=False)

    assert response.status == 303
    target = urlsplit(response.headers["Location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == f"{OUTSIDE}/auth/authorize"
    assert parse_qs(target.query) == {
        "response_type": ["code"],
        "client_id": [CLIENT_ID],
        "redirect_uri": [f"{OUTSIDE}{ANSWER_PATH}"],
        "state": [token_of(link)],
    }
    for fields in (
        {**page.fields, USER: "", UNTIL: ""},
        {**page.fields, USER: "anybody", UNTIL: "9999999999"},
        {**page.fields, USER: "anybody", UNTIL: "²"},
        {**page.fields, USER: "anybody"},
    ):
        response = await client.post(link, data=fields, allow_redirects=False)
        assert response.status in (303, 400)
    assert pressed == []


async def test_who_has_signed_in_presses_by_name_and_leaves_no_login_behind(
    hass: HomeAssistant,
    client: Client,
    pressed: Events,
    link: str,
    person: MockUser,
    hass_admin_credential: Credentials,
) -> None:
    before = set(person.refresh_tokens)
    page = await come_back(hass, client, link, hass_admin_credential)
    assert f"Signed in as {person.name}" in page.words
    assert pressed == []

    response = await client.post(link, data=page.fields)

    assert response.status == 200
    (event,) = pressed
    assert event.data["user"] == person.name
    assert event.context.user_id == person.id
    assert set(person.refresh_tokens) == before


@pytest.mark.usefixtures("bed", "person")
async def test_the_page_of_a_login_presses_for_its_own_user_and_link_alone(
    hass: HomeAssistant,
    client: Client,
    pressed: Events,
    link: str,
    hass_admin_credential: Credentials,
    hass_read_only_user: MockUser,
) -> None:
    page = await come_back(hass, client, link, hass_admin_credential)

    for changed in ({USER: hass_read_only_user.id}, {UNTIL: str(int(page.fields[UNTIL]) + 1)}):
        assert (await client.post(link, data={**page.fields, **changed})).status == 400
    assert pressed == []


@pytest.mark.usefixtures("person")
async def test_a_login_is_too_old_after_ten_minutes(
    hass: HomeAssistant,
    client: Client,
    pressed: Events,
    link: str,
    hass_admin_credential: Credentials,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    page = await come_back(hass, client, link, hass_admin_credential)
    later = int(page.fields[UNTIL]) + 1
    monkeypatch.setattr("custom_components.email_courier.answer.sign_in.time.time", lambda: later)

    assert (await client.post(link, data=page.fields)).status == 400
    assert pressed == []


async def test_a_user_who_was_deactivated_meanwhile_presses_nothing(
    hass: HomeAssistant,
    client: Client,
    pressed: Events,
    link: str,
    person: MockUser,
    hass_admin_credential: Credentials,
) -> None:
    page = await come_back(hass, client, link, hass_admin_credential)
    person.is_active = False

    assert (await client.post(link, data=page.fields)).status == 400
    assert pressed == []


@pytest.mark.parametrize("code", ["0" * 32, "short", "0" * 33, "ä"])
async def test_a_code_that_is_none_leads_to_the_login_again(
    client: Client, pressed: Events, link: str, code: str
) -> None:
    page = await page_at(client, f"{ANSWER_PATH}?code={code}&state={token_of(link)}")

    assert "Sign in to answer" in page.words
    assert USER not in page.fields
    assert pressed == []


async def test_codes_are_tried_three_times_so_that_home_assistant_does_not_ban_itself(
    client: Client, link: str, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(10):
        await page_at(client, f"{ANSWER_PATH}?code={'0' * 32}&state={token_of(link)}")

    assert caplog.text.count("Login attempt or request with invalid authentication") == 3


async def test_where_the_address_outside_is_gone_nothing_leads_to_a_login(
    hass: HomeAssistant, client: Client, link: str
) -> None:
    page = await page_at(client, link)
    await hass.config.async_update(external_url=None)

    assert (await client.post(link, data=page.fields)).status == 400
