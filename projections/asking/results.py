"""Results as they hold now: of a run, or of a case by the run whose results count."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from genoflow.events import topics
from genoflow.events.errors import Refused
from genoflow.events.results_held import ResultsHeld
from genoflow.events.stored_version import name_of
from genoflow.projections.asking import run as runs
from genoflow.projections.asking.asked import runs_of
from genoflow.projections.asking.run import Run
from genoflow.projections.asking.source import Source


async def about_results(source: Source, name: str) -> dict[str, Any]:
    """What holds now of this run or case; Refused where nothing is known of it."""
    run = await _run(source, name)
    if run is not None:
        return facts(run)
    its_runs = await runs_of(source, name)
    if not its_runs:
        raise Refused(
            f"{name!r}: is no run, and no case for which one was asked for; `genoflow run list` "
            f"and `genoflow case why` tell more"
        )
    counting = [one for one in its_runs if one.counts]
    chosen = (counting or its_runs)[-1]
    return {"case": name, "runs": [_line(one) for one in its_runs], **facts(chosen)}


async def _run(source: Source, name: str) -> Run | None:
    try:
        key = str(UUID(name))
    except ValueError:
        return None
    events = (await source.events_of(topics.RUN, [key]))[key]
    return runs.run_of(key, events) if events else None


def _line(run: Run) -> dict[str, Any]:
    return {"run": run.key, "state": runs.word(run), "counts": run.counts}


def facts(run: Run) -> dict[str, Any]:
    """Files, reasons and changes of one run; files that do not count are not shown as results."""
    found: dict[str, Any] = {
        "run": run.key, "case": run.case_id, "state": runs.word(run), "counts": run.counts,
        "since": run.at,
    }  # fmt: skip
    published = run.published
    if published is not None:
        found |= {
            "published_at": published.envelope.occurred_at,
            "released_by": published.envelope.actor.id if published.held_event_id else None,
            "role": published.role, "reason": published.reason,
            "pipeline": f"{published.pipeline} {published.pipeline_version}",
            "reference": published.reference,
        }  # fmt: skip
        shown = published.files if run.counts else ()
        found["files"] = [
            {
                "kind": one.kind, "sample": one.sample_id, "size_bytes": one.size_bytes,
                "sha256": one.sha256, "file": name_of(one),
            }
            for one in shown
        ]  # fmt: skip
    if isinstance(run.checked, ResultsHeld):
        found["held"] = [{"reason": one} for one in run.checked.reasons]
    return {name: value for name, value in (found | _gone(run)).items() if value is not None}


def _gone(run: Run) -> dict[str, Any]:
    """What took their place, what they took the place of, and what is different."""
    found: dict[str, Any] = {}
    if run.superseded is not None:
        found["superseded_by"] = str(run.superseded.superseded_by_run_id)
        found["superseded"] = f"{run.superseded.reason_code}: {run.superseded.reason}"
    if run.retracted is not None:
        found["retracted"] = f"{run.retracted.reason_code}: {run.retracted.reason}"
        found["retracted_by"] = run.retracted.envelope.actor.id
    if run.amended is not None:
        found["amends"] = str(run.amended.amends_run_id)
        found["amended"] = f"{run.amended.reason_code}: {run.amended.reason}"
    changed = run.retracted or run.amended
    if changed is not None:
        found["changes"] = [
            {
                "what": one.what, "sample": one.sample_id,
                "before": one.before or None, "after": one.after or "nothing any more",
            }
            for one in changed.changes
        ]  # fmt: skip
    return found
