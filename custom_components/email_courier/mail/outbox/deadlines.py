"""When something is to happen to each of many mails."""

from __future__ import annotations

import heapq

from .mail_id import MailId


class Deadlines:
    """One time for each mail, and the earliest of all at hand."""

    def __init__(self) -> None:
        """Begin empty."""
        self._times: dict[MailId, float] = {}
        self._heap: list[tuple[float, MailId]] = []

    def set(self, mail_id: MailId, when: float) -> None:
        """Set a mail's time (UTC timestamp in seconds) in place of the one it had."""
        if self._times.get(mail_id) != when:
            self._times[mail_id] = when
            heapq.heappush(self._heap, (when, mail_id))

    def remove(self, mail_id: MailId) -> None:
        """Forget a mail."""
        self._times.pop(mail_id, None)

    def next(self) -> float | None:
        """Return the earliest time of all, if there is any."""
        heap = self._heap
        while heap and self._times.get(heap[0][1]) != heap[0][0]:
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def take_due(self, now: float) -> list[MailId]:
        """Return all mails whose time has come, in its order, and forget them."""
        due: list[MailId] = []
        while (when := self.next()) is not None and when <= now:
            _, mail_id = heapq.heappop(self._heap)
            del self._times[mail_id]
            due.append(mail_id)
        return due
