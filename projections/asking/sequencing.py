"""A run of an instrument: whether it ended, has a sheet, was copied and told apart, and why not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from genoflow.events.demultiplex_failed import DemultiplexFailed
from genoflow.events.demultiplex_reopened import DemultiplexReopened
from genoflow.events.demultiplex_requested import DemultiplexRequested
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.sample_claim_withdrawn import SampleClaimWithdrawn
from genoflow.events.sample_listed import SampleListed
from genoflow.events.sample_unlisted import SampleUnlisted
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.projections import sequencing_runs
from genoflow.projections.asking.subject import A_WORKER, Answer, Subject, Uses, fold, judged
from genoflow.projections.sequencing_runs import word
from genoflow.projections.words import listed

__all__ = ["SequencingRun", "facts", "sequencing_run_of", "strangers", "why", "word"]

WATCHER = "`genoflow watch` takes it when it comes"


@dataclass
class SequencingRun(Subject, sequencing_runs.SequencingRun):
    """What is known of a run of an instrument."""

    files: int = 0  # of the run and of no sample, such as undetermined reads
    unlisted: dict[str, SampleUnlisted] = field(default_factory=dict)  # by their samples


def _file(run: SequencingRun, _event: FileLanded) -> None:
    run.files += 1


def _unlisted(run: SequencingRun, event: SampleUnlisted) -> None:
    run.unlisted[event.claimed_sample_id] = event


def _listed(run: SequencingRun, event: SampleListed) -> None:
    run.unlisted.pop(event.claimed_sample_id, None)


def _withdrawn(run: SequencingRun, event: SampleClaimWithdrawn) -> None:
    run.unlisted.pop(event.sample_id, None)


USES: Uses = {
    FileLanded: _file,
    SampleUnlisted: _unlisted,
    SampleListed: _listed,
    SampleClaimWithdrawn: _withdrawn,
    **sequencing_runs.USES,
}


def sequencing_run_of(key: str, events: Iterable[Event]) -> SequencingRun:
    """What these events tell of the run."""
    return fold(SequencingRun(key), events, USES)


def why(run: SequencingRun) -> list[Answer]:
    """What keeps it from being demultiplexed, or that it is."""
    if run.failed is not None:
        failed = run.failed
        says = f"failed: {failed.reason_code} ({failed.reason.rstrip('.')})"
        return [Answer(says, failed.envelope.occurred_at)]
    answers = _sheet_of(run)
    if run.completed is None:
        started = run.started.envelope.occurred_at if run.started else run.first_at
        answers.append(Answer("waits for the instrument to end", started, WATCHER))
    elif run.mirrored is None:
        at = run.completed.envelope.occurred_at
        answers.append(Answer("waits to be copied to the object store", at, WATCHER))
    if answers:
        return answers
    return _demultiplexing(run)


def strangers(run: SequencingRun) -> list[Answer]:
    """The samples whose files name it and that its sheet does not hold: no sample's business."""
    if not run.unlisted:
        return []
    names = listed(sorted(run.unlisted))
    return [
        Answer(
            f"is named by files of {names}, which its sheet does not hold",
            max(one.envelope.occurred_at for one in run.unlisted.values()),
            "amend the sheet, or say whose the files are: `genoflow sample relabel`",
            is_waiting=False,
        )
    ]


def _sheet_of(run: SequencingRun) -> list[Answer]:
    if run.refused is not None:
        problems = listed(problem.rstrip(".") for problem in run.refused.problems)
        kept = "" if run.sheet is None else "; the sheet before it stays in force"
        return [
            Answer(
                f"has a sample sheet that was refused: {problems}{kept}",
                run.refused.envelope.occurred_at,
                f"mend the sheet in the run folder; {WATCHER}",
            )
        ]
    if run.sheet is None:
        way = f"put it into the run folder; {WATCHER}"
        return [Answer("waits for its sample sheet", run.first_at, way)]
    return []


def _demultiplexing(run: SequencingRun) -> list[Answer]:
    newest = run.demultiplex
    if newest is None:
        return [Answer("waits to be demultiplexed", run.last_at, A_WORKER)]
    at = newest.envelope.occurred_at
    if isinstance(newest, DemultiplexFailed):
        return [
            Answer(
                f"could not be demultiplexed in attempt {newest.attempt}: {newest.reason_code} "
                f"({newest.reason.rstrip('.')})",
                at, f"mend that, then `genoflow demultiplex again {run.key} --reason WHY`",
            )
        ]  # fmt: skip
    if isinstance(newest, DemultiplexReopened):
        says = f"waits for attempt {newest.attempt + 1} of its demultiplexing"
        return [Answer(f"{says}: {newest.reason.rstrip('.')}", at, A_WORKER)]
    if isinstance(newest, DemultiplexRequested):
        return [Answer(f"is being demultiplexed, attempt {newest.attempt}", at, A_WORKER)]
    answers = [Answer(f"was demultiplexed in attempt {newest.attempt}", at, is_waiting=False)]
    if isinstance(run.judged, SequencingRunQcFailed):
        found = judged(run.judged.measured, "fail")
        says = f"failed QC as a whole ({run.judged.reason.rstrip('.')}{f': {found}' * bool(found)})"
        answers.append(Answer(says, run.judged.envelope.occurred_at, "see its samples"))
    return answers


def facts(run: SequencingRun) -> dict[str, Any]:
    """All that matters of it, for `show`."""
    return {
        "sequencing_run": run.key, "state": word(run),
        "flow_cell": run.started.flow_cell_id if run.started else None,
        "sheet_revision": run.sheet.revision if run.sheet else None,
        "samples": sorted({row.sample_id for row in run.sheet.rows}) if run.sheet else [],
        "demultiplex_attempt": run.demultiplex.attempt if run.demultiplex else None,
        "samples_unlisted": sorted(run.unlisted),
        "files_of_no_sample": run.files, "last": run.last_type, "last_at": run.last_at,
    }  # fmt: skip
