"""The same stage as a Faust agent, its state in a table with a changelog.

    python -m benchmarks.stage_faust ERRAND

It runs on an installation of its own (locks/anchors.txt).
"""

from __future__ import annotations

from typing import Any

import faust

from benchmarks.faust_app import RAW, at_least_once
from benchmarks.stage_answer import Errand, answer, decoded, errand, evolved


def application(told: Errand) -> Any:
    """The agent: it decodes, folds, and sends on."""
    app = at_least_once(told)
    source = app.topic(told.source, value_serializer="raw", **RAW)
    target = app.topic(told.target, value_serializer="raw", **RAW)
    table = app.Table("landed", partitions=told.partitions, key_type=bytes)

    async def stage(stream: Any) -> None:
        async for key, value in stream.items():
            values = decoded(told, value)
            after = table[key] = evolved(table.get(key), values)
            await target.send(key=key, value=answer(told, after, values))

    app.agent(source)(stage)
    return app


if __name__ == "__main__":
    faust.Worker(application(errand()), loglevel="WARNING").execute_from_commandline()
