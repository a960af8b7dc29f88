"""The table of threats in docs/buttons.md, row by row: each name there is a test here."""

import asyncio
import gc
import logging
import os
from pathlib import Path
import re
import statistics
import time
from typing import Any

from aiohttp import ClientResponse, ClientSession
from homeassistant.core import Event, HomeAssistant
import pytest

from custom_components.email_courier.answer.book import BOOK, async_book, book_of
from custom_components.email_courier.answer.token import KEY_SIZE, Signer
from custom_components.email_courier.const import ANSWER_PATH, DOMAIN
from custom_components.email_courier.diagnostics import async_get_config_entry_diagnostics
from tests.support.answers import OPEN, Client, Page, ask, page_at, press, token_of
from tests.support.clock import SOON
from tests.support.fixtures import Bed
from tests.support.mails import send
from tests.support.sending import state_of

Events = list[Event[dict[str, Any]]]

SCANNERS = {
    "Microsoft Defender Safe Links": {
        "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36",
    },
    "Barracuda": {"User-Agent": "BarracudaCentral/1.0"},
    "Proofpoint": {"User-Agent": "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 6.1)"},
    "Google image proxy": {
        "User-Agent": "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com "
        "GoogleImageProxy)"
    },
    "Apple Mail link preview": {
        "User-Agent": "facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        "Purpose": "prefetch",
    },
    "browser that loads in advance": {
        "Sec-Purpose": "prefetch;prerender",
        "Sec-Fetch-Site": "none",
    },
    "messenger that shows a preview": {"User-Agent": "TelegramBot (like TwitterBot)"},
}


@pytest.fixture
async def link(hass: HomeAssistant, bed: Bed, client: Client) -> str:  # noqa: ARG001 - it has to be there first
    """The link of a button in a mail."""
    return (await ask(hass, bed))["Open the gate"]


def another(token: str) -> str:
    """Return a token of the same form that this home has never made."""
    sign = "A" if token[20] != "A" else "B"
    return token[:20] + sign + token[21:]


@pytest.mark.parametrize("scanner", SCANNERS)
async def test_a_scanner_that_follows_links_does_nothing(
    hass: HomeAssistant, client: Client, pressed: Events, link: str, scanner: str
) -> None:
    for method in ("HEAD", "GET", "GET", "OPTIONS"):
        response = await client.request(method, link, headers=SCANNERS[scanner])
        assert response.status in (200, 403, 405)

    await hass.async_block_till_done()
    assert pressed == []
    assert (await press(client, link)).status == 200


async def test_a_scanner_that_posts_without_reading_the_page_does_nothing(
    client: Client, pressed: Events, link: str
) -> None:
    bodies: list[dict[str, Any]] = [
        {},
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"data": {"proof": "00" * 16}},
        {"json": {"proof": "00" * 16}},
        {"data": b"\xff\xfe"},
    ]
    for body in bodies:
        assert (await client.post(link, **body)).status == 400

    assert pressed == []
    assert (await press(client, link)).status == 200


async def test_what_was_forwarded_acts_once_for_all_who_have_it(
    client: Client, pressed: Events, link: str
) -> None:
    pages = [await page_at(client, link) for _ in range(5)]

    answers = [(await client.post(link, data=page.fields)).status for page in pages]

    assert answers == [200, 410, 410, 410, 410]
    assert len(pressed) == 1


