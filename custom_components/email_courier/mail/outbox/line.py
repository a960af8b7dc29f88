"""The callers' mails that have not been tried yet."""

from __future__ import annotations

import heapq
import itertools

from .job import Job
from .outgoing import Rank


class Line:
    """High rank first, then first come, first served."""

    def __init__(self) -> None:
        """Begin empty."""
        self._heap: list[tuple[Rank, int, Job]] = []
        self._numbers = itertools.count()
        self._members: set[Job] = set()

    def __len__(self) -> int:
        """Count the jobs."""
        return len(self._members)

    def __contains__(self, job: Job) -> bool:
        """Whether a job is still in the line."""
        return job in self._members

    def add(self, job: Job) -> None:
        """Let a job queue up."""
        self._members.add(job)
        heapq.heappush(self._heap, (job.record.id.rank, next(self._numbers), job))

    def leave(self, job: Job) -> None:
        """Let a job go, if it is in the line."""
        self._members.discard(job)

    def first(self) -> Job | None:
        """Return the job whose turn it is."""
        while self._heap and self._heap[0][2] not in self._members:
            heapq.heappop(self._heap)
        return self._heap[0][2] if self._heap else None

    def clear(self) -> list[Job]:
        """Let everyone go; return them in their order."""
        jobs = [job for *_, job in sorted(self._heap)]
        left = [job for job in jobs if job in self._members]
        self._heap.clear()
        self._members.clear()
        return left
