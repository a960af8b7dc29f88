"""The pictures in README and documentation are taken by the tests that go there.

With `EMAIL_COURIER_SCREENSHOTS=1` they are written to `docs/images`; without it they are taken
all the same, and a picture that is not there yet fails its test.
"""

from enum import StrEnum
from io import BytesIO
import os
from pathlib import Path

from PIL import Image
from playwright.async_api import Locator, Page

PROJECT = Path(__file__).resolve().parents[2]
FOLDER = PROJECT / "docs" / "images"
MOST_BYTES = 150_000

_COLOURS = 128
_TAKES_NEW = os.environ.get("EMAIL_COURIER_SCREENSHOTS") == "1"


class Picture(StrEnum):
    """All pictures there are, by the names of their files."""

    FIND = "find-integration"
    APP_PASSWORD = "dialog-login"
    PROVEN = "dialog-works"
    ADDRESS = "setup-address"
    ADDRESS_PHONE_DARK = "setup-address-phone-dark"
    MISSPELT = "setup-misspelt"
    MISSPELT_PHONE_DARK = "setup-misspelt-phone-dark"
    SERVER = "setup-server"
    SERVER_DARK = "setup-server-dark"
    SERVER_PHONE = "setup-server-phone"
    SERVER_PHONE_DARK = "setup-server-phone-dark"
    LOGIN = "setup-login"
    LOGIN_PHONE_DARK = "setup-login-phone-dark"
    LOGIN_CHOICE = "setup-login-choice"
    LOGIN_CHOICE_PHONE_DARK = "setup-login-choice-phone-dark"
    PLAIN_LOGIN = "setup-plain-login"
    PLAIN_LOGIN_PHONE_DARK = "setup-plain-login-phone-dark"
    PROGRESS = "setup-progress"
    WORKS = "setup-works"
    WORKS_PHONE_DARK = "setup-works-phone-dark"
    TESTED = "setup-tested"
    TESTED_PHONE_DARK = "setup-tested-phone-dark"
    NEXT_STEPS = "setup-next-steps"
    NEXT_STEPS_PHONE_DARK = "setup-next-steps-phone-dark"
    MENDED = "setup-mended"
    WRONG_PASSWORD = "setup-wrong-password"
    CERTIFICATE = "setup-certificate"
    CERTIFICATE_PHONE_DARK = "setup-certificate-phone-dark"
    RECIPIENT = "recipient"
    RECIPIENT_PHONE_DARK = "recipient-phone-dark"
    REPORT = "report-dialog"
    INTEGRATION = "integration-page"
    OPTIONS = "options"
    DEVICE = "device-page"
    ACTION = "action-editor"
    AUTOMATION_CAMERA = "automation-camera"
    AUTOMATION_FAILED = "automation-failed"
    SIGN_IN_AGAIN = "sign-in-again"
    TAKE_OVER = "take-over"
    TAKE_OVER_PHONE_DARK = "take-over-phone-dark"
    CERTIFICATE_CHANGED = "repair-certificate"
    MAIL = "mail"
    MAIL_DARK = "mail-dark"
    MAIL_PHONE = "mail-phone"
    MAIL_PHONE_DARK = "mail-phone-dark"
    MAIL_MISSING = "mail-missing"
    MAIL_ALARM = "mail-alarm"
    MAIL_REPORT = "mail-report"
    MAIL_CHARTS = "mail-charts"
    MAIL_CHARTS_PHONE_DARK = "mail-charts-phone-dark"
    MAIL_DIGEST = "mail-digest"
    MAIL_TEST = "mail-test"
    MAIL_TEXT = "mail-text"
    MAIL_WEEKLY = "mail-weekly"
    MAIL_GERMAN = "mail-german"
    MAIL_JAPANESE = "mail-japanese"
    MAIL_ARABIC = "mail-arabic"
    BUTTON_MAIL = "button-mail-desktop-light"
    BUTTON_MAIL_PHONE = "button-mail-phone-dark"
    BUTTON_PAGE = "button-page-desktop-light"
    BUTTON_PAGE_PHONE = "button-page-phone-dark"
    OAUTH_PROVIDER = "oauth-provider"
    OAUTH_CONSENT = "oauth-consent"
    OAUTH_WORKS = "oauth-works"
    OAUTH_AGAIN = "oauth-again"
    OAUTH_GOOGLE = "oauth-google"

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return FOLDER / f"{self.value}.png"


async def take(what: Page | Locator, picture: Picture) -> None:
    """Take a picture of a window, or of something in it."""
    keep(await what.screenshot(animations="disabled", caret="hide"), picture)


def keep(shot: bytes, picture: Picture) -> None:
    """Keep a picture that was taken, as PNG."""
    content = _smaller(shot)
    if _TAKES_NEW:
        FOLDER.mkdir(parents=True, exist_ok=True)
        picture.file.write_bytes(content)
    assert len(content) <= MOST_BYTES, f"{picture} has {len(content)} bytes"
    assert picture.file.exists(), f"{picture} is missing: EMAIL_COURIER_SCREENSHOTS=1 takes it"


def _smaller(png: bytes) -> bytes:
    """Return the same picture with a palette of its own."""
    with Image.open(BytesIO(png)) as image:
        palette = image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    out = BytesIO()
    palette.save(out, "PNG", optimize=True)
    return out.getvalue()
