"""What others have written, bent and broken: every parser answers, or fails as it says it does."""

import asyncio
import base64
from collections.abc import Callable, Iterator
import json
import os
from pathlib import Path
from random import Random
import tempfile
import time
from typing import Any, NamedTuple

from aiosmtplib.esmtp import parse_esmtp_extensions
from cryptography.hazmat.primitives.serialization import Encoding
import dns.rrset
import pytest
from scramp import ScramClient, ScramException

from custom_components.email_courier.mail.charset import decode
from custom_components.email_courier.mail.discovery.clientconfig import read_outgoing_servers
from custom_components.email_courier.mail.discovery.dns import SystemResolver
from custom_components.email_courier.mail.discovery.model import LookupFailed
from custom_components.email_courier.mail.failure import Failure, FailureKind, Permanence, Stage
from custom_components.email_courier.mail.outbox.backoff import retry_delay
from custom_components.email_courier.mail.outbox.digests import MERGE, DigestJournal
from custom_components.email_courier.mail.outbox.history import History
from custom_components.email_courier.mail.outbox.record import MailId, MailRecord, OwedRecipient
from custom_components.email_courier.mail.outbox.store import RECORD, Store
from custom_components.email_courier.mail.outbox.submission import DamagedMailError, Rank
from custom_components.email_courier.mail.reply import Reply
from custom_components.email_courier.mail.smtp.protocol import (
    Capabilities,
    MalformedReplyError,
    ReplyBuffer,
    split_reply,
)
from custom_components.email_courier.mail.smtp.sasl import explain
from custom_components.email_courier.mail.smtp.scram import take_server_first
from custom_components.email_courier.mail.smtp.tls import Certificate
from tests.support.bent import INPUTS, bent, bent_json
from tests.support.certificates import Certificates, ServerTls

MOST_SECONDS = 1.0
"""Of computing, for one input."""
NOW = 1_795_000_000.0

EHLO = [
    (
        b"250-mx.example.test Hello\r\n250-SIZE 35882577\r\n250-8BITMIME\r\n"
        b"250-AUTH LOGIN PLAIN\r\n"
        b"250-AUTH=LOGIN\r\n250-STARTTLS\r\n250 SMTPUTF8\r\n"
    ),
    b"250-SIZE\r\n250-SIZE 1 2\r\n250 AUTH\r\n",
    "250-x\r\n250 SIZE ٣\r\n".encode(),
    b"250-x\r\n250 SIZE " + b"9" * 400 + b"\r\n",
]
REPLIES = [
    *EHLO,
    b"535-5.7.8 Username and Password not accepted.\r\n535 5.7.8 https://example.test - gsmtp\r\n",
    "550 5.٣.1 нет\r\n".encode(),
    b"535 " + "用户名或密码错误".encode("gbk") + b"\r\n",
    b"535 " + "パスワードが違います".encode("shift_jis") + b"\r\n",
    b"554 " + "Échec".encode("latin-1") + b"\r\n",
]
CHALLENGE = {"status": "401", "schemes": "bearer", "scope": "https://mail.example.test/"}
CONFIG = [
    b"""<?xml version="1.0" encoding="UTF-8"?><clientConfig version="1.1">
    <emailProvider id="x"><outgoingServer type="smtp"><hostname>smtp.%EMAILDOMAIN%</hostname>
    <port>465</port><socketType>SSL</socketType><username>%EMAILADDRESS%</username>
    <authentication>password-cleartext</authentication></outgoingServer></emailProvider>
    </clientConfig>""",
    b'<?xml version="1.0" encoding="utf-16"?><clientConfig/>',
    b'<?xml version="1.0" encoding="hex"?><clientConfig/>',
    b'<!DOCTYPE x [<!ENTITY a "a">]><clientConfig>&a;</clientConfig>',
    b"<a>" * 1000,
]
FAILURE = Failure(
    FailureKind.DEFERRED,
    Stage.RECIPIENT,
    Permanence.TEMPORARY,
    Reply(451, ("4.7.1 Later",)),
    facts={"a": "b"},
)
MAIL_ID = MailId(Rank.NORMAL, int(NOW * 1000), int(NOW * 1000) + 86_400_000, 1000, "0badcafe")
MAIL_RECORD = MailRecord(
    id=MAIL_ID,
    message_id="<1@example.test>",
    subject="Tür",
    sender="a@example.test",
    smtputf8=False,
    owed=(OwedRecipient("b@example.test", 1, FAILURE), OwedRecipient("c@example.test")),
    checksum="0" * 64,
    attempts=2,
    next_attempt=NOW,
    visited_accounts=("first",),
    waited=10.0,
    noted=NOW,
).as_dict()
OUTCOMES = [{"outcome": "delivered", "at": NOW, "recipients": ["a@example.test"]}, {}]


