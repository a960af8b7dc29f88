"""Servers that are down, busy or slow, and what becomes of the mail meanwhile."""

from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from tests.reports.driver import (
    account_at,
    classic,
    last_failure,
    only_mail,
    options,
    pass_time,
    read,
    recipient,
    refusing,
    send,
    slug_of,
    waiting,
)
from tests.reports.reports import report
from tests.reports.servers import HEALTHY, Answer, Bed, Step, hang_up, reset, say

TO = "bea@example.test"


@report(
    source="eleith/emailjs#202",
    symptom="450 Greylisted: the server asks to come back, and the mail is lost.",
    ours="Kept, and delivered when the server takes it, once.",
    held_at_first=True,
)
@pytest.mark.parametrize(
    ("step", "reply"),
    [
        (Step.RCPT, "450 4.2.0 <bea@example.test>: Recipient address rejected: Greylisted"),
        (Step.RCPT, "451 4.7.1 Greylisting in action, please come back later"),
        (Step.MAIL, "451 4.7.1 Try again later"),
        (Step.DATA, "451 Greylisted"),
        (Step.DOT, "451 4.3.0 Temporary lookup failure"),
        (Step.DOT, "452 4.3.1 Insufficient system storage"),
    ],
)
async def test_a_greylisted_mail_is_delivered_later(
    hass: HomeAssistant, bed: Bed, step: Step, reply: str
) -> None:
    server = await bed.serve()
    await account_at(hass, server, refusing(step, reply))

    response = await send(hass, to=TO)
    assert response["status"] == "queued"
    assert response["queued"] == [TO]
    assert last_failure(hass) == "deferred"

    server.script = HEALTHY
    await pass_time(hass, hours=1)
    assert len(server.record.mails) == 1
    assert waiting(hass) == 0


@report(
    source="sabuhish/fastapi-mail#75",
    symptom="432 4.3.2 Concurrent connections limit exceeded: the mail is gone.",
    ours="Kept, and sent a little later.",
    held_at_first=True,
)
@pytest.mark.parametrize("step", [Step.DOT, Step.MAIL, Step.GREETING])
async def test_too_many_connections_lose_no_mail(hass: HomeAssistant, bed: Bed, step: Step) -> None:
    server = await bed.serve()
    reply = "432 4.3.2 Concurrent connections limit exceeded. [Hostname=OS0PR01MB6099]"
    await account_at(hass, server, refusing(step, reply))

    assert (await send(hass, to=TO))["status"] == "queued"

    server.script = HEALTHY
    await pass_time(hass, hours=1)
    assert len(server.record.mails) == 1


