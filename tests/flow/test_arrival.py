"""Will it arrive? What "It works" says of the sender's domain, and that it never hinders."""

from collections.abc import AsyncIterator
import contextlib
import time
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.email_courier.mail.arrival import judge as judging
from custom_components.email_courier.mail.discovery import dns
from custom_components.email_courier.mail.discovery.dns import SystemResolver
from tests.mail.discovery.dns_stand_in import DnsStandIn, Fault, dns_stand_in
from tests.support.clock import SOON
from tests.support.dialogs import Dialog, typed_for
from tests.support.fixtures import Bed
from tests.support.network import Network
from tests.support.script import HEALTHY, PASSWORD, PLAIN_RELAY

DOMAIN = "stand-in.email"
SENDER = f"jane@{DOMAIN}"
HOST = "smtp.carrier.email"


@pytest.fixture
async def zone(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DnsStandIn]:
    """A name server, which knows where the mail server is."""
    async with dns_stand_in() as server:
        monkeypatch.setattr(SystemResolver.__init__, "__defaults__", (server.nameservers,))
        yield server.has(HOST, "A", "203.0.113.7")


async def proven(
    hass: HomeAssistant, bed: Bed, network: Network, sender: str = SENDER, host: str = HOST
) -> Dialog:
    """Set up an account at a healthy server of that name, up to the page that says so."""
    server = await bed.serve(PLAIN_RELAY)
    network.add(host, {587: server})
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=sender, enter_manually=True)
    typed = typed_for(server, sender=sender, host=host, port=587, username=None, password=None)
    await dialog.fill_in(**typed)
    if dialog.type is FlowResultType.MENU:
        await dialog.choose("password")
        await dialog.fill_in(**typed)
    assert dialog.step == "finish", dialog.errors
    return dialog


async def test_nothing_is_said_where_all_is_well(
    hass: HomeAssistant, bed: Bed, network: Network, zone: DnsStandIn
) -> None:
    zone.has(DOMAIN, "TXT", '"v=spf1 ip4:203.0.113.0/24 -all"')

    dialog = await proven(hass, bed, network)

    assert "⚠️" not in dialog.description


@pytest.mark.parametrize(
    ("spf", "dmarc", "said"),
    [
        ('"v=spf1 ip4:198.51.100.1 ~all"', None, "does not seem to be among them"),
        (
            '"v=spf1 ip4:198.51.100.1 ~all"',
            '"v=DMARC1; p=reject"',
            "asks other mail servers to refuse",
        ),
        (None, '"v=DMARC1; p=none"', "it has no SPF record"),
        ('"v=spf1 ipv4:198.51.100.1 ~all"', None, "has an error"),
        ('"v=spf1 -all"', None, "says that it never sends mail"),
    ],
)
async def test_what_may_keep_mail_from_arriving_is_said_with_what_to_do(
    hass: HomeAssistant,
    bed: Bed,
    network: Network,
    zone: DnsStandIn,
    spf: str | None,
    dmarc: str | None,
    said: str,
) -> None:
    if spf is not None:
        zone.has(DOMAIN, "TXT", spf)
    if dmarc is not None:
        zone.has(f"_dmarc.{DOMAIN}", "TXT", dmarc)

    dialog = await proven(hass, bed, network)

    assert "The server takes mail from" in dialog.description
    (warning,) = [line for line in dialog.description.splitlines() if "⚠️" in line]
    assert said in warning
    assert f"`{DOMAIN}`" in warning
    assert "docs/spam.md)" in warning
    await dialog.submit()
    assert dialog.entry.data["sender"] == SENDER, "it hinders nobody"


@pytest.mark.usefixtures("zone")
async def test_a_providers_address_at_another_server_is_said_with_the_provider(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    dialog = await proven(hass, bed, network, sender="me@gmail.com")

    assert "is expected to come from Gmail's own servers" in dialog.description
    assert f"`{HOST}`" in dialog.description


async def test_a_provider_at_its_own_server_is_not_asked_about(
    hass: HomeAssistant, bed: Bed, network: Network, zone: DnsStandIn
) -> None:
    dialog = await proven(hass, bed, network, sender="me@gmail.com", host="smtp.gmail.com")

    assert "⚠️" not in dialog.description
    assert zone.asked == []


@pytest.mark.parametrize("fault", Fault)
async def test_a_name_server_in_trouble_neither_stops_nor_delays_the_set_up(
    hass: HomeAssistant,
    bed: Bed,
    network: Network,
    zone: DnsStandIn,
    fault: Fault,
) -> None:
    for name in (DOMAIN, f"_dmarc.{DOMAIN}", HOST):
        zone.fails(name, fault)
    start = time.monotonic()

    dialog = await proven(hass, bed, network)

    assert time.monotonic() - start < judging.DEADLINE + SOON
    assert "⚠️" not in dialog.description


async def test_nothing_that_goes_wrong_with_it_stops_the_set_up(
    hass: HomeAssistant, bed: Bed, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        async def txt(self, name: str) -> None:
            raise RuntimeError(name)

        mx = addresses = txt

    monkeypatch.setattr(dns, "SystemResolver", lambda: contextlib.nullcontext(Broken()))

    dialog = await proven(hass, bed, network)

    await dialog.submit()
    assert dialog.entry.data["sender"] == SENDER


async def test_a_handshake_that_fails_does_not_wait_for_the_answer(
    hass: HomeAssistant, bed: Bed, network: Network, zone: DnsStandIn
) -> None:
    zone.fails(DOMAIN, Fault.SILENCE)
    server = await bed.serve(HEALTHY.but(users={SENDER: PASSWORD}))
    network.add(HOST, {587: server})
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=SENDER, enter_manually=True)
    typed = typed_for(server, sender=SENDER, host=HOST, port=587, username=SENDER)

    await dialog.fill_in(**{**typed, "verify_ssl": False, "password": "wrong"})

    assert dialog.errors == {"base": "invalid_auth"}


async def test_diagnostics_show_what_the_domain_says(
    hass: HomeAssistant,
    bed: Bed,
    network: Network,
    zone: DnsStandIn,
    hass_client: ClientSessionGenerator,
) -> None:
    zone.has(DOMAIN, "TXT", '"v=spf1 ip4:198.51.100.1 ~all"')
    zone.has(
        f"_dmarc.{DOMAIN}", "TXT", '"v=DMARC1; p=reject; rua=mailto:anna.smith@stand-in.email"'
    )
    dialog = await proven(hass, bed, network)
    await dialog.submit()

    shown: Any = await get_diagnostics_for_config_entry(hass, hass_client, dialog.entry)

    assert shown["arrival"] == {
        "verdict": "not_allowed",
        "concern": "policy",
        "spf": "softfail",
        "spf_record": "v=spf1 ip4:198.51.100.1 ~all",
        "dmarc": "reject",
        "dmarc_record": "v=DMARC1; p=reject; rua=mailto:**REDACTED**@stand-in.email",
    }
    assert shown["settings"]["proven_at"] == dialog.entry.data["proven_at"]


@pytest.mark.usefixtures("zone")
async def test_diagnostics_of_a_private_domain_show_that_nothing_is_known(
    hass: HomeAssistant, bed: Bed, network: Network, hass_client: ClientSessionGenerator
) -> None:
    dialog = await proven(hass, bed, network, sender="anna@example.test")
    await dialog.submit()

    shown: Any = await get_diagnostics_for_config_entry(hass, hass_client, dialog.entry)

    assert shown["arrival"] == {
        "verdict": "unknown",
        "concern": None,
        "spf": None,
        "spf_record": None,
        "dmarc": None,
        "dmarc_record": None,
    }