def _resident() -> int:
    """Return the bytes of memory that this process holds."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def _guess(client: Client, tokens: list[str]) -> tuple[set[int], list[float]]:
    """Try tokens, with a client that keeps nothing of what it is answered."""
    statuses: set[int] = set()
    seconds: list[float] = []
    page = client.make_url(ANSWER_PATH)
    async with ClientSession() as session:
        for at, token in enumerate(tokens):
            begun = time.perf_counter()
            method = ("GET", "POST", "HEAD")[at % 3]
            async with session.request(method, page.with_query(t=token)) as response:
                await response.read()
            seconds.append(time.perf_counter() - begun)
            statuses.add(response.status)
    return statuses, seconds


@pytest.mark.slow
async def test_ten_thousand_guesses_find_nothing_and_cost_nothing(
    client: Client, pressed: Events, link: str, caplog: Any
) -> None:
    caplog.set_level(logging.CRITICAL)
    stranger = Signer(bytes(KEY_SIZE))
    own = token_of(link)
    tokens = [
        *(stranger.token()[0] for _ in range(1)),
        *(own[:size] for size in range(39)),
        *(f"{number:039d}" for number in range(10_000)),
    ]
    await _guess(client, tokens[:1000])
    before = _resident()

    statuses, seconds = await _guess(client, tokens)

    grown = _resident() - before
    assert statuses == {404}
    assert grown < 10_000_000
    # Half of the answers: a machine may be busy with other things in between.
    assert statistics.median(seconds) < 0.02
    assert pressed == []
    assert (await press(client, link)).status == 200


async def test_a_forged_token_is_unknown_and_counts_as_a_wrong_login_after_the_answer(
    client: Client, pressed: Events, link: str, caplog: Any
) -> None:
    forged = another(token_of(link))

    response = await client.post(f"{ANSWER_PATH}?t={forged}")

    assert response.status == 404
    assert Page(await response.text()).text == "This link leads nowhere"
    async with asyncio.timeout(SOON):
        while "invalid authentication" not in caplog.text:
            await asyncio.sleep(0)
    assert f"Requested URL: '{ANSWER_PATH}'" in caplog.text
    assert not [one for one in _logged(caplog) if forged in one]
    assert pressed == []


@pytest.mark.parametrize("kind", ["used", "cut", "expired", "looked at"])
async def test_what_scanners_do_gets_nobody_banned(
    hass: HomeAssistant, client: Client, link: str, caplog: Any, kind: str
) -> None:
    token = token_of(link)
    if kind in ("used", "expired"):
        await press(client, link)
    if kind == "expired":
        await (await async_book(hass)).async_revoke(lambda *_: True)
    if kind == "cut":
        token = token[:-1]
    if kind == "looked at":
        token = another(token)

    for _ in range(5):
        response = await client.request(
            "GET" if kind == "looked at" else "POST", f"{ANSWER_PATH}?t={token}"
        )
        assert response.status in (404, 410)

    await hass.async_block_till_done(wait_background_tasks=True)
    assert "invalid authentication" not in caplog.text


async def test_a_replay_of_the_whole_request_does_nothing(
    client: Client, pressed: Events, link: str
) -> None:
    fields = (await page_at(client, link)).fields
    first = await client.post(link, data=fields)

    again: list[ClientResponse] = [await client.post(link, data=fields) for _ in range(3)]

    assert (first.status, {one.status for one in again}) == (200, {410})
    assert len(pressed) == 1


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_page_elsewhere_cannot_press_for_a_reader(
    client: Client, pressed: Events, link: str, site: str
) -> None:
    fields = (await page_at(client, link)).fields

    response = await client.post(link, data=fields, headers={"Sec-Fetch-Site": site})

    assert response.status == 403
    assert pressed == []


async def test_the_proof_of_one_page_is_none_for_another_button(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: Events
) -> None:
    links = await ask(hass, bed)
    fields = (await page_at(client, links["Ignore"])).fields

    assert (await client.post(links["Open the gate"], data=fields)).status == 400
    assert pressed == []


@pytest.mark.parametrize("state", ["open", "answered", "unknown"])
async def test_a_page_cannot_be_framed_kept_indexed_or_made_to_load_anything(
    client: Client, link: str, state: str
) -> None:
    if state == "answered":
        await press(client, link)
    response = await client.get("/api/email_courier/answer?t=x" if state == "unknown" else link)

    headers = response.headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    for rule in ("frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"):
        assert rule in policy
    assert "script" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] in ("DENY", "SAMEORIGIN")
    assert "noindex" in headers["X-Robots-Tag"]
    assert "Set-Cookie" not in headers
    text = await response.text()
    assert not re.search(r"<(?:script|img|link|iframe|object)|\son\w+=|url\(", text)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_any_other_method_is_refused(
    client: Client, pressed: Events, link: str, method: str
) -> None:
    assert (await client.request(method, link)).status in (403, 405)
    assert pressed == []


@pytest.mark.parametrize("size", [1_100, 20_000, 3_000_000])
async def test_a_body_that_is_too_large_is_refused_unread(
    client: Client, pressed: Events, link: str, size: int
) -> None:
    fields = (await page_at(client, link)).fields

    response = await client.post(link, data={**fields, "more": "x" * size})

    assert response.status == 413
    assert pressed == []


@pytest.mark.parametrize(
    "evil", ["%0d%0aSet-Cookie:%20a=b", "%00", "..%2f..%2f", "%f0%28%8c%28", "a&t=b"]
)
async def test_what_is_put_into_a_link_comes_back_in_no_header_and_on_no_page(
    client: Client, pressed: Events, link: str, evil: str
) -> None:
    response = await client.get(f"{ANSWER_PATH}?t={evil}")

    assert response.status in (400, 404)
    assert "Set-Cookie" not in response.headers
    assert "a=b" not in await response.text()
    assert (await client.get(f"{link}{evil}")).status in (400, 404)
    assert pressed == []


async def test_what_is_typed_comes_back_on_no_page(
    hass: HomeAssistant, bed: Bed, client: Client
) -> None:
    links = await ask(hass, bed, actions=[{**OPEN, "behavior": "textInput"}])

    response = await press(client, links["Open the gate"], reply_text="<script>alert(1)</script>")

    assert response.status == 200
    assert "alert" not in await response.text()


async def test_a_backup_that_is_put_back_opens_nothing_again(
    hass: HomeAssistant, client: Client, pressed: Events, link: str, caplog: Any
) -> None:
    book = await async_book(hass)
    storage = Path(hass.config.path(".storage"))
    copies = await hass.async_add_executor_job(_backup, storage)
    assert book.path in copies
    await press(client, link)
    for path, content in copies.items():
        path.write_bytes(content)
    _forget(hass)

    assert (await client.get(link)).status == 410
    assert "come from a backup" in caplog.text
    assert len(pressed) == 1


def _backup(storage: Path) -> dict[Path, bytes]:
    """Return the files of a backup, from which Home Assistant leaves logs out."""
    files = (path for path in storage.glob("email_courier*") if path.is_file())
    return {path: path.read_bytes() for path in files if path.suffix != ".log"}


def _questions(hass: HomeAssistant) -> list[Path]:
    return [*Path(hass.config.path(".storage")).glob("email_courier.questions*")]


def _forget(hass: HomeAssistant) -> None:
    """Lose what is in memory, as a restart does."""
    book_of(hass).async_close()
    del hass.data[BOOK]


def _logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what is in the log. Home Assistant turns that of requests (aiohttp.access) off."""
    return [one.getMessage() for one in caplog.records if one.name != "aiohttp.access"]


