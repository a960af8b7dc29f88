"""What the Marketplace asks GitHub for about one repository, answered on loopback."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from .client import Json

REPOSITORY = "email-courier/email-courier"
MANIFEST = "custom_components/email_courier/manifest.json"
_ROOT = Path(__file__).resolve().parents[2]
_READABLE = ("hacs.json", "README.md", MANIFEST)
_ID = 1234567


class Source:
    """One repository with one release, and a note of everything that was asked for."""

    def __init__(self, tag: str, archive: Path, *, attached: bool = True) -> None:
        """Offer a zip as the only file of a release; attached: whether it is there."""
        self.url = ""
        self.asked: list[str] = []
        self._tag = tag
        self._archive = archive
        self._attached = attached

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer as the host in the first part of the path would."""
        self.asked.append(request.path)
        host, _, path = request.path.removeprefix("/").partition("/")
        match host:
            case "api":
                return self._api(path.removeprefix(f"repos/{REPOSITORY}").strip("/"))
            case "raw":
                file = path.removeprefix(f"{REPOSITORY}/{self._tag}/")
                return web.Response(body=_read(file)) if file in _READABLE else _missing()
            case "github" if path == self._asset and self._attached:
                return web.FileResponse(self._archive)
            case "catalog":
                lists = ("removed/data.json", "critical/data.json")
                return web.json_response([] if path in lists else {})
        return _missing()

    @property
    def _asset(self) -> str:
        return f"{REPOSITORY}/releases/download/{self._tag}/email_courier.zip"

    def _api(self, path: str) -> web.Response:
        if path == "":
            return web.json_response(self._repository())
        if path == "releases":
            return web.json_response([self._release()])
        if path.startswith("git/trees/"):
            return web.json_response({"sha": "0" * 40, "tree": _tree(), "truncated": False})
        if (file := path.removeprefix("contents/")) in _READABLE:
            content = b64encode(_read(file)).decode()
            return web.json_response({"name": Path(file).name, "path": file, "content": content})
        if path.startswith("branches/"):
            return web.json_response({"name": "main", "commit": {"sha": "0" * 40}})
        if path == "rate_limit":
            limit = {"limit": 5000, "used": 0, "remaining": 5000, "reset": 0}
            return web.json_response({"resources": {"core": limit}, "rate": limit})
        return _missing()

    def _repository(self) -> Json:
        return {
            "id": _ID,
            "name": "email-courier",
            "full_name": REPOSITORY,
            "description": "Mail that arrives",
            "archived": False,
            "default_branch": "main",
            "has_issues": True,
            "open_issues_count": 0,
            "pushed_at": "2026-11-01T00:00:00Z",
            "stargazers_count": 1,
            "topics": [],
        }

    def _release(self) -> Json:
        url = f"https://github.com/{self._asset}"
        asset = {"id": 1, "name": "email_courier.zip", "browser_download_url": url}
        return {
            "id": 1,
            "tag_name": self._tag,
            "name": self._tag,
            "draft": False,
            "prerelease": False,
            "body": "",
            "published_at": "2026-11-01T00:00:00Z",
            "assets": [asset] if self._attached else [],
        }


def _read(file: str) -> bytes:
    return (_ROOT / file).read_bytes()


def _tree() -> list[Json]:
    return [
        {"path": path, "type": kind, "mode": "100644", "sha": "0" * 40}
        for path, kind in (
            ("custom_components", "tree"),
            ("custom_components/email_courier", "tree"),
            *((file, "blob") for file in _READABLE),
        )
    ]


def _missing() -> web.Response:
    return web.json_response({"message": "Not Found"}, status=404)


@asynccontextmanager
async def serving(source: Source) -> AsyncIterator[Source]:
    """Answer on a free port of loopback for the length of the context."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", source.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port, *_ = runner.addresses[0]
        source.url = f"http://{host}:{port}"
        yield source
    finally:
        await runner.cleanup()
