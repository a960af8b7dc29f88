"""MAIL, RCPT and DATA of a scripted server (RFC 5321, 3.3)."""

from dataclasses import dataclass
import re

from tests.support import message
from tests.support.conversation import Conversation, code_of
from tests.support.offers import offers
from tests.support.record import Mail
from tests.support.script import After, Pipelining, Step
from tests.support.transaction import Path, Transaction

_TOO_LARGE = "552 5.3.4 Message size exceeds fixed limit"


@dataclass(slots=True)
class Standing:
    """Where a client stands on this connection."""

    greeted: bool = False
    """Whether it has said EHLO or HELO since the connection, or TLS, began."""
    extended: bool = False
    """Whether it was EHLO."""
    username: str | None = None
    """Who has logged in."""


class Mailing:
    """The mails of one connection."""

    def __init__(self, conversation: Conversation, standing: Standing) -> None:
        """Serve a client of this standing, which the caller keeps up to date."""
        self._talk = conversation
        self._standing = standing
        self._transaction: Transaction | None = None
        self._mails = 0

    def reset(self) -> None:
        """Forget the mail that was begun."""
        self._transaction = None

    async def on_mail(self, rest: str) -> None:
        """Obey MAIL."""
        limit = self._talk.script.mails_per_connection
        if limit is not None and self._mails >= limit:
            await self._talk.reply("421 4.7.0 Error: too many messages in this session")
            await self._talk.end(After.HANG_UP)
        path = self._path(rest, "FROM")
        if path is None:
            await self._talk.say(Step.MAIL, "501 5.1.7 Bad sender address syntax")
            return
        fault = self._out_of_turn() or self._fault_of_path(path) or self._refusal(path)
        if await self._talk.say(Step.MAIL, fault or "250 2.1.0 Ok") == 250:
            self._transaction = Transaction(path)

    def _path(self, argument: str, keyword: str) -> Path | None:
        path = Path.parse(argument, keyword)
        if path is not None and path.spaced:
            self._talk.violation(f"a space after {keyword}: (RFC 5321, 3.3)")
        return path

    def _out_of_turn(self) -> str | None:
        """Return the reply to a MAIL that comes too early, if it does."""
        if not self._standing.greeted:
            return "503 5.5.1 Error: send HELO/EHLO first"
        if self._talk.script.login_required and self._standing.username is None:
            return "530 5.7.0 Authentication required"
        if self._transaction is not None:
            return "503 5.5.1 Error: nested MAIL command"
        return None

    def _fault_of_path(self, path: Path) -> str | None:
        """Return the reply to a MAIL that this client should not have said, if it is one."""
        lines = offers(self._talk.script, self._talk.stream.encrypted)
        offered = frozenset(re.split("[ =]", line)[0].upper() for line in lines)
        if not self._standing.extended:
            offered = frozenset()
        if parameter := path.not_offered(offered):
            self._talk.violation(
                f"MAIL with {parameter}, which was not offered (RFC 5321, 4.1.1.11)"
            )
            return f"555 5.5.4 Unsupported option: {parameter}"
        if path.needs_smtputf8:
            self._talk.violation("an address that is not ASCII without SMTPUTF8 (RFC 6531, 3.4)")
            return "553 5.6.7 Must use SMTPUTF8"
        return None

    def _refusal(self, path: Path) -> str | None:
        """Return the reply to a sender or a size that this server does not want, if it is one."""
        owned = self._talk.script.own_senders
        if self._too_large(int(path.value("SIZE") or 0)):
            return _TOO_LARGE
        if owned is not None and path.address not in owned:
            return (
                f"553 5.7.1 <{path.address}>: Sender address rejected: "
                f"not owned by user {self._standing.username}"
            )
        return None

    def _too_large(self, size: int) -> bool:
        limit = self._talk.script.size_limit
        return limit is not None and size > limit

    async def on_rcpt(self, rest: str) -> None:
        """Obey RCPT."""
        path = self._path(rest, "TO")
        if path is None:
            await self._talk.say(Step.RCPT, "501 5.1.3 Bad recipient address syntax")
            return
        if self._transaction is None:
            await self._talk.say(Step.RCPT, "503 5.5.1 Error: need MAIL command")
            return
        script = self._talk.script
        verdict = script.recipient_replies.get(path.address, "250 2.1.5 Ok")
        limit = script.recipients_per_mail
        if limit is not None and len(self._transaction.recipients) >= limit:
            verdict = script.too_many
        if await self._talk.say(Step.RCPT, verdict) in (250, 251):
            self._transaction.recipients.append(path.address)

    async def on_data(self, rest: str) -> None:
        """Obey DATA."""
        if rest:
            self._talk.violation("DATA has no parameters (RFC 5321, 4.1.1.4)")
        if self._transaction is None:
            await self._talk.say(Step.DATA, "503 5.5.1 Error: need RCPT command")
            return
        verdict = "554 5.5.1 Error: no valid recipients"
        if self._transaction.recipients:
            verdict = "354 End data with <CR><LF>.<CR><LF>"
        if await self._talk.say(Step.DATA, verdict) == 354:
            await self._receive(self._transaction)

    async def _receive(self, transaction: Transaction) -> None:
        upload = self._talk.script.upload

        async def stop() -> None:
            if upload.words:
                await self._talk.reply(upload.words)
            if upload.then is After.STALL:
                await self._talk.stream.stop_reading(upload.stall)
            else:
                await self._talk.end(upload.then)

        raw = await message.receive(self._talk.stream, upload, stop)
        for fault in message.content_faults(raw, eight_bit=transaction.eight_bit):
            self._talk.violation(fault)
        content = message.unstuffed(raw)
        verdict = f"250 2.0.0 Ok: queued as {len(self._talk.record.mails) + 1}"
        if self._too_large(len(content)):
            verdict = _TOO_LARGE
        answer, reply = self._talk.plan(Step.DOT, verdict)
        self._transaction = None
        self._mails += 1
        # Before the reply goes out: where it is lost on the way, the mail is taken all the same.
        if code_of(reply) == 250:
            self._talk.record.mails.append(
                Mail(
                    connection=self._talk.number,
                    sender=transaction.sender.address,
                    parameters=transaction.sender.parameters,
                    recipients=tuple(transaction.recipients),
                    content=content,
                    encrypted=self._talk.stream.encrypted,
                    username=self._standing.username,
                )
            )
        behind = self._talk.stream.waiting
        if behind and self._talk.script.pipelining is Pipelining.BROKEN_BEHIND_A_MESSAGE:
            self._talk.stream.discard()
        await self._talk.deliver(answer, reply)
        if behind and self._talk.script.pipelining is Pipelining.REFUSED_BEHIND_A_MESSAGE:
            await self._talk.reply("554 5.5.0 SMTP protocol synchronization error")
            await self._talk.end(After.HANG_UP)
