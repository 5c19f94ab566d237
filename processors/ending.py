"""Ends what was told to end, also where a client on the way kept that for itself; and how long."""

from __future__ import annotations

import asyncio

# Tasks have this long to finish a transaction when their partitions go: less than the 10 s after
# which the group goes on without this member, more than the 50 ms that a transaction takes.
LEAVE_SECONDS = 8.0
DRAIN_SECONDS = 10.0  # calls have this long to end on SIGTERM; init systems allow 30 s or 90 s


def end_if_told() -> None:
    """Raise CancelledError where the running task was cancelled and yet goes on.

    aiokafka waits for tasks that it has cancelled and drops whatever CancelledError comes up then;
    a worker whose other task had failed would wait for this one for ever, and hold its partitions.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
