"""Finding the server of an address from the set-up dialog."""

import contextlib

from homeassistant.core import HomeAssistant
import pytest

from custom_components.email_courier.mail.discovery import dns, web
from custom_components.email_courier.mail.discovery.dns import MailExchanger, ServiceRecord
from tests.mail.discovery.doubles import DOMAIN, SENDER, Names, Pages
from tests.support.dialogs import Dialog, typed_for
from tests.support.fixtures import Bed
from tests.support.network import Network
from tests.support.other_protocols import IMAP
from tests.support.script import HEALTHY, HEALTHY_TLS, PASSWORD, Script


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """A world wide web without pages, and a DNS that a test fills in."""
    names = Names()
    monkeypatch.setattr(dns, "SystemResolver", lambda: contextlib.nullcontext(names))
    monkeypatch.setattr(web, "SessionFetch", lambda *_: Pages())
    return names


@pytest.mark.parametrize(
    ("port", "script", "encryption"), [(465, HEALTHY_TLS, "tls"), (587, HEALTHY, "starttls")]
)
@pytest.mark.usefixtures("names")
async def test_the_usual_places_are_listened_at(
    hass: HomeAssistant, bed: Bed, network: Network, port: int, script: Script, encryption: str
) -> None:
    server = await bed.serve(script)
    network.add(f"mail.{DOMAIN}", {port: server})
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=SENDER)
    assert dialog.progress == ["discovery"]
    assert "this server answers there" in dialog.description
    shown = {name: dialog.fields[name] for name in ("host", "port", "encryption")}
    assert shown == {"host": f"mail.{DOMAIN}", "port": port, "encryption": encryption}
    assert server.record.auth_commands == 0


@pytest.mark.usefixtures("names")
async def test_nobody_is_quoted_on_the_login_of_a_server_that_was_only_heard(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    network.add(f"mail.{DOMAIN}", {587: await bed.serve()})
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=SENDER)
    await dialog.submit()
    assert dialog.step == "login"
    assert dialog.fields["username"] == SENDER
    assert "http" not in dialog.description
    assert "app password" not in dialog.description


@pytest.mark.usefixtures("names")
async def test_a_place_that_speaks_something_else_is_not_proposed(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    network.add(f"mail.{DOMAIN}", {587: await bed.host(IMAP)})
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=SENDER)
    assert not dialog.fields["host"]
    assert "No settings are known" in dialog.description


@pytest.mark.usefixtures("network")
async def test_a_server_elsewhere_that_only_dns_names_is_to_be_looked_at(
    hass: HomeAssistant, names: Names
) -> None:
    record = ServiceRecord(priority=0, weight=1, port=465, target="mail.elsewhere.email")
    names.services = {f"_submissions._tcp.{DOMAIN}": [record]}
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=SENDER)
    assert dialog.fields["host"] == "mail.elsewhere.email"
    assert "The domain itself names this server" in dialog.description
    assert "Please check that `mail.elsewhere.email` is your provider's" in dialog.description


@pytest.mark.usefixtures("network")
async def test_a_domain_that_a_known_provider_runs_gets_its_settings_and_hints(
    hass: HomeAssistant, names: Names
) -> None:
    names.exchangers = [MailExchanger(10, "in1-smtp.messagingengine.com")]
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=SENDER)
    assert dialog.fields["host"] == "smtp.fastmail.com"
    assert "is run by Fastmail" in dialog.description
    await dialog.submit()
    assert "wants an **app password** here" in dialog.description


async def test_a_search_that_finds_nothing_takes_no_longer_than_its_limit(
    hass: HomeAssistant, bed: Bed, names: Names, network: Network
) -> None:
    names.delay = 60
    network.add(f"smtp.{DOMAIN}", filtered=frozenset({465, 587}))
    server = await bed.serve()
    dialog = await Dialog.new_account(hass)
    loop_time = hass.loop.time()
    await dialog.submit(sender=SENDER)
    assert hass.loop.time() - loop_time < 7
    assert dialog.step == "server"
    await dialog.fill_in(**typed_for(server, username="anna@example.test", password=PASSWORD))
    assert dialog.step == "finish", "what is not found can be typed"
