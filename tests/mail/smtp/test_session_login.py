"""Logging in: one mechanism, one attempt, and no password where it does not belong."""

import base64
from collections.abc import Mapping

import pytest

from custom_components.email_courier.mail.failure import (
    LOGIN_REFUSED,
    FailureKind,
    Permanence,
    Stage,
)
from custom_components.email_courier.mail.settings import Encryption, Login
from tests.support import sasl
from tests.support.fixtures import Bed
from tests.support.leaks import nothing_left
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PASSWORD,
    USERNAME,
    After,
    Answer,
    AuthStyle,
    Step,
    Tls,
    hang_up,
    say,
)
from tests.support.sessions import LOGIN, SCRIPTS, broken, failure_of, session_for

WRONG = Login(USERNAME, "not the password")
ALL = ("GSSAPI", "CRAM-MD5", "LOGIN", "PLAIN", "XOAUTH2", "SCRAM-SHA-1", "SCRAM-SHA-256")


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (ALL, "SCRAM-SHA-256"),
        (("LOGIN", "PLAIN", "CRAM-MD5"), "PLAIN"),
        (("CRAM-MD5", "LOGIN"), "LOGIN"),
        (("CRAM-MD5", "NTLM"), "CRAM-MD5"),
    ],
)
async def test_over_tls_the_best_mechanism_in_common_is_used(
    bed: Bed, offered: tuple[str, ...], chosen: str
) -> None:
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=offered))
    session = session_for(bed, server)
    await session.open()
    session.quit()
    assert session.mechanism == chosen
    assert await server.all_closed()
    assert [line.split()[1] for line in server.record.commands("AUTH")] == [chosen]
    assert server.record.violations == []


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "CRAM-MD5"])
async def test_without_tls_a_mechanism_that_hides_the_password_comes_first(
    bed: Bed, mechanism: str
) -> None:
    offered = ("LOGIN", "PLAIN", mechanism)
    server = await bed.serve(broken(Encryption.NONE, mechanisms_in_clear=offered))
    session = session_for(bed, server)
    await session.open()
    session.quit()
    assert session.mechanism == mechanism
    assert server.record.secrets_in_clear([PASSWORD]) == []


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"])
@pytest.mark.parametrize("encryption", SCRIPTS)
async def test_a_wrong_password_is_exactly_one_auth_command(
    bed: Bed, encryption: Encryption, mechanism: str
) -> None:
    offered = (mechanism, "PLAIN", "LOGIN", "CRAM-MD5")
    script = broken(encryption, mechanisms=offered, mechanisms_in_clear=offered)
    if encryption is Encryption.STARTTLS:
        script = script.but(mechanisms_in_clear=())
    server = await bed.serve(script)
    async with nothing_left(server):
        failure = await failure_of(bed, server, login=WRONG)
    assert failure.kind is FailureKind.INVALID_AUTH
    assert (failure.stage, failure.permanence) == (Stage.LOGIN, Permanence.PERMANENT)
    assert failure.server_words.startswith("535 5.7.8")
    assert server.record.auth_commands == 1
    assert server.record.connections == 1


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("454 4.7.0 Temporary authentication failure", FailureKind.SERVER_BUSY),
        ("421 4.7.0 Too many login attempts", FailureKind.SERVER_BUSY),
        ("451 4.3.0 Local error in processing", FailureKind.SERVER_BUSY),
        ("535 5.7.8 Username and Password not accepted", FailureKind.INVALID_AUTH),
        ("534-5.7.9 Application-specific\n534 5.7.9 password required", "app_password_required"),
        (
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled",
            "oauth_required",
        ),
        ("538 5.7.11 Encryption required for requested authentication mechanism", None),
    ],
)
async def test_the_verdict_tells_what_to_do(
    bed: Bed, reply: str, kind: FailureKind | str | None
) -> None:
    server = await bed.serve(HEALTHY_TLS.but(answers={Step.AUTH_VERDICT: say(reply)}))
    failure = await failure_of(bed, server)
    if kind is not None:
        assert failure.kind == kind
    assert failure.stage is Stage.LOGIN
    assert server.record.auth_commands == 1
    if reply.startswith("4"):
        assert failure.permanence is Permanence.TEMPORARY
        assert failure.kind not in LOGIN_REFUSED


