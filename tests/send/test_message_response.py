"""What an action answers, and what it says when nobody asked."""

import logging

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest

from custom_components.email_courier.const import CONF_MAX_MAILS
from tests.support.accounts import load_account, recipient
from tests.support.fixtures import Bed
from tests.support.mails import send, send_unasked
from tests.support.script import HEALTHY, Step, say

BEA, CARL = "bea@example.test", "carl@example.test"
NO_CARL = HEALTHY.but(recipient_replies={CARL: "550 5.1.1 No such user"})
NO_CARL_YET = HEALTHY.but(recipient_replies={CARL: "450 4.2.0 Greylisted"})
BUSY = HEALTHY.but(answers={Step.GREETING: say("421 4.3.2 try later")})
REFUSING = HEALTHY.but(answers={Step.DOT: say("554 5.7.1 Looks like spam")})


async def test_a_mail_that_was_sent_is_described_by_exactly_these_words(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.DOT: say("250 2.0.0 Ok: queued as 4711")}))
    await load_account(hass, server)

    response = await send(hass, to=[BEA, CARL])

    message_id = response.pop("message_id")
    assert message_id.endswith("@example.test>")
    assert response == {
        "status": "sent",
        "accepted": [BEA, CARL],
        "refused": [],
        "queued": [],
        "server_reply": "250 2.0.0 Ok: queued as 4711",
        "attempts": 1,
        "missing": [],
    }


async def test_a_refused_recipient_is_named_while_the_other_has_the_mail(
    hass: HomeAssistant, bed: Bed, caplog: pytest.LogCaptureFixture
) -> None:
    server = await bed.serve(NO_CARL)
    await load_account(hass, server)

    response = await send(hass, to=[BEA, CARL])

    assert response["status"] == "partial"
    assert response["accepted"] == [BEA]
    assert response["refused"] == [{"address": CARL, "reply": "550 5.1.1 No such user"}]
    assert server.record.mails[0].recipients == (BEA,)
    assert "not everyone gets the mail" not in caplog.text


async def test_a_refused_recipient_is_in_the_log_when_nobody_asked(
    hass: HomeAssistant, bed: Bed, caplog: pytest.LogCaptureFixture
) -> None:
    await load_account(hass, await bed.serve(NO_CARL))

    await send_unasked(hass, to=[BEA, CARL])

    (warning,) = [
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.WARNING and "not everyone" in record.getMessage()
    ]
    assert f"{CARL} (550 5.1.1 No such user)" in warning
    assert BEA not in warning


async def test_a_deferred_recipient_is_queued_while_the_other_has_the_mail(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await load_account(hass, await bed.serve(NO_CARL_YET))

    response = await send(hass, to=[BEA, CARL])

    assert response["status"] == "partial"
    assert response["accepted"] == [BEA]
    assert response["refused"] == []
    assert response["queued"] == [CARL]
    assert account.courier.state.waiting == 1


async def test_a_mail_that_has_to_wait_says_so_with_the_reason(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await load_account(hass, await bed.serve(BUSY))

    response = await send(hass, to=[BEA, CARL])

    assert response["status"] == "queued"
    assert response["queued"] == [BEA, CARL]
    assert response["accepted"] == []
    assert "421 4.3.2 try later" in response["server_reply"]
    assert account.courier.state.waiting == 1


async def test_a_mail_that_nobody_gets_is_an_error_that_quotes_the_server(
    hass: HomeAssistant, bed: Bed
) -> None:
    account = await load_account(hass, await bed.serve(REFUSING))

    with pytest.raises(HomeAssistantError, match=r"554 5\.7\.1 Looks like spam") as caught:
        await send(hass, to=[BEA, CARL])

    assert caught.value.translation_key == "message_rejected"
    assert account.courier.state.waiting == 0


async def test_one_account_failing_does_not_hide_what_another_has_sent(
    hass: HomeAssistant, bed: Bed
) -> None:
    await load_account(hass, await bed.serve(REFUSING), recipient("Carl", [CARL]))
    await load_account(hass, await bed.serve(), recipient("Bea", [BEA]), title="Office")
    entities = ["notify.carl", "notify.bea"]

    response = await send(hass, entity_id=entities)

    assert response["status"] == "partial"
    assert response["accepted"] == [BEA]
    (refused,) = response["refused"]
    assert refused["address"] == CARL
    assert refused["reply"].startswith("554 5.7.1 Looks like spam")
    failed, sent = response["mails"]
    assert failed["status"] == "failed"
    assert failed["message_id"] is None
    assert sent["status"] == "sent"
    assert response["message_id"] == sent["message_id"]


async def test_without_an_answer_a_mail_that_nobody_gets_is_an_error_after_all_were_tried(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    await load_account(hass, await bed.serve(REFUSING), recipient("Carl", [CARL]))
    await load_account(hass, server, recipient("Bea", [BEA]), title="Office")

    with pytest.raises(HomeAssistantError, match=r"Home: .* 554 5\.7\.1 Looks like spam"):
        await send_unasked(hass, entity_id=["notify.carl", "notify.bea"])

    assert len(server.record.mails) == 1


async def test_without_an_answer_a_mail_that_could_not_be_kept_is_an_error(
    hass: HomeAssistant, bed: Bed
) -> None:
    full = {CONF_MAX_MAILS: 1}
    await load_account(hass, await bed.serve(BUSY), recipient("Carl", [CARL]), options=full)
    await load_account(hass, await bed.serve(), recipient("Bea", [BEA]), title="Office")
    entities = ["notify.carl", "notify.bea"]
    await send_unasked(hass, entity_id=entities)

    with pytest.raises(HomeAssistantError) as caught:
        await send_unasked(hass, entity_id=entities)

    assert caught.value.translation_key == "outbox_full"


async def test_all_accounts_failing_is_an_error(
    hass: HomeAssistant, bed: Bed, caplog: pytest.LogCaptureFixture
) -> None:
    await load_account(hass, await bed.serve(REFUSING), recipient("Carl", [CARL]))
    await load_account(hass, await bed.serve(REFUSING), recipient("Bea", [BEA]), title="Office")

    with pytest.raises(HomeAssistantError, match="Home: the mail server refuses"):
        await send(hass, entity_id=["notify.carl", "notify.bea"])

    assert "Office: the mail server refuses" in caplog.text
