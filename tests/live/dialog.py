"""Answers config, subentry and options dialogs as a person would: by the names of their fields."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .client import Client, Json

CONFIG = "/api/config/config_entries/flow"
SUBENTRY = "/api/config/config_entries/subentries/flow"
OPTIONS = "/api/config/config_entries/options/flow"

type Values = Mapping[str, Any]

_MOST_STEPS = 50
_POLL = 0.2


class DialogError(Exception):
    """The dialog did not get to its end; `step` is where it stopped."""

    def __init__(self, message: str, step: Json) -> None:
        """Say what happened at which step."""
        super().__init__(message)
        self.step = step


class Dialog:
    """One kind of dialog of one Home Assistant."""

    def __init__(
        self,
        client: Client,
        path: str = CONFIG,
        *,
        prefer: Sequence[str] = ("manual", "finish", "skip"),
        watch: Callable[[Json], None] = lambda _: None,
    ) -> None:
        """Prepare to answer dialogs at `path`.

        Args:
            client: Whom to answer as.
            path: `CONFIG`, `SUBENTRY` or `OPTIONS`.
            prefer: What to look for in a menu's options, in this order; else the first is taken.
            watch: Told every step as it comes up.
        """
        self._client = client
        self._path = path
        self._prefer = prefer
        self._watch = watch

    async def begin(self, handler: str | tuple[str, str], **context: Any) -> Json:
        """Open a dialog and return its first step.

        Args:
            handler: The integration's domain, the entry's id, or the entry's id and the kind of
                subentry.
            context: What else to send, such as `entry_id` to reconfigure.
        """
        step: Json = await self._client.post(self._path, {"handler": handler, **context})
        return step

    async def resume(self, flow_id: str) -> Json:
        """Return the step at which an open dialog stands."""
        step: Json = await self._client.get(f"{self._path}/{flow_id}")
        return step

    async def close(self, flow_id: str) -> None:
        """Close a dialog without an answer."""
        await self._client.delete(f"{self._path}/{flow_id}")

    async def answer(self, step: Json, answers: Json) -> Json:
        """Submit a step and return the next one."""
        following: Json = await self._client.post(f"{self._path}/{step['flow_id']}", answers)
        return following

    async def complete(self, step: Json, values: Values) -> Json:
        """Answer every step from `values`, the rest as it is filled in, up to the created entry.

        A value of None leaves its field empty.

        Raises:
            DialogError: a form came back with an error, or the dialog was ended by the other side.
        """
        for _ in range(_MOST_STEPS):
            self._watch(step)
            match step["type"]:
                case "create_entry":
                    return step
                case "form" if not step.get("errors"):
                    step = await self.answer(step, fill(step["data_schema"], values))
                case "menu":
                    step = await self.answer(step, {"next_step_id": self._choice(step)})
                case "progress" | "progress_done":
                    await asyncio.sleep(_POLL)
                    step = await self.resume(step["flow_id"])
                case _:
                    raise DialogError(_why(step), step)
        raise DialogError("the dialog does not come to an end", step)

    def _choice(self, step: Json) -> str:
        options = list(step["menu_options"])
        for word in self._prefer:
            for option in options:
                if word in option:
                    return str(option)
        return str(options[0])


def fill(schema: Sequence[Json], values: Values) -> Json:
    """Return what a form sends when the named fields are filled in and the rest is left alone.

    What a form suggests is sent as a browser would send it. Fields inside sections are found by
    their own names.
    """
    answers: Json = {}
    for field in schema:
        name = field["name"]
        if field.get("type") == "expandable":
            answers[name] = fill(field["schema"], values)
            continue
        shown = (field.get("description") or {}).get("suggested_value", field.get("default"))
        value = values.get(name, shown)
        if value is not None:
            answers[name] = value
    return answers


def _why(step: Json) -> str:
    if errors := step.get("errors"):
        return f"step {step['step_id']}: {errors} {step.get('description_placeholders') or ''}"
    return f"{step['type']}: {step.get('reason', '')} {step.get('description_placeholders') or ''}"
