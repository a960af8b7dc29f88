"""The scripted server does what its script says, seen by the clients of others."""

import asyncio
import base64
import smtplib
import ssl
import time

import aiosmtplib
import pytest
from scramp import ScramClient

from tests.support.certificates import ServerTls
from tests.support.fixtures import Bed
from tests.support.listener import LOOPBACK, LOOPBACK6
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PASSWORD,
    PLAIN_LOGIN,
    TOKEN,
    USERNAME,
    After,
    Answer,
    AuthStyle,
    Pipelining,
    Script,
    Step,
    Upload,
    drip,
    glue,
    hang_up,
    late,
    reset,
    say,
    split,
    stall,
)
from tests.support.scripted_server import ScriptedServer

MESSAGE = b"Subject: dots\r\n\r\n.one\r\n..two\r\n"


def _client(bed: Bed, server: ScriptedServer, timeout: float = 5) -> aiosmtplib.SMTP:
    at_once = server.script.tls.value == "at_once"
    return aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        use_tls=at_once,
        start_tls=server.script.tls.value == "offered",
        tls_context=bed.certificates.client_context(),
        local_hostname="[127.0.0.1]",
        timeout=timeout,
    )


class Raw:
    """A client that sends what it is told, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, server: ScriptedServer) -> Raw:
        return cls(*await asyncio.open_connection(server.host, server.port))

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def reply(self) -> bytes:
        """Return one whole reply."""
        lines = b""
        while True:
            line = await asyncio.wait_for(self.reader.readline(), 5)
            lines += line
            if line[3:4] != b"-":
                return lines

    async def ask(self, line: str) -> bytes:
        self.send(line.encode() + b"\r\n")
        return await self.reply()

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


@pytest.mark.parametrize("script", [HEALTHY, HEALTHY_TLS])
async def test_a_healthy_server_takes_a_mail_over_tls(bed: Bed, script: Script) -> None:
    server = await bed.serve(script)
    async with _client(bed, server) as client:
        await client.login(USERNAME, PASSWORD)
        await client.sendmail(USERNAME, ["a@example.test", "b@example.test"], MESSAGE)
    record = server.record
    [mail] = record.mails
    assert mail.content == MESSAGE
    assert mail.recipients == ("a@example.test", "b@example.test")
    assert (mail.sender, mail.username, mail.encrypted) == (USERNAME, USERNAME, True)
    assert (record.connections, record.tls_sessions, record.auth_commands) == (1, 1, 1)
    assert record.violations == []
    assert record.secrets_in_clear([PASSWORD]) == []
    assert await server.all_closed()


async def test_the_standard_library_finds_it_healthy_too(bed: Bed) -> None:
    server = await bed.serve()

    def send() -> None:
        with smtplib.SMTP(server.host, server.port, local_hostname="localhost") as client:
            client.starttls(context=bed.certificates.client_context())
            client.login(USERNAME, PASSWORD)
            client.sendmail(USERNAME, ["a@example.test"], MESSAGE)

    await asyncio.to_thread(send)
    assert [mail.content for mail in server.record.mails] == [MESSAGE]


async def test_a_password_in_clear_is_found_in_base64(bed: Bed) -> None:
    server = await bed.serve(PLAIN_LOGIN)
    async with _client(bed, server) as client:
        await client.login(USERNAME, PASSWORD)
    assert server.record.secrets_in_clear([PASSWORD, "never said"]) == [PASSWORD]
    assert server.record.auth_commands_in_clear == 1


@pytest.mark.parametrize("prefix", ["", "x", "xy", "xyz"])
def test_a_secret_is_found_at_every_offset_of_base64(prefix: str) -> None:
    server = ScriptedServer()
    encoded = base64.b64encode(f"{prefix}{PASSWORD}".encode())
    server.record.clear[1] = bytearray(b"X-Noise:" + encoded[:9] + b"\r\n" + encoded[9:] + b"\r\n")
    assert server.record.secrets_in_clear([PASSWORD]) == [PASSWORD]


async def test_the_same_port_serves_both_addresses(bed: Bed) -> None:
    server = await bed.serve(hosts=(LOOPBACK, LOOPBACK6))
    for host in server.hosts:
        _, writer = await asyncio.open_connection(host, server.port)
        writer.close()
    assert server.record.connections == 2


async def test_a_server_that_comes_back_has_its_port_and_its_record(bed: Bed) -> None:
    server = await bed.serve()
    port = server.port
    await server.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(server.host, port)
    await server.start()
    client = await Raw.to(server)
    assert (await client.reply()).startswith(b"220")
    await client.close()
    assert (server.port, server.record.connections) == (port, 1)


class TestLogin:
    @pytest.mark.parametrize("password", [PASSWORD, "wrong"])
    @pytest.mark.parametrize("name", ["plain", "login", "crammd5"])
    async def test_a_password_is_verified(self, bed: Bed, name: str, password: str) -> None:
        script = HEALTHY_TLS.but(mechanisms=("PLAIN", "LOGIN", "CRAM-MD5"))
        client = _client(bed, await bed.serve(script))
        await client.connect()
        login = getattr(client, f"auth_{name}")
        if password == PASSWORD:
            assert (await login(USERNAME, password)).code == 235
        else:
            with pytest.raises(aiosmtplib.SMTPAuthenticationError) as caught:
                await login(USERNAME, password)
            assert caught.value.code == 535
        client.close()

    @pytest.mark.parametrize("password", [PASSWORD, "wrong"])
    @pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256"])
    async def test_scram_proves_both_sides(self, bed: Bed, mechanism: str, password: str) -> None:
        server = await bed.serve(PLAIN_LOGIN.but(mechanisms_in_clear=(mechanism,)))
        scram = ScramClient([mechanism], USERNAME, password)
        client = await Raw.to(server)
        await client.reply()
        await client.ask("EHLO [127.0.0.1]")
        first = base64.b64encode(scram.get_client_first().encode()).decode()
        challenge = await client.ask(f"AUTH {mechanism} {first}")
        scram.set_server_first(base64.b64decode(challenge[4:]).decode())
        final = base64.b64encode(scram.get_client_final().encode()).decode()
        answer = await client.ask(final)
        if password == PASSWORD:
            scram.set_server_final(base64.b64decode(answer[4:]).decode())
            assert (await client.ask("")).startswith(b"235")
        else:
            assert answer.startswith(b"535")
        assert server.record.secrets_in_clear([PASSWORD]) == []
        await client.close()

    @pytest.mark.parametrize(
        ("mechanism", "form"),
        [
            ("XOAUTH2", "user={user}\1auth=Bearer {token}\1\1"),
            ("OAUTHBEARER", "n,a={user},\1host=localhost\1port=587\1auth=Bearer {token}\1\1"),
        ],
    )
    @pytest.mark.parametrize("token", [TOKEN, "expired"])
    async def test_a_token_is_verified(
        self, bed: Bed, mechanism: str, form: str, token: str
    ) -> None:
        server = await bed.serve(PLAIN_LOGIN.but(mechanisms_in_clear=(mechanism,)))
        client = await Raw.to(server)
        await client.reply()
        await client.ask("EHLO [127.0.0.1]")
        response = base64.b64encode(form.format(user=USERNAME, token=token).encode()).decode()
        answer = await client.ask(f"AUTH {mechanism} {response}")
        if token == TOKEN:
            assert answer.startswith(b"235")
        else:
            assert answer.startswith(b"334")
            assert (await client.ask("")).startswith(b"535")
        await client.close()

    async def test_a_mechanism_that_is_not_offered_is_refused_and_noted(self, bed: Bed) -> None:
        server = await bed.serve(PLAIN_LOGIN)
        client = await Raw.to(server)
        await client.reply()
        await client.ask("EHLO [127.0.0.1]")
        assert (await client.ask("AUTH CRAM-MD5")).startswith(b"504")
        assert "CRAM-MD5" in server.record.violations[0]
        await client.close()

    async def test_a_script_can_give_the_verdict(self, bed: Bed) -> None:
        words = "535 5.7.139 Authentication unsuccessful, basic authentication is disabled"
        server = await bed.serve(HEALTHY_TLS.but(answers={Step.AUTH_VERDICT: say(words)}))
        client = _client(bed, server)
        await client.connect()
        with pytest.raises(aiosmtplib.SMTPAuthenticationError, match=r"5\.7\.139"):
            await client.auth_plain(USERNAME, PASSWORD)
        client.close()

    async def test_login_can_be_listed_in_the_old_style(self, bed: Bed) -> None:
        server = await bed.serve(PLAIN_LOGIN.but(auth_style=AuthStyle.LEGACY))
        client = await Raw.to(server)
        await client.reply()
        assert b"AUTH=PLAIN LOGIN" in await client.ask("EHLO [127.0.0.1]")
        await client.close()


class TestAnswers:
    @pytest.mark.parametrize("at", range(1, 35))
    async def test_a_reply_can_be_split_at_every_byte(self, bed: Bed, at: int) -> None:
        server = await bed.serve(Script(answers={Step.GREETING: split(at)}))
        client = await Raw.to(server)
        first = await client.reader.read(1024)
        assert len(first) == at
        assert first + await client.reader.read(1024) == b"220 mail.example.test ESMTP ready\r\n"
        await client.close()

    async def test_extra_bytes_can_be_glued_to_a_reply(self, bed: Bed) -> None:
        server = await bed.serve(Script(answers={Step.GREETING: glue(b"250 early\r\n")}))
        client = await Raw.to(server)
        assert (await client.reader.read(1024)).endswith(b"ready\r\n250 early\r\n")
        await client.close()

    async def test_a_drip_takes_its_time_for_each_byte(self, bed: Bed) -> None:
        server = await bed.serve(Script(answers={Step.GREETING: drip(0.01)}))
        started = time.monotonic()
        client = await Raw.to(server)
        assert len(await client.reply()) == 35
        assert time.monotonic() - started >= 0.3
        await client.close()

    async def test_the_tls_handshake_can_drip_and_still_succeeds(self, bed: Bed) -> None:
        server = await bed.serve(HEALTHY.but(answers={Step.TLS: drip(0.0001)}))
        async with _client(bed, server) as client:
            assert (await client.noop()).code == 250

    async def test_a_stalled_server_notices_that_the_client_leaves(self, bed: Bed) -> None:
        server = await bed.serve(Script(answers={Step.GREETING: stall(after=3)}))
        client = await Raw.to(server)
        assert await client.reader.read(1024) == b"220"
        assert server.record.open_connections == 1
        await client.close()
        assert await server.all_closed()

    async def test_a_late_reply_is_dropped_when_the_client_leaves(self, bed: Bed) -> None:
        server = await bed.serve(Script(answers={Step.GREETING: late(60)}))
        client = await Raw.to(server)
        await client.close()
        assert await server.all_closed()

    async def test_hanging_up_is_the_end_of_the_stream(self, bed: Bed) -> None:
        server = await bed.serve(Script(answers={Step.EHLO: hang_up()}))
        client = await Raw.to(server)
        await client.reply()
        client.send(b"EHLO [127.0.0.1]\r\n")
        assert await client.reader.read() == b""
        await client.close()

    async def test_a_reset_is_an_error(self, bed: Bed) -> None:
        server = await bed.serve(Script(answers={Step.EHLO: reset()}))
        client = await Raw.to(server)
        await client.reply()
        client.send(b"EHLO [127.0.0.1]\r\n")
        with pytest.raises(ConnectionResetError):
            await client.reader.read()
        client.writer.close()

    async def test_a_list_of_answers_is_used_up_over_all_connections(self, bed: Bed) -> None:
        busy = say("421 4.7.0 Too many connections from your host")
        server = await bed.serve(Script(answers={Step.GREETING: (busy, Answer(), busy)}))
        codes = []
        for _ in range(4):
            client = await Raw.to(server)
            codes.append((await client.reply())[:3])
            await client.close()
        assert codes == [b"421", b"220", b"421", b"220"]

    async def test_a_421_is_followed_by_the_end(self, bed: Bed) -> None:
        server = await bed.serve(Script(answers={Step.EHLO: say("421 4.3.2 Shutting down")}))
        client = await Raw.to(server)
        await client.reply()
        assert (await client.ask("EHLO x")).startswith(b"421")
        assert await client.reader.read() == b""
        await client.close()

    async def test_a_server_that_turned_a_client_away_only_lets_it_leave(self, bed: Bed) -> None:
        server = await bed.serve(Script(answers={Step.GREETING: say("554 5.7.1 No")}))
        client = await Raw.to(server)
        assert (await client.reply()).startswith(b"554")
        assert (await client.ask("EHLO x")).startswith(b"503")
        assert (await client.ask("QUIT")).startswith(b"221")
        await client.close()

    async def test_a_lost_reply_to_the_dot_leaves_the_mail_taken(self, bed: Bed) -> None:
        server = await bed.serve(HEALTHY_TLS.but(answers={Step.DOT: hang_up()}))
        client = _client(bed, server)
        await client.connect()
        with pytest.raises(aiosmtplib.SMTPException):
            await client.sendmail(USERNAME, ["a@example.test"], MESSAGE)
        client.close()
        assert len(server.record.mails) == 1

    async def test_bytes_injected_after_starttls_arrive_in_clear(self, bed: Bed) -> None:
        server = await bed.serve(Script(answers={Step.STARTTLS: glue(b"250 AUTH PLAIN\r\n")}))
        client = await Raw.to(server)
        await client.reply()
        await client.ask("EHLO x")
        client.send(b"STARTTLS\r\n")
        assert (await client.reader.read(1024)).endswith(b"TLS\r\n250 AUTH PLAIN\r\n")
        await client.close()


class TestTls:
    async def test_a_client_that_distrusts_the_certificate_is_recorded(self, bed: Bed) -> None:
        server = await bed.serve(HEALTHY_TLS.but(tls_kind=ServerTls.SELF_SIGNED))
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection(
                server.host, server.port, ssl=bed.certificates.client_context()
            )
        assert await server.all_closed()
        assert server.record.tls_sessions == 0

    async def test_a_plain_client_of_a_tls_port_waits_for_a_greeting(self, bed: Bed) -> None:
        client = await Raw.to(await bed.serve(HEALTHY_TLS))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.reader.read(1), 0.2)
        await client.close()

    async def test_a_tls_client_of_a_plain_port_gets_the_wrong_version(self, bed: Bed) -> None:
        server = await bed.serve(HEALTHY)
        with pytest.raises(ssl.SSLError, match=r"WRONG_VERSION_NUMBER|RECORD_LAYER_FAILURE"):
            await asyncio.open_connection(
                server.host, server.port, ssl=bed.certificates.client_context()
            )

    async def test_everything_else_can_be_refused_before_starttls(self, bed: Bed) -> None:
        server = await bed.serve(HEALTHY.but(tls_required=True))
        client = await Raw.to(server)
        await client.reply()
        await client.ask("EHLO x")
        assert (await client.ask("MAIL FROM:<a@example.test>")).startswith(b"530 5.7.0")
        await client.close()


class TestMail:
    async def _at_mail(self, server: ScriptedServer) -> Raw:
        client = await Raw.to(server)
        await client.reply()
        await client.ask("EHLO [127.0.0.1]")
        return client

    async def test_senders_and_recipients_can_be_refused(self, bed: Bed) -> None:
        script = PLAIN_LOGIN.but(
            own_senders=frozenset({USERNAME}),
            recipient_replies={"b@example.test": "550 5.1.1 No such user"},
        )
        client = await self._at_mail(await bed.serve(script))
        assert (await client.ask("MAIL FROM:<x@example.test>")).startswith(b"553 5.7.1")
        assert (await client.ask(f"MAIL FROM:<{USERNAME}>")).startswith(b"250")
        assert (await client.ask("RCPT TO:<b@example.test>")).startswith(b"550 5.1.1")
        assert (await client.ask("DATA")).startswith(b"554")
        await client.close()

    async def test_a_login_can_be_required(self, bed: Bed) -> None:
        client = await self._at_mail(await bed.serve(PLAIN_LOGIN.but(login_required=True)))
        assert (await client.ask("MAIL FROM:<a@b.test>")).startswith(b"530 5.7.0 Auth")
        await client.close()

    async def test_a_size_over_the_limit_is_refused_before_and_after_the_upload(
        self, bed: Bed
    ) -> None:
        client = await self._at_mail(await bed.serve(PLAIN_LOGIN.but(size_limit=10)))
        assert (await client.ask("MAIL FROM:<a@b.test> SIZE=11")).startswith(b"552 5.3.4")
        await client.ask("MAIL FROM:<a@b.test> SIZE=10")
        await client.ask("RCPT TO:<c@d.test>")
        await client.ask("DATA")
        assert (await client.ask("more than ten octets\r\n.")).startswith(b"552 5.3.4")
        await client.close()

    async def test_a_parameter_that_was_not_offered_is_a_violation(self, bed: Bed) -> None:
        server = await bed.serve(PLAIN_LOGIN)
        client = await self._at_mail(server)
        assert (await client.ask("MAIL FROM:<a@b.test> SIZE=10")).startswith(b"555")
        assert len(server.record.violations) == 1
        await client.close()

    @pytest.mark.parametrize(
        ("content", "rule"),
        [
            (b"lone\nfeed\r\n", "CR or LF"),
            (b"lone\rreturn\r\n", "CR or LF"),
            (b"n\0l\r\n", "NUL"),
            (b"x" * 999 + b"\r\n", "998"),
            (b"\xc3\xa4\r\n", "8BITMIME"),
        ],
    )
    async def test_what_must_not_be_on_the_wire_is_a_violation(
        self, bed: Bed, content: bytes, rule: str
    ) -> None:
        server = await bed.serve(PLAIN_LOGIN)
        client = await self._at_mail(server)
        for line in ("MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"):
            await client.ask(line)
        client.send(content + b".\r\n")
        assert (await client.reply()).startswith(b"250")
        [violation] = server.record.violations
        assert rule in violation
        await client.close()

    async def test_a_hello_name_can_be_refused(self, bed: Bed) -> None:
        server = await bed.serve(PLAIN_LOGIN.but(hello_pattern=r"[^\[]+\.[a-z]+"))
        client = await Raw.to(server)
        await client.reply()
        assert (await client.ask("EHLO [127.0.0.1]")).startswith(b"504 5.5.2")
        assert (await client.ask("EHLO ha.example.test")).startswith(b"250")
        await client.close()

    async def test_a_server_can_stop_reading_and_then_take_the_mail_after_all(
        self, bed: Bed
    ) -> None:
        upload = Upload(stop_after=1000, stall=0.3)
        server = await bed.serve(PLAIN_LOGIN.but(upload=upload))
        client = await self._at_mail(server)
        for line in ("MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"):
            await client.ask(line)
        started = time.monotonic()
        client.send(b"x" * 70 + b"\r\n")
        client.send((b"y" * 70 + b"\r\n") * 50_000 + b".\r\n")
        assert (await client.reply()).startswith(b"250")
        assert time.monotonic() - started >= 0.3
        assert len(server.record.mails[0].content) == 72 * 50_001
        await client.close()

    async def test_a_server_that_stopped_reading_notices_a_reset(self, bed: Bed) -> None:
        server = await bed.serve(PLAIN_LOGIN.but(upload=Upload(stop_after=1000)))
        client = await self._at_mail(server)
        for line in ("MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"):
            await client.ask(line)
        client.send(b"y" * 2000 + b"\r\n")
        await asyncio.sleep(0.1)
        client.writer.transport.abort()
        assert await server.all_closed()
        assert server.record.mails == []

    async def test_a_slow_line_takes_its_time(self, bed: Bed) -> None:
        server = await bed.serve(PLAIN_LOGIN.but(upload=Upload(rate=100_000)))
        client = await self._at_mail(server)
        for line in ("MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"):
            await client.ask(line)
        started = time.monotonic()
        client.send((b"y" * 70 + b"\r\n") * 500 + b".\r\n")
        await client.reply()
        assert time.monotonic() - started >= 0.35
        await client.close()

    async def test_the_upload_can_end_in_a_reset(self, bed: Bed) -> None:
        upload = Upload(stop_after=10, then=After.RESET)
        server = await bed.serve(PLAIN_LOGIN.but(upload=upload))
        client = await self._at_mail(server)
        for line in ("MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"):
            await client.ask(line)
        client.send(b"y" * 20)
        with pytest.raises(ConnectionResetError):
            await client.reader.read()
        client.writer.close()


class TestLimits:
    async def test_an_idle_client_is_told_and_left(self, bed: Bed) -> None:
        client = await Raw.to(await bed.serve(HEALTHY.but(idle_limit=0.05)))
        await client.reply()
        assert (await client.reply()).startswith(b"421 4.4.2")
        assert await client.reader.read() == b""
        await client.close()

    async def test_a_second_connection_can_be_one_too_many(self, bed: Bed) -> None:
        server = await bed.serve(HEALTHY.but(connections_at_once=1))
        first, second = await Raw.to(server), await Raw.to(server)
        assert (await first.reply()).startswith(b"220")
        assert (await second.reply()).startswith(b"421")
        await first.close()
        await second.close()

    async def test_a_connection_can_be_used_up(self, bed: Bed) -> None:
        server = await bed.serve(PLAIN_LOGIN.but(mails_per_connection=1))
        client = _client(bed, server)
        await client.connect()
        await client.sendmail(USERNAME, ["a@example.test"], MESSAGE)
        with pytest.raises(aiosmtplib.SMTPException):
            await client.sendmail(USERNAME, ["a@example.test"], MESSAGE)
        client.close()


class TestPipelining:
    FLIGHT = b"MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n"

    async def _flight(self, bed: Bed, pipelining: Pipelining) -> tuple[ScriptedServer, Raw]:
        server = await bed.serve(PLAIN_LOGIN.but(pipelining=pipelining))
        client = await Raw.to(server)
        await client.reply()
        await client.ask("EHLO [127.0.0.1]")
        client.send(self.FLIGHT)
        return server, client

    async def test_a_flight_of_commands_gets_a_reply_each(self, bed: Bed) -> None:
        server, client = await self._flight(bed, Pipelining.OFFERED)
        assert [(await client.reply())[:3] for _ in range(3)] == [b"250", b"250", b"354"]
        assert server.record.violations == []
        await client.close()

    async def test_where_it_is_not_offered_a_flight_is_a_violation(self, bed: Bed) -> None:
        server, client = await self._flight(bed, Pipelining.ABSENT)
        assert [(await client.reply())[:3] for _ in range(3)] == [b"250", b"250", b"354"]
        assert len(server.record.violations) == 2
        await client.close()

    async def test_a_strict_server_throws_the_client_out(self, bed: Bed) -> None:
        _, client = await self._flight(bed, Pipelining.ENFORCED_ABSENT)
        assert (await client.reply()).startswith(b"554")
        assert await client.reader.read() == b""
        await client.close()

    async def test_a_broken_one_answers_the_first_command_only(self, bed: Bed) -> None:
        _, client = await self._flight(bed, Pipelining.BROKEN)
        assert (await client.reply()).startswith(b"250")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.reader.read(1), 0.2)
        await client.close()
