"""The AUTH command of a scripted server (RFC 4954)."""

from tests.support import sasl
from tests.support.conversation import Conversation, code_of
from tests.support.script import Step

_ACCEPTED = "235 2.7.0 Authentication successful"
_REFUSED = "535 5.7.8 Error: authentication failed"


class _EndedEarlyError(Exception):
    """The script had a verdict in the place of a challenge."""

    def __init__(self, code: int) -> None:
        self.code = code


class Login:
    """One AUTH command and the exchange that follows."""

    def __init__(self, conversation: Conversation, offered: tuple[str, ...]) -> None:
        """Take over from the conversation until the verdict; `offered` are the mechanisms."""
        self._conversation = conversation
        self._offered = offered

    async def run(self, arguments: str) -> str | None:
        """Return the name of the user who is now logged in, None where nobody is."""
        conversation = self._conversation
        name, _, initial = arguments.partition(" ")
        if Step.AUTH in conversation.script.answers:
            answer, reply = conversation.plan(Step.AUTH, "")
            await conversation.deliver(answer, reply)
            if reply:
                return "anybody" if code_of(reply) == 235 else None
        try:
            exchange = self._exchange(name.upper(), initial)
            if isinstance(exchange, str):
                return await self._verdict(None, exchange)
            user = await self._converse(exchange)
        except sasl.MalformedResponseError as err:
            conversation.violation(f"{name}: {err}")
            return await self._verdict(None, "501 5.5.2 Error: malformed response")
        except _EndedEarlyError as end:
            return "anybody" if end.code == 235 else None
        return await self._verdict(user, _REFUSED if user is None else _ACCEPTED)

    async def _verdict(self, user: str | None, healthy: str) -> str | None:
        accepted = await self._conversation.say(Step.AUTH_VERDICT, healthy) == 235
        # A server that is told to accept anybody has to call him something.
        return (user or "anybody") if accepted else None

    def _exchange(self, name: str, initial: str) -> sasl.Exchange | str:
        """Return the exchange of a mechanism, or the reply to a command that starts none."""
        conversation = self._conversation
        if not self._offered:
            return "503 5.5.1 Error: authentication not enabled"
        if name not in self._offered:
            conversation.violation(f"AUTH {name}, which was not offered (RFC 4954, section 4)")
            return "504 5.5.4 Unrecognized authentication type"
        response = sasl.decode(initial.encode()) if initial else None
        if mechanism := sasl.MECHANISMS.get(name):
            return mechanism(conversation.script.users, response)
        if mechanism := sasl.TOKEN_MECHANISMS.get(name):
            return mechanism(conversation.script.tokens, response)
        return "504 5.7.4 Mechanism is offered but not available"

    async def _converse(self, exchange: sasl.Exchange) -> str | None:
        """Carry challenges and responses to and fro until the mechanism has decided."""
        conversation = self._conversation
        try:
            challenge = next(exchange)
            while True:
                code = await conversation.say(Step.AUTH_CHALLENGE, f"334 {sasl.encode(challenge)}")
                if code not in (0, 334):
                    raise _EndedEarlyError(code)
                line = await conversation.read_line("login")
                if line == "*":
                    return None
                challenge = exchange.send(sasl.decode(line.encode("utf-8", "surrogateescape")))
        except StopIteration as end:
            user: str | None = end.value
            return user
        except UnicodeDecodeError as err:
            raise sasl.MalformedResponseError("a response that is no UTF-8") from err
