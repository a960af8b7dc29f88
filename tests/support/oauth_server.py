"""An OAuth 2 authorization server on loopback with a consent page (RFC 6749, 7636, 7009, 7662).

It is strict: what a careful provider would refuse it refuses, and PKCE is required. All its
faults are attributes that a test can set.
"""

import asyncio
import base64
from dataclasses import dataclass, field
import hashlib
import hmac
import html
import secrets
import time
from typing import Any, Self
from urllib.parse import urlencode

from aiohttp import web

from tests.support.script import USERNAME

CLIENT_ID = "courier-test"
CLIENT_SECRET = "a-client-secret-of-a-test"
SCOPE = "mail.send"

_PAGE = """\
<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in</title>
<style>body{{font:16px sans-serif;max-width:28em;margin:4em auto}}button{{font:inherit;\
padding:.6em 1.2em;margin-right:1em}}</style></head><body>
<h1>Example ID</h1>
<p><b>{client}</b> wants to send mail as <b>{user}</b>.</p>
<form method="post" action="/consent">{fields}
<button name="answer" value="allow">Allow</button>
<button name="answer" value="deny">Deny</button>
</form></body></html>
"""
_ASKED = ("client_id", "redirect_uri", "state", "scope", "code_challenge")


@dataclass
class _Grant:
    """What a person has allowed; withdrawn, none of its tokens is worth anything."""

    scope: str
    refresh_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    is_withdrawn: bool = False


@dataclass(frozen=True)
class _Code:
    """An authorization code, good for one use."""

    grant: _Grant
    redirect_uri: str
    challenge: str


