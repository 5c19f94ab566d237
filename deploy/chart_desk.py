"""What a person says of a chart of quality, held against the charts that the watchtower keeps."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from uuid import UUID, uuid5

from genoflow.api.desks import Append, Decided
from genoflow.deploy.subject import LogSubjects
from genoflow.events import topics
from genoflow.events.errors import NotThere, Refused
from genoflow.events.identity import external_id
from genoflow.events.log.port import EventLog
from genoflow.events.quality_chart_restarted import QualityChartRestarted
from genoflow.events.subjects import Subjects
from genoflow.processors.watchtower.runs import ChartName


async def restarted(
    subjects: Subjects, names: Iterable[ChartName], chart_id: UUID, decided: Decided
) -> tuple[QualityChartRestarted, bool]:
    """The restart of a chart, and whether it is new; NotThere where there is no such chart."""
    name = next((one for one in names if one.chart_id == chart_id), None)
    if name is None:
        raise NotThere(
            f"chart {chart_id}: there is none; `genoflow charts list` shows those of now"
        )
    key = str(chart_id)
    story = (await subjects.events_of(topics.CATALOG, [key]))[key]
    before = [one for one in story if isinstance(one, QualityChartRestarted)]
    same = (one for one in before if decided.request_id and one.request_id == decided.request_id)
    if (known := next(same, None)) is not None:
        return known, False
    # Of how often it was decided before: the same word, said again later, is another decision.
    number = uuid5(external_id(QualityChartRestarted.type(), key), str(len(before)))
    fact = QualityChartRestarted(
        chart_id=chart_id, **name.model_dump(), role=decided.role, reason=decided.reason,
        request_id=decided.request_id or str(number),
    )  # fmt: skip
    return decided.says(fact), True


def no_chart(chart_id: UUID) -> NotThere:
    """That no chart has this id."""
    return NotThere(
        f"chart {chart_id}: there is none; `genoflow charts list` shows those there are"
    )


async def chart_names(log: EventLog) -> list[ChartName]:
    """The charts that the tower has written; Refused where its libraries are not here."""
    needs_tower()
    from genoflow.deploy.tower_shown import read_tower  # noqa: PLC0415 -- it needs them

    tower = await read_tower(log, ("chart",))
    return [kept.name for kept in tower.quality.charts()]


def needs_tower() -> None:
    """Refused where the libraries are missing by which the tower's table is read."""
    if find_spec("ddsketch") is None:
        raise Refused(
            "charts: stand in the tower's table, and the libraries that read it are not installed; "
            "`pip install 'genoflow[tower]'`"
        )


class LogCharts:
    """ChartDesk over the log."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    async def restart(
        self, chart_id: UUID, decided: Decided, append: Append
    ) -> QualityChartRestarted:
        """Say that what comes is normal."""
        names = await chart_names(self._log)
        fact, is_new = await restarted(LogSubjects(self._log), names, chart_id, decided)
        if is_new:
            await append(fact)
        return fact
