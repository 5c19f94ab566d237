"""The figures of read models on real servers, and why they are not fed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from pathlib import Path

import pytest
from prometheus_client.metrics_core import Metric
from pydantic import SecretStr

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.observed.read_models import ObservedReadModels
from genoflow.deploy.projecting import feed
from genoflow.deploy.settings import Settings
from genoflow.projections.models import BY_NAME, MODELS
from tests.e2e.workers import happens, settings_of, succeeds
from tests.heard import joined

SECONDS_MAX = 60.0


@pytest.fixture
def settings(stack: Addresses, postgres_url: str, tmp_path: Path) -> Settings:
    """A deployment with a database of its own, and ten events."""
    found = settings_of(stack, secrets.token_hex(4), tmp_path, postgres=SecretStr(postgres_url))
    succeeds(found, "topics", "apply")
    happens(found, *(joined("S1", number) for number in range(10)))
    return found


def told(figures: Sequence[Metric], name: str) -> dict[str, float]:
    """A figure by read model."""
    [found] = [one for one in figures if one.name == name]
    return {one.labels["read_model"]: one.value for one in found.samples}


async def test_they_tell_how_far_they_are_and_who_feeds_them(settings: Settings) -> None:
    observed = ObservedReadModels(settings, MODELS)
    assert await observed.reasons() == ["nobody feeds these read models"]
    before = told(await observed.figures(), "genoflow_read_model_lag_records")
    assert set(before) == set(BY_NAME)
    assert before["audit-trail"] >= 10
    stop = asyncio.Event()
    feeding = asyncio.create_task(feed(settings, MODELS, stop, lambda _: None))
    async with asyncio.timeout(SECONDS_MAX):
        while await observed.reasons():
            await asyncio.sleep(0.1)
        while told(figures := await observed.figures(), "genoflow_read_model_lag_records")[
            "audit-trail"
        ]:
            await asyncio.sleep(0.1)
    assert told(figures, "genoflow_read_model_position")["audit-trail"] >= 10
    assert set(told(figures, "genoflow_read_model_set_aside_events").values()) == {0.0}
    stop.set()
    await feeding


async def test_a_server_that_is_away_is_named_and_the_rest_is_told(settings: Settings) -> None:
    for change, name in (
        ({"kafka": "127.0.0.1:1"}, "kafka at 127.0.0.1:1"),
        ({"postgres": SecretStr("postgresql://127.0.0.1:1/x")}, "ConnectionRefusedError"),
    ):
        observed = ObservedReadModels(settings.model_copy(update=change), MODELS)
        [reason] = await observed.reasons()
        assert name in reason
        build, *rest = await observed.figures()
        assert build.samples[0].value == 1
        assert not [one for one in rest if one.samples]
