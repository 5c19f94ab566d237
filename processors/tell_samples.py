"""A hop: the verdict on a sequencing run is handed to the key of each of its samples."""

from __future__ import annotations

from collections.abc import Sequence

from genoflow.events import topics
from genoflow.events.demultiplex_completed import DemultiplexCompleted
from genoflow.events.event import Event
from genoflow.events.measured import Measured
from genoflow.events.sequencing_run_qc_failed import SequencingRunQcFailed
from genoflow.events.sequencing_run_qc_passed import SequencingRunQcPassed
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.ports import Attempt
from genoflow.processors.processor import Call, Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this

# A sheet holds 4,000 samples at most, and a transaction is short: 200 events of 1 kB are one of
# 0.2 MB, and there are 20 of them.
SAMPLES_AT_ONCE = 200


class Listed(Remembering):
    """The samples that the demultiplexings of a run named."""

    sample_ids: tuple[str, ...] = ()


class Tell(Arguments):
    """The verdict, and some of those that it concerns."""

    instrument_run_id: str
    round: int
    profile: str
    profile_version: str
    reason: str | None  # none where it passed
    measured: tuple[Measured, ...]
    sample_ids: tuple[str, ...]


def decide(state: Listed, event: Event) -> Decision:
    """Tell every sample once of each verdict."""
    if is_repeated(state, event):
        return NOTHING
    assert isinstance(event, SequencingRunQcPassed | SequencingRunQcFailed)
    return Decision(
        effects=tuple(
            Effect("tell", _tell(event, some), discriminator=some[0])
            for start in range(0, len(state.sample_ids), SAMPLES_AT_ONCE)
            if (some := state.sample_ids[start : start + SAMPLES_AT_ONCE])
        )
    )


def _tell(event: SequencingRunQcPassed | SequencingRunQcFailed, some: tuple[str, ...]) -> Tell:
    return Tell(
        instrument_run_id=event.instrument_run_id,
        round=event.round,
        profile=event.profile,
        profile_version=event.profile_version,
        reason=event.reason if isinstance(event, SequencingRunQcFailed) else None,
        measured=event.measured,
        sample_ids=some,
    )


def evolve(state: Listed, event: Event) -> Listed:
    """Keep who is on the run; one that an amended sheet leaves out is told all the same."""
    if is_repeated(state, event):
        return state
    named = state.sample_ids
    if isinstance(event, DemultiplexCompleted):
        named = tuple(dict.fromkeys((*named, *(one.sample_id for one in event.libraries))))
    return Listed(sample_ids=named, seen=with_this(state, event))


async def tell(told: Tell, _attempt: Attempt) -> Sequence[Event]:
    """The verdict once for each sample."""
    said = told.model_dump(exclude={"sample_ids", "reason"})
    if told.reason is None:
        return [SequencingRunQcPassed(**said, sample_id=name) for name in told.sample_ids]
    return [
        SequencingRunQcFailed(**said, reason=told.reason, sample_id=name)
        for name in told.sample_ids
    ]


TELL_SAMPLES = Processor(
    "tell-samples",
    reads=topics.SEQUENCING_RUN,
    on=(SequencingRunQcPassed, SequencingRunQcFailed),
    folds=(DemultiplexCompleted,),
    emits=(),
    # On the keys of samples, whose topic it does not read: it never comes back here.
    again=(SequencingRunQcPassed, SequencingRunQcFailed),
    decide=decide,
    evolve=evolve,
    state=Listed,
    effects=(
        Call(
            "tell",
            arguments=Tell,
            emits=(SequencingRunQcPassed, SequencingRunQcFailed),
            perform=tell,
        ),
    ),
    about="hands the verdict on a sequencing run to each of its samples",
)