def _replies(raw: bytes) -> object:
    said = []
    for whole in ReplyBuffer().feed(raw):
        code, text = split_reply(whole)
        reply = Reply.parse(code, text)
        assert 200 <= reply.code <= 599
        assert reply.enhanced is None or reply.enhanced.isascii()
        said.append([str(reply), *reply.lines])
    return said


def _offer(raw: bytes) -> object:
    """Read an offer as a session does, from what may be shown and from what was said."""
    text = decode(raw)
    both = (Reply.parse(250, text).lines, text.split("\n"))
    shown, said = (parse_esmtp_extensions("\n".join(lines)) for lines in both)
    offer = Capabilities.read(shown, said)
    limit = offer.size_limit
    assert limit is None or 0 < limit < 2**63
    return [dict(offer.extensions), sorted(offer.mechanisms), limit]


def _refused_token(raw: bytes) -> object:
    return explain(base64.b64encode(raw).decode())


def _certificate(der: bytes) -> object:
    certificate = Certificate.parse(der)
    assert len(certificate.fingerprint) == 64
    return certificate.facts()


def _config(document: bytes) -> object:
    servers = read_outgoing_servers(document)
    assert all(0 <= server.port < 100_000 for server in servers)
    return [[server.hostname, server.username, *server.authentication] for server in servers]


def _name_of_mail(raw: bytes) -> object:
    mail_id = MailId.parse(decode(raw))
    assert mail_id is None or MailId.parse(str(mail_id)) == mail_id
    return mail_id


def _server_first(raw: bytes) -> object:
    client = ScramClient(["SCRAM-SHA-256"], "user", "password", c_nonce="fyko+d2lbbFgONRv9qkxdawL")
    client.get_client_first()
    take_server_first(client, raw)
    return None


class Parser(NamedTuple):
    """What is read, by whom, and which errors are documented.

    read: returns plain data.
    """

    samples: list[bytes]
    read: Callable[[bytes], object]
    errors: tuple[type[Exception], ...] = ()


PARSERS = {
    "replies": Parser(REPLIES, _replies, (MalformedReplyError,)),
    "charset": Parser(REPLIES, decode),
    "ehlo": Parser(EHLO, _offer),
    "config": Parser(CONFIG, _config, (LookupFailed,)),
    "mail_id": Parser([str(MAIL_ID).encode(), "1-٣".encode()], _name_of_mail),
    "scram": Parser(
        [
            b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92bf92bf92,i=4096",
            b"e=other-error",
            "r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=٣".encode(),
        ],
        _server_first,
        (ScramException, ValueError),
    ),
}


def _survives(parser: Parser, made: Callable[[Random], bytes]) -> None:
    """Give a parser all inputs. Its answers can be stored as JSON, and sent as UTF-8."""
    chance = Random(1)
    answered = 0
    for _ in range(INPUTS):
        raw = made(chance)
        began = time.thread_time()
        try:
            answer = parser.read(raw)
        except parser.errors:
            continue
        except BaseException as error:  # noqa: BLE001 - panics of Rust are no Exception
            pytest.fail(f"{error!r} for {raw[:2000]!r}")
        finally:
            assert time.thread_time() - began < MOST_SECONDS, raw[:2000]
        json.dumps(answer, ensure_ascii=False).encode()
        answered += 1
    assert answered > 0


@pytest.mark.parametrize("name", PARSERS)
def test_words_of_servers_are_read_or_refused(name: str) -> None:
    parser = PARSERS[name]
    _survives(parser, lambda chance: bent(chance, chance.choice(parser.samples)))


def test_what_is_said_of_a_refused_token_is_read_or_left_out() -> None:
    _survives(Parser([], _refused_token), lambda chance: bent_json(chance, CHALLENGE))