@pytest.mark.parametrize("challenge", ["454 4.7.0 Try later", "535 5.7.8 No", "504 5.5.4 No"])
@pytest.mark.parametrize("mechanism", ["LOGIN", "CRAM-MD5", "SCRAM-SHA-256"])
async def test_a_refusal_in_the_middle_ends_the_exchange(
    bed: Bed, mechanism: str, challenge: str
) -> None:
    answers = {Step.AUTH_CHALLENGE: say(challenge)}
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=(mechanism,), answers=answers))
    failure = await failure_of(bed, server)
    assert failure.reply is not None
    assert str(failure.reply) == challenge
    assert server.record.steps.count(Step.AUTH_CHALLENGE) == 1


@pytest.mark.parametrize("challenge", ["334 not base64!", "334 ====", "334 \xe4"])
@pytest.mark.parametrize("mechanism", ["CRAM-MD5", "SCRAM-SHA-256"])
async def test_a_challenge_that_is_nonsense_is_the_servers_fault(
    bed: Bed, mechanism: str, challenge: str
) -> None:
    answers = {Step.AUTH_CHALLENGE: say(challenge)}
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=(mechanism,), answers=answers))
    async with nothing_left(server):
        failure = await failure_of(bed, server)
    assert failure.kind is FailureKind.PROTOCOL_ERROR


async def test_a_scram_server_that_does_not_know_the_password_is_found_out(bed: Bed) -> None:
    accepts_anybody = {Step.AUTH_CHALLENGE: (Answer(), say("334 dj1ub3QgYSBwcm9vZg=="))}
    script = HEALTHY_TLS.but(mechanisms=("SCRAM-SHA-256",), answers=accepts_anybody)
    failure = await failure_of(bed, await bed.serve(script))
    assert failure.kind is FailureKind.PROTOCOL_ERROR


def _server_first(rounds: str) -> str:
    return f"r={{nonce}}x,s={base64.b64encode(b'salt' * 4).decode()}{rounds}"


@pytest.mark.parametrize(
    "rounds",
    [
        ",i=4095",
        ",i=1",
        ",i=0",
        ",i=-5",
        ",i=10000001",
        ",i=2147483648",
        ",i=" + "9" * 400,
        ",i=" + "0" * 400 + "4096",
        ",i=\u0663",
        ",i=\u0664\u0660\u0669\u0666",
        ",i=4096.0",
        ",i= 4096",
        ",i=4_096",
        ",i=0x1000",
        ",i=",
        ",i=4096,i=4096",
        ",j=4096",
        "",
    ],
)
async def test_scram_rounds_that_are_too_few_too_many_or_no_number_are_never_computed(
    bed: Bed, rounds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[object] = []
    monkeypatch.setattr("scramp.core.hi", lambda *args: computed.append(args))
    script = HEALTHY_TLS.but(mechanisms=("SCRAM-SHA-256",))
    monkeypatch.setitem(sasl.MECHANISMS, "SCRAM-SHA-256", _asking_for(rounds))
    async with nothing_left(server := await bed.serve(script)):
        failure = await failure_of(bed, server)
    assert (failure.kind, failure.stage) == (FailureKind.PROTOCOL_ERROR, Stage.LOGIN)
    assert failure.permanence is Permanence.TEMPORARY
    assert "rounds" in failure.detail
    assert len(failure.server_words) < 200
    assert computed == []
    assert server.record.auth_commands == 1


async def test_a_password_of_digits_does_not_come_back_as_a_number_of_rounds(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = "74217421998877"
    monkeypatch.setitem(sasl.MECHANISMS, "SCRAM-SHA-256", _asking_for(f",i={password}"))
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=("SCRAM-SHA-256",)))
    failure = await failure_of(bed, server, login=Login(USERNAME, password))
    assert "rounds" in failure.detail
    assert password not in failure.server_words


@pytest.mark.parametrize("rounds", [4096, 4097])
async def test_scram_rounds_within_the_bounds_are_computed(
    bed: Bed, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sasl, "_ITERATIONS", rounds)
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=("SCRAM-SHA-256",)))
    session = session_for(bed, server)
    await session.open()
    session.quit()
    assert session.mechanism == "SCRAM-SHA-256"


