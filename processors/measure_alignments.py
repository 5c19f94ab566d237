"""What no pass over each file alone can tell of a round's alignments is read of them apart.

The share of foreign reads is one number of all files of a sample; depth over targets needs the
regions that were ordered, and nobody knows those when a file is validated. Every round that owes
one of them gets its answer, a value or why there is none, and measure-reads waits for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from genoflow.events import topics
from genoflow.events.contamination_estimated import ContaminationEstimated
from genoflow.events.contamination_not_estimated import ContaminationNotEstimated
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.qc_requested import QcRequested
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.stored_version import name_of
from genoflow.events.target_coverage_measured import TargetCoverageMeasured
from genoflow.events.target_coverage_not_measured import TargetCoverageNotMeasured
from genoflow.events.types import TEXT_CHARACTERS_MAX, Part
from genoflow.processors.alignments import ANSWERS, CONTAMINATION, TARGETS, answered, owed
from genoflow.processors.decision import NOTHING, Decision, Effect, effect_id
from genoflow.processors.foreign_reads import (
    ENGINE,
    METHOD_VERSION,
    SECONDS_MAX,
    CountForeign,
    Indexed,
    Source,
    count_foreign,
    count_gave_up,
)
from genoflow.processors.ports import UNVERSIONED
from genoflow.processors.processor import Bytes, Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this
from genoflow.processors.target_depth import (
    CoverTargets,
    cover_gave_up,
    cover_targets,
    cover_unknown,
)

NAME = "measure-alignments"
EFFECTS: Mapping[str, str] = {CONTAMINATION: "count-foreign", TARGETS: "cover-targets"}
LOCKED_AWAY = "nobody reads it any more; ask who sent it, and have it sent again"


class Tag(Part):
    """By what a file is known where the store keeps no versions."""

    name: str
    etag: str


class Open(Part):
    """A round whose files are being read for an answer."""

    request: QcRequested
    opened_by: UUID
    owes: str


class Alignments(Remembering):
    """What may not be read of one sample, and what is being read."""

    quarantined: tuple[str, ...] = ()  # versions of files
    tags: tuple[Tag, ...] = ()
    open: tuple[Open, ...] = ()


def decide(state: Alignments, event: QcRequested | FileQuarantined) -> Decision:
    """Read what a round owes, or say at once why it cannot be read; leave what is locked away."""
    if is_repeated(state, event):
        return NOTHING
    if isinstance(event, FileQuarantined):
        return _left(state, event)
    opened = [_OPENING[one](state, event) for one in owed(event)]
    return Decision(
        events=tuple(one for one in opened if isinstance(one, Event)),
        effects=tuple(one for one in opened if isinstance(one, Effect)),
    )


def evolve(state: Alignments, event: Event) -> Alignments:
    """Keep what is being read until it is answered, and what may not be read."""
    if is_repeated(state, event):
        return state
    change: dict[str, object] = {"seen": with_this(state, event)}
    if isinstance(event, FileLanded):
        if event.version_id == UNVERSIONED:
            change["tags"] = (*state.tags, Tag(name=name_of(event), etag=event.etag))
    elif isinstance(event, FileQuarantined):
        change["quarantined"] = (*state.quarantined, name_of(event))
        change["open"] = tuple(one for one in state.open if not _reads(one.request, event))
    elif isinstance(event, QcRequested):
        begun = [one for one in owed(event) if isinstance(_OPENING[one](state, event), Effect)]
        asked_by = event.envelope.event_id
        more = (Open(request=event, opened_by=asked_by, owes=one) for one in begun)
        change["open"] = (*state.open, *more)
    else:
        assert isinstance(event, ANSWERS)
        over = event.round, answered(event)
        change["open"] = tuple(o for o in state.open if (o.request.round, o.owes) != over)
    return state.model_copy(update=change)


def _reads(request: QcRequested, locked: FileQuarantined) -> bool:
    return name_of(locked) in {name_of(one) for one in request.files}


def _left(state: Alignments, locked: FileQuarantined) -> Decision:
    """The rounds that read this file stop, and say so: a worker may be in the middle of it."""
    concerned = [one for one in state.open if _reads(one.request, locked)]
    said = f"s3://{name_of(locked)}: is quarantined; {LOCKED_AWAY}"
    return Decision(
        events=tuple(_unknown(one.owes, one.request, "quarantined", said) for one in concerned),
        closes=tuple(effect_id(one.opened_by, NAME, EFFECTS[one.owes]) for one in concerned),
    )


def _unknown(owes: str, request: QcRequested, code: str, reason: str) -> Event:
    if owes == TARGETS:
        return cover_unknown(_covering(request), code, reason)
    return ContaminationNotEstimated(
        sample_id=request.sample_id,
        round=request.round,
        reason_code=code,
        reason=reason[:TEXT_CHARACTERS_MAX],
        panel_sha256=request.panel_sha256,
        engine=ENGINE,
        engine_version=METHOD_VERSION,
    )


def _locked(state: Alignments, request: QcRequested) -> str | None:
    found = (name_of(one) for one in request.files if name_of(one) in state.quarantined)
    name = next(found, None)
    return name and f"s3://{name}: is quarantined; {LOCKED_AWAY}"


def _source(state: Alignments, file: ReadSetFile) -> Source:
    tags = [one.etag for one in state.tags if one.name == name_of(file)]
    return Source(**dict(file), etag=tags[-1] if tags else "")


# -- foreign reads


def _counting(state: Alignments, request: QcRequested) -> Event | Effect:
    def unknown(code: str, reason: str) -> Event:
        return _unknown(CONTAMINATION, request, code, reason)

    if (locked := _locked(state, request)) is not None:
        return unknown("quarantined", locked)
    if request.panel_uri is None or request.panel_sha256 is None:
        return unknown(
            "no panel",
            f"the reference {request.reference} {request.reference_version} has no file of the "
            f"kind contamination-sites; publish a version with common variants and their AF",
        )
    if request.material != "BAM":
        return unknown(
            "no BAM",
            f"foreign reads are counted in BAM files, and these are {request.material}; send them "
            f"as BAM with an index",
        )
    bams: list[Indexed] = []
    for read_set in request.read_set_ids:
        found = _of_read_set(state, request.files, read_set)
        if found is None:
            return unknown(
                "no index",
                f"the read set {read_set} has not one BAM with its index; send both: genoflow "
                f"reads send {request.sample_id} --bam FILE --bai FILE",
            )
        bams.append(found)
    arguments = CountForeign(
        sample_id=request.sample_id,
        round=request.round,
        panel_uri=request.panel_uri,
        panel_sha256=request.panel_sha256,
        bams=tuple(bams),
    )
    return Effect(EFFECTS[CONTAMINATION], arguments)


def _of_read_set(state: Alignments, files: Sequence[ReadSetFile], read_set: str) -> Indexed | None:
    bams, indexes = (
        [one for one in files if (one.read_set_id, one.role) == (read_set, role)]
        for role in ("BAM", "BAI")
    )
    if len(bams) != 1 or len(indexes) != 1:
        return None
    return Indexed(bam=_source(state, bams[0]), index=_source(state, indexes[0]))


# -- depth over targets


def _covering(request: QcRequested, file: Source | None = None) -> CoverTargets:
    return CoverTargets(
        sample_id=request.sample_id,
        round=request.round,
        target_set=request.target_set or "",
        target_set_version=request.target_set_version or "",
        uri=request.target_set_uri or "",
        sha256=request.target_set_sha256 or "",
        file=file,
    )


def _reading(state: Alignments, request: QcRequested) -> Event | Effect:
    if (locked := _locked(state, request)) is not None:
        return _unknown(TARGETS, request, "quarantined", locked)
    files = [one for one in request.files if one.role in ("BAM", "CRAM")]
    if len(files) != 1:
        said = (
            f"the round has {len(files)} files of alignments, and depths of several are not added "
            f"up; send them merged into one"
        )
        return _unknown(TARGETS, request, "several files", said)
    return Effect(EFFECTS[TARGETS], _covering(request, _source(state, files[0])))


_OPENING: Mapping[str, Callable[[Alignments, QcRequested], Event | Effect]] = {
    CONTAMINATION: _counting, TARGETS: _reading,
}  # fmt: skip
MEASURE_ALIGNMENTS = Processor(
    NAME,
    reads=topics.SAMPLE,
    on=(QcRequested, FileQuarantined),
    folds=(FileLanded, *ANSWERS),
    emits=(ContaminationNotEstimated, TargetCoverageNotMeasured),
    decide=decide,
    evolve=evolve,
    state=Alignments,
    effects=(
        Bytes(
            EFFECTS[CONTAMINATION],
            arguments=CountForeign,
            emits=(ContaminationEstimated, ContaminationNotEstimated),
            perform=count_foreign,
            seconds_max=SECONDS_MAX,
            gives_up=count_gave_up,
        ),
        Bytes(
            EFFECTS[TARGETS],
            arguments=CoverTargets,
            emits=(TargetCoverageMeasured, TargetCoverageNotMeasured),
            perform=cover_targets,
            gives_up=cover_gave_up,
        ),
    ),
    about="reads of a round's alignments what needs a panel or targets: foreign reads, and depth",
)
