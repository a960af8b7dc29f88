"""One delivery over a connection of its own."""

from custom_components.email_courier.mail.envelope import Envelope
from custom_components.email_courier.mail.failure import FailureKind
from custom_components.email_courier.mail.smtp.keepalive import deliver_once
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.script import HEALTHY, Step, say
from tests.support.sessions import SENDER, context_for, settings_for

ENVELOPE = Envelope(SENDER, ("a@example.test", "b@example.test"))
MESSAGE = b"Subject: once\r\n\r\nhello\r\n"


async def test_it_ends_with_quit_and_leaves_nothing(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    async with nothing_left(server):
        delivery = await deliver_once(settings_for(server), context_for(bed), ENVELOPE, MESSAGE)
    assert len(delivery.accepted) == 2
    assert [mail.content for mail in server.record.mails] == [MESSAGE]
    assert server.record.commands("QUIT")


async def test_what_stops_it_from_the_begin_is_every_recipients_failure(bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(answers={Step.GREETING: say("554 5.7.1 Not you")}))
    async with nothing_left(server):
        delivery = await deliver_once(settings_for(server), context_for(bed), ENVELOPE, MESSAGE)
    kinds = [outcome.failure.kind for outcome in delivery.outcomes if outcome.failure]
    assert kinds == [FailureKind.GREETING_REJECTED] * 2
