"""What people stumble over in the set-up pages of mail senders, and in what they propose."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import NamedTuple, NoReturn

from homeassistant.core import HomeAssistant
import pytest

from tests.reports.driver import only_mail, set_up, typed_for
from tests.reports.reports import report
from tests.reports.servers import (
    HEALTHY,
    PASSWORD,
    USERNAME,
    Bed,
    Network,
    ServerTls,
)

pytestmark = pytest.mark.usefixtures("network")

OWN_DOMAIN = "stand-in.email"
"""A domain of public DNS that no provider owns."""
_DISCOVERY = "custom_components.email_courier.mail.discovery"


class Service(NamedTuple):
    """An SRV record."""

    priority: int
    weight: int
    port: int
    target: str


class Exchanger(NamedTuple):
    """An MX record."""

    preference: int
    host: str


class Names:
    """The DNS of a test: who takes mail for a domain, and which servers it names."""

    def __init__(self) -> None:
        self.exchangers: dict[str, Sequence[Exchanger]] = {}
        self.services: dict[str, Sequence[Service]] = {}

    async def mx(self, domain: str) -> Sequence[Exchanger]:
        """Return who takes mail for a domain."""
        return self.exchangers.get(domain, ())

    async def srv(self, name: str) -> Sequence[Service]:
        """Return the servers of a service."""
        return self.services.get(name, ())


async def _no_page(*_: object, **__: object) -> NoReturn:
    raise OSError("no such host")


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """A DNS in which nothing is found unless a test says so, and a web without pages."""
    names = Names()
    monkeypatch.setattr(f"{_DISCOVERY}.dns.SystemResolver", lambda: nullcontext(names))
    monkeypatch.setattr(f"{_DISCOVERY}.web.SessionFetch", lambda *_: _no_page)
    return names


@report(
    source="mailcheck/mailcheck#168",
    symptom="mailw.com, a domain with mail of its own, is taken for a misspelt gmail.com.",
    ours="A domain that takes mail is never doubted.",
    held_at_first=True,
)
@pytest.mark.parametrize("domain", ["mailw.com", "gmaul.com", "gmx.dd", "hotmial.com"])
async def test_a_domain_that_takes_mail_is_not_doubted(
    hass: HomeAssistant, bed: Bed, names: Names, domain: str
) -> None:
    names.exchangers[domain] = [Exchanger(10, f"mx.{domain}")]
    server = await bed.serve()

    dialog = await set_up(hass, **typed_for(server, sender=f"bea@{domain}", enter_manually=False))

    assert [page["step_id"] for page in dialog.pages][:2] == ["address", "server"]
    assert dialog.entry.data["sender"] == f"bea@{domain}"


@report(
    source="romainsimon/emailvalid#2",
    symptom="gnail.com and gmail.con are taken as they are; nobody sees why no mail comes.",
    ours="The dialog asks whether gmail.com was meant, and one click corrects it.",
    held_at_first=True,
)
@pytest.mark.parametrize("domain", ["gnail.com", "gmail.con", "gmil.com", "gmial.com"])
@pytest.mark.usefixtures("names")
async def test_a_slip_in_a_well_known_domain_is_asked_about(
    hass: HomeAssistant, domain: str
) -> None:
    dialog = await set_up(hass, sender=f"bea@{domain}", password=None, enter_manually=False)

    asked = dialog.at("did_you_mean")
    assert asked["description_placeholders"]["meant"] == "bea@gmail.com"
    assert asked["menu_options"][0] == "corrected"
    assert dialog.fields["username"] == "bea@gmail.com"


@report(
    source="stamhoofd/stamhoofd#375",
    symptom="mailo.com, a provider, is refused as a misspelt gmail.com.",
    ours="A provider of the table is no slip, and where there is doubt, it is a question.",
    held_at_first=True,
)
@pytest.mark.parametrize("domain", ["mailo.com", "mail.com", "gmx.com", "me.com"])
@pytest.mark.usefixtures("names")
async def test_a_provider_is_not_taken_for_another(hass: HomeAssistant, domain: str) -> None:
    dialog = await set_up(hass, sender=f"bea@{domain}", password=None, enter_manually=False)

    assert "did_you_mean" not in [page["step_id"] for page in dialog.pages]
    assert dialog.outcome == "invalid_auth", "only the password is missing"


@report(
    source="nextcloud/mail#7761",
    symptom="A domain names its server in SRV records; Thunderbird finds it, the wizard does not.",
    ours="It is found, and the page of the server is left out.",
    held_at_first=True,
)
async def test_a_server_in_srv_records_is_found(hass: HomeAssistant, names: Names) -> None:
    host = f"mail.{OWN_DOMAIN}"
    names.services[f"_submissions._tcp.{OWN_DOMAIN}"] = [Service(0, 1, 465, host)]

    dialog = await set_up(hass, sender=f"bea@{OWN_DOMAIN}", password=None, enter_manually=False)

    assert [page["step_id"] for page in dialog.pages] == ["address", "login", "login"]
    assert dialog.fields["host"] == host
    assert dialog.fields["username"] == f"bea@{OWN_DOMAIN}"


@report(
    source="home-assistant/home-assistant.io#34289",
    symptom="A server in the house cannot be given by its IP address.",
    ours="It can; only its certificate has to fit, or is shown and trusted.",
    held_at_first=True,
)
async def test_a_server_may_be_an_address(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(HEALTHY.but(tls_kind=ServerTls.SELF_SIGNED))
    dialog = await set_up(hass, **typed_for(server, host="127.0.0.1"))
    assert dialog.outcome == "certificate_untrusted"
    assert (await dialog.go_on(trust_certificate=True)).outcome == "ok"


@report(
    source="louislam/uptime-kuma#757",
    symptom='"self signed certificate" is all that is said; the way out is to ignore all errors.',
    ours="The one certificate is shown on a page of its own, with the command to compare it.",
    held_at_first=True,
)
async def test_a_self_signed_certificate_is_shown_with_a_way_to_compare_it(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY.but(tls_kind=ServerTls.SELF_SIGNED))
    dialog = await set_up(hass, **typed_for(server))

    assert dialog.outcome == "certificate_untrusted"
    assert dialog.fields.keys() == {"trust_certificate", "go_back"}
    assert f"openssl s_client -connect {server.host}:{server.port} -starttls smtp" in dialog.said
    assert server.record.auth_commands == 0


@report(
    source="home-assistant/core#174821",
    symptom="openssl s_client shows another certificate than the client gets: no -servername.",
    ours="The command that is shown asks for the certificate by the server's name.",
    held_at_first=True,
)
async def test_the_command_asks_by_name(hass: HomeAssistant, bed: Bed, network: Network) -> None:
    server = await bed.serve(HEALTHY.but(tls_kind=ServerTls.SELF_SIGNED))
    network.add("mail.example.test", {server.port: server})
    dialog = await set_up(hass, **typed_for(server, host="mail.example.test"))

    assert f"mail.example.test:{server.port} -starttls smtp -servername mail.example.test" in (
        dialog.said
    )


@report(
    source="fleetdm/fleet#25109",
    symptom="Save sends a test mail, and nobody has been told.",
    ours="A test mail goes to the address that is typed for it, and to nobody else.",
    held_at_first=True,
)
async def test_saving_sends_nothing_by_itself(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    dialog = await set_up(hass, **typed_for(server))

    assert dialog.at("finish")["fields"]["test_recipient"] in (None, "")
    assert dialog.outcome == "ok"
    assert server.record.mails == []


@report(
    source="fossasia/susi.ai#2710",
    symptom="Nothing tells whether the test mail was sent.",
    ours="A page says so, with the server's answer.",
    held_at_first=True,
)
async def test_the_answer_to_the_test_mail_is_shown(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    dialog = await set_up(hass, **typed_for(server, test_recipient="bea@example.test"))

    assert dialog.outcome == "ok"
    said = dialog.at("tested")["description_placeholders"]
    assert said["recipient"] == "`bea@example.test`"
    assert said["reply"].startswith("`250 ")
    assert only_mail(server).recipients == ("bea@example.test",)


@report(
    source="cmintey/wishlist#434",
    symptom="During set-up the test of the mail server needs settings that are not saved yet.",
    ours="The test goes with what is typed; what is refused leaves nothing behind.",
    held_at_first=True,
)
async def test_a_test_needs_nothing_to_be_saved(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve(
        HEALTHY.but(recipient_replies={"bob@example.test": "550 5.1.1 Unknown user"})
    )
    dialog = await set_up(hass, **typed_for(server, test_recipient="bob@example.test"))

    assert dialog.errors == {"test_recipient": "recipient_rejected"}
    assert hass.config_entries.async_entries("email_courier") == []
    assert (await dialog.go_on(test_recipient=USERNAME)).outcome == "ok"
    assert PASSWORD not in dialog.said
