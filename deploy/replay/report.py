"""A replay's report, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from genoflow.deploy.replay.compare import Difference
from genoflow.deploy.replay.decide import SUBJECTS_KEPT_MAX, Group, Report

SUBJECTS_SHOWN_MAX = 10  # of one group, for people; --json has them all
VALUE_CHARACTERS_MAX = 60  # of one field in an example
FIELDS_SHOWN_MAX = 6  # of one example: what changed, first


def as_lines(report: Report, examples: int) -> Iterator[str]:
    """The report as a person reads it."""
    yield (
        f"{report.processor}: {report.records:,} records, {report.taken:,} of them compared; "
        f"{report.decisions:,} decisions now, {report.recorded:,} events recorded in all"
    )
    if not report.records:
        yield "it has taken nothing of this log yet"
    if report.changed is not None:
        yield f"the profile took the place of the recorded one in {report.changed:,} events"
    if report.untold:
        yield (
            f"{report.untold:,} effects may end without an event, so the log cannot tell whether "
            f"they were opened"
        )
    if report.is_cut:
        yield "too much is different: the rest was not replayed; begin later, with --from"
    groups = report.groups(examples)
    if not groups:
        yield "no difference"
        return
    yield f"{len(report.differences):,} differences of {len(groups):,} kinds"
    for group in groups:
        yield ""
        yield from _group_lines(group)


def _group_lines(group: Group) -> Iterator[str]:
    yield f"{group.kind}: {group.what}  {group.count:,}"
    more = len(group.subjects) - SUBJECTS_SHOWN_MAX
    shown = ", ".join(group.subjects[:SUBJECTS_SHOWN_MAX])
    yield f"  of {shown}{f' and {more:,} more' if more > 0 else ''}"
    for one in group.examples:
        yield f"  {one.subject}: decided on at {one.cause}{_recorded_at(one)}"
        for name, before, after in _fields(one)[:FIELDS_SHOWN_MAX]:
            yield f"    {name}: {_value(before)} → {_value(after)}"


def _recorded_at(one: Difference) -> str:
    return "" if one.recorded_at is None else f", recorded at {one.recorded_at}"


def _fields(one: Difference) -> list[tuple[str, Any, Any]]:
    """What an example says in its fields, where it is a fact beside a fact."""
    before, after = one.recorded, one.told
    if isinstance(before, dict) and isinstance(after, dict):
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        return [(name, before.get(name), after.get(name)) for name in names]
    if before is None and after is None:
        return []
    return [("recorded → now", before, after)]


def _value(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    whole = len(text) <= VALUE_CHARACTERS_MAX
    return text if whole else f"{text[: VALUE_CHARACTERS_MAX - 1]}…"


def as_plain(report: Report, examples: int) -> dict[str, Any]:
    """The report for programs."""
    return {
        "processor": report.processor,
        "records": report.records,
        "compared": report.taken,
        "decisions": report.decisions,
        "recorded": report.recorded,
        "changed_records": report.changed,
        "untold_effects": report.untold,
        "is_whole": not report.is_cut,
        "differences": len(report.differences),
        "groups": [
            {
                "kind": group.kind, "what": group.what, "count": group.count,
                "subjects_count": len(group.subjects),
                "subjects": list(group.subjects[:SUBJECTS_KEPT_MAX]),
                "examples": [_plain(one) for one in group.examples],
            }
            for group in report.groups(examples)
        ],
    }  # fmt: skip


def _plain(one: Difference) -> dict[str, Any]:
    return {
        "subject": one.subject,
        "decided_on": None if one.cause is None else str(one.cause),
        "recorded_at": None if one.recorded_at is None else str(one.recorded_at),
        "recorded": one.recorded,
        "told": one.told,
    }