@pytest.mark.parametrize("first", [",", "r", "r=", "e=no-resources", "\0", "i=4096", "r=x,i=4096"])
async def test_a_scram_server_that_talks_nonsense_is_the_one_at_fault(bed: Bed, first: str) -> None:
    answers = {Step.AUTH_CHALLENGE: say(f"334 {base64.b64encode(first.encode()).decode()}")}
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=("SCRAM-SHA-256",), answers=answers))
    failure = await failure_of(bed, server)
    assert (failure.kind, failure.stage) == (FailureKind.PROTOCOL_ERROR, Stage.LOGIN)


def _asking_for(rounds: str) -> sasl.Mechanism:
    """Return a SCRAM server whose first message names its rounds like this."""

    def exchange(_users: Mapping[str, str], initial: bytes | None) -> sasl.Exchange:
        nonce = (initial or b"").decode().rpartition("r=")[2]
        yield _server_first(rounds).format(nonce=nonce).encode()
        return None

    return exchange


async def test_a_scram_server_that_leaves_its_proof_out_is_found_out(bed: Bed) -> None:
    accepts_anybody = {Step.AUTH_CHALLENGE: (Answer(), say("235 2.7.0 Welcome"))}
    script = HEALTHY_TLS.but(mechanisms=("SCRAM-SHA-256",), answers=accepts_anybody)
    failure = await failure_of(bed, await bed.serve(script))
    assert failure.kind is FailureKind.PROTOCOL_ERROR


@pytest.mark.parametrize("length", [300, 352, 360, 400, 2000])
async def test_a_long_secret_keeps_the_command_within_its_limit(bed: Bed, length: int) -> None:
    password = "p" * length
    script = HEALTHY_TLS.but(mechanisms=("PLAIN",), users={USERNAME: password})
    server = await bed.serve(script)
    session = session_for(bed, server, login=Login(USERNAME, password))
    await session.open()
    session.quit()
    assert server.record.violations == []


@pytest.mark.parametrize("password", ["pässwörd", "пароль", "パスワード", " with spaces "])
@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"])
async def test_any_password_that_can_be_typed_is_sent_as_it_is(
    bed: Bed, mechanism: str, password: str
) -> None:
    script = HEALTHY_TLS.but(mechanisms=(mechanism,), users={USERNAME: password})
    session = session_for(bed, await bed.serve(script), login=Login(USERNAME, password))
    await session.open()
    assert session.logged_in
    session.quit()


@pytest.mark.parametrize("password", ["a\tb", "🔑"])
async def test_a_password_that_scram_cannot_carry_goes_another_way(bed: Bed, password: str) -> None:
    """SASLprep (RFC 4013) forbids control characters and all that is newer than Unicode 3.2."""
    offered = ("SCRAM-SHA-256", "PLAIN")
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=offered, users={USERNAME: password}))
    session = session_for(bed, server, login=Login(USERNAME, password))
    await session.open()
    assert session.mechanism == "PLAIN"
    session.quit()


async def test_a_password_that_no_mechanism_can_carry_is_named_and_not_sent(bed: Bed) -> None:
    server = await bed.serve(HEALTHY_TLS.but(mechanisms=("SCRAM-SHA-256",)))
    failure = await failure_of(bed, server, login=Login(USERNAME, "🔑"))
    assert failure.kind is FailureKind.AUTH_MECHANISM_UNSUPPORTED
    assert server.record.auth_commands == 0


@pytest.mark.parametrize("style", list(AuthStyle))
async def test_the_old_listing_of_mechanisms_is_understood(bed: Bed, style: AuthStyle) -> None:
    session = session_for(bed, await bed.serve(HEALTHY_TLS.but(auth_style=style)))
    await session.open()
    assert session.mechanism == "PLAIN"
    session.quit()


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"mechanisms": ()}, FailureKind.AUTH_NOT_OFFERED, ""),
        (
            {"mechanisms": ("NTLM", "GSSAPI")},
            FailureKind.AUTH_MECHANISM_UNSUPPORTED,
            "GSSAPI, NTLM",
        ),
        (
            {"mechanisms": ("XOAUTH2", "OAUTHBEARER")},
            FailureKind.OAUTH_REQUIRED,
            "OAUTHBEARER, XOAUTH2",
        ),
    ],
)
async def test_without_a_mechanism_in_common_no_secret_is_sent(
    bed: Bed, changes: dict[str, tuple[str, ...]], kind: FailureKind, words: str
) -> None:
    server = await bed.serve(HEALTHY_TLS.but(**changes))
    failure = await failure_of(bed, server)
    assert (failure.kind, failure.stage) == (kind, Stage.LOGIN)
    assert words in failure.facts.get("offered", "")
    assert server.record.auth_commands == 0


