"""A handshake with a healthy server: what is said, what is learned, what is left."""

import pytest

from custom_components.email_courier.mail.failure import FailureKind, Stage
from custom_components.email_courier.mail.settings import Encryption
from custom_components.email_courier.mail.smtp.session import Session
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.listener import LOOPBACK6
from tests.support.script import HEALTHY, HEALTHY_TLS, PLAIN_RELAY, After, Pipelining, Step, say
from tests.support.sessions import (
    LOGIN,
    SCRIPTS,
    SENDER,
    broken,
    context_for,
    failure_of,
    session_for,
    settings_for,
)

EVERY_ENCRYPTION = pytest.mark.parametrize("encryption", SCRIPTS)


@EVERY_ENCRYPTION
async def test_a_handshake_is_one_connection_one_login_and_no_mail(
    bed: Bed, encryption: Encryption
) -> None:
    server = await bed.serve(SCRIPTS[encryption])
    async with nothing_left(server):
        session = session_for(bed, server)
        await session.open(sender=SENDER)
        assert session.logged_in
        assert session.encrypted is (encryption is not Encryption.NONE)
        session.quit()
    record = server.record
    assert (record.connections, record.auth_commands) == (1, 1)
    assert record.tls_sessions == (encryption is not Encryption.NONE)
    assert record.mails == []
    assert record.violations == []
    asked = [f"MAIL FROM:<{SENDER}>", f"RCPT TO:<{SENDER}>", "RSET", "QUIT"]
    assert record.commands()[-4:] == asked


@EVERY_ENCRYPTION
async def test_the_password_only_crosses_in_clear_where_that_was_chosen(
    bed: Bed, encryption: Encryption
) -> None:
    server = await bed.serve(SCRIPTS[encryption])
    session = session_for(bed, server)
    await session.open(sender=SENDER)
    session.quit()
    assert await server.all_closed()
    found = server.record.secrets_in_clear([LOGIN.password])
    assert bool(found) is (encryption is Encryption.NONE)


@pytest.mark.parametrize(
    ("encryption", "stages"),
    [
        (Encryption.STARTTLS, "resolve connect greeting hello tls hello login sender"),
        (Encryption.TLS, "resolve connect tls greeting hello login sender"),
        (Encryption.NONE, "resolve connect greeting hello login sender"),
    ],
)
async def test_an_observer_is_told_of_each_stage(
    bed: Bed, encryption: Encryption, stages: str
) -> None:
    server = await bed.serve(SCRIPTS[encryption])
    seen: list[Stage] = []
    session = Session(settings_for(server), context_for(bed), observer=seen.append)
    await session.open(sender=SENDER)
    session.quit()
    assert " ".join(seen) == stages


async def test_the_greeting_name_is_the_address_of_the_socket(bed: Bed) -> None:
    server = await bed.serve(PLAIN_RELAY)
    session = session_for(bed, server, login=None)
    await session.open()
    session.quit()
    assert server.record.commands("EHLO") == ["EHLO [127.0.0.1]"]


async def test_the_greeting_name_over_ipv6_is_tagged(bed: Bed) -> None:
    server = await bed.serve(PLAIN_RELAY, hosts=(LOOPBACK6,))
    session = session_for(bed, server, login=None)
    await session.open()
    session.quit()
    assert server.record.commands("EHLO") == ["EHLO [IPv6:::1]"]


async def test_a_greeting_name_of_ones_own_is_used(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    session = session_for(bed, server, hello_name="ha.example.test")
    await session.open()
    session.quit()
    assert await server.all_closed()
    assert server.record.commands("EHLO") == ["EHLO ha.example.test"] * 2


async def test_without_a_username_nobody_logs_in(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    session = session_for(bed, server, login=None)
    await session.open(sender=SENDER)
    session.quit()
    assert (session.logged_in, server.record.auth_commands) == (False, 0)


async def test_what_the_server_can_do_is_read_after_tls(bed: Bed) -> None:
    script = HEALTHY.but(
        size_limit=35_882_577,
        capabilities_in_clear=("X-ONLY-IN-CLEAR",),
        mechanisms_in_clear=("GSSAPI",),
    )
    session = session_for(bed, await bed.serve(script))
    await session.open()
    assert session.capabilities.size_limit == 35_882_577
    assert session.capabilities.mechanisms == {"PLAIN", "LOGIN"}
    assert "x-only-in-clear" not in session.capabilities.extensions
    session.quit()


async def test_what_was_used_is_known_afterwards(bed: Bed) -> None:
    session = session_for(bed, await bed.serve(HEALTHY_TLS))
    await session.open()
    assert session.tls_version == "TLSv1.3"
    assert session.mechanism == "PLAIN"
    assert session.certificate is not None
    assert "mail.example.test" in session.certificate.names
    session.quit()


async def test_a_server_of_old_that_only_knows_helo_will_do(bed: Bed) -> None:
    script = PLAIN_RELAY.but(answers={Step.EHLO: say("502 5.5.2 Command not recognized")})
    server = await bed.serve(script)
    session = session_for(bed, server, login=None)
    await session.open(sender=SENDER)
    session.quit()
    assert server.record.commands("HELO") == ["HELO [127.0.0.1]"]
    assert server.record.violations == []


@pytest.mark.parametrize("pipelining", list(Pipelining))
@EVERY_ENCRYPTION
async def test_no_command_is_sent_before_the_last_reply_has_come(
    bed: Bed, encryption: Encryption, pipelining: Pipelining
) -> None:
    server = await bed.serve(broken(encryption, pipelining=pipelining))
    session = session_for(bed, server)
    await session.open(sender=SENDER)
    session.quit()
    assert server.record.violations == []


async def test_goodbye_is_said_and_not_waited_for(bed: Bed) -> None:
    script = HEALTHY_TLS.but(answers={Step.QUIT: say(b"", then=After.STALL)})
    server = await bed.serve(script)
    async with nothing_left(server):
        session = session_for(bed, server)
        await session.open()
        session.quit()
    assert server.record.commands("QUIT") == ["QUIT"]


@pytest.mark.usefixtures("network")
async def test_a_name_that_does_not_resolve_is_not_found(bed: Bed) -> None:
    server = await bed.serve(HEALTHY)
    failure = await failure_of(bed, server, host="nowhere.example.test")
    assert (failure.kind, failure.stage) == (FailureKind.HOST_NOT_FOUND, Stage.RESOLVE)


@pytest.mark.parametrize("host", ["", ".", "a" * 64 + ".test", "bad host", "x..test", "\0"])
async def test_what_can_be_no_host_name_is_not_found(bed: Bed, host: str) -> None:
    server = await bed.serve(HEALTHY)
    assert (await failure_of(bed, server, host=host)).kind is FailureKind.HOST_NOT_FOUND
    assert server.record.connections == 0
