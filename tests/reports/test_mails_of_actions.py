"""What becomes of the data of actions: how many mails, to whom, with which files."""

from typing import Any

from homeassistant.core import HomeAssistant

from tests.reports.driver import (
    account_at,
    attached,
    classic,
    notify,
    only_mail,
    pictures_in,
    read,
    recipient,
    run_step,
    send,
    slug_of,
    text_of,
)
from tests.reports.reports import report
from tests.reports.servers import Bed

TO = "bea@example.test"


@report(
    source="home-assistant/core#83152",
    symptom="A target sends to the default recipients as well.",
    ours="A target gets the mail instead of the recipients, and one mail only.",
    held_at_first=True,
)
async def test_a_target_is_instead_of_the_recipients(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    await recipient(hass, entry, "Bea", [TO])

    await classic(hass, entry, target=["user1@example.test", "user2@example.test"])

    assert only_mail(server).recipients == ("user1@example.test", "user2@example.test")


@report(
    source="home-assistant/core#181046",
    symptom="Several recipients each get a mail of their own, and see nothing of each other.",
    ours="One call is one mail to all of them.",
    held_at_first=True,
)
async def test_one_call_is_one_mail(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    bea, _ = await recipient(hass, entry, "Bea", [TO])
    family, _ = await recipient(hass, entry, "Family", ["carl@example.test", "dora@example.test"])

    await send(hass, entity_id=[bea, family])

    assert len(only_mail(server).recipients) == 3


@report(
    source="home-assistant/core#175797",
    symptom="notify.send_message delivers a mail without a To header.",
    ours="To names the recipients; with blind copies alone, it is there and names nobody.",
    held_at_first=True,
)
async def test_there_is_always_somebody_in_to(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)
    bea, _ = await recipient(hass, entry, "Bea", [f"Bea <{TO}>"])

    await notify(hass, bea)
    await send(hass, bcc=TO)

    one, two = server.record.mails
    assert read(one.content)["To"] == f"Bea <{TO}>"
    to = read(two.content)["To"]
    assert to is None or str(to).strip()
    assert TO not in two.content.decode()


@report(
    source="home-assistant/core#13874",
    symptom="images as a text instead of a list: every letter is taken for a file.",
    ours="One path may stand alone.",
    held_at_first=True,
)
async def test_one_image_needs_no_list(hass: HomeAssistant, bed: Bed, tmp_path: Any) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    server = await bed.serve()
    entry = await account_at(hass, server)
    (path,) = pictures_in(tmp_path, "foo.jpg")

    await classic(hass, entry, target=TO, data={"images": path})

    (part,) = attached(only_mail(server))
    assert part.get_filename() == "foo.jpg"


@report(
    source="home-assistant/core#18288",
    symptom="Templates in the list of images are taken literally.",
    ours="Templates inside data are filled in by the script, and the file is found.",
    held_at_first=True,
)
async def test_images_may_be_templates(hass: HomeAssistant, bed: Bed, tmp_path: Any) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    server = await bed.serve()
    entry = await account_at(hass, server)
    pictures_in(tmp_path, "bell_7_30.jpg")
    path = f"{tmp_path}/bell_{{{{ 7 }}}}_{{{{ 30 }}}}.jpg"

    await run_step(
        hass,
        {
            "action": f"notify.{slug_of(entry)}",
            "data": {"message": "Bell", "target": TO, "data": {"images": [path]}},
        },
    )

    (part,) = attached(only_mail(server))
    assert part.get_filename() == "bell_7_30.jpg"


@report(
    source="home-assistant/core#22142",
    symptom="html without images raises a KeyError.",
    ours="HTML needs no pictures.",
    held_at_first=True,
)
async def test_html_needs_no_images(hass: HomeAssistant, bed: Bed) -> None:
    server = await bed.serve()
    entry = await account_at(hass, server)

    await classic(
        hass, entry, target=TO, message="Text", data={"html": "<!DOCTYPE html><p>Rich ä</p>"}
    )

    assert text_of(only_mail(server)).strip() == "Text"
    assert "Rich ä" in text_of(only_mail(server), "html")
