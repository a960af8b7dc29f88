"""Each case composes to the same bytes for ever; `--snapshot-update` writes what changed."""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from .cards import CARDS, composed_card
from .cases import CASES, composed
from .reading import read


class _Mails(SingleFileSnapshotExtension):
    """One file for each mail, byte for byte."""

    file_extension = "eml"
    _write_mode = WriteMode.BINARY


@pytest.mark.parametrize("name", ["doorbell", "alarm", "digest", "test_mail", "plain"])
def test_the_text_part_of_a_card_is_the_one_that_documentation_shows(name: str) -> None:
    page = (Path(__file__).parents[3] / "docs" / "mails.md").read_text()
    shown = page.partition(f"<!-- text part: {name} -->\n```text\n")[2].partition("\n```")[0]

    assert read(composed_card(name)).text("text/plain").rstrip("\n") == shown


@pytest.mark.parametrize("name", CASES)
def test_a_case_composes_to_its_golden_mail(name: str, snapshot: SnapshotAssertion) -> None:
    assert composed(name).data == snapshot(extension_class=_Mails)


@pytest.mark.parametrize("name", CARDS)
def test_a_card_composes_to_its_golden_mail(name: str, snapshot: SnapshotAssertion) -> None:
    mail = composed_card(name)

    assert mail.data == snapshot(extension_class=_Mails)
    assert read(mail).message.defects == []


@pytest.mark.parametrize("name", CASES)
def test_a_golden_mail_is_read_back_without_defects(name: str) -> None:
    mail = read(composed(name))

    assert mail.message["Message-ID"] == composed(name).message_id
    assert mail.message.defects == []
