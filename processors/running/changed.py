"""Two runs of one case: why the later one takes the place of the earlier, and what is different."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from genoflow.events.event import Event
from genoflow.events.measured import Measured
from genoflow.events.result_change import ResultChange
from genoflow.events.result_file import ResultFile
from genoflow.events.results_collected import ResultsCollected
from genoflow.events.results_published import ResultsPublished
from genoflow.events.results_retracted import ResultsRetracted
from genoflow.events.run_requested import RunRequested
from genoflow.events.types import ID_CHARACTERS_MAX, TEXT_CHARACTERS_MAX
from genoflow.processors.qc_metrics import number

CHANGES_MAX = 1_000  # as many as one event takes
OF_INPUTS = ("relabelled", "sheet amended")  # why results are retracted that a later run mends
E = TypeVar("E", bound=Event)


def first(kind: type[E], events: Iterable[Event]) -> E | None:
    """The first fact of this type."""
    return next((one for one in events if isinstance(one, kind)), None)


def why_later(before: Sequence[Event], later: RunRequested) -> tuple[str, str]:
    """Which kind of reason a later run has, and the reason in words."""
    # What says that the inputs of a run do not hold any more comes first: it is why there is a
    # later run at all, and rounds grow by it too.
    for one in before:
        if isinstance(one, ResultsRetracted) and one.reason_code in OF_INPUTS:
            return one.reason_code, one.reason
    asked = first(RunRequested, before)
    if asked is None:
        return "asked for", "the case was run again"
    rounds = {one.sample_id: one.round for one in asked.members}
    grown = [
        f"{one.sample_id} was judged anew in round {one.round} after round {rounds[one.sample_id]}"
        for one in later.members
        if one.round > rounds.get(one.sample_id, one.round)
    ]
    if grown:
        return "top-up", "; ".join(grown)[:TEXT_CHARACTERS_MAX]
    old, new = (f"{one.pipeline} {one.pipeline_version}" for one in (asked, later))
    if old != new:
        return "new pipeline", f"the case was run by {new} instead of {old}"
    return "asked for", "the case was run again"


def changes(before: Sequence[Event], later: Sequence[Event]) -> tuple[ResultChange, ...]:
    """What is different between what two runs published: files, metrics, and how they were made."""
    old, new = first(ResultsPublished, before), first(ResultsPublished, later)
    assert old is not None
    assert new is not None
    found = list(_of_files(old.files, new.files))
    found += _of_metrics(_metrics(before), _metrics(later), new.sample_ids)
    for what in ("pipeline", "reference", "samples"):
        was, now = _made_by(what, old), _made_by(what, new)
        if was != now:
            found.append(_change(what, None, was, now))
    if not found:  # the answer is the same, and stands under another run
        found.append(_change("run", None, str(old.run_id), str(new.run_id)))
    if len(found) > CHANGES_MAX:
        more = f"{len(found) - CHANGES_MAX + 1:,} more differences"
        found[CHANGES_MAX - 1 :] = [_change("more", None, more, "")]
    return tuple(found)


def withdrawn(files: Sequence[ResultFile]) -> tuple[ResultChange, ...]:
    """Each file that was published and no longer holds, by its checksum."""
    found = [_change(one.kind, one.sample_id, f"sha256 {one.sha256}", "") for one in files]
    if len(found) > CHANGES_MAX:
        more = f"{len(found) - CHANGES_MAX + 1:,} more files"
        found[CHANGES_MAX - 1 :] = [_change("more", None, more, "")]
    return tuple(found)


def _change(what: str, sample_id: str | None, before: str, after: str) -> ResultChange:
    return ResultChange(
        what=what[:ID_CHARACTERS_MAX],
        sample_id=sample_id,
        before=before[:TEXT_CHARACTERS_MAX],
        after=after[:TEXT_CHARACTERS_MAX],
    )


Named = tuple[str, str | None]  # the kind of a file or a metric, and of which sample or samples


def _of_files(old: Sequence[ResultFile], new: Sequence[ResultFile]) -> Iterator[ResultChange]:
    was, now = _digests(old), _digests(new)
    for kind, sample_id in dict.fromkeys((*was, *now)):
        pair = [one.get((kind, sample_id), "") for one in (was, now)]
        if pair[0] != pair[1]:
            yield _change(kind, sample_id, *pair)


def _digests(files: Iterable[ResultFile]) -> dict[Named, str]:
    found: dict[Named, list[str]] = {}
    for one in files:
        found.setdefault((one.kind, one.sample_id), []).append(one.sha256)
    return {name: f"sha256 {', '.join(sorted(digests))}" for name, digests in found.items()}


def _metrics(events: Iterable[Event]) -> dict[Named, str]:
    collected = first(ResultsCollected, events)
    return {
        (one.metric, one.measured_on): _told(one)
        for one in (collected.measurements if collected else ())
    }


def _told(one: Measured) -> str:
    found = f", {one.found}" if one.found else ""
    return f"{number(one.value)} {one.unit}{found}"


def _of_metrics(
    was: dict[Named, str], now: dict[Named, str], samples: Sequence[str]
) -> Iterator[ResultChange]:
    for metric, whom in dict.fromkeys((*was, *now)):
        pair = [one.get((metric, whom), "") for one in (was, now)]
        if pair[0] != pair[1]:
            of_sample = whom in samples
            what = metric if of_sample or whom is None else f"{metric} of {whom}"
            yield _change(what, whom if of_sample else None, *pair)


def _made_by(what: str, one: ResultsPublished) -> str:
    if what == "pipeline":
        return f"{one.pipeline} {one.pipeline_version}"
    return one.reference if what == "reference" else ", ".join(one.sample_ids)