class OAuthServer:
    """One provider with one person.

    client_secret: of the one client.
    lifetime: seconds that an access token is good for.
    token_length: characters of an access token.
    status: answered by the token endpoint in place of what was asked for.
    delay: seconds before the token endpoint answers.
    omits: what the token endpoint leaves out of its answers.
    rotates: each refresh token is good for one use.
    requests: the grant types that the token endpoint was asked for.
    tokens: all access tokens and refresh tokens that were ever issued.
    """

    def __init__(self, user: str = USERNAME) -> None:
        """Prepare a provider; `async with` starts and stops it."""
        self.user = user
        self.client_secret = CLIENT_SECRET
        self.lifetime = 3600
        self.token_length = 40
        self.status: int | None = None
        self.delay = 0.0
        self.omits: frozenset[str] = frozenset()
        self.rotates = False
        self.requests: list[str] = []
        self.tokens: set[str] = set()
        self.url = ""
        self._codes: dict[str, _Code] = {}
        self._grants: list[_Grant] = []
        self._access: dict[str, tuple[_Grant, float]] = {}
        self._runner: web.AppRunner | None = None

    @property
    def authorize_url(self) -> str:
        """Where a person is sent."""
        return f"{self.url}/authorize"

    @property
    def token_url(self) -> str:
        """Where a program gets its tokens."""
        return f"{self.url}/token"

    @property
    def introspection_url(self) -> str:
        """Where a mail server asks what a token is worth."""
        return f"{self.url}/introspect"

    async def __aenter__(self) -> Self:
        """Listen on a free port of loopback."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/authorize", self._authorize),
                web.post("/consent", self._consent),
                web.post("/token", self._token),
                web.post("/revoke", self._revoke),
                web.post("/introspect", self._introspect),
            ]
        )
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def withdraw(self) -> None:
        """Take back all that the person has allowed, as on the provider's security page."""
        for grant in self._grants:
            grant.is_withdrawn = True

    def expire(self) -> None:
        """End all access tokens before their time; their grants stay."""
        self._access.clear()

    def issue(self) -> tuple[str, str]:
        """Return an access token and a refresh token as if the person had just consented."""
        answer = self._answer(self._new_grant(SCOPE))
        return answer["access_token"], answer["refresh_token"]

    @property
    def newest(self) -> str | None:
        """The access token that was issued last, if it is good now."""
        token = next(reversed(self._access), "")
        return token if self.is_active(token) else None

    def is_active(self, token: str) -> bool:
        """Tell whether an access token is good now."""
        grant, until = self._access.get(token, (None, 0.0))
        return grant is not None and not grant.is_withdrawn and time.time() < until

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = {name: request.query.get(name, "") for name in _ASKED}
        if (
            request.query.get("response_type") != "code"
            or asked["client_id"] != CLIENT_ID
            or request.query.get("code_challenge_method") != "S256"
            or not all(asked.values())
        ):
            return web.Response(status=400, text=f"invalid_request: {asked}")
        fields = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value)}">'
            for name, value in asked.items()
        )
        page = _PAGE.format(client="Home Assistant", user=html.escape(self.user), fields=fields)
        return web.Response(text=page, content_type="text/html")

    async def _consent(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        answer = {"state": form["state"]}
        if form["answer"] == "allow":
            code = secrets.token_urlsafe(16)
            grant = self._new_grant(form["scope"])
            self._codes[code] = _Code(grant, form["redirect_uri"], form["code_challenge"])
            answer["code"] = code
        else:
            answer["error"] = "access_denied"
        raise web.HTTPFound(f"{form['redirect_uri']}?{urlencode(answer)}")

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.requests.append(form.get("grant_type", ""))
        answer = self._token_answer(form)
        await asyncio.sleep(self.delay)
        return answer

    def _token_answer(self, form: dict[str, str]) -> web.Response:
        if self.status is not None:
            return web.json_response({"error": "temporarily_unavailable"}, status=self.status)
        if form.get("client_id") != CLIENT_ID or not hmac.compare_digest(
            form.get("client_secret", ""), self.client_secret
        ):
            return web.json_response({"error": "invalid_client"}, status=401)
        match form.get("grant_type"):
            case "authorization_code":
                grant = self._redeem(form)
            case "refresh_token":
                grant = self._refresh(form)
            case _:
                return web.json_response({"error": "unsupported_grant_type"}, status=400)
        if grant is None or grant.is_withdrawn:
            return web.json_response({"error": "invalid_grant"}, status=400)
        answer = self._answer(grant)
        return web.json_response(
            {name: value for name, value in answer.items() if name not in self.omits}
        )

    async def _revoke(self, request: web.Request) -> web.Response:
        token = str((await request.post()).get("token", ""))
        for grant in self._grants:
            if grant.refresh_token == token:
                grant.is_withdrawn = True
        self._access.pop(token, None)
        return web.Response()

    async def _introspect(self, request: web.Request) -> web.Response:
        token = str((await request.post()).get("token", ""))
        if not self.is_active(token):
            return web.json_response({"active": False})
        grant, until = self._access[token]
        return web.json_response(
            {"active": True, "username": self.user, "scope": grant.scope, "exp": int(until)}
        )

    def _new_grant(self, scope: str) -> _Grant:
        grant = _Grant(scope)
        self._grants.append(grant)
        return grant

    def _redeem(self, form: dict[str, str]) -> _Grant | None:
        """Return the grant of a code that is used as it was asked for (RFC 7636 section 4.6)."""
        code = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if code is None or code.redirect_uri != form.get("redirect_uri"):
            return None
        return code.grant if hmac.compare_digest(code.challenge, challenge) else None

    def _refresh(self, form: dict[str, str]) -> _Grant | None:
        for grant in self._grants:
            if hmac.compare_digest(grant.refresh_token, form.get("refresh_token", "")):
                if self.rotates:
                    grant.refresh_token = secrets.token_urlsafe(24)
                return grant
        return None

    def _answer(self, grant: _Grant) -> dict[str, Any]:
        token = secrets.token_urlsafe(self.token_length)[: self.token_length]
        self._access[token] = (grant, time.time() + self.lifetime)
        self.tokens |= {token, grant.refresh_token}
        return {
            "access_token": token,
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "refresh_token": grant.refresh_token,
            "scope": grant.scope,
        }
