"""A task that a step of a dialog waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from homeassistant.data_entry_flow import FlowContext, FlowHandler, FlowResult, UnknownFlow

from ..const import DOMAIN
from ..mail.failure import Stage

_STAGES = tuple(Stage)


def share_done(stage: Stage) -> float:
    """Return how much of a handshake lies behind a stage that it has reached, from 0 to 1."""
    return _STAGES.index(stage) / len(_STAGES)


class Progress[T]:
    """The task of one step, from its first page until its result is taken."""

    def __init__(self) -> None:
        """Begin nothing yet."""
        self._task: asyncio.Task[T] | None = None
        self._is_closed = False

    def close(self) -> None:
        """Begin no task any more: the dialog was closed. One that runs is the dialog's to end."""
        self._is_closed = True

    def page[Context: FlowContext, Result: FlowResult[Any, Any], Handler](
        self,
        flow: FlowHandler[Context, Result, Handler],
        step: str,
        begin: Callable[[], Coroutine[Any, Any, T]],
        action: Callable[[], str] | None = None,
    ) -> Result | None:
        """Return the page that a step shows until its task is done, None from then on.

        begin: starts the task when the step is entered for the first time.
        action: returns the key of the page's text, which is the step's name unless given.
        Raises UnknownFlow once the dialog is closed.
        """
        if self._task is None:
            if self._is_closed:
                raise UnknownFlow
            self._task = flow.hass.async_create_task(begin(), f"{DOMAIN} {step}")
        if self._task.done():
            return None
        return flow.async_show_progress(
            step_id=step,
            progress_action=step if action is None else action(),
            progress_task=self._task,
        )

    def result(self) -> T:
        """Return what came of the task, which the step begins anew when it is entered again."""
        if self._task is None:
            raise RuntimeError("the step has not begun")
        task, self._task = self._task, None
        return task.result()
