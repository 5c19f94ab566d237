"""Rows and position in one transaction: a read model is never ahead of or behind what it says.

A batch is written only if the stored position is still the one that the batch began at. So two
runners of one read model cannot both write, and a record that is read twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from genoflow.events.errors import GenoflowError
from genoflow.events.log.recorded import Recorded
from genoflow.projections.folding import Changes, Folder, SetAside
from genoflow.projections.landing import (
    ROW_FAULTS,
    Landing,
    NotReady,
    Ready,
    are_few,
    as_parts,
    inserts,
    land,
    land_ready,
)
from genoflow.projections.row import as_text
from genoflow.projections.store import Batch, Build, Connection

CAUSE_CHARACTERS_MAX = 2_000  # an error of Postgres names the row; this much of it is read


class Overtaken(GenoflowError):
    """Somebody else has written this batch."""


@dataclass(frozen=True, slots=True)
class Share:
    """What one build has not read of the records at hand, and what folds it."""

    build: Build
    folder: Folder
    batches: Sequence[Batch]


Folded = tuple[Share, list[Changes]]  # a batch's changes each


async def apply(
    connection: Connection, build: Build, folder: Folder, batches: Iterable[Batch]
) -> None:
    """Write what these batches make of the rows, and their positions; Overtaken leaves nothing.

    A row that Postgres refuses costs its event, which is set aside with the cause; others go on.
    """
    await apply_together(connection, [Share(build, folder, list(batches))])


async def apply_together(connection: Connection, shares: Sequence[Share]) -> None:
    """The same for several builds in one transaction, for a commit waits for the disk each time.

    All are folded before anything is written: nobody waits for a lock of ours meanwhile.
    """
    try:
        folded: list[Folded] = [
            (share, [await share.folder.fold(batch.records) for batch in share.batches])
            for share in shares
        ]
        try:
            if not await _is_written_at_once(connection, folded):
                async with connection.transaction():
                    await _advance(connection, shares)
                    for share, changes in folded:
                        await _write(connection, share.build, changes)
        except ROW_FAULTS:
            for share, changes in folded:
                await _apart(connection, share, changes)
    except BaseException:
        for share in shares:
            share.folder.forget()
        raise


async def apply_ready(connection: Connection, share: Share, ready: Ready) -> bool:
    """Write rows that are ready, and the positions behind them; Overtaken leaves nothing.

    False where one is not ready, or Postgres refuses it as one that is there: nothing was written.
    """
    [table] = share.build.model.tables
    try:
        async with connection.transaction():
            await _advance(connection, [share])
            await land_ready(connection, share.build.name, table, ready)
    except (*ROW_FAULTS, NotReady):
        return False
    return True


async def _apart(connection: Connection, share: Share, changes: Sequence[Changes]) -> None:
    """One build in a transaction of its own, and event by event if the refused row is there."""
    try:
        async with connection.transaction():
            await _advance(connection, [share])
            await _write(connection, share.build, changes)
    except ROW_FAULTS:
        async with connection.transaction():
            await _advance(connection, [share])
            for batch, found in zip(share.batches, changes, strict=True):
                await _one_by_one(connection, share.build, batch, found)


async def _is_written_at_once(connection: Connection, folded: Sequence[Folded]) -> bool:
    """Try it with one statement, where rows are few: one answer of Postgres to wait for, not six.

    It fails with one of ROW_FAULTS where a position is another, too; then the longer way says so.
    """
    landings = [one for share, changes in folded for one in _landings(share.build, changes)]
    is_refused = any(one.set_aside for _, changes in folded for one in changes)
    if is_refused or not are_few(landings) or connection.is_in_transaction():
        return False
    moves = _moves(share for share, _ in folded)
    found, values = inserts(landings, before=len(moves))
    if moves[0]:
        await connection.execute(AT_ONCE.format(parts=as_parts(found)), *moves, *values)
    return True


def _landings(build: Build, changes: Sequence[Changes]) -> list[Landing]:
    by_table = [
        (table, [one for found in changes for one in found.versions.get(table.name, ())])
        for table in build.model.tables
    ]
    return [Landing(build.name, table, versions) for table, versions in by_table if versions]


async def _write(connection: Connection, build: Build, changes: Sequence[Changes]) -> None:
    for one in _landings(build, changes):
        await land(connection, one.schema, one.table, one.versions)
    await _set_aside(connection, build, [one for found in changes for one in found.set_aside])


async def _one_by_one(connection: Connection, build: Build, batch: Batch, changes: Changes) -> None:
    by_offset: dict[int, Changes] = {}
    for table in build.model.tables:
        for version in changes.versions.get(table.name, ()):
            by_offset.setdefault(version.place.log_offset, Changes()).add(table, version)
    refused = list(changes.set_aside)
    for record in batch.records:
        found = by_offset.get(record.offset)
        if found is None:
            continue
        try:
            async with connection.transaction():
                await _write(connection, build, (found,))
        except ROW_FAULTS as error:
            refused.append(SetAside(record, f"{type(error).__name__}: {error}"))
    await _set_aside(connection, build, refused)


async def _set_aside(connection: Connection, build: Build, refused: Sequence[SetAside]) -> None:
    if not refused:
        return
    await connection.executemany(
        "insert into gf.set_aside values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
        [
            (
                build.name, one.record.topic, one.record.partition, one.record.offset,
                as_text(one.record.key), _type_of(one.record),
                as_text(one.cause)[:CAUSE_CHARACTERS_MAX], one.record.recorded_at,
            )
            for one in refused
        ],
    )  # fmt: skip


def _type_of(record: Recorded) -> str:
    try:
        return record.type
    except GenoflowError:
        return "?"


GIVEN = """
with given as (
    select * from unnest($1::text[], $2::text[], $3::integer[], $4::bigint[], $5::bigint[])
        as given (build, topic, partition, begins_at, ends_at)
)"""
# Positions are locked in one order, so that two who write several never wait for each other.
MOVE = """
insert into gf.positions as p (build, topic, partition, next_offset)
select build, topic, partition, ends_at from given
where exists (select from gf.builds b where b.build = given.build and b.state <> 'retired')
    and (begins_at = 0 or exists (
        select from gf.positions k where k.build = given.build
            and k.topic = given.topic and k.partition = given.partition))
order by build, topic, partition
on conflict (build, topic, partition) do update set next_offset = excluded.next_offset
where p.next_offset = (
    select begins_at from given where given.build = p.build
        and given.topic = p.topic and given.partition = p.partition)
returning build, topic, partition
"""
# Divides by nothing unless all have moved; what was counted has been done before the parts are.
AT_ONCE = f"""
{GIVEN}, moved as ({MOVE}){{parts}}
select 1 / (count(*) = cardinality($1))::integer from moved
"""


def _moves(shares: Iterable[Share]) -> list[list[Any]]:
    moves = [
        (share.build.name, one.topic, one.partition, one.begins_at, one.ends_at)
        for share in shares
        for one in share.batches
    ]
    return list(map(list, zip(*moves, strict=True))) or [[] for _ in range(5)]


async def _advance(connection: Connection, shares: Iterable[Share]) -> None:
    moves = _moves(shares)
    if not moves[0]:
        return
    moved = {tuple(row) for row in await connection.fetch(f"{GIVEN} {MOVE}", *moves)}
    for build, topic, partition, begins_at, _ in zip(*moves, strict=True):
        if (build, topic, partition) not in moved:
            raise Overtaken(
                f"{build}: {topic}[{partition}] is not at {begins_at} any more: "
                f"another runner has written on, or another build is live; go on from what is kept"
            )
