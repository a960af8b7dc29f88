"""Home Assistant's REST and websocket interfaces, as far as tests and the demo speak to it."""

import asyncio
from typing import Any, Self

import aiohttp

type Json = dict[str, Any]


class HassError(Exception):
    """Home Assistant refused a request; the text is its own."""


class Client:
    """A logged-in user of one Home Assistant."""

    def __init__(self, url: str, token: str) -> None:
        """Speak to the Home Assistant at `url` (no slash at its end) with an access token."""
        self.url = url
        self.token = token
        self._session = aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"})

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close its connections."""
        await self.close()

    async def close(self) -> None:
        """Close its connections."""
        await self._session.close()

    async def get(self, path: str) -> Any:
        """Return what is at a path such as `/api/config`."""
        return await self._request("GET", path)

    async def post(self, path: str, body: Json | None = None) -> Any:
        """Send `body` and return the answer."""
        return await self._request("POST", path, body or {})

    async def delete(self, path: str) -> Any:
        """Delete what is at a path and return the answer."""
        return await self._request("DELETE", path)

    async def command(self, type_: str, **arguments: Any) -> Any:
        """Send one websocket command over a connection of its own and return its result."""
        async with self._session.ws_connect(f"{self.url}/api/websocket") as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": self.token})
            answer = await socket.receive_json()
            if answer["type"] != "auth_ok":
                raise HassError(answer.get("message", "not let in"))
            await socket.send_json({"id": 1, "type": type_, **arguments})
            answer = await socket.receive_json()
        if not answer["success"]:
            raise HassError(f"{type_}: {answer['error']['message']}")
        return answer["result"]

    async def call(
        self, action: str, data: Json, *, target: Json | None = None, response: bool = False
    ) -> Any:
        """Perform an action such as `notify.send_message` and wait until it is done.

        Returns its response where `response` is asked for, else None. Raises `HassError` with the
        message that a person would read.
        """
        domain, _, service = action.partition(".")
        result = await self.command(
            "call_service",
            domain=domain,
            service=service,
            service_data=data,
            target=target or {},
            return_response=response,
        )
        return result.get("response")

    async def states(self, domain: str) -> dict[str, Json]:
        """Return the states of a domain's entities by entity id."""
        states: list[Json] = await self.get("/api/states")
        return {
            state["entity_id"]: state
            for state in states
            if state["entity_id"].startswith(f"{domain}.")
        }

    async def until_state(self, entity_id: str, *wanted: str, timeout: float = 30) -> Json:
        """Return an entity's state once it exists, or is one of `wanted`.

        Raises:
            TimeoutError: that had not come about after `timeout` seconds.
        """
        async with asyncio.timeout(timeout):
            while True:
                state = (await self.states(entity_id.partition(".")[0])).get(entity_id)
                if state and (not wanted or state["state"] in wanted):
                    return state
                await asyncio.sleep(0.2)

    async def _request(self, method: str, path: str, body: Json | None = None) -> Any:
        async with self._session.request(method, self.url + path, json=body) as response:
            if response.content_type == "application/json":
                answer = await response.json()
            else:
                answer = await response.text()
            if not response.ok:
                raise HassError(f"{method} {path}: {response.status} {answer}")
            return answer
