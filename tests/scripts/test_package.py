"""What a release attaches is the integration, with the release's version."""

import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from scripts.lib.package import INTEGRATION, main, stamped


@pytest.mark.parametrize("tag", ["v1.2.3", "1.2.3"])
def test_the_zip_holds_the_integration_stamped_with_the_version(tmp_path: Path, tag: str) -> None:
    target = tmp_path / "email_courier.zip"

    assert main([tag, str(target)]) == 0

    with ZipFile(target) as archive:
        names = set(archive.namelist())
        manifest = json.loads(archive.read("manifest.json"))
        assert archive.read("mail/reply.py") == (INTEGRATION / "mail" / "reply.py").read_bytes()
    assert manifest["version"] == "1.2.3"
    assert {"__init__.py", "translations/en.json", "brand/icon.png", "services.yaml"} <= names
    assert not any("__pycache__" in name for name in names)


def test_the_same_source_gives_the_same_zip(tmp_path: Path) -> None:
    first, second = tmp_path / "1.zip", tmp_path / "2.zip"

    main(["v1.0.0", str(first)])
    main(["v1.0.0", str(second)])

    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("tag", ["latest", "v1.2", "1.2.3 beta", ""])
def test_a_tag_that_is_no_version_is_refused(tmp_path: Path, tag: str) -> None:
    target = tmp_path / "email_courier.zip"

    assert main([tag, str(target)]) == 1
    assert not target.exists()


def test_stamping_changes_nothing_but_the_version() -> None:
    before = '{\n  "requirements": ["scramp>=0.1.0"],\n  "version": "0.1.0"\n}\n'

    after = stamped(before, "2.0.0")

    assert after == '{\n  "requirements": ["scramp>=0.1.0"],\n  "version": "2.0.0"\n}\n'
