"""A hop: which runs the files of a sample name is told under the key of each run."""

from __future__ import annotations

from collections.abc import Iterable

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.file_landed import FileLanded
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.read_set_registered import ReadSetRegistered
from genoflow.events.sample_claim_withdrawn import SampleClaimWithdrawn
from genoflow.events.sample_claimed import SampleClaimed
from genoflow.events.stored_version import name_of
from genoflow.events.types import Part
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor, State


class Claim(Part):
    """A run that files name, and whose files: a read set's, or one file of none."""

    instrument_run_id: str
    of: str


class Claims(State):
    """What the files of a sample say of runs, as far as they count."""

    claims: tuple[Claim, ...] = ()
    # The rows of a sheet made these; a person who moved them to another label answers for that.
    told_apart: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


def decide(state: Claims, event: Event) -> Decision:
    """Tell a run once of a sample, and once more when no file of it counts any more."""
    if isinstance(event, FileLanded):
        claim = _claim(state, event)
        known = {one.instrument_run_id for one in state.claims}
        if claim is None or claim.instrument_run_id in known:
            return NOTHING
        return Decision(events=(_told(event, claim),))
    assert isinstance(event, ReadSetInvalidated)
    return Decision(
        events=tuple(
            SampleClaimWithdrawn(
                instrument_run_id=run_id,
                sample_id=event.sample_id,
                read_set_id=event.read_set_id,
            )
            for run_id in _over(state, event)
        )
    )


def evolve(state: Claims, event: Event) -> Claims:
    """Keep which files name which runs."""
    if isinstance(event, ReadSetRegistered):
        if event.demultiplex_attempt is None:
            return state
        known = tuple(dict.fromkeys((*state.told_apart, event.read_set_id)))
        return state.model_copy(update={"told_apart": known})
    if isinstance(event, FileLanded):
        claim = _claim(state, event)
        if claim is None:
            return state
        return state.model_copy(update={"claims": tuple(dict.fromkeys((*state.claims, claim)))})
    assert isinstance(event, ReadSetInvalidated)
    return state.model_copy(
        update={
            "gone": tuple(dict.fromkeys((*state.gone, event.read_set_id))),
            "claims": tuple(one for one in state.claims if one.of != event.read_set_id),
        }
    )


def _claim(state: Claims, event: FileLanded) -> Claim | None:
    if event.sample_id is None or event.instrument_run_id is None:
        return None
    if event.read_set_id in (*state.told_apart, *state.gone):
        return None
    of = event.read_set_id or name_of(event)
    return Claim(instrument_run_id=event.instrument_run_id, of=of)


def _told(event: FileLanded, claim: Claim) -> SampleClaimed:
    return SampleClaimed(
        instrument_run_id=claim.instrument_run_id,
        sample_id=event.key,
        read_set_id=event.read_set_id,
        bucket=event.bucket,
        object_key=event.object_key,
        version_id=event.version_id,
    )


def _over(state: Claims, event: ReadSetInvalidated) -> Iterable[str]:
    """The runs that only files of this read set named."""
    here = dict.fromkeys(
        one.instrument_run_id for one in state.claims if one.of == event.read_set_id
    )
    others = {one.instrument_run_id for one in state.claims if one.of != event.read_set_id}
    return (run_id for run_id in here if run_id not in others)


TELL_CLAIMS = Processor(
    "tell-claims",
    reads=topics.SAMPLE,
    on=(FileLanded, ReadSetInvalidated),
    folds=(ReadSetRegistered,),
    emits=(SampleClaimed, SampleClaimWithdrawn),
    decide=decide,
    evolve=evolve,
    state=Claims,
    about="tells a run of each sample whose files name it and were not demultiplexed here",
)