def test_certificates_are_read_as_far_as_they_can_be(certificates: Certificates) -> None:
    kinds = (ServerTls.VALID, ServerTls.SELF_SIGNED, ServerTls.WEAK_KEY)
    samples = [certificates.certificate(kind).public_bytes(Encoding.DER) for kind in kinds]
    parser = Parser(samples, _certificate)
    _survives(parser, lambda chance: bent(chance, chance.choice(samples)))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory, where there is such a thing: what a disk does is not looked at here."""
    memory = "/dev/shm"  # noqa: S108
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as made:
        yield Path(made)


def test_records_on_disk_are_read_or_damaged(folder: Path) -> None:
    store = Store(folder)

    def read(raw: bytes) -> object:
        (folder / f"{MAIL_ID}{RECORD}").write_bytes(raw)
        record = store.read_record(MAIL_ID)
        taken_up = record.taken_up(1000.0, NOW + 60.0).with_lost_reply()
        assert retry_delay(taken_up.attempts, lambda: 0.5) > 0
        assert taken_up.born <= 1000.0
        return json.dumps(taken_up.as_dict())

    _survives(Parser([], read, (DamagedMailError,)), lambda chance: bent_json(chance, MAIL_RECORD))


def test_histories_on_disk_are_read_or_damaged(folder: Path) -> None:
    file = folder / "history"

    def read(raw: bytes) -> object:
        file.write_bytes(raw)
        history = History(file)
        history.put_before(history.load())
        return json.dumps(list(history.outcomes))

    _survives(Parser([], read, (DamagedMailError,)), lambda chance: bent_json(chance, OUTCOMES))


def test_notes_of_digests_are_read_or_set_aside(folder: Path) -> None:
    held, waiting = Store(folder / "held"), Store(folder)
    held.folder.mkdir()
    (folder / f"{MAIL_ID}{RECORD}").write_bytes(b"")
    note = held.folder / f"{MAIL_ID}{MERGE}"
    parts = [str(MAIL_ID._replace(token=f"{number:08x}")) for number in range(2)]

    def read(raw: bytes) -> object:
        note.write_bytes(raw)
        journal = DigestJournal(held, waiting)
        recovered = journal.recover()
        assert not note.exists()
        assert recovered.trouble is None
        return [recovered.damaged, sorted(journal.superseded)]

    _survives(Parser([], read), lambda chance: bent_json(chance, parts))


class _BrokenNames(asyncio.DatagramProtocol):
    """A name server whose answers are broken behind the question."""

    def __init__(self) -> None:
        self._chance = Random(1)
        self._transport: asyncio.DatagramTransport | None = None
        records = (
            ("SRV", "10 5 465 smtp.example.test.", "0 0 0 ."),
            ("MX", "1 mx.example.test.", "0 ."),
            ("MX", r"1 \195\188\000x.example.test."),
            ("CNAME", "elsewhere.test."),
        )
        self._samples = [_wire(kind, *texts) for kind, *texts in records]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.DatagramTransport)
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        assert self._transport is not None
        end = data.index(b"\0", 12) + 5
        count, records = self._chance.choice(self._samples)
        head = data[:2] + b"\x81\x80\0\1" + bytes((0, count)) + b"\0" * 4
        if self._chance.random() < 0.5:  # a record of its length, whatever is in it
            body = bent(self._chance, records[12:])
            records = records[:10] + len(body).to_bytes(2) + body
        else:
            records = bent(self._chance, records)
        self._transport.sendto((head + data[12:end] + records)[:4000], addr)


def _wire(kind: str, *texts: str) -> tuple[int, bytes]:
    """Return how many records these are, and how they go over the wire."""
    with_name = dns.rrset.from_text("x.", 60, "IN", kind, *texts)
    rows = [row.to_wire() or b"" for row in with_name]
    start = b"\xc0\x0c" + with_name.rdtype.to_bytes(2) + b"\0\1\0\0\0\x3c"
    return len(rows), b"".join(start + len(row).to_bytes(2) + row for row in rows)


async def test_answers_of_name_servers_are_read_or_fail() -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(_BrokenNames, local_addr=("127.0.0.1", 0))
    address = ":".join(map(str, transport.get_extra_info("sockname")))
    answered = 0
    try:
        async with SystemResolver([address], timeout=0.5, tries=1) as resolver:

            async def ask(number: int) -> bool:
                name = f"{number}.example.test"
                try:
                    if number % 2:
                        hosts = [one.host for one in await resolver.mx(name)]
                    else:
                        hosts = [one.target for one in await resolver.srv(name)]
                except LookupFailed:
                    return False
                assert all(host.isascii() for host in hosts)
                return bool(hosts)

            for start in range(0, INPUTS, 100):
                async with asyncio.timeout(60):
                    answered += sum(await asyncio.gather(*map(ask, range(start, start + 100))))
    finally:
        transport.close()
    assert answered > 0
