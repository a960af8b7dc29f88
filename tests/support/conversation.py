"""How a scripted server speaks and listens on one connection, whatever the commands mean."""

import asyncio
from collections import Counter
from copy import replace
from dataclasses import dataclass, field
import math

from tests.support import message
from tests.support.record import Direction, Line, Record
from tests.support.script import After, Answer, Script, Step
from tests.support.stream import Stream


class FinishedError(Exception):
    """The server has ended the conversation."""


@dataclass(slots=True)
class Memory:
    """What a server keeps from one connection to the next."""

    record: Record
    answered: Counter[Step] = field(default_factory=Counter)


class Conversation:
    """Replies by the script, and the record of all that was said."""

    def __init__(self, script: Script, memory: Memory, stream: Stream, number: int) -> None:
        """Take over a connection; `number` is its place in the record."""
        self.script = script
        self.stream = stream
        self.record = memory.record
        self.number = number
        self._memory = memory

    async def say(self, step: Step, healthy: str) -> int:
        """Speak at a step and return the code of what was said, 0 where it has none."""
        answer, reply = self.plan(step, healthy)
        await self.deliver(answer, reply)
        return code_of(reply)

    def plan(self, step: Step, healthy: str) -> tuple[Answer, bytes]:
        """Decide on the answer at a step, and return it with the whole reply it stands for."""
        self.record.steps.append(step)
        answer = self._answer(step)
        reply = healthy if answer.reply is None else answer.reply
        if isinstance(reply, str) and reply.startswith("421") and answer.then is After.GO_ON:
            # RFC 5321, 3.8: the server closes the connection after a 421.
            answer = replace(answer, then=After.HANG_UP)
        return answer, _wire_form(reply)

    def _answer(self, step: Step) -> Answer:
        answers = self.script.answers.get(step, Answer())
        if isinstance(answers, Answer):
            return answers
        turn = self._memory.answered[step]
        self._memory.answered[step] += 1
        return answers[turn] if turn < len(answers) else Answer()

    async def deliver(self, answer: Answer, reply: bytes) -> None:
        """Send a reply in the answer's way. Raises FinishedError where it ends the conversation."""
        if answer.delay:
            await self.stream.pause(answer.delay)
        sent = reply[: answer.cut] + answer.glued
        if sent:
            self._note(Direction.SERVER, sent)
        if answer.drip:
            for byte in sent:
                await self.stream.pause(answer.drip)
                self.stream.send(bytes([byte]))
        elif answer.split is not None and 0 < answer.split < len(sent):
            self.stream.send(sent[: answer.split])
            await self.stream.pause(answer.gap)
            self.stream.send(sent[answer.split :])
        elif sent:
            self.stream.send(sent)
        await self.end(answer.then)

    async def reply(self, text: str) -> None:
        """Send a healthy reply at no step of the script."""
        await self.deliver(Answer(), _wire_form(text))

    async def end(self, then: After) -> None:
        """End the conversation in that way, or go on."""
        match then:
            case After.GO_ON:
                return
            case After.STALL:
                await self.stream.pause(math.inf)
            case After.HANG_UP:
                self.stream.hang_up()
            case After.RESET:
                self.stream.reset()
        raise FinishedError

    async def read_line(self, what: str) -> str:
        """Return the client's next line without its end; the octet limits are those of RFC 5321."""
        line = await self.stream.read_line()
        self._note(Direction.CLIENT, line)
        for fault in message.line_faults(line, what):
            self.violation(fault)
        return line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")

    def violation(self, rule: str) -> None:
        """Note that the client did what it must not do."""
        self.record.violations.append(f"connection {self.number}: {rule}")

    def _note(self, direction: Direction, text: bytes) -> None:
        at = asyncio.get_running_loop().time()
        self.record.lines.append(Line(self.number, direction, self.stream.encrypted, text, at))


def code_of(reply: bytes) -> int:
    """Return the code of a reply as it is on the wire, 0 where it has none."""
    return int(reply[:3]) if reply[:3].isdigit() else 0


def _wire_form(reply: str | bytes) -> bytes:
    """Return a reply as bytes; one in text gets its line ends."""
    if isinstance(reply, bytes):
        return reply
    return "".join(f"{line}\r\n" for line in reply.split("\n")).encode() if reply else b""
