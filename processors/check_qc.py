"""When every file of a sample is here and whole, somebody ordered it, and its run was good enough,
its reads are to be judged.

A round is one question: these files, under this order. Other files, or an order that asks for
something else, are the next round. The state is what the log said of the sample, so the order in
which files, orders and verdicts come does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence

from genoflow.events import topics
from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_left import CaseLeft
from genoflow.events.errors import Parked
from genoflow.events.event import Event
from genoflow.events.file_quarantined import FileQuarantined
from genoflow.events.file_rejected import FileRejected
from genoflow.events.file_violations import FileViolations
from genoflow.events.measured import Measured
from genoflow.events.metric_registry import ALIGNED
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.qc_requested import QcRequested
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_relabelled import SampleRelabelled
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.sequencing_run_qc_passed import SequencingRunQcPassed
from genoflow.events.threshold import Threshold
from genoflow.events.validated import Validated
from genoflow.processors.alignments import panel_of
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.ordered import PUBLISH_VERSION, profile_of, reference_of, targets_of
from genoflow.processors.ports import Attempt, CatalogReader
from genoflow.processors.processor import Call, Processor
from genoflow.processors.qc_profiles import required_of
from genoflow.processors.repeated import is_repeated, with_this
from genoflow.processors.sample_reads import (
    Held,
    Sample,
    WholeFile,
    Wish,
    changed,
    differing,
    digest_of,
    files_of,
    is_held,
    union_of,
    valid_sets,
    verdict_on,
    wishes_of,
)
from genoflow.processors.strictness import violating_of

NAME = "check-qc"
WORD_CHARACTERS = 12  # of a digest: enough to see by eye that two differ


class Choose(Arguments):
    """What QcRequested will say, but for the profile and the reference."""

    sample_id: str
    round: int
    material: str
    wish: Wish
    read_set_ids: tuple[str, ...]
    files: tuple[ReadSetFile, ...]
    violating: tuple[FileViolations, ...] = ()


# -- what follows


def decide(state: Sample, event: Event) -> Decision:
    """Ask about the reads once for each union and wish; say at once what asking cannot mend."""
    return _step(state, event)[1]


def evolve(state: Sample, event: Event) -> Sample:
    """Keep what was said of the sample, and what was asked."""
    return _step(state, event)[0]


def _step(state: Sample, event: Event) -> tuple[Sample, Decision]:
    if is_repeated(state, event):
        return state, NOTHING
    after = state.model_copy(update={**changed(state, event), "seen": with_this(state, event)})
    if isinstance(event, CaseLeft | QcFailed | SampleRelabelled):
        return after, NOTHING
    after, runs = _failed_runs(after, event.key)
    after, mates = _strangers(after, event.key)
    after, effects = _questions(after, event.key)
    return after, Decision(events=(*runs, *mates), effects=effects)


def _failed_runs(state: Sample, sample_id: str) -> tuple[Sample, list[Event]]:
    said: list[Event] = []
    for run_id in dict.fromkeys(one.run_id for one in valid_sets(state) if one.run_id):
        verdict = verdict_on(state, run_id)
        if verdict is None or verdict.passed or is_held(state.held, verdict):
            continue
        held = Held(round=state.round + 1, run_id=run_id, run_round=verdict.round)
        state = state.model_copy(update={"round": held.round, "held": (*state.held, held)})
        failed = QcFailed(
            sample_id=sample_id,
            round=held.round,
            reason_code="run failed",
            reason=f"the sequencing run {run_id} failed its QC, so its reads are not judged. "
            f"Sequence the sample again, or let it go on: genoflow qc override {sample_id}",
            profile=verdict.profile,
            profile_version=verdict.profile_version,
            read_set_ids=tuple(
                one.read_set_id for one in valid_sets(state) if one.run_id == run_id
            ),
            measured=verdict.measured,
            instrument_run_id=run_id,
        )
        said.append(failed)
    return state, said


def _strangers(state: Sample, sample_id: str) -> tuple[Sample, list[Event]]:
    said: list[Event] = []
    for read_set in valid_sets(state):
        pairs = differing(files_of(state, read_set) or ())
        name = digest_of(pair for both in pairs for pair in both)
        if not pairs or name in state.mates_told:
            continue
        number = state.round + 1
        told = (*state.mates_told, name)
        state = state.model_copy(update={"round": number, "mates_told": told})
        failed = QcFailed(
            sample_id=sample_id,
            round=number,
            reason_code="mates differ",
            reason=f"the two files of read set {read_set.read_set_id} do not hold the same reads "
            f"in the same order. Send both files again, from one demultiplexing",
            read_set_ids=(read_set.read_set_id,),
            measured=tuple(one for first, second in pairs for one in _compared(first, second)),
            instrument_run_id=read_set.run_id,
        )
        said.append(failed)
    return state, said


def _compared(first: WholeFile, second: WholeFile) -> tuple[Measured, Measured]:
    wanted = float(first.reads or 0)
    names = first.read_names_sha256 == second.read_names_sha256
    return (
        Measured(
            metric="reads_of_mate",
            value=float(second.reads or 0),
            unit="reads",
            measured_on=first.read_set_id,
            required_min=wanted,
            required_max=wanted,
            verdict="pass" if first.reads == second.reads else "fail",
        ),
        Measured(
            metric="names_of_mate",
            value=float(names),
            unit="equal",
            measured_on=first.read_set_id,
            declared=(first.read_names_sha256 or "none")[:WORD_CHARACTERS],
            found=(second.read_names_sha256 or "none")[:WORD_CHARACTERS],
            required_min=1.0,
            verdict="pass" if names else "fail",
        ),
    )


def _questions(state: Sample, sample_id: str) -> tuple[Sample, tuple[Effect, ...]]:
    union = union_of(state)
    if union is None:
        return state, ()
    wishes = wishes_of(state)
    files = [one for _, some in union for one in some]
    name = digest_of(files)
    before = state.asked_for if name == state.asked else ()
    effects: list[Effect] = []
    number = state.round
    for wish in wishes:
        if wish in before:
            continue
        number += 1
        choose = Choose(
            sample_id=sample_id,
            round=number,
            material=union[0][0].material,
            wish=wish,
            read_set_ids=tuple(read_set.read_set_id for read_set, _ in union),
            files=tuple(_handed_on(one) for one in files),
            violating=violating_of(files),
        )
        effects.append(Effect("choose-profile", choose, discriminator=str(number)))
    if effects:
        update = {"round": number, "asked": name, "asked_for": wishes}
        state = state.model_copy(update=update)
    return state, tuple(effects)


def _handed_on(one: WholeFile) -> ReadSetFile:
    return ReadSetFile(**{name: getattr(one, name) for name in ReadSetFile.model_fields})


# -- the effect


async def choose_profile(asked: Choose, attempt: Attempt) -> Sequence[Event]:
    """Put the newest editions of what the order names into the request, with their content."""
    catalog = attempt.ports.catalog
    if catalog is None:
        raise Parked("choose-profile: this worker has no catalog; wire one")
    whose = f"sample {asked.sample_id}"
    profile, thresholds = await _profile(catalog, whose, asked)
    reference = await reference_of(catalog, whose, asked.wish.reference)
    targets = await targets_of(catalog, whose, asked.wish.target_set, asked.wish.reference)
    # Only alignments are read for foreign reads: elsewhere the panel would say what is not done.
    panel = panel_of(reference) if asked.material in ALIGNED else None
    request = QcRequested(
        sample_id=asked.sample_id,
        round=asked.round,
        assay=asked.wish.assay,
        material=asked.material,
        profile=profile.document_id,
        profile_version=profile.version,
        profile_sha256=profile.content_sha256,
        thresholds=thresholds,
        reference=reference.document_id,
        reference_version=reference.version,
        genome_bases=reference.genome_bases,
        target_bases=targets.target_bases if targets else None,
        read_set_ids=asked.read_set_ids,
        files=asked.files,
        validation=profile.validation,
        violating=asked.violating,
        panel_uri=panel.uri if panel else None,
        panel_sha256=panel.sha256 if panel else None,
        panel_size_bytes=panel.size_bytes if panel else None,
        target_set=targets.document_id if targets else None,
        target_set_version=targets.version if targets else None,
        target_set_uri=targets.uri if targets else None,
        target_set_sha256=targets.sha256 if targets else None,
    )
    return [request]


async def _profile(
    catalog: CatalogReader, whose: str, asked: Choose
) -> tuple[QcProfilePublished, tuple[Threshold, ...]]:
    wish = asked.wish
    profile = await profile_of(catalog, whose, wish.assay, wish.qc_profile)
    thresholds = required_of(profile, wish.assay, asked.material)
    if not thresholds:
        raise Parked(
            f"{whose}: the QC profile {profile.document_id} {profile.version} requires nothing of "
            f"reads; {PUBLISH_VERSION}"
        )
    return profile, thresholds


CHECK_QC = Processor(
    NAME,
    reads=topics.SAMPLE,
    on=(
        CaseJoined,
        ReadSetRegistered,
        ReadSetInvalidated,
        Validated,
        FileRejected,
        FileQuarantined,
        SequencingRunQcPassed,
        SequencingRunQcFailed,
        QcOverridden,
    ),
    folds=(CaseLeft, QcFailed, SampleRelabelled),
    emits=(QcFailed,),
    decide=decide,
    evolve=evolve,
    state=Sample,
    state_version=3,
    effects=(
        Call(
            "choose-profile",
            arguments=Choose,
            emits=(QcRequested,),
            perform=choose_profile,
        ),
    ),
    about="asks about the reads of a sample once all of them are here and somebody ordered it",
)
