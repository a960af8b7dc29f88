"""Mail that the server takes and nobody gets, and automations that still name the old sender."""

from collections.abc import AsyncIterator
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from tests.reports.driver import DOMAIN, account_at, set_up, typed_for
from tests.reports.reports import report
from tests.reports.servers import (
    HEALTHY,
    PASSWORD,
    USERNAME,
    Bed,
    DnsStandIn,
    Network,
    ScriptedServer,
    name_server,
)

HOST = "smtp.carrier.email"
GOOGLE = '"v=spf1 ip4:198.51.100.0/24 ~all"'


@pytest.fixture
async def zone() -> AsyncIterator[DnsStandIn]:
    """A name server that knows the servers' addresses."""
    async with name_server() as zone:
        for host in (HOST, "smtp.gmail.com", "smtp.mailgun.org", "smtp.sendgrid.net"):
            zone.has(host, "A", "203.0.113.7")
        yield zone


class Sender:
    """Sets up accounts, and reads what the diagnostics say of their mail's arrival."""

    def __init__(
        self, hass: HomeAssistant, bed: Bed, network: Network, client: ClientSessionGenerator
    ) -> None:
        self._hass = hass
        self._bed = bed
        self._network = network
        self._client = client

    async def concern(self, sender: str, host: str = HOST, username: str = USERNAME) -> str | None:
        """Return what may keep mail from arriving; the account can be made all the same."""
        server = await self._bed.serve(HEALTHY.but(users={username: PASSWORD}))
        self._network.add(host, {587: server})
        typed = typed_for(server, sender=sender, host=host, port=587, username=username)
        entry = (await set_up(self._hass, **{**typed, "verify_ssl": False})).entry
        await self._hass.async_block_till_done()
        for flow in self._hass.config_entries.subentries.async_progress():
            self._hass.config_entries.subentries.async_abort(flow["flow_id"])
        shown = await get_diagnostics_for_config_entry(self._hass, self._client, entry)
        assert isinstance(shown, dict)
        arrival: Any = shown["arrival"]
        concern: str | None = arrival["concern"]
        return concern


@pytest.fixture
def sent(
    hass: HomeAssistant, bed: Bed, network: Network, hass_client: ClientSessionGenerator
) -> Sender:
    return Sender(hass, bed, network, hass_client)


@report(
    source="dani-garcia/vaultwarden#1855",
    symptom="Verification emails always end up in spam; nothing in the application says why.",
    ours="A domain without an SPF record is named on the page that says that it works.",
    held_at_first=False,
)
async def test_a_domain_without_spf_is_named(sent: Sender, zone: DnsStandIn) -> None:
    zone.has("own.email", "TXT", '"some-verification=1"')

    assert await sent.concern("vault@own.email") == "no_spf"


@report(
    source="dani-garcia/vaultwarden#1715",
    symptom="Sending fails for domains with strict DMARC, seemingly the application's fault.",
    ours="The domain's policy is named beside the server that it does not list.",
    held_at_first=False,
)
@pytest.mark.parametrize("policy", ["reject", "quarantine"])
async def test_a_strict_policy_is_named(sent: Sender, zone: DnsStandIn, policy: str) -> None:
    zone.has("own.email", "TXT", '"v=spf1 include:_spf.google.com ~all"')
    zone.has("_spf.google.com", "TXT", GOOGLE)
    zone.has("_dmarc.own.email", "TXT", f'"v=DMARC1; p={policy}; aspf=s; adkim=s"')

    assert await sent.concern("vault@own.email") == "policy"


@report(
    source="forwardemail/free-email-forwarding#276",
    symptom="An own domain sent as an alias of Gmail: SPF passes for gmail.com, DMARC fails, spam.",
    ours="policy: Gmail puts the login on the envelope, whatever the domain's SPF record lists.",
    held_at_first=False,
)
async def test_an_alias_at_gmail_fails_the_domains_policy(sent: Sender, zone: DnsStandIn) -> None:
    zone.has("own.email", "TXT", '"v=spf1 include:_spf.google.com include:spf.forward.email ~all"')
    zone.has("_spf.google.com", "TXT", GOOGLE).has("spf.forward.email", "TXT", GOOGLE)
    zone.has("_dmarc.own.email", "TXT", '"v=DMARC1; p=quarantine"')

    assert await sent.concern("me@own.email", "smtp.gmail.com", "me@gmail.com") == "policy"


@report(
    source="docker-mailserver/docker-mailserver#1137",
    symptom="550-5.7.1 This message fails to pass authentication checks, though SPF is set up.",
    ours="broken_spf: a record that others cannot read is told from one that is right.",
    held_at_first=False,
)
@pytest.mark.parametrize(
    "records",
    [
        ['"v=spf1 mx -all"', '"v=spf1 a -all"'],
        ['"v=spf1 mx ip:203.0.113.7 -all"'],
        ['"v=spf1 mx a:203.0.113.7/ -all"'],
        ['"v=spf1 include:_spf.gone.email -all"'],
    ],
    ids=["two records", "a misspelt mechanism", "half a prefix", "an include of nothing"],
)
async def test_an_spf_record_that_is_wrong_is_named(
    sent: Sender, zone: DnsStandIn, records: list[str]
) -> None:
    zone.has("own.email", "TXT", *records).has("own.email", "MX", "10 mx.own.email.")
    zone.has("mx.own.email", "A", "198.51.100.7")

    assert await sent.concern("house@own.email") == "broken_spf"


