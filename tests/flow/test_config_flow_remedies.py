"""Wrong settings in the set-up dialog that come back right: one click from there is enough."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.email_courier.mail.failure import FailureKind
from tests.support.certificates import ServerTls
from tests.support.dialogs import Dialog
from tests.support.fixtures import Bed
from tests.support.network import Network
from tests.support.script import (
    HEALTHY,
    HEALTHY_TLS,
    PASSWORD,
    PLAIN_LOGIN,
    PLAIN_RELAY,
    USERNAME,
    Script,
    Step,
    say,
)

HOST = "mail.example.test"
NO_LOGIN = {"username": None, "password": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is typed, what listens where, and what then is filled in."""

    kind: FailureKind
    typed: Mapping[str, Any]
    servers: Mapping[int, Script]
    remedy: Mapping[str, Any]
    says: str


CASES = (
    Case(
        kind=FailureKind.TLS_EXPECTED,
        typed={"port": 465, "encryption": "starttls"},
        servers={465: HEALTHY_TLS},
        remedy={"port": 465, "encryption": "tls"},
        says="port 465 with TLS",
    ),
    Case(
        kind=FailureKind.TLS_EXPECTED,
        typed={"port": 465, "encryption": "none", **NO_LOGIN},
        servers={465: HEALTHY_TLS},
        remedy={"port": 465, "encryption": "tls"},
        says="port 465 with TLS",
    ),
    Case(
        kind=FailureKind.TLS_NOT_EXPECTED,
        typed={"port": 587, "encryption": "tls"},
        servers={587: HEALTHY},
        remedy={"port": 587, "encryption": "starttls"},
        says="port 587 with STARTTLS",
    ),
    Case(
        kind=FailureKind.STARTTLS_NOT_OFFERED,
        typed={"port": 587, "encryption": "starttls"},
        servers={587: PLAIN_LOGIN, 465: HEALTHY_TLS},
        remedy={"port": 465, "encryption": "tls"},
        says="port 465 with TLS",
    ),
    Case(
        kind=FailureKind.ENCRYPTION_REQUIRED,
        typed={"port": 587, "encryption": "none", **NO_LOGIN},
        servers={587: HEALTHY.but(tls_required=True)},
        remedy={"port": 587, "encryption": "starttls"},
        says="port 587 with STARTTLS",
    ),
    Case(
        kind=FailureKind.AUTH_NEEDS_ENCRYPTION,
        typed={"port": 587, "encryption": "none"},
        servers={587: HEALTHY},
        remedy={"port": 587, "encryption": "starttls"},
        says="port 587 with STARTTLS",
    ),
    Case(
        kind=FailureKind.AUTH_NOT_OFFERED,
        typed={"port": 25, "encryption": "none"},
        servers={25: PLAIN_RELAY, 587: HEALTHY},
        remedy={"port": 587, "encryption": "starttls"},
        says="port 587 with STARTTLS",
    ),
    Case(
        kind=FailureKind.CONNECTION_REFUSED,
        typed={"port": 25, "encryption": "auto"},
        servers={465: HEALTHY_TLS, 587: HEALTHY},
        remedy={"port": 465, "encryption": "tls"},
        says="port 465 with TLS",
    ),
    Case(
        kind=FailureKind.HELO_REJECTED,
        typed={"port": 587, "encryption": "starttls"},
        servers={587: HEALTHY.but(hello_pattern=r"homeassistant\.example\.test")},
        remedy={"hello_name": "homeassistant.example.test", "encryption": "starttls"},
        says="homeassistant.example.test",
    ),
    Case(
        kind=FailureKind.HELO_REJECTED,
        typed={"port": 2525, "encryption": "auto"},
        servers={2525: HEALTHY.but(hello_pattern=r"homeassistant\.example\.test")},
        remedy={"hello_name": "homeassistant.example.test", "encryption": "auto", "port": 2525},
        says="homeassistant.example.test",
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind} {dict(case.typed)}")
async def test_the_form_comes_back_with_what_works(
    hass: HomeAssistant, bed: Bed, network: Network, case: Case
) -> None:
    servers = {port: await bed.serve(script) for port, script in case.servers.items()}
    network.add(HOST, dict(servers))
    typed = {"sender": USERNAME, "host": HOST, "username": USERNAME, "password": PASSWORD}
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(**{**typed, **case.typed})
    if dialog.step == "plain_login":
        await dialog.submit(allow_plain_login=True)

    assert dialog.step == "server"
    assert dialog.errors == {"base": case.kind.value}
    assert case.says in dialog.error_texts["base"]
    assert case.remedy.items() <= dialog.fields.items()

    await dialog.submit()
    assert dialog.step == "finish", dialog.error_texts
    await dialog.submit()
    assert dialog.entry.data["host"] == HOST
    for server in servers.values():
        assert not server.record.secrets_in_clear([PASSWORD])
    assert sum(server.record.auth_commands for server in servers.values()) <= 1


async def test_a_server_is_addressed_by_the_name_in_its_certificate(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    server = await bed.serve(HEALTHY.but(tls_kind=ServerTls.OTHER_NAME))
    for name in (HOST, "shared.hosting.test"):
        network.add(name, {587: server})
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(sender=USERNAME, host=HOST, port=587, username=USERNAME, password=PASSWORD)
    assert dialog.errors == {"base": "certificate_hostname_mismatch"}
    assert dialog.fields["host"] == "shared.hosting.test"
    assert "for shared.hosting.test, not for mail.example.test" in dialog.error_texts["base"]

    await dialog.submit()
    assert dialog.step == "finish"
    await dialog.submit()
    assert dialog.entry.data["host"] == "shared.hosting.test"


async def test_a_name_in_a_certificate_is_no_remedy_where_another_server_has_it(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    server = await bed.serve(HEALTHY.but(tls_kind=ServerTls.OTHER_NAME))
    network.add(HOST, {587: server})
    network.add("shared.hosting.test", {587: server}, address="127.0.0.9")
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(sender=USERNAME, host=HOST, port=587, username=USERNAME, password=PASSWORD)
    assert dialog.errors == {"base": "certificate_hostname_mismatch"}
    assert dialog.fields["host"] == HOST
    assert server.record.auth_commands == 0


async def test_nothing_unencrypted_is_ever_proposed(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    server = await bed.serve(PLAIN_LOGIN)
    network.add(HOST, {25: server, 587: server})
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(
        sender=USERNAME,
        host=HOST,
        port=587,
        encryption="starttls",
        username=USERNAME,
        password=PASSWORD,
    )
    assert dialog.errors == {"base": "starttls_not_offered"}
    assert dialog.fields["encryption"] == "starttls"
    assert not server.record.secrets_in_clear([PASSWORD])


async def test_what_is_proposed_can_be_overruled(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    right, proposed = await bed.serve(), await bed.serve(HEALTHY_TLS)
    network.add(HOST, {587: await bed.serve(PLAIN_LOGIN), 465: proposed, 2525: right})
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(
        sender=USERNAME,
        host=HOST,
        port=587,
        encryption="starttls",
        username=USERNAME,
        password=PASSWORD,
    )
    assert dialog.fields["port"] == 465
    await dialog.submit(port=2525, encryption="starttls")
    assert dialog.step == "finish"
    assert (proposed.record.auth_commands, right.record.auth_commands) == (0, 1)


async def test_a_busy_server_is_tried_again_by_submitting_again(
    hass: HomeAssistant, bed: Bed
) -> None:
    busy = (say("421 4.3.2 Come back later"),)
    server = await bed.serve(HEALTHY.but(answers={Step.GREETING: busy}))
    dialog = await Dialog.new_account(hass)
    await dialog.fill_in(
        sender=USERNAME,
        host=server.host,
        port=server.port,
        encryption="starttls",
        username=USERNAME,
        password=PASSWORD,
    )
    assert dialog.errors == {"base": "server_busy"}
    await dialog.submit()
    assert dialog.step == "finish"
