"""The first page: an address with a slip of the finger in it, and what is set up already."""

import contextlib

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.email_courier.mail.discovery import dns, web
from custom_components.email_courier.mail.discovery.dns import MailExchanger, ServiceRecord
from tests.mail.discovery.doubles import DOMAIN, SENDER, Names, Pages
from tests.support.accounts import account_entry
from tests.support.dialogs import TEXTS, Dialog, typed_for
from tests.support.fixtures import Bed
from tests.support.network import Network
from tests.support.script import HEALTHY, PASSWORD, USERNAME


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """A world wide web without pages, and a DNS that a test fills in."""
    names = Names()
    monkeypatch.setattr(dns, "SystemResolver", lambda: contextlib.nullcontext(names))
    monkeypatch.setattr(web, "SessionFetch", lambda *_: Pages())
    return names


@pytest.mark.parametrize(
    ("typed", "meant", "host"),
    [
        ("anna@gmial.com", "anna@gmail.com", "smtp.gmail.com"),
        ("anna@gmx.ed", "anna@gmx.de", "mail.gmx.net"),
        ('"an na"@yaho.com', '"an na"@yahoo.com', "smtp.mail.yahoo.com"),
    ],
)
@pytest.mark.usefixtures("names", "network")
async def test_a_misspelt_address_is_corrected_by_one_click(
    hass: HomeAssistant, typed: str, meant: str, host: str
) -> None:
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=typed)
    assert (dialog.step, dialog.type) == ("did_you_mean", FlowResultType.MENU)
    assert dialog.page["menu_options"] == ["corrected", "as_typed"]
    assert dialog.page["description_placeholders"] == {"meant": meant, "typed": typed}
    await dialog.choose("corrected")
    assert (dialog.step, dialog.fields["host"]) == ("login", host)
    assert dialog.fields["username"] == meant


@pytest.mark.usefixtures("names", "network")
async def test_whoever_spelt_it_right_goes_on(hass: HomeAssistant) -> None:
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender="anna@gmial.com")
    await dialog.choose("as_typed")
    assert dialog.step == "server"
    assert dialog.description == TEXTS["selector"]["phrase"]["options"]["origin_none"]
    await dialog.submit(host="mail.example.test")
    assert dialog.fields["username"] == "anna@gmial.com"


@pytest.mark.usefixtures("network")
async def test_a_domain_that_takes_mail_is_not_doubted(hass: HomeAssistant, names: Names) -> None:
    names.exchangers = [MailExchanger(10, "mx.gmial.com")]
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender="anna@gmial.com")
    assert dialog.step == "server"


async def test_a_domain_with_a_server_of_its_own_is_not_doubted(
    hass: HomeAssistant, bed: Bed, names: Names, network: Network
) -> None:
    network.add("mail.gmial.com", {587: await bed.serve()})
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender="anna@gmial.com")
    assert (dialog.step, dialog.fields["host"]) == ("login", "mail.gmial.com")
    assert "gmial.com" in names.asked


@pytest.mark.usefixtures("network")
async def test_two_servers_are_left_to_be_chosen_from(hass: HomeAssistant, names: Names) -> None:
    records = [ServiceRecord(0, 1, 465, f"{name}.{DOMAIN}") for name in ("one", "two")]
    names.services = {f"_submissions._tcp.{DOMAIN}": records}
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=SENDER)
    assert (dialog.step, dialog.fields["host"]) == ("server", f"one.{DOMAIN}")


@pytest.mark.usefixtures("network")
async def test_one_server_that_its_domain_names_needs_no_page(
    hass: HomeAssistant, names: Names
) -> None:
    names.services = {
        f"_submissions._tcp.{DOMAIN}": [ServiceRecord(0, 1, 465, f"out.{DOMAIN}")],
        f"_submission._tcp.{DOMAIN}": [ServiceRecord(0, 1, 587, f"out.{DOMAIN}")],
    }
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender=SENDER)
    assert dialog.step == "login"
    assert "The domain itself names this server" in dialog.description
    assert f"Server: `out.{DOMAIN}`, port 465, TLS." in dialog.description
    assert dialog.fields["username"] == SENDER


async def test_nothing_is_said_where_nothing_is_set_up(hass: HomeAssistant) -> None:
    dialog = await Dialog.new_account(hass)
    assert "Already set up" not in dialog.description


async def test_what_is_set_up_already_is_said_on_the_first_page(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve()
    account_entry(server).add_to_hass(hass)
    dialog = await Dialog.new_account(hass)
    assert f"Already set up: `{USERNAME}` (`{server.host}`)." in dialog.description


async def test_the_same_sender_at_a_second_server_is_a_second_account(
    hass: HomeAssistant, bed: Bed, network: Network
) -> None:
    backup = await bed.serve(HEALTHY.but(users={"anna": PASSWORD}))
    network.add("smtp.gmail.com", {587: await bed.serve()})
    network.add("backup.example.test", {587: backup})
    first = {"sender": "anna@gmail.com", "host": "smtp.gmail.com", "username": "anna@gmail.com"}
    entry = account_entry(backup)
    entry.add_to_hass(hass)
    hass.config_entries.async_update_entry(entry, data={**entry.data, **first})
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender="anna@gmail.com")
    assert dialog.step == "server", "the known server would make the same account again"
    assert "Already set up: `anna@gmail.com` (`smtp.gmail.com`)." in dialog.description
    await dialog.fill_in(**typed_for(backup, sender="anna@gmail.com", username="anna"))
    assert dialog.step == "finish", dialog.error_texts
    await dialog.submit()
    assert dialog.entry.data["host"] == backup.host


async def test_a_reconfiguration_speaks_of_no_other_account(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = account_entry(server)
    entry.add_to_hass(hass)
    dialog = await Dialog.reconfiguration(hass, entry)
    assert "Already set up" not in dialog.description
