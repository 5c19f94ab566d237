"""The figures of whoever feeds the read models: how far each is, and what was left out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib.metadata import version

from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from genoflow.deploy.observed.server import build_info
from genoflow.deploy.projecting import PASSING, Standing, standings
from genoflow.deploy.settings import Settings
from genoflow.deploy.wiring import open_log, open_postgres
from genoflow.events.errors import GenoflowError
from genoflow.projections.model import AnyModel
from genoflow.projections.runner import is_fed

ANSWER_SECONDS_MAX = 4.0  # of log and database together: the one who asks waits for five


class ObservedReadModels:
    """`genoflow project` as it can be asked: `deploy/observed/server.py`.

    It asks over connections of its own, so the one that feeds is never waited for.
    """

    def __init__(self, settings: Settings, models: Sequence[AnyModel]) -> None:
        self._settings = settings
        self._models = models

    async def figures(self) -> Sequence[Metric]:
        """The figures of now; without log or database those of the program alone."""
        found, _ = await self._asked()
        return [build_info(version("genoflow")), *_of(found)]

    async def reasons(self) -> Sequence[str]:
        """Why they are not fed: no log, no database, or nobody who does it."""
        return (await self._asked())[1]

    async def _asked(self) -> tuple[list[Standing], list[str]]:
        try:
            async with (
                asyncio.timeout(ANSWER_SECONDS_MAX),
                open_log(self._settings) as log,
                open_postgres(self._settings) as connection,
            ):
                found = await standings(log, connection)
                fed = await is_fed(connection, self._models)
        except TimeoutError:
            return [], [f"log and database did not answer within {ANSWER_SECONDS_MAX:g} s"]
        except (*PASSING, GenoflowError) as error:
            return [], [f"{type(error).__name__}: {error}"]
        outdated = [f"{one.build}: {one.state}" for one in found if one.state != "live"]
        return found, [*outdated, *([] if fed else ["nobody feeds these read models"])]


def _of(found: Sequence[Standing]) -> Sequence[Metric]:
    def gauge(name: str, about: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"genoflow_read_model_{name}", about, labels=("read_model",))

    position = gauge("position", "Offsets that it has read, over all partitions.")
    lag = gauge("lag_records", "Records that it has not read.")
    aside = gauge("set_aside_events", "Events of which its rows tell nothing.")
    for one in found:
        position.add_metric([one.read_model], one.records)
        lag.add_metric([one.read_model], one.lag)
        aside.add_metric([one.read_model], one.set_aside)
    return position, lag, aside
