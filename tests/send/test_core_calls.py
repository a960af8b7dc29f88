"""Calls written for Home Assistant's own SMTP integration, with nothing but the name changed.

Their shape is that of its documentation: where each field stands, what is a list and what is not.
"""

from pathlib import Path

from homeassistant.core import HomeAssistant
import pytest

from tests.support.accounts import load_account, recipient
from tests.support.fixtures import Bed
from tests.support.mails import attached, only_mail, text_of
from tests.support.pictures import JPEG, StillCamera, StillImage, add_entities
from tests.support.scripted_server import ScriptedServer
from tests.support.yaml_actions import run


@pytest.fixture
async def server(hass: HomeAssistant, bed: Bed, tmp_path: Path) -> ScriptedServer:
    """An account with one recipient, a camera, an image, media and two snapshots on disk."""
    server = await bed.serve()
    await load_account(
        hass, server, recipient("Recipient", ["bea@example.test"]), title="NOTIFIER_NAME"
    )
    await add_entities(hass, "camera", StillCamera("Bird feeder"))
    await add_entities(hass, "image", StillImage(hass, "Map"))
    for name in ("snapshot1.jpg", "snapshot2.jpg"):
        (tmp_path / name).write_bytes(JPEG)
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    return server


async def test_classic_text_to_a_target(hass: HomeAssistant, server: ScriptedServer) -> None:
    await run(
        hass,
        r"""
        action: notify.NOTIFIER_NAME
        data:
          title: "Good morning"
          message: "Time to get up\r\n\r\nThe sun has risen."
          target:
            - "morning@example.com"
        """,
    )

    mail = only_mail(server)
    assert mail["To"] == "morning@example.com"
    assert mail["Subject"] == "Good morning"
    assert text_of(mail) == "Time to get up\n\nThe sun has risen.\n"


async def test_classic_images_without_html(
    hass: HomeAssistant, server: ScriptedServer, tmp_path: Path
) -> None:
    await run(
        hass,
        f"""
        - delay:
            seconds: 0
        - action: notify.NOTIFIER_NAME
          data:
            title: "Burglars"
            message: "Somebody is in the flat!"
            target:
              - "police@example.com"
            data:
              images:
                - {tmp_path}/snapshot1.jpg
                - {tmp_path}/snapshot2.jpg
        """,
    )

    mail = only_mail(server)
    assert [part.get_filename() for part in attached(mail)] == ["snapshot1.jpg", "snapshot2.jpg"]
    assert {part.get_content_type() for part in attached(mail)} == {"image/jpeg"}
    assert {part.get_content_disposition() for part in attached(mail)} == {"attachment"}


async def test_classic_images_in_html(
    hass: HomeAssistant, server: ScriptedServer, tmp_path: Path
) -> None:
    await run(
        hass,
        f"""
        action: notify.NOTIFIER_NAME
        data:
          message: "Somebody is in the flat!"
          data:
            images:
              - {tmp_path}/snapshot1.jpg
              - {tmp_path}/snapshot2.jpg
            html: >
              <!DOCTYPE html>
              <html lang="en">
                <body>
                  <h1>Somebody is in the flat!</h1>
                  <img alt="one" src="cid:snapshot1.jpg" />
                  <img alt="two" src="cid:snapshot2.jpg" />
                </body>
              </html>
        """,
    )

    mail = only_mail(server)
    assert mail["To"] == "bea@example.test"
    assert [part["Content-ID"] for part in attached(mail)] == [
        "<snapshot1.jpg>",
        "<snapshot2.jpg>",
    ]
    assert {part.get_content_disposition() for part in attached(mail)} == {"inline"}
    assert 'src="cid:snapshot1.jpg"' in text_of(mail, "html")
    assert text_of(mail) == "Somebody is in the flat!\n"


async def test_entity_text(hass: HomeAssistant, server: ScriptedServer) -> None:
    await run(
        hass,
        """
        action: notify.send_message
        target:
          entity_id: notify.recipient
        data:
          message: Frogs are waiting
          title: Reminder
        """,
    )

    assert only_mail(server)["Subject"] == "Reminder"
    assert text_of(only_mail(server)) == "Frogs are waiting\n"


async def test_new_text(hass: HomeAssistant, server: ScriptedServer) -> None:
    await run(
        hass,
        """
        action: email_courier.send_message
        target:
          entity_id: notify.recipient
        data:
          title: "Reminder"
          message: "Frogs are waiting"
          priority: lowest
        """,
    )

    mail = only_mail(server)
    assert mail["To"] == "bea@example.test"
    assert mail["Subject"] == "Reminder"
    assert mail["X-Priority"] == "5 (Lowest)"


@pytest.mark.parametrize("kind", ["image/jpeg", "application/vnd.apple.mpegurl"])
async def test_new_html_with_a_camera(
    hass: HomeAssistant, server: ScriptedServer, kind: str
) -> None:
    await run(
        hass,
        f"""
        action: email_courier.send_message
        target:
          entity_id: notify.recipient
        data:
          title: "🐦️ A guest"
          message: "Somebody has come to the bird feeder."
          html: |
              <html>
                <body>
                  <h2>🐦️ A guest</h2>
                  <img src="cid:bird_feeder" alt="The bird feeder">
                </body>
              </html>
          attachments:
              - media_source:
                  media_content_id: media-source://camera/camera.bird_feeder
                  media_content_type: {kind}
                filename: guest.jpg
                content_id: bird_feeder
        """,
    )

    mail = only_mail(server)
    (picture,) = attached(mail)
    assert picture.get_filename() == "guest.jpg"
    assert picture.get_content_type() == "image/jpeg"
    assert picture["Content-ID"] == "<bird_feeder>"
    assert mail["Subject"] == "🐦️ A guest"


async def test_new_attachments_handed_over_by_a_template(
    hass: HomeAssistant, server: ScriptedServer
) -> None:
    await run(
        hass,
        """
        - variables:
            files:
              - media_source:
                  media_content_id: media-source://image/image.map
                  media_content_type: image/png
                filename: map.png
        - action: email_courier.send_message
          target:
            entity_id: notify.recipient
          data:
            title: "{{ 'Map' }}"
            message: "Attached"
            attachments: "{{ files }}"
        """,
    )

    assert attached(only_mail(server))[0].get_filename() == "map.png"
