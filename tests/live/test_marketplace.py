"""The steps of the README on the Marketplace that Home Assistant 2026.11 has built in.

Its code, unchanged, adds the repository from its link, checks it, downloads the release's zip and
refuses what Home Assistant would not load. Only GitHub is a stand-in on loopback.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import re
from zipfile import ZipFile

from homeassistant.components.marketplace.exceptions import MarketplaceError
from homeassistant.components.marketplace.repositories.integration import _check_loadable_manifest
import pytest

from scripts.lib.package import main

from .client import HassError, Json
from .hass_runner import HomeAssistant, home_assistant
from .marketplace_source import Source, serving

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
TAG = "v9.8.7"
STAND_IN = Path(__file__).with_name("stand_in.py")
_MANIFEST = {
    "domain": "stand_in",
    "name": "Stand-in for the sources of the Marketplace",
    "codeowners": [],
    "documentation": "https://www.example.com",
    "iot_class": "local_push",
    "version": "1.0.0",
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip that a release is made with."""
    target = tmp_path_factory.mktemp("release") / "email_courier.zip"
    assert main([TAG, str(target)]) == 0
    return target


@asynccontextmanager
async def marketplace(folder: Path, source: Source) -> AsyncIterator[HomeAssistant]:
    """Run a Home Assistant without this integration, whose Marketplace asks the source."""
    configuration = f'stand_in:\n  url: "{source.url}"\n'
    stand_in = folder.with_name("stand_in")
    stand_in.mkdir()
    (stand_in / "__init__.py").symlink_to(STAND_IN)
    (stand_in / "manifest.json").write_text(json.dumps(_MANIFEST), encoding="utf-8")
    async with home_assistant(
        folder, configuration=configuration, components=(stand_in,)
    ) as running:
        async with asyncio.timeout(120):
            while not (await _info(running)).get("github_connected"):
                await asyncio.sleep(0.2)
            while (await _info(running))["startup"]:
                await asyncio.sleep(0.2)
        await running.client.command("marketplace/warning/accept")
        yield running


async def _info(running: HomeAssistant) -> Json:
    try:
        info: Json = await running.client.command("marketplace/info")
    except HassError:  # while it is loaded anew
        return {}
    return info


async def _added(running: HomeAssistant) -> Json:
    """Add the repository from the link that the README gives, and return what is shown of it."""
    link = re.search(r"`(https://github\.com/[\w/-]+)`", README)
    assert link is not None
    await running.client.command(
        "marketplace/repositories/add", repository=link[1], category="integration"
    )
    listed: list[Json] = await running.client.command("marketplace/repositories/list")
    return next(one for one in listed if one["domain"] == "email_courier")


async def test_it_is_added_from_its_link_installed_and_set_up_without_a_restart(
    tmp_path: Path, archive: Path
) -> None:
    async with (
        serving(Source(TAG, archive)) as source,
        marketplace(tmp_path / "config", source) as running,
    ):
        shown = await _added(running)
        assert shown["available_version"] == TAG

        await running.client.command("marketplace/repository/install", repository=shown["id"])

        folder = running.folder / "custom_components" / "email_courier"
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        assert manifest["version"] == TAG.removeprefix("v")
        page = await running.client.post(
            "/api/config/config_entries/flow", {"handler": "email_courier"}
        )
        assert page["type"] == "form"
        assert f"/github/email-courier/email-courier/releases/download/{TAG}/email_courier.zip" in (
            source.asked
        )


async def test_a_version_without_its_zip_would_be_offered_and_could_not_be_installed(
    tmp_path: Path, archive: Path
) -> None:
    async with (
        serving(Source(TAG, archive, attached=False)) as source,
        marketplace(tmp_path / "config", source) as running,
    ):
        shown = await _added(running)
        assert shown["available_version"] == TAG
        with pytest.raises(HassError):
            await running.client.command("marketplace/repository/install", repository=shown["id"])
        assert not (running.folder / "custom_components" / "email_courier").exists()


def test_its_own_check_finds_the_built_zip_loadable(tmp_path: Path, archive: Path) -> None:
    with ZipFile(archive) as packed:
        packed.extractall(tmp_path)

    _check_loadable_manifest(tmp_path, "email_courier")
    with pytest.raises(MarketplaceError):
        _check_loadable_manifest(tmp_path, "smtp")
