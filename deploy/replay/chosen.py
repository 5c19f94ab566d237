"""The subjects that a selection means: rows of a read model, at a stated position of the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from genoflow.deploy.replay.where import COMPARABLE, as_sql, parse_where
from genoflow.events.errors import Refused
from genoflow.events.log.port import Vector
from genoflow.projections import cases, runs, samples, sequencing_runs
from genoflow.projections.as_of import relation
from genoflow.projections.audit_trail import AuditTrail
from genoflow.projections.models import BY_NAME
from genoflow.projections.paging import Where
from genoflow.projections.row import Table
from genoflow.projections.store import Connection
from genoflow.projections.vectors import covers, from_word, to_word

SUBJECTS_MAX = 10_000  # some 10 MB of events are held of them; more is asked for in parts


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that can be asked about, and columns that they have from other rows."""

    table: Table
    models: tuple[str, ...]  # that make them
    joined: Mapping[str, tuple[Table, str]] = field(default_factory=dict)  # and by which column

    @property
    def columns(self) -> dict[str, str]:
        """What can be asked for, and of what kind it is."""
        own = {one.name: one.kind for one in self.table.columns if not one.name.startswith("log_")}
        more = {
            name: next(one.kind for one in table.columns if one.name == name)
            for name, (table, _) in self.joined.items()
        }
        return {name: kind for name, kind in (own | more).items() if kind in COMPARABLE}

    def named(self, column: str, at: Vector | None) -> str:
        """The column as a statement over these rows writes it."""
        if column not in self.joined:
            return f"{self.table.name}.{column}"
        table, by = self.joined[column]
        return (
            f"(select {table.name}.{column} from {relation(table, at)} "
            f"where {table.name}.{by} = {self.table.name}.{by})"
        )


RUNS = Rows(
    runs.RUNS, ("runs", "cases"),
    {"project_id": (cases.CASES, "case_id"), "assay": (cases.CASES, "case_id")},
)  # fmt: skip
SEQUENCING_RUNS = Rows(sequencing_runs.RUNS, ("sequencing-runs",))
SAMPLES = Rows(samples.SAMPLES, ("samples",))


@dataclass(frozen=True, slots=True)
class Subject:
    """One of those that were chosen, and how it stands there."""

    key: str
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Selection:
    """What was chosen, and where on the log that is so."""

    position: str
    subjects: tuple[Subject, ...]  # by their ids
    is_whole: bool  # false where the limit left some out


async def select(
    connection: Connection, rows: Rows, where: str, *, at_position: str | None, limit: int
) -> Selection:
    """The subjects of which this is so, as the rows stand now or as they stood at a position."""
    if not 1 <= limit <= SUBJECTS_MAX:
        raise Refused(f"limit {limit}: 1 to {SUBJECTS_MAX:,} subjects are asked about at once")
    conditions = parse_where(where, rows.columns)
    async with connection.transaction():
        await connection.execute("set transaction isolation level repeatable read, read only")
        here, in_step = await _settled(connection, rows.models)
        at = from_word(at_position) if at_position is not None else None if in_step else here
        if at is not None and not covers(here, at):
            raise Refused(
                f"--at-position {at_position}: the rows have not come as far as that; "
                f"`genoflow projection list` shows how far they are"
            )
        asked = Where()
        parts = as_sql(conditions, rows.columns, lambda one: rows.named(one, at), asked.value)
        [key] = rows.table.key
        reason = f"{rows.table.name}.reason"
        found = await connection.fetch(
            f"select {rows.table.name}.{key} as key, {rows.table.name}.state, {reason} "
            f"from {relation(rows.table, at)} where {' and '.join(parts)} "
            f"order by 1 limit {asked.value(limit + 1)}",
            *asked.values,
        )
    subjects = tuple(Subject(one["key"], one["state"], one["reason"]) for one in found[:limit])
    return Selection(at_position or to_word(here), subjects, len(found) <= limit)


async def _settled(connection: Connection, models: Sequence[str]) -> tuple[Vector, bool]:
    """How far all of these read models are, and whether none of them is ahead of another."""
    found = await connection.fetch(
        "select b.model, p.topic, p.partition, p.next_offset from gf.positions p "
        "join gf.builds b using (build) where b.state = 'live' and b.model = any($1)",
        [AuditTrail.name, *models],
    )
    of_model: dict[str, Vector] = {name: {} for name in (AuditTrail.name, *models)}
    for row in found:
        of_model[row["model"]][row["topic"], row["partition"]] = row["next_offset"]
    here: Vector = {}
    in_step = True
    for place in {one for vector in of_model.values() for one in vector}:
        offsets = {
            vector.get(place, 0)
            for name, vector in of_model.items()
            if place[0] in {topic.name for topic in BY_NAME[name].reads}
        }
        here[place] = min(offsets)
        in_step = in_step and len(offsets) == 1
    return here, in_step
