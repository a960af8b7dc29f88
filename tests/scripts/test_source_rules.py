"""The project's own rules notice what they are there for."""

import ast
from pathlib import Path

import pytest

from scripts.lib.source_rules import (
    ROOT,
    breaches,
    import_breaches,
    package_breaches,
    text_breaches,
)

INTEGRATION = ROOT / "custom_components" / "email_courier"
MAIL = INTEGRATION / "mail"


@pytest.mark.parametrize(
    "source",
    [
        "from .. import const",
        "from ..const import DOMAIN",
        "from custom_components.email_courier.const import DOMAIN",
        "import custom_components.email_courier.const",
        "import tests.support.pure",
    ],
)
def test_the_mail_layer_may_not_import_what_is_above_it(source: str) -> None:
    assert list(import_breaches(MAIL / "settings.py", ast.parse(source)))


@pytest.mark.parametrize(
    ("file", "source"),
    [
        (INTEGRATION / "notify.py", "from .mail import Envelope"),
        (INTEGRATION / "notify.py", "from . import async_setup_entry"),
        (ROOT / "tests" / "test_init.py", "from custom_components.email_courier import PLATFORMS"),
        (ROOT / "tests" / "live" / "demo.py", "from tests.support import Certificates"),
    ],
)
def test_names_may_not_come_from_a_package(file: Path, source: str) -> None:
    assert list(import_breaches(file, ast.parse(source)))


@pytest.mark.parametrize(
    ("file", "source"),
    [
        (MAIL / "session.py", "from .settings import Encryption"),
        (MAIL / "session.py", "from . import settings"),
        (MAIL / "outbox" / "store.py", "from ..envelope import Envelope"),
        (INTEGRATION / "notify.py", "from .mail.envelope import Envelope"),
        (INTEGRATION / "notify.py", "from homeassistant.components.notify import NotifyEntity"),
        (ROOT / "tests" / "test_init.py", "from custom_components.email_courier.const import X"),
    ],
)
def test_imports_of_modules_are_right(file: Path, source: str) -> None:
    assert not list(import_breaches(file, ast.parse(source)))


def test_a_package_may_hold_a_docstring_and_no_code() -> None:
    package = MAIL / "__init__.py"
    assert not list(package_breaches(package, ast.parse('"""What it is."""')))
    assert list(package_breaches(package, ast.parse("from .session import Session")))


def test_home_assistants_own_entry_may_hold_code() -> None:
    assert not list(package_breaches(INTEGRATION / "__init__.py", ast.parse("x = 1")))


# Put together here, or this file would break the rule itself.
@pytest.mark.parametrize(
    "text",
    [
        "index = https://pypi" + ".org/simple",
        "https://files.pytho" + "nhosted.org/x.whl",
        "deb http://deb" + ".debian.org/debian forky main",
        "see /" + "root/notes",
        "see /home" + "/ada/notes",
    ],
)
def test_a_registry_or_a_path_of_one_machine_is_noticed(text: str) -> None:
    assert [line for line, _ in text_breaches(f"first line\n{text}\n")] == [2]


def test_a_file_that_is_no_text_is_passed_over(tmp_path: Path) -> None:
    picture = tmp_path / "icon.png"
    picture.write_bytes(b"\x89PNG\xff")
    assert not list(breaches(picture))
