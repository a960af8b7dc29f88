"""Fetching over a real HTTPS connection."""

import asyncio
import time

import aiohttp
import pytest

from custom_components.email_courier.mail.discovery.model import LookupFailed
from custom_components.email_courier.mail.discovery.web import Page, SessionFetch
from tests.support.clock import SOON

from .doubles import DOMAIN
from .web_stand_in import Answer, WebStandIn, redirect

ERRORS = (aiohttp.ClientError,)
URL = f"https://{DOMAIN}/file"


async def test_a_page_comes_whole(web: WebStandIn) -> None:
    web.on(f"{DOMAIN}/file", Answer(body=b"x" * 5000))

    async with web.session() as session:
        page = await SessionFetch(session, ERRORS)(URL, limit=10_000)

    assert page == Page(200, None, b"x" * 5000)


async def test_reading_stops_at_the_limit(web: WebStandIn) -> None:
    web.on(f"{DOMAIN}/file", Answer(endless=True))

    async with web.session() as session:
        page = await SessionFetch(session, ERRORS)(URL, limit=100_000)

    assert len(page.body) == 100_000


async def test_a_redirect_is_reported_and_not_followed(web: WebStandIn) -> None:
    web.on(f"{DOMAIN}/file", redirect("http://evil.net/"))

    async with web.session() as session:
        page = await SessionFetch(session, ERRORS)(URL, limit=10)

    assert (page.status, page.location) == (302, "http://evil.net/")
    assert len(web.requests) == 1


async def test_a_certificate_that_is_not_trusted_is_a_failed_lookup(web: WebStandIn) -> None:
    async with web.session(trusting=False) as session:
        with pytest.raises(LookupFailed):
            await SessionFetch(session, ERRORS)(URL, limit=10)

    assert web.requests == []


async def test_a_certificate_for_another_name_is_a_failed_lookup(web: WebStandIn) -> None:
    async with web.session() as session:
        with pytest.raises(LookupFailed):
            await SessionFetch(session, ERRORS)("https://other.email/file", limit=10)


async def test_nobody_listening_is_a_failed_lookup(web: WebStandIn) -> None:
    web.port = 1
    async with web.session() as session:
        with pytest.raises(LookupFailed):
            await SessionFetch(session, ERRORS)(URL, limit=10)


async def test_compression_is_neither_asked_for_nor_taken(web: WebStandIn) -> None:
    web.on(f"{DOMAIN}/file", Answer(body=b"\x1f\x8b", headers={"Content-Encoding": "gzip"}))

    async with web.session() as session:
        with pytest.raises(LookupFailed, match="compressed"):
            await SessionFetch(session, ERRORS)(URL, limit=10)

    assert web.requests[0].headers["accept-encoding"] == "identity"


async def test_cancelling_an_endless_drip_ends_at_once(web: WebStandIn) -> None:
    web.on(f"{DOMAIN}/file", Answer(endless=True, drip=0.05))
    async with web.session() as session:
        fetching = asyncio.create_task(SessionFetch(session, ERRORS)(URL, limit=10_000))
        await asyncio.sleep(0.3)
        started = time.monotonic()
        fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetching

    assert time.monotonic() - started < SOON