@report(
    source="forwardemail/email-templates#469",
    symptom="421 too many connections at the greeting, reported as an invalid login.",
    ours="server_busy; the mail waits, and no reauthentication is started.",
    held_at_first=True,
)
async def test_a_busy_greeting_is_no_wrong_login(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    await account_at(hass, server, refusing(Step.GREETING, "421 too many connections from <IP>"))

    assert (await send(hass, to=TO))["status"] == "queued"

    await hass.async_block_till_done()
    assert last_failure(hass) == "server_busy"
    assert not hass.config_entries.flow.async_progress()
    server.script = HEALTHY
    await pass_time(hass, hours=1)
    assert len(server.record.mails) == 1


@report(
    source="home-assistant/core#124878",
    symptom="The server is away while Home Assistant starts: the notifier is not there at all.",
    ours="The actions and entities are there at once, and take mail.",
    held_at_first=True,
)
async def test_a_server_that_is_away_at_the_start_loses_no_notifier(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    entity_id, _ = await recipient(hass, entry, "Bea", [TO])
    await server.stop()

    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert hass.services.has_service("notify", slug_of(entry))
    response = await classic(hass, entry)
    assert response["status"] == "queued"
    assert hass.states.get(entity_id) is not None

    await server.start()
    await pass_time(hass, hours=1)
    only_mail(server)


@report(
    source="home-assistant/core#175710",
    symptom="The classic action fails where notify.send_message works, and only the log knows.",
    ours="Both go the same way.",
    held_at_first=True,
)
async def test_both_actions_go_the_same_way(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    entity_id, _ = await recipient(hass, entry, "Bea", [TO])

    await classic(hass, entry, title="A")
    await send(hass, entity_id=entity_id, title="A")

    one, two = (read(mail.content) for mail in server.record.mails)
    for name in ("Subject", "From", "To"):
        assert one[name] == two[name]
    assert [part.get_content() for part in one.iter_parts()] == [
        part.get_content() for part in two.iter_parts()
    ]


@report(
    source="RFC 1047",
    symptom="The reply to the dot is lost: the mail arrives again and again, or never.",
    ours="Tried once more with the same Message-ID, and no third time.",
    held_at_first=True,
)
@pytest.mark.parametrize("answer", [hang_up(), reset()])
async def test_a_lost_reply_means_one_copy_at_most(
    hass: HomeAssistant, bed: Bed, answer: Answer
) -> None:
    server = await bed.serve()
    await account_at(hass, server, HEALTHY.but(answers={Step.DOT: answer}))

    await send(hass, to=TO)
    for _ in range(4):
        await pass_time(hass, hours=1)

    assert len(server.record.mails) == 2
    assert len({read(mail.content)["Message-ID"] for mail in server.record.mails}) == 1


@report(
    source="nodemailer/nodemailer#436",
    symptom="A temporary refusal of a burst loses the mails of the burst.",
    ours="All of them arrive, each once.",
    held_at_first=True,
)
async def test_a_burst_into_a_busy_server_arrives(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    busy = say("454 Throttling failure: Maximum sending rate exceeded")
    await account_at(hass, server, HEALTHY.but(answers={Step.MAIL: (Answer(), busy, busy, busy)}))

    for number in range(5):
        await send(hass, to=TO, title=str(number))
    for _ in range(4):
        await pass_time(hass, hours=1)

    titles = sorted(str(read(mail.content)["Subject"]) for mail in server.record.mails)
    assert titles == ["0", "1", "2", "3", "4"]


@report(
    source="Kitura/Swift-SMTP#1",
    symptom="The daily limit is reached, and somebody has to switch accounts by hand.",
    ours="The backup account takes over at once.",
    held_at_first=False,
)
@pytest.mark.parametrize("step", [Step.MAIL, Step.DOT])
async def test_the_backup_account_takes_over_when_a_quota_is_spent(
    hass: HomeAssistant, bed: Bed, step: Step
) -> None:
    one, two = await bed.serve(), await bed.serve()
    first = await account_at(hass, one)
    second = await account_at(hass, two, sender="bea@example.test")
    await options(hass, first, backup_account=second.entry_id)
    one.script = refusing(step, "550 5.4.5 Daily user sending limit exceeded")

    await send(hass, config_entry_id=first.entry_id, to="carl@example.test")
    await hass.async_block_till_done(wait_background_tasks=True)

    assert only_mail(two).recipients == ("carl@example.test",)
    assert waiting(hass) == 0


@report(
    source="RFC 5321, section 4.5.4.1",
    symptom="A queue is right for most mail, but not for what is of no use when it is late.",
    ours="With queue off, a temporary refusal is an error at once, and nothing is kept.",
    held_at_first=True,
)
@pytest.mark.parametrize("fields", [{"queue": False}])
async def test_without_a_queue_a_refusal_is_an_error(
    hass: HomeAssistant, bed: Bed, fields: dict[str, Any]
) -> None:
    server = await bed.serve()
    await account_at(hass, server, refusing(Step.MAIL, "451 4.7.1 Try again later"))

    with pytest.raises(Exception, match=r"451 4\.7\.1 Try again later"):
        await send(hass, to=TO, **fields)

    assert waiting(hass) == 0