@report(
    source="mail-in-a-box/mailinabox#928",
    symptom="Mail from dom.foo.com, handed in at another domain's box, goes into spam: dmarc=fail.",
    ours="policy, of the domain itself or of the one above it.",
    held_at_first=False,
)
@pytest.mark.parametrize("holder", ["dom.own.email", "own.email"])
async def test_a_subdomain_at_another_domains_server_is_named(
    sent: Sender, zone: DnsStandIn, holder: str
) -> None:
    zone.has("dom.own.email", "TXT", '"v=spf1 ip4:198.51.100.7 ?all"')
    zone.has(f"_dmarc.{holder}", "TXT", '"v=DMARC1; p=quarantine"')

    assert await sent.concern("house@dom.own.email") == "policy"


@report(
    source="greecex/greecex#36",
    symptom="From at a domain whose SPF record does not name the sending service.",
    ours="No warning: services sign for domains that are verified there; DNS cannot tell.",
    held_at_first=False,
)
async def test_a_service_that_signs_is_no_reason_to_warn(sent: Sender, zone: DnsStandIn) -> None:
    zone.has("own.email", "TXT", '"v=spf1 a include:_spf.hey.email ~all"')
    zone.has("own.email", "A", "198.51.100.7").has("_spf.hey.email", "TXT", GOOGLE)
    zone.has("_dmarc.own.email", "TXT", '"v=DMARC1; p=none;"')

    assert await sent.concern("house@own.email", "smtp.mailgun.org") is None


@report(
    source="koala73/worldmonitor#5232",
    symptom="A record with four includes: which senders does it really allow?",
    ours="All four: a server whose owner is included is allowed, from whatever address it sends.",
    held_at_first=False,
)
@pytest.mark.parametrize("host", ["smtp.gmail.com", "smtp.sendgrid.net"])
async def test_an_included_provider_is_allowed(sent: Sender, zone: DnsStandIn, host: str) -> None:
    includes = ["_spf.google.com", "sendgrid.net", "send.resend.com", "amazonses.com"]
    terms = " ".join(f"include:{name}" for name in includes)
    zone.has("own.email", "TXT", f'"v=spf1 {terms} ~all"')
    for name in includes:
        zone.has(name, "TXT", GOOGLE)
    zone.has("_dmarc.own.email", "TXT", '"v=DMARC1; p=reject"')

    assert await sent.concern("house@own.email", host) is None


@report(
    source="mjl-/mox#22",
    symptom="Sending works from the first domain; DMARC always fails for the second one.",
    ours="Each account is judged by its own sender's domain.",
    held_at_first=False,
)
async def test_a_second_domain_is_judged_for_itself(sent: Sender, zone: DnsStandIn) -> None:
    zone.has("first.email", "TXT", f'"v=spf1 a:{HOST} -all"')
    zone.has("second.email", "TXT", '"v=spf1 mx -all"').has(
        "second.email", "MX", "10 mx.second.email."
    )
    zone.has("mx.second.email", "A", "198.51.100.7")
    for domain in ("first.email", "second.email"):
        zone.has(f"_dmarc.{domain}", "TXT", '"v=DMARC1; p=reject"')

    assert await sent.concern("house@first.email") is None
    assert await sent.concern("house@second.email") == "policy"


def old_account(hass: HomeAssistant, server: ScriptedServer, title: str) -> None:
    """Add the account of Home Assistant's own integration that is moved from."""
    MockConfigEntry(
        domain="smtp",
        title=title,
        data={
            "sender": USERNAME,
            "server": server.host,
            "port": server.port,
            "encryption": "starttls",
            "username": USERNAME,
            "password": PASSWORD,
        },
    ).add_to_hass(hass)


async def automation(hass: HomeAssistant, action: dict[str, Any]) -> None:
    """Let there be an automation that does this."""
    trigger = {"trigger": "event", "event_type": "anything"}
    config = {"alias": "Leak", "triggers": [trigger], "actions": [action]}
    assert await async_setup_component(hass, "automation", {"automation": [config]})
    await hass.async_block_till_done()


def still_named(hass: HomeAssistant) -> str:
    """Return what the repair lists."""
    (issue,) = [
        issue
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN and issue.translation_key == "old_names"
    ]
    assert issue.translation_placeholders is not None
    return issue.translation_placeholders["uses"]


@report(
    source="home-assistant/core#166505",
    symptom="After a change an automation uses an unknown action, which shows when it runs.",
    ours="A repair lists each automation with what to write instead, right after the import.",
    held_at_first=False,
)
@pytest.mark.parametrize("key", ["action", "service"])
async def test_automations_with_the_old_action_are_listed(
    hass: HomeAssistant, bed: Bed, key: str
) -> None:
    server = await bed.serve()
    old_account(hass, server, "Gmail James")
    await automation(hass, {key: "notify.gmail_james", "data": {"message": "Hello"}})

    await account_at(hass, server)

    assert still_named(hass) == (
        "- Leak (`automation.leak`): `notify.gmail_james` → `notify.anna_example_test`"
    )


@report(
    source="home-assistant/core#178359",
    symptom="Many automations name an action with addresses in `target`, which has no successor.",
    ours="The account's own action takes addresses in `target`: only its name is to be changed.",
    held_at_first=False,
)
async def test_an_action_with_addresses_goes_on_under_another_name(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    old_account(hass, server, "House")
    data = {"message": "Hello", "target": ["bea+door@example.test"]}
    await automation(hass, {"action": "notify.house", "data": data})
    await account_at(hass, server)
    _, _, new = still_named(hass).rpartition("`notify.")

    await hass.services.async_call("notify", new.rstrip("`"), data, blocking=True)
    await hass.async_block_till_done()

    (mail,) = server.record.mails
    assert mail.recipients == ("bea+door@example.test",)
