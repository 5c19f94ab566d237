"""The figures of listeners, while the log and what they look at come and go."""

from __future__ import annotations

import pytest

from genoflow.deploy.observed import worker as observed_worker
from genoflow.deploy.observed.listeners import Listening, ObservedListeners
from genoflow.events import topics
from genoflow.events.errors import LogUnavailable, Retry
from genoflow.events.log.memory import MemoryLog
from genoflow.events.log.port import Vector


async def away(topic: str) -> Vector:
    """What a log says that is not there."""
    raise LogUnavailable(f"kafka at nowhere: no broker answers about {topic}")


async def values(observed: ObservedListeners) -> dict[str, float]:
    """Every figure, by name and listener."""
    return {
        f"{one.name} {one.labels.get('listener', '')}".strip(): one.value
        for family in await observed.figures()
        for one in family.samples
    }


async def test_a_listener_counts_what_it_did_and_says_when() -> None:
    heard = Listening("notifications")
    async with MemoryLog() as log:
        observed = ObservedListeners([heard], log.ends, topics.SAMPLE)
        before = await values(observed)
        assert before["genoflow_listener_looks_total notifications"] == 0
        assert not [name for name in before if "timestamp" in name]
        heard.looked(messages=3, facts=2, refused=1)
        heard.looked()
        found = await values(observed)
    assert found["genoflow_log_up"] == 1
    of_us = {
        name.split()[0].removeprefix("genoflow_listener_"): value
        for name, value in found.items()
        if name.endswith(" notifications")
    }
    looked_at = of_us.pop("last_look_timestamp_seconds")
    assert of_us.pop("last_fact_timestamp_seconds") <= looked_at
    assert of_us == {
        "looks_total": 2, "messages_total": 3, "facts_total": 2, "refused_total": 1,
        "failures_total": 0, "problems": 0,
    }  # fmt: skip


async def test_it_is_not_ready_while_a_server_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looking = Listening("watch")
    async with MemoryLog() as log:
        observed = ObservedListeners([looking], log.ends, topics.SEQUENCING_RUN)
        assert await observed.reasons() == []
        looking.failed(Retry("the store is away"))
        assert await observed.reasons() == ["watch: Retry: the store is away"]
        looking.looked(problems=2)
        assert await observed.reasons() == []
    assert (looking.failures, looking.problems) == (1, 2)
    monkeypatch.setattr(observed_worker, "ENDS_SECONDS", 0.0)
    observed = ObservedListeners([looking], away, topics.SEQUENCING_RUN)
    [reason] = await observed.reasons()
    assert reason.startswith("LogUnavailable: kafka at nowhere")
    assert (await values(observed))["genoflow_log_up"] == 0