@pytest.mark.usefixtures("client")
async def test_a_copy_of_the_file_tells_no_token(hass: HomeAssistant, link: str) -> None:
    book = await async_book(hass)
    text = await hass.async_add_executor_job(book.path.read_text)

    assert token_of(link) not in text
    assert book.path.stat().st_mode & 0o077 == 0


async def test_no_token_is_in_logs_events_states_diagnostics_and_lists(
    hass: HomeAssistant, bed: Bed, client: Client, pressed: Events, caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    links = await ask(hass, bed)
    tokens = [token_of(one) for one in links.values()]
    await client.get(links["Ignore"])
    await press(client, links["Open the gate"])
    await client.post(links["Ignore"])
    await hass.async_block_till_done()
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    lists = [
        await hass.services.async_call(DOMAIN, name, {}, blocking=True, return_response=True)
        for name in ("list_recent", "list_waiting")
    ]
    told = [
        *map(str, lists),
        str(pressed[0].data),
        str(state_of(hass, "event.home_mail").as_dict()),
        str(await async_get_config_entry_diagnostics(hass, entry)),
        *_logged(caplog),
    ]

    assert not [token for token in tokens for text in told if token in text]


async def test_a_neighbour_on_the_proxy_who_sees_the_page_learns_no_other_button(
    hass: HomeAssistant, bed: Bed, client: Client
) -> None:
    links = await ask(hass, bed)

    text = await (await client.get(links["Ignore"])).text()

    assert token_of(links["Open the gate"]) not in text
    assert "Open the gate?" in text  # the question, not the button
    assert text.count("answer?t=") == 1


async def test_the_removal_of_an_account_ends_what_its_mails_could_do(
    hass: HomeAssistant, client: Client, pressed: Events, link: str
) -> None:
    fields = (await page_at(client, link)).fields
    (entry,) = hass.config_entries.async_entries(DOMAIN)

    await hass.config_entries.async_remove(entry.entry_id)

    assert (await client.post(link, data=fields)).status == 410
    assert pressed == []
    assert not await hass.async_add_executor_job(_questions, hass)


async def test_a_revoked_link_is_gone(
    hass: HomeAssistant, client: Client, pressed: Events, link: str
) -> None:
    fields = (await page_at(client, link)).fields

    await hass.services.async_call(DOMAIN, "revoke_actions", {}, blocking=True)

    assert (await client.post(link, data=fields)).status == 410
    assert pressed == []


@pytest.mark.usefixtures("pressed")
async def test_a_link_works_after_a_restart_and_once_still(
    hass: HomeAssistant, client: Client, link: str
) -> None:
    _forget(hass)
    assert (await client.get(link)).status == 200
    fields = (await page_at(client, link)).fields
    assert (await client.post(link, data=fields)).status == 200
    _forget(hass)

    assert (await client.post(link, data=fields)).status == 410


@pytest.mark.usefixtures("bed", "client", "link")
async def test_a_question_is_on_disk_before_its_mail_goes(hass: HomeAssistant) -> None:
    book = await async_book(hass)
    seen: list[str] = []
    account = hass.config_entries.async_entries(DOMAIN)[0].runtime_data
    submit = account.courier.submit

    async def look(mail: Any) -> Any:
        seen.append(await hass.async_add_executor_job(book.path.read_text))
        return await submit(mail)

    account.courier.submit = look
    sent = await send(hass, to="anna@example.test", actions=[OPEN])

    assert sent["message_id"] in seen[0].replace("\\u003c", "<")
