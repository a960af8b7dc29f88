"""Buttons in mails: what an action takes, and what it refuses in words that help."""

from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockUser
import voluptuous as vol

from custom_components.email_courier.answer.book import async_book
from custom_components.email_courier.const import DOMAIN
from tests.support.accounts import load_account, recipient
from tests.support.answers import GATE, IGNORE, OPEN, be_reachable, links_of
from tests.support.fixtures import Bed
from tests.support.mails import only_mail, read, send, text_of
from tests.support.script import Script, Step, say
from tests.support.scripted_server import ScriptedServer

ANNA = "anna@example.test"
URL = "https://home.example/api/email_courier/answer?t="


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed) -> ScriptedServer:
    """The server of the one account."""
    server = await bed.serve()
    await load_account(hass, server, options={"layout": "card"})
    await be_reachable(hass)
    return server


async def test_buttons_are_in_the_page_and_in_the_text_in_their_order(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await send(hass, to=ANNA, message="Somebody is at the gate.", actions=GATE)

    mail = only_mail(server)
    first, blank, *lines = text_of(mail).strip().splitlines()
    assert (first, blank) == ("Somebody is at the gate.", "")
    assert [line.partition(f": {URL}")[0] for line in lines] == ["Open the gate", "Ignore"]
    page = text_of(mail, "html")
    assert all(page.count(line.rpartition(" ")[2]) == 1 for line in lines)
    assert "<form" not in page


async def test_every_link_is_another_in_every_mail(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    for _ in range(2):
        await send(hass, to=ANNA, actions=GATE)

    mails = [read(mail.content) for mail in server.record.mails]
    links = [link for mail in mails for link in links_of(mail).values()]
    assert len(links) == len(set(links)) == 4


async def test_the_action_uri_makes_a_link_that_needs_no_address_outside(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, server, options={"layout": "card"})
    link = {"action": "URI", "title": "Manual", "uri": "https://example.test/manual"}

    await send(hass, to=ANNA, actions=[link])

    assert "Manual: https://example.test/manual" in text_of(only_mail(server))
    assert (await async_book(hass)).questions == ()


async def test_a_link_may_lead_to_a_page_of_home_assistant(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await send(
        hass, to=ANNA, actions=[{"action": "URI", "title": "Map", "uri": "/lovelace/map"}, OPEN]
    )

    assert "Map: https://home.example/lovelace/map" in text_of(only_mail(server))


@pytest.mark.parametrize("layout", ["card", "plain"])
async def test_own_html_says_where_its_buttons_are(
    hass: HomeAssistant, server: ScriptedServer, layout: str
) -> None:
    html = (
        "<p><a href=\"{{ action_url('OPEN') }}\">Open</a> or "
        '<a href="[[ action_url(&quot;IGNORE&quot;) ]]">not</a></p>'
    )

    await send(hass, to=ANNA, html=html, actions=GATE, layout=layout)

    mail = only_mail(server)
    links = links_of(mail)
    page = text_of(mail, "html").replace("\n", "")
    outside = "https://home.example"
    assert page == (
        f'<p><a href="{outside}{links["Open the gate"]}">Open</a> or '
        f'<a href="{outside}{links["Ignore"]}">not</a></p>'
    )


async def test_buttons_without_a_place_in_own_html_follow_it(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    html = "<html><body><a href=\"[[ action_url('OPEN') ]]\">Open</a></body></html>"

    await send(hass, to=ANNA, html=html, actions=GATE)

    page = text_of(only_mail(server), "html")
    assert page.count("/answer?t=") == 2
    assert page.index("Ignore") < page.index("</body>")


async def test_markdown_says_where_its_buttons_are(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await send(hass, to=ANNA, markdown="[Go ahead]([[ action_url('OPEN') ]])", actions=[OPEN])

    page = text_of(only_mail(server), "html")
    assert page.count("/answer?t=") == 1
    assert "Go ahead" in page


@pytest.mark.usefixtures("server")
async def test_the_place_of_a_button_that_is_not_there_is_an_error(hass: HomeAssistant) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, to=ANNA, html="<p>[[ action_url('CLOSE') ]]</p>", actions=GATE)

    assert caught.value.translation_key == "action_not_found"
    assert caught.value.translation_placeholders == {"field": "html", "action": "CLOSE"}
    assert (await async_book(hass)).questions == ()


async def test_without_an_address_outside_the_error_says_where_to_set_one(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, server)
    await hass.config.async_update(internal_url="http://192.0.2.7:8123")

    with pytest.raises(ServiceValidationError, match="Settings > System > Network") as caught:
        await send(hass, to=ANNA, actions=GATE)

    assert caught.value.translation_key == "actions_need_address"
    assert not server.record.mails


@pytest.mark.parametrize(
    ("actions", "key", "named"),
    [
        ([OPEN] * 6, "actions_too_many", {"count": "6", "limit": "5"}),
        ([{"title": "Open"}], "action_incomplete", {"title": "Open"}),
        ([{}], "action_incomplete", {"title": "-"}),
        ([{"action": "URI", "title": "Open"}], "action_incomplete", {"title": "Open"}),
        ([{**OPEN, "uri": "/map"}], "action_with_uri", {"title": "Open the gate"}),
    ],
    ids=["six", "no action", "nothing", "no uri", "both"],
)
async def test_buttons_that_make_no_sense_are_refused_by_name(
    hass: HomeAssistant,
    server: ScriptedServer,
    actions: list[dict[str, str]],
    key: str,
    named: dict[str, str],
) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, to=ANNA, actions=actions)

    assert caught.value.translation_key == key
    assert caught.value.translation_placeholders == {"field": "actions", **named}
    assert not server.record.mails


@pytest.mark.usefixtures("server")
async def test_a_link_that_no_mail_may_have_is_refused_by_name(hass: HomeAssistant) -> None:
    script = {"action": "URI", "title": "X", "uri": "javascript:alert(1)"}

    with pytest.raises(ServiceValidationError) as caught:
        await send(hass, to=ANNA, actions=[script])

    assert caught.value.translation_key == "button_url_invalid"


@pytest.mark.parametrize("life", [{"seconds": 30}, {"days": 31}])
@pytest.mark.usefixtures("server")
async def test_buttons_live_a_minute_at_least_and_thirty_days_at_most(
    hass: HomeAssistant, life: dict[str, int]
) -> None:
    with pytest.raises(vol.Invalid):
        await send(hass, to=ANNA, actions=GATE, actions_expire_after=life)


async def test_what_only_a_telephone_knows_is_left_out(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    action = {
        **OPEN,
        "icon": "sfsymbols:bell",
        "activationMode": "background",
        "authenticationRequired": True,
        "textInputButtonTitle": "Go",
    }

    await send(hass, to=ANNA, actions=[action])

    assert links_of(only_mail(server)).keys() == {"Open the gate"}


async def test_an_emoji_and_a_warning_colour_are_shown(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await send(hass, to=ANNA, actions=[{**OPEN, "icon": "🔓", "destructive": True}])

    page = text_of(only_mail(server), "html")
    assert "🔓" in page
    assert "#d1242f" in page


async def test_a_mail_that_nobody_gets_asks_nothing(hass: HomeAssistant, bed: Bed) -> None:
    script = Script(answers={Step.DATA: say("554 5.7.1 No")})
    await load_account(hass, await bed.serve(script))
    await be_reachable(hass)

    with pytest.raises(Exception, match=r"5\.7\.1"):
        await send(hass, to=ANNA, actions=GATE)

    assert (await async_book(hass)).questions == ()


async def test_the_classic_action_takes_links_and_leaves_the_rest_to_telephones(
    hass: HomeAssistant, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    data = {
        "actions": [
            OPEN,
            {"action": "URI", "title": "Manual", "uri": "https://example.test/manual"},
            {"action": "URI", "title": "App", "uri": "app://com.example"},
            {"action": "REPLY", "title": "Answer"},
        ],
        "tag": "gate",
    }

    await hass.services.async_call(
        "notify", "home", {"message": "Ring", "target": ANNA, "data": data}, blocking=True
    )

    text = text_of(only_mail(server))
    assert "Manual: https://example.test/manual" in text
    assert "answer?t=" not in text
    assert "com.example" not in text
    warnings = [one for one in caplog.records if "passed over" in one.getMessage()]
    assert len(warnings) == 1
    assert warnings[0].getMessage().endswith(": actions")


async def test_each_account_has_links_of_its_own_for_one_question(
    hass: HomeAssistant, bed: Bed
) -> None:
    one, other = await bed.serve(), await bed.serve()
    await load_account(hass, one, recipient("Bea", ["bea@example.test"]), title="One")
    await load_account(hass, other, recipient("Carl", ["carl@example.test"]), title="Other")
    await be_reachable(hass)

    await send(hass, entity_id=["notify.bea", "notify.carl"], actions=GATE)

    (question,) = (await async_book(hass)).questions
    assert [mail.recipients for mail in question.mails] == [
        ("bea@example.test",),
        ("carl@example.test",),
    ]
    assert links_of(only_mail(one)) != links_of(only_mail(other))


async def revoke(hass: HomeAssistant, **data: Any) -> dict[str, Any]:
    """Call the action."""
    response = await hass.services.async_call(
        DOMAIN, "revoke_actions", data, blocking=True, return_response=True
    )
    assert isinstance(response, dict)
    return response


@pytest.mark.usefixtures("server")
async def test_buttons_are_revoked_by_mail(hass: HomeAssistant) -> None:
    first = await send(hass, to=ANNA, actions=GATE)
    await send(hass, to=ANNA, actions=GATE)

    assert await revoke(hass, message_id=first["message_id"]) == {"revoked": 1}

    assert len((await async_book(hass)).questions) == 1
    with pytest.raises(ServiceValidationError) as caught:
        await revoke(hass, message_id=first["message_id"])
    assert caught.value.translation_key == "mail_without_actions"


@pytest.mark.usefixtures("server")
async def test_buttons_are_revoked_all_at_once(hass: HomeAssistant) -> None:
    for _ in range(3):
        await send(hass, to=ANNA, actions=GATE)

    assert await revoke(hass) == {"revoked": 3}
    assert await revoke(hass) == {"revoked": 0}


async def test_of_several_accounts_one_is_named(hass: HomeAssistant, bed: Bed) -> None:
    accounts = [await load_account(hass, await bed.serve(), title=name) for name in ("A", "B")]
    await be_reachable(hass)
    entry_id = accounts[0].entry.entry_id
    await send(hass, to=ANNA, config_entry_id=entry_id, actions=GATE)

    with pytest.raises(ServiceValidationError) as caught:
        await revoke(hass)
    assert caught.value.translation_key == "mails_unclear"
    assert await revoke(hass, config_entry_id=accounts[1].entry.entry_id) == {"revoked": 0}
    assert await revoke(hass, config_entry_id=entry_id) == {"revoked": 1}
    with pytest.raises(ServiceValidationError) as caught:
        await revoke(hass, config_entry_id="other")
    assert caught.value.translation_key == "account_not_found"


@pytest.mark.usefixtures("server")
async def test_revoking_is_for_administrators(
    hass: HomeAssistant, hass_read_only_user: MockUser
) -> None:
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "revoke_actions",
            {},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )


@pytest.mark.usefixtures("server")
async def test_an_answered_mail_is_not_counted_as_revoked(hass: HomeAssistant) -> None:
    await send(hass, to=ANNA, actions=[IGNORE])
    book = await async_book(hass)
    book.questions[0].answered = 1.0

    assert await revoke(hass) == {"revoked": 0}
