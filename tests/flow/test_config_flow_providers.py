"""For well-known providers a person types an address and a password, and nothing else."""

import ssl

from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest

from custom_components.email_courier.mail.discovery.model import SecretKind
from custom_components.email_courier.mail.discovery.providers import load
from custom_components.email_courier.mail.settings import Encryption
from tests.support.certificates import Certificates, ServerTls
from tests.support.dialogs import TEXTS, Dialog
from tests.support.fixtures import Bed
from tests.support.network import Network
from tests.support.script import HEALTHY, HEALTHY_TLS, PASSWORD
from tests.support.scripted_server import ScriptedServer

MOST_USED = {
    "gmail.com": "Gmail",
    "outlook.com": "Outlook",
    "yahoo.com": "Yahoo",
    "icloud.com": "iCloud",
    "qq.com": "QQ",
    "aol.com": "AOL",
    "gmx.net": "GMX",
    "web.de": "WEB.DE",
    "zoho.com": "Zoho",
    "fastmail.com": "Fastmail",
}
HOST = "mail.example.test"


class CertificatesFor(Certificates):
    """The certificate of one host by the authority that Home Assistant trusts."""

    def __init__(self, certificates: Certificates, host: str) -> None:
        self._context_of_host = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificates.authority.issue_cert(host).configure_cert(self._context_of_host)

    def server_context(self, kind: ServerTls) -> ssl.SSLContext:
        assert kind is ServerTls.VALID
        return self._context_of_host


async def choose_password(dialog: Dialog) -> None:
    """Go past the choice between a password and signing in, where there is one."""
    if dialog.type is FlowResultType.MENU:
        await dialog.choose("password")


@pytest.mark.parametrize(("domain", "name"), MOST_USED.items())
async def test_only_address_and_password_are_typed(
    hass: HomeAssistant, bed: Bed, network: Network, domain: str, name: str
) -> None:
    provider = load().by_domain(domain)
    assert provider is not None
    place = provider.servers[0]
    sender = f"anna@{domain}"
    script = HEALTHY_TLS if place.encryption is Encryption.TLS else HEALTHY
    server = ScriptedServer(
        script.but(users={sender: PASSWORD, "anna": PASSWORD}),
        CertificatesFor(bed.certificates, place.host),
    )
    async with server:
        network.add(place.host, {place.port: server})
        dialog = await Dialog.new_account(hass)
        await dialog.submit(sender=sender)
        await choose_password(dialog)
        assert dialog.step == "login"
        assert f"These are the settings of {name}" in dialog.description
        assert f"Server: `{place.host}`, port {place.port}, " in dialog.description
        await dialog.submit(password=PASSWORD)
        assert dialog.step == "finish", dialog.error_texts
        await dialog.submit()

        assert dialog.entry.data["host"] == place.host
        assert dialog.entry.data["port"] == place.port
        assert dialog.entry.data["encryption"] == place.encryption
        assert server.record.auth_commands == 1
        assert not server.record.secrets_in_clear([PASSWORD])


async def test_the_login_page_says_what_the_provider_wants(hass: HomeAssistant) -> None:
    provider = load().by_domain("icloud.com")
    assert provider is not None
    assert provider.secret is SecretKind.APP_PASSWORD
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender="anna@icloud.com")
    assert "wants an **app password** here" in dialog.description
    assert f"({provider.help_url})" in dialog.description


async def test_a_server_that_was_typed_is_recognised_with_its_username(
    hass: HomeAssistant,
) -> None:
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender="home@example.test", enter_manually=True)
    await dialog.submit(host="smtp.sendgrid.net", port=587)
    assert dialog.fields["username"] == "apikey"
    assert "API" in dialog.description


async def test_the_hint_is_that_of_the_server_and_not_of_the_address(
    hass: HomeAssistant,
) -> None:
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender="anna@icloud.com")
    await dialog.submit(go_back=True)
    await dialog.submit(host="smtp.sendgrid.net", port=587)
    assert "iCloud" not in dialog.description
    assert dialog.fields["username"] == "apikey"
    await dialog.submit(username="mine", go_back=True)
    await dialog.submit(host=HOST)
    assert dialog.description == f"Server: `{HOST}`, port 587, STARTTLS."
    assert dialog.fields["username"] == "mine"


async def test_what_is_known_is_looked_up_once_for_each_address(hass: HomeAssistant) -> None:
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender="anna@icloud.com")
    await dialog.submit(go_back=True)
    await dialog.submit(host=HOST, go_back=True)
    await dialog.submit()
    assert (dialog.step, dialog.fields["host"]) == ("server", HOST), "what was typed stands"
    await dialog.submit(go_back=True)
    await dialog.submit(sender="anna@gmx.net")
    assert (dialog.step, dialog.fields["host"]) == ("login", "mail.gmx.net")


async def test_a_server_can_be_changed_on_the_page_of_the_login(
    hass: HomeAssistant, bed: Bed
) -> None:
    server = await bed.serve(HEALTHY.but(users={"anna": PASSWORD}))
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender="anna@icloud.com")
    assert dialog.step == "login"
    await dialog.submit(
        host=server.host,
        port=server.port,
        encryption="starttls",
        username="anna",
        password=PASSWORD,
    )
    assert dialog.step == "finish", dialog.error_texts
    await dialog.submit()
    assert (dialog.entry.data["host"], dialog.entry.data["port"]) == (server.host, server.port)


async def test_what_can_be_no_server_leads_to_the_page_of_the_server(hass: HomeAssistant) -> None:
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender="anna@icloud.com")
    await dialog.submit(host="no server", password=PASSWORD)
    assert (dialog.step, dialog.errors) == ("server", {"host": "host_not_found"})
    assert dialog.fields["host"] == "no server"
    await dialog.submit(host=HOST)
    assert dialog.fields["password"] == PASSWORD


async def test_nothing_is_looked_up_for_who_enters_everything(hass: HomeAssistant) -> None:
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender="anna@icloud.com", enter_manually=True)
    assert dialog.step == "server"
    assert (dialog.fields["host"], dialog.description) == (None, "")
    assert "discovery" not in dialog.progress
    await dialog.submit(go_back=True)
    assert dialog.fields["enter_manually"] is True
    await dialog.submit(enter_manually=False)
    assert (dialog.step, dialog.fields["host"]) == ("login", "smtp.mail.me.com")


async def test_an_address_that_nothing_is_known_about_says_so(hass: HomeAssistant) -> None:
    dialog = await Dialog.new_account(hass)
    await dialog.submit(sender="anna@example.test")
    assert dialog.step == "server"
    phrases = TEXTS["selector"]["phrase"]["options"]
    assert dialog.description == phrases["origin_none"]
    await dialog.submit(host=HOST)
    assert dialog.fields["username"] == "anna@example.test"
