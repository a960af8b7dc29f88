"""What the documentation names is there, and what is there is named."""

from pathlib import Path
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from homeassistant.core import HomeAssistant
from homeassistant.util.yaml import parse_yaml
import pytest

from tests.support.accounts import load_account
from tests.support.dialogs import TEXTS
from tests.support.documents import README, ROOT, pages
from tests.support.fixtures import Bed
from tests.support.mails import send
from tests.support.script import HEALTHY, Step, say

DOCS = ROOT / "docs"
CONFIGURATION = (DOCS / "configuration.md").read_text()
ACTIONS = (DOCS / "actions.md").read_text()
INTEGRATION = ROOT / "custom_components" / "email_courier"
BLUEPRINTS = ROOT / "blueprints" / "automation" / "email_courier"
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the names that GitHub gives to the headings of a page."""
    headings = _HEADING.findall(page.read_text())
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def first_cells(page: str, head: str) -> set[str]:
    """Return the names in the first column of the table with this heading."""
    table = page.partition(f"| {head} |")[2].partition("\n\n")[0]
    rows = table.splitlines()[2:]
    return {name.strip(" `") for row in rows for name in row.split("|")[1].split(",")}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text()):
        address = urlsplit(link)
        if address.scheme:
            continue
        target = page.parent / address.path if address.path else page
        assert target.exists(), link
        assert not address.fragment or address.fragment in anchors(target), link


def test_every_page_is_linked_from_the_readme() -> None:
    linked = {README.parent / link for link in _LINK.findall(README.read_text())}
    assert set(DOCS.glob("*.md")) <= linked


def test_every_entity_of_an_account_is_described() -> None:
    names = {
        entity["name"]
        for entities in TEXTS["entity"].values()
        for entity in entities.values()
        if "name" in entity
    }
    assert first_cells(CONFIGURATION, "entity | shows") == names


def test_every_attribute_of_the_event_is_described() -> None:
    attributes = TEXTS["entity"]["event"]["mail"]["state_attributes"]
    assert first_cells(CONFIGURATION, "attribute | of | meaning") == set(attributes)


def test_every_reason_of_a_failed_mail_is_described() -> None:
    reasons = TEXTS["entity"]["event"]["mail"]["state_attributes"]["reason"]["state"]
    (row,) = re.findall(r"^\| `reason` \|.*", CONFIGURATION, re.MULTILINE)
    assert set(reasons) <= set(re.findall(r"`(\w+)`", row))


def test_every_option_is_described_by_the_name_that_it_has_in_the_dialog() -> None:
    page = TEXTS["options"]["step"]["init"]
    parts = (page, *page["sections"].values())
    options = {name for part in parts for name in part["data"].values()}
    assert first_cells(CONFIGURATION, "option | meaning | unless set") == options


def test_every_page_of_the_first_dialog_is_described() -> None:
    steps = TEXTS["config"]["step"]
    pages = ("address", "server", "login_choice_google", "login", "finish")
    titles = {steps[step]["title"] for step in pages}
    assert titles == first_cells(CONFIGURATION, "page | fields")


async def test_every_key_of_an_answer_is_described(hass: HomeAssistant, bed: Bed) -> None:
    await load_account(hass, await bed.serve())

    response = await send(hass, to="bea@example.test")

    assert first_cells(ACTIONS, "key | meaning") == set(response)


async def test_every_key_of_a_waiting_mail_is_described(hass: HomeAssistant, bed: Bed) -> None:
    busy = HEALTHY.but(answers={Step.GREETING: say("421 4.3.2 Try again later")})
    await load_account(hass, await bed.serve(busy))
    await send(hass, to="bea@example.test")

    waiting: Any = await hass.services.async_call(
        "email_courier", "list_waiting", blocking=True, return_response=True
    )

    (mail,) = waiting["mails"]
    assert first_cells(ACTIONS, "key of a mail | meaning") == set(mail)


def test_every_module_has_its_place_in_the_architecture() -> None:
    page = (DOCS / "architecture.md").read_text()
    words = set(re.findall(r"\w+", page))
    files = [path.relative_to(INTEGRATION) for path in INTEGRATION.rglob("*.py")]
    modules = {part for file in files for part in file.with_suffix("").parts} - {"__init__"}
    assert sorted(modules - words) == []


def test_every_blueprint_can_be_imported_from_its_page() -> None:
    imported = {
        parse_qs(urlsplit(link).query)["blueprint_url"][0]
        for link in _LINK.findall((DOCS / "blueprints.md").read_text())
        if "blueprint_import" in link
    }
    sources = set()
    for file in BLUEPRINTS.glob("*.yaml"):
        written: Any = parse_yaml(file.read_text().replace("!input", ""))
        sources.add(written["blueprint"]["source_url"])
        assert written["blueprint"]["source_url"].endswith(f"/main/{file.relative_to(ROOT)}")
    assert imported == sources
