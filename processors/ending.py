"""Ends what was told to end, also where a client on the way kept that for itself."""

from __future__ import annotations

import asyncio


def end_if_told() -> None:
    """Raise CancelledError where the running task was cancelled and yet goes on.

    aiokafka waits for tasks that it has cancelled and drops whatever CancelledError comes up then;
    a worker whose other task had failed would wait for this one for ever, and hold its partitions.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