@pytest.mark.parametrize("offered", [(), ("PLAIN", "LOGIN")])
async def test_a_server_that_hides_its_login_until_tls_is_up_is_told_apart(
    bed: Bed, offered: tuple[str, ...]
) -> None:
    script = HEALTHY.but(mechanisms_in_clear=offered, tls_required=True)
    server = await bed.serve(script)
    failure = await failure_of(bed, server, encryption=Encryption.NONE)
    expected = FailureKind.ENCRYPTION_REQUIRED if offered else FailureKind.AUTH_NEEDS_ENCRYPTION
    assert failure.kind is expected


async def test_a_password_that_the_server_echoes_is_blotted_out(bed: Bed) -> None:
    echo = say(f"535 5.7.8 Wrong password: {LOGIN.password}")
    server = await bed.serve(HEALTHY_TLS.but(answers={Step.AUTH_VERDICT: echo}))
    failure = await failure_of(bed, server)
    assert LOGIN.password not in str(failure) + repr(failure) + str(failure.as_dict())
    assert "Wrong password" in failure.server_words


async def test_a_login_is_not_repeated_where_the_connection_breaks(bed: Bed) -> None:
    for tls in (Tls.OFFERED, Tls.AT_ONCE):
        server = await bed.serve(HEALTHY.but(tls=tls, answers={Step.AUTH_VERDICT: hang_up()}))
        failure = await failure_of(bed, server)
        assert (failure.kind, failure.stage) == (FailureKind.DISCONNECTED, Stage.LOGIN)
        assert server.record.auth_commands == 1


@pytest.mark.parametrize("first", ["SCRAM-SHA-256", "CRAM-MD5", "LOGIN"])
@pytest.mark.parametrize(
    "reply",
    [
        "535 5.7.8 Error: authentication failed: Invalid authentication mechanism",
        "504 5.5.4 Unrecognized authentication type",
        "534 5.7.9 Authentication mechanism is too weak",
        "500 5.1.1 Command not recognized",
    ],
)
async def test_a_mechanism_that_is_refused_before_a_password_was_proved_costs_no_attempt(
    bed: Bed, first: str, reply: str
) -> None:
    """In clear CRAM-MD5 comes before PLAIN, and PLAIN before LOGIN."""
    second = "LOGIN" if first == "LOGIN" else "PLAIN"
    first = "PLAIN" if first == "LOGIN" else first
    if first == "PLAIN" and not reply.startswith("504"):
        pytest.skip("its first message holds the password")
    answers = {Step.AUTH: (say(reply), Answer())}
    script = broken(Encryption.NONE, mechanisms_in_clear=(first, second), answers=answers)
    server = await bed.serve(script)
    session = session_for(bed, server)
    await session.open()
    assert session.mechanism == second
    session.quit()
    assert server.record.violations == []


async def test_where_every_mechanism_is_refused_the_last_refusal_is_told(bed: Bed) -> None:
    refusals = (say("504 5.5.4 Not this one"), say("504 5.5.4 Nor that one"))
    script = HEALTHY.but(mechanisms=("PLAIN", "LOGIN"), answers={Step.AUTH: refusals})
    failure = await failure_of(bed, await bed.serve(script))
    assert failure.kind is FailureKind.AUTH_MECHANISM_UNSUPPORTED
    assert str(failure.reply) == "504 5.5.4 Nor that one"


async def test_a_server_that_leaves_after_its_refusal_has_refused(bed: Bed) -> None:
    refusal = Answer(reply="504 5.5.4 Not this one", then=After.HANG_UP)
    script = HEALTHY.but(mechanisms=("PLAIN", "LOGIN"), answers={Step.AUTH: refusal})
    failure = await failure_of(bed, await bed.serve(script))
    assert failure.kind is FailureKind.AUTH_MECHANISM_UNSUPPORTED


async def test_a_password_that_was_refused_is_tried_no_second_time(bed: Bed) -> None:
    answers = {Step.AUTH_VERDICT: say("535 5.7.8 No")}
    script = HEALTHY.but(mechanisms=("PLAIN", "LOGIN"), answers=answers)
    server = await bed.serve(script)
    assert (await failure_of(bed, server)).kind is FailureKind.INVALID_AUTH
    assert server.record.auth_commands == 1
