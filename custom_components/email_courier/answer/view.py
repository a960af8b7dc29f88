"""What Home Assistant serves behind the button of a mail.

Only a POST that the page itself sends acts. Whatever fetches the link finds the page, and no more.
The page and the open questions are imported with the first visit.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiohttp import web
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView
from homeassistant.helpers.importlib import async_import_module
from yarl import URL

from ..const import ANSWER_PATH, DOMAIN

if TYPE_CHECKING:
    from .page import Visit

_PAGE: Final = f"{__package__}.page"
_MOST_REPORTS: Final = 20
"""Wrong logins that are being looked into at once; each asks a name server."""


class AnswerView(HomeAssistantView):
    """The page of a button, for whoever has its link."""

    url = ANSWER_PATH
    name = f"api:{DOMAIN}:answer"
    requires_auth = False

    def __init__(self) -> None:
        """Serve nobody yet."""
        self._reports: set[asyncio.Task[None]] = set()

    async def get(self, request: web.Request) -> web.Response:
        """Show what is asked."""
        return await (await _async_visit(request)).show()

    async def head(self, request: web.Request) -> web.Response:
        """Say what GET would, without a page."""
        response = await self.get(request)
        from .page import HEADERS  # noqa: PLC0415 - it is there with the visit

        return web.Response(status=response.status, headers=HEADERS)

    async def post(self, request: web.Request) -> web.Response:
        """Take an answer."""
        visit = await _async_visit(request)
        if visit.is_guess:
            self._report(request)
        return await visit.answer()

    def _report(self, request: web.Request) -> None:
        """Count a guess as a wrong login, once it was answered, and without the link in the log."""
        if len(self._reports) >= _MOST_REPORTS:
            return
        from homeassistant.components.http.ban import process_wrong_login  # noqa: PLC0415 - rare

        cut = request.clone(rel_url=URL(ANSWER_PATH), remote=request.remote or "")
        task = request.app[KEY_HASS].async_create_background_task(
            process_wrong_login(cut), f"{DOMAIN} wrong login"
        )
        self._reports.add(task)
        task.add_done_callback(self._reports.discard)


async def _async_visit(request: web.Request) -> Visit:
    await async_import_module(request.app[KEY_HASS], _PAGE)
    from .page import Visit  # noqa: PLC0415 - a start goes without

    return await Visit.async_begin(request)
