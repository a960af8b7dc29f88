"""A server that misbehaves at random, and remembers which replies it has kept to itself."""

import random

from tests.support.conversation import Memory
from tests.support.dialogue import Dialogue
from tests.support.script import (
    PLAIN_RELAY,
    After,
    Answer,
    Script,
    Step,
    Upload,
    hang_up,
    late,
    reset,
    say,
    stall,
)
from tests.support.scripted_server import ScriptedServer
from tests.support.stream import Stream

_FAULTS: tuple[dict[str, object], ...] = (
    {"answers": {Step.GREETING: say("421 4.7.0 Too many connections")}},
    {"answers": {Step.GREETING: hang_up()}},
    {"answers": {Step.GREETING: stall()}},
    {"answers": {Step.EHLO: reset()}},
    {"answers": {Step.MAIL: say("451 4.3.0 Try again later")}},
    {"answers": {Step.MAIL: hang_up()}},
    {"answers": {Step.RCPT: say("450 4.2.0 Greylisted")}},
    {"recipient_replies": {"r1@example.test": "450 4.2.0 Greylisted"}},
    {"recipient_replies": {"r2@example.test": "550 5.1.1 User unknown"}},
    {"answers": {Step.DATA: say("452 4.3.1 Insufficient system storage")}},
    {"answers": {Step.DATA: hang_up()}},
    {"upload": Upload(stop_after=500, then=After.HANG_UP)},
    {"upload": Upload(stop_after=5_000, then=After.RESET)},
    {"upload": Upload(stop_after=5_000, then=After.STALL)},
    {"answers": {Step.DOT: say("451 4.3.0 Try again later")}},
    {"answers": {Step.DOT: say("554 5.7.1 Message rejected")}},
    {"answers": {Step.DOT: hang_up()}},
    {"answers": {Step.DOT: hang_up(after=10)}},
    {"answers": {Step.DOT: reset()}},
    {"answers": {Step.DOT: stall()}},
    {"answers": {Step.DOT: late(0.1)}},
    {"answers": {Step.QUIT: stall()}},
)


class FickleServer(ScriptedServer):
    """Draws another script for every connection.

    scripts: what was drawn, by the number of the connection.
    """

    def __init__(self, seed: int) -> None:
        """Misbehave, until is_healthy is set."""
        super().__init__(PLAIN_RELAY)
        self.is_healthy = False
        self.scripts: dict[int, Script] = {}
        self._chance = random.Random(seed)
        self._remembered = Memory(self.record)

    async def converse(self, stream: Stream, number: int) -> None:
        """Hold one conversation by a script of its own."""
        script = PLAIN_RELAY
        if not self.is_healthy:
            script = script.but(mails_per_connection=self._chance.randint(1, 5))
            if self._chance.random() < 0.6:
                script = script.but(**self._chance.choice(_FAULTS))
        self.scripts[number] = script
        await Dialogue(script, self._certificates, self._remembered, stream, number).run()

    def keeps_reply(self, connection: int) -> bool:
        """Whether the reply to a final dot was not sent in full on this connection."""
        answer = self.scripts[connection].answers.get(Step.DOT)
        return isinstance(answer, Answer) and answer.cut is not None

    def clients(self) -> dict[int, tuple[int, str]]:
        """Return the process and the account behind each connection, by how they greeted."""
        found: dict[int, tuple[int, str]] = {}
        for line in self.record.lines:
            if line.text.startswith(b"EHLO "):
                process, account, *_ = line.text.split()[1].decode().split(".")
                found[line.connection] = int(process), account
        return found
