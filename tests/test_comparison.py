"""The README's figures are those that were measured.

That every row of this integration's tables comes out as it says is tested where the tables are;
here Home Assistant's `smtp` is held to some of what the documentation says of it.
"""

from homeassistant.core import HomeAssistant
import pytest

from scripts.lib.comparison_table import README, Page, main, updated
from tests.comparison import faults, settings
from tests.comparison.home import SAVED, Home
from tests.comparison.page import Run, page
from tests.mail.matrix.table import CASES as SETTINGS
from tests.mail.outbox.faults.table import CASES as FAULTS
from tests.support.certificates import Certificates
from tests.support.network import Network


@pytest.fixture
def home(hass: HomeAssistant, network: Network, certificates: Certificates) -> Home:
    """A home with core's integration in it."""
    return Home(hass, network, certificates, limit=2)


def test_the_readme_has_the_figures_that_were_measured() -> None:
    assert main(["--check"]) == 0


@pytest.mark.parametrize(
    ("page", "row", "column"),
    [
        ("benchmarks.md", "Postfix, STARTTLS and login", 1),
        ("benchmarks.md", "20 MB, file: extra memory", 2),
        ("comparison.md", "wrong settings saved", 0),
    ],
)
def test_a_figure_that_differs_is_noticed(page: str, row: str, column: int) -> None:
    readme = README.read_text()
    figure = Page(page).cell(row, column)
    assert figure in readme
    altered = readme.replace(f"| {figure} ", "| 4711 ")
    assert altered != readme
    assert updated(altered) == readme


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("STARTTLS at 587", SAVED),
        ("TLS at 587", "cannot_connect"),
        ("STARTTLS at 465, the classic freeze", "timeout_connect"),
        ("a self-signed certificate", "unknown"),
        ("a wrong password", "invalid_auth"),
        ("a login is wanted, and none was typed", SAVED),
        ("Exchange: no right to send as this sender", SAVED),
        ("an address without a domain", SAVED),
    ],
)
async def test_what_the_dialog_of_smtp_says(home: Home, name: str, said: str) -> None:
    (answer,) = await settings.ask(home, [case for case in SETTINGS if case.name == name])

    assert answer.said == said
    assert answer.is_right is (name in {"STARTTLS at 587", "a wrong password"})
    assert not answer.leaked


@pytest.mark.parametrize(
    ("name", "told", "copies"),
    [
        ("connect: refused", "send_mail_connection_error", 0),
        ("auth_verdict: 5xx", "authentication_error", 0),
        ("mail: 5xx", "send_mail_connection_error", 0),
        ("rcpt: 4xx", "send_mail_connection_error", 0),
        ("dot: resets", "send_mail_connection_error", 2),
        ("certificate: self signed", "SSLCertVerificationError", 0),
        ("quit: hangs up", "", 1),
    ],
)
async def test_what_becomes_of_its_mail(home: Home, name: str, told: str, copies: int) -> None:
    cases = [case for case in FAULTS if f"{case.step}: {case.fault}" == name]

    (outcome,) = await faults.send(home, cases)

    assert (outcome.told, outcome.copies) == (told, copies)
    assert outcome.is_named is (name == "auth_verdict: 5xx")


async def test_the_page_counts_what_came_of_the_tables(home: Home) -> None:
    names = {"STARTTLS at 587", "TLS at 587", "a wrong password", "an address without a domain"}
    answers = await settings.ask(home, [case for case in SETTINGS if case.name in names])
    events = {"rcpt: 4xx", "rcpt: 5xx", "dot: 5xx", "dot: resets", "quit: 5xx"}
    outcomes = await faults.send(
        home, [case for case in FAULTS if f"{case.step}: {case.fault}" in events]
    )

    text = page(Run(about=("one run",), languages=7, answers=answers, outcomes=outcomes))

    rows = set(text.splitlines())
    assert "- one run" in rows
    assert "| wrong settings named | 1 of 3 |" in rows
    assert "| wrong settings saved | 1 |" in rows
    assert "| right settings that pass | 1 of 1 |" in rows
    assert "| most logins with one wrong password | 2 |" in rows
    assert "| temporary faults after which the mail arrives | 0 of 1 |" in rows
    assert "| permanent refusals named | 0 of 2 |" in rows
    assert "| permanent refusals tried more than once | 2 of 2 |" in rows
    assert "| lost replies after which it arrives twice | 1 of 1 |" in rows
    assert "| taken by the server | 1 | 1 |  | nothing 1 |" in rows
    assert "| languages with all texts | 7 |" in rows
    assert "| [`invalid_auth`](failures.md) | 1 | 1 | 0 | `invalid_auth` 1 |" in rows
