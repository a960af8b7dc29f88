"""Attachments that are no files: pictures of cameras, images, media, speech."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components import media_source, tts
from homeassistant.components.media_source import PlayMedia
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component
import pytest

from tests.support.accounts import load_account, recipient
from tests.support.fixtures import Bed
from tests.support.mails import attached, only_mail, send
from tests.support.pictures import JPEG, PNG, StillCamera, StillImage, add_entities
from tests.support.scripted_server import ScriptedServer

ANNA = "anna@example.test"
_CAMERA = "media-source://camera/"


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed) -> ScriptedServer:
    """The server of the only account."""
    server = await bed.serve()
    await load_account(hass, server)
    return server


async def _attach(hass: HomeAssistant, *wanted: dict[str, Any], **fields: Any) -> None:
    await send(hass, to=ANNA, attachments=list(wanted), **fields)


@pytest.mark.parametrize("as_media", [False, True])
async def test_a_snapshot_is_named_after_the_entity_and_the_time_at_home(
    hass: HomeAssistant,
    server: ScriptedServer,
    freezer: FrozenDateTimeFactory,
    as_media: bool,
) -> None:
    await hass.config.async_set_time_zone("Europe/Berlin")
    await add_entities(hass, "camera", StillCamera("Front door"))
    await add_entities(hass, "image", StillImage(hass, "Map"))
    freezer.move_to(datetime(2026, 7, 1, 15, 3, 9, tzinfo=UTC))

    if as_media:
        await _attach(
            hass,
            {"media_source": "media-source://camera/camera.front_door"},
            {"media_source": "media-source://image/image.map"},
        )
    else:
        await _attach(hass, {"entity_id": "camera.front_door"}, {"entity_id": "image.map"})

    door, plan = attached(only_mail(server))
    assert door.get_filename() == "front_door_2026-07-01_17-03-09.jpg"
    assert door.get_content_type() == "image/jpeg"
    assert door.get_payload(decode=True) == JPEG
    assert plan.get_filename() == "map_2026-07-01_17-03-09.png"
    assert plan.get_payload(decode=True) == PNG


async def test_several_snapshots_are_taken_at_the_same_time(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    cameras = [StillCamera(name) for name in ("One", "Two", "Three")]
    await add_entities(hass, "camera", *cameras)
    meeting = asyncio.Barrier(3)
    for camera in cameras:
        camera.meeting = meeting

    async with asyncio.timeout(5):
        await _attach(hass, *({"entity_id": f"camera.{name}"} for name in ("two", "one", "three")))

    names = [part.get_filename() for part in attached(only_mail(server))]
    assert [name.partition("_")[0] for name in names if name] == ["two", "one", "three"]


@pytest.mark.parametrize(
    ("wanted", "key", "named"),
    [
        ({"entity_id": "camera.broken"}, "snapshot_failed", "the lens cap is on"),
        ({"entity_id": "camera.dark"}, "snapshot_failed", "camera.dark"),
        ({"entity_id": "image.ghost"}, "snapshot_entity_not_found", "image.ghost"),
        ({"entity_id": "camera.gone"}, "snapshot_entity_not_found", "camera.gone"),
        ({"media_source": _CAMERA + "camera.gone"}, "snapshot_entity_not_found", "camera.gone"),
        ({"media_source": _CAMERA + "light.lamp"}, "snapshot_entity_not_found", "light.lamp"),
        ({"media_source": "media-source://camera"}, "media_source_invalid", "source://camera"),
        ({"media_source": "/etc/passwd"}, "media_source_invalid", "/etc/passwd"),
        ({"media_source": "media-source://nobody/x"}, "media_source_failed", "nobody/x"),
        ({"media_source": "media-source://tts/x?message=hi"}, "media_source_failed", "tts/x"),
    ],
)
async def test_a_source_that_gives_nothing_is_an_error_that_names_it(
    hass: HomeAssistant, server: ScriptedServer, wanted: dict[str, str], key: str, named: str
) -> None:
    await add_entities(
        hass, "camera", StillCamera("Broken", picture=None), StillCamera("Dark", picture=b"")
    )
    assert await async_setup_component(hass, "media_source", {})
    hass.states.async_set("image.ghost", "unknown")

    with pytest.raises(HomeAssistantError) as caught:
        await _attach(hass, wanted, attachments_required=True)

    assert caught.value.translation_key == key
    assert named in str(caught.value)
    assert server.record.connections == 0


@pytest.mark.parametrize("as_picked", [False, True])
async def test_local_media_is_attached_under_its_own_name(
    hass: HomeAssistant, server: ScriptedServer, tmp_path: Path, as_picked: bool
) -> None:
    (tmp_path / "film.mp4").write_bytes(b"\0\0\0\x18ftypisom film")
    hass.config.media_dirs = {"local": str(tmp_path)}
    assert await async_setup_component(hass, "media_source", {})
    source = "media-source://media_source/local/film.mp4"
    picked = {"media_content_id": source, "media_content_type": "video/mp4", "metadata": {"x": 1}}

    await _attach(hass, {"media_source": picked if as_picked else source})

    (film,) = attached(only_mail(server))
    assert film.get_filename() == "film.mp4"
    assert film.get_content_type() == "video/mp4"
    assert film.get_payload(decode=True) == b"\0\0\0\x18ftypisom film"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("nowhere.mp4", "attachment_not_found"),
        ("film.mp4/scene.mp4", "attachment_unreadable"),
        ("../secret.txt", "media_source_failed"),
    ],
)
async def test_local_media_that_is_not_there_is_an_error(
    hass: HomeAssistant, server: ScriptedServer, tmp_path: Path, name: str, key: str
) -> None:
    (tmp_path / "film.mp4").write_bytes(b"film")
    hass.config.media_dirs = {"local": str(tmp_path)}
    assert await async_setup_component(hass, "media_source", {})

    with pytest.raises(HomeAssistantError) as caught:
        await _attach(
            hass,
            {"media_source": f"media-source://media_source/local/{name}"},
            attachments_required=True,
        )

    assert caught.value.translation_key == key
    assert server.record.connections == 0


async def test_local_media_of_an_unknown_type_is_an_error_that_says_so(
    hass: HomeAssistant, server: ScriptedServer, tmp_path: Path
) -> None:
    (tmp_path / "film.nothing").write_bytes(b"film")
    hass.config.media_dirs = {"local": str(tmp_path)}
    assert await async_setup_component(hass, "media_source", {})

    with pytest.raises(ServiceValidationError, match=r"local/film\.nothing") as caught:
        await _attach(
            hass,
            {"media_source": "media-source://media_source/local/film.nothing"},
            attachments_required=True,
        )

    assert caught.value.translation_key == "media_source_type_unknown"
    assert server.record.connections == 0


@pytest.mark.parametrize("step", ["film.mp4", "deep/film.mp4"])
async def test_local_media_does_not_lead_out_of_the_media_folders(
    hass: HomeAssistant, server: ScriptedServer, tmp_path: Path, step: str
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "film.mp4").write_bytes(b"film")
    media = tmp_path / "media"
    media.mkdir()
    (media / "film.mp4").symlink_to(tmp_path / "outside" / "film.mp4")
    (media / "deep").symlink_to(tmp_path / "outside")
    hass.config.media_dirs = {"local": str(media)}
    assert await async_setup_component(hass, "media_source", {})

    with pytest.raises(ServiceValidationError) as caught:
        await _attach(hass, {"media_source": f"media-source://media_source/local/{step}"})
    assert caught.value.translation_key == "path_not_allowed"
    assert server.record.connections == 0

    hass.config.allowlist_external_dirs = {str(tmp_path / "outside")}
    await _attach(hass, {"media_source": f"media-source://media_source/local/{step}"})
    assert len(attached(only_mail(server))) == 1


async def test_another_source_has_its_files_where_it_says(
    hass: HomeAssistant, server: ScriptedServer, tmp_path: Path
) -> None:
    (tmp_path / "film.mp4").write_bytes(b"film")
    film = PlayMedia("/film.mp4", "video/mp4", path=tmp_path / "film.mp4")

    with patch.object(media_source, "async_resolve_media", return_value=film):
        await _attach(hass, {"media_source": "media-source://cameras/film"})

    assert attached(only_mail(server))[0].get_payload(decode=True) == b"film"


async def test_the_files_of_another_source_are_no_links_to_elsewhere(
    hass: HomeAssistant, server: ScriptedServer, tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "film.mp4").write_bytes(b"film")
    (tmp_path / "here" / "film.mp4").symlink_to(tmp_path / "film.mp4")
    film = PlayMedia("/film.mp4", "video/mp4", path=tmp_path / "here" / "film.mp4")

    with (
        patch.object(media_source, "async_resolve_media", return_value=film),
        pytest.raises(ServiceValidationError) as caught,
    ):
        await _attach(hass, {"media_source": "media-source://cameras/film"})

    assert caught.value.translation_key == "path_not_allowed"
    assert server.record.connections == 0


async def test_media_that_is_only_a_stream_cannot_be_attached(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    assert await async_setup_component(hass, "media_source", {})

    stream = PlayMedia("http://radio.example.test/", "audio/mpeg")
    with (
        patch.object(media_source, "async_resolve_media", return_value=stream),
        pytest.raises(ServiceValidationError) as caught,
    ):
        await _attach(
            hass, {"media_source": "media-source://radio/station"}, attachments_required=True
        )

    assert caught.value.translation_key == "media_source_not_supported"
    assert server.record.connections == 0


async def test_speech_is_attached_as_sound(hass: HomeAssistant, server: ScriptedServer) -> None:
    hass.config.components.add("tts")

    with patch.object(tts, "async_get_media_source_audio", return_value=("mp3", b"ID3 hello")):
        await _attach(hass, {"media_source": "media-source://tts/demo?message=Hello"})

    (speech,) = attached(only_mail(server))
    assert (speech.get_filename() or "").startswith("tts_")
    assert (speech.get_filename() or "").endswith(".mp3")
    assert speech.get_content_type() == "audio/mpeg"


async def test_speech_without_a_sound_is_an_error(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    hass.config.components.add("tts")

    with (
        patch.object(tts, "async_get_media_source_audio", return_value=("mp3", b"")),
        pytest.raises(HomeAssistantError, match=r"tts/demo.* is empty"),
    ):
        await _attach(
            hass,
            {"media_source": "media-source://tts/demo?message=Hello"},
            attachments_required=True,
        )

    assert server.record.connections == 0


async def test_two_accounts_send_the_same_snapshot(hass: HomeAssistant, bed: Bed) -> None:
    home, office = await bed.serve(), await bed.serve()
    await load_account(hass, home, recipient("Anna", [ANNA]))
    await load_account(hass, office, recipient("Bea", ["bea@example.test"]), title="Office")
    await add_entities(hass, "camera", StillCamera("Door"))

    await send(
        hass,
        entity_id=["notify.anna", "notify.bea"],
        attachments=[{"entity_id": "camera.door", "filename": "door.jpg"}],
    )

    for server in (home, office):
        (picture,) = attached(only_mail(server))
        assert picture.get_payload(decode=True) == JPEG
