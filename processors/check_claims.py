"""Whether the sheet of a run holds the samples whose files name it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genoflow.events import topics
from genoflow.events.event import Event
from genoflow.events.sample_claim_withdrawn import SampleClaimWithdrawn
from genoflow.events.sample_claimed import SampleClaimed
from genoflow.events.sample_listed import SampleListed
from genoflow.events.sample_sheet_amended import SampleSheetAmended
from genoflow.events.sample_sheet_attached import SampleSheetAttached
from genoflow.events.sample_unlisted import SampleUnlisted
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.ports import Attempt
from genoflow.processors.processor import Call, Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this

# Each is told on two keys: 400 events of 1 kB in one transaction, which takes 1,000. As many
# samples as a sheet holds, 4,000, are 20 of them.
SAMPLES_AT_ONCE = 200


class Run(Remembering):
    """The samples that the sheet in force holds, and those whose files name the run."""

    sheet_revision: int = 0
    on_sheet: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()


class Tell(Arguments):
    """Some of the samples about which the same is to be said."""

    instrument_run_id: str
    sheet_revision: int
    is_listed: bool
    sample_ids: tuple[str, ...]


Sheets = SampleSheetAttached | SampleSheetAmended


def decide(state: Run, event: Event) -> Decision:
    """Judge a sample when both are known, and again when a sheet changes the verdict."""
    if is_repeated(state, event):
        return NOTHING
    after = evolve(state, event)
    if not after.sheet_revision:
        return NOTHING  # judged when the sheet comes
    if isinstance(event, SampleClaimed):
        known = {*state.claimed}
    else:
        assert isinstance(event, Sheets)
        known = {one for one in state.claimed if _is_judged_the_same(state, after, one)}
    listed = {*after.on_sheet}
    new = [one for one in after.claimed if one not in known]
    return Decision(
        effects=(
            *_tell(event, after, [one for one in new if one in listed], is_listed=True),
            *_tell(event, after, [one for one in new if one not in listed], is_listed=False),
        )
    )


def evolve(state: Run, event: Event) -> Run:
    """Keep the newest sheet's samples, and who claims to be of the run."""
    if is_repeated(state, event):
        return state
    change: dict[str, object] = {"seen": with_this(state, event)}
    if isinstance(event, SampleClaimed):
        change["claimed"] = tuple(dict.fromkeys((*state.claimed, event.sample_id)))
    elif isinstance(event, SampleClaimWithdrawn):
        change["claimed"] = tuple(one for one in state.claimed if one != event.sample_id)
    else:
        assert isinstance(event, Sheets)
        if event.revision > state.sheet_revision:
            change["sheet_revision"] = event.revision
            change["on_sheet"] = tuple(dict.fromkeys(row.sample_id for row in event.rows))
    return state.model_copy(update=change)


def _is_judged_the_same(before: Run, after: Run, sample_id: str) -> bool:
    was, now = sample_id in before.on_sheet, sample_id in after.on_sheet
    return before.sheet_revision > 0 and was == now


def _tell(event: Event, run: Run, samples: Sequence[str], *, is_listed: bool) -> Iterable[Effect]:
    for start in range(0, len(samples), SAMPLES_AT_ONCE):
        some = tuple(samples[start : start + SAMPLES_AT_ONCE])
        told = Tell(
            instrument_run_id=event.key,
            sheet_revision=run.sheet_revision,
            is_listed=is_listed,
            sample_ids=some,
        )
        yield Effect("tell", told, discriminator=some[0])


async def tell(told: Tell, _attempt: Attempt) -> Sequence[Event]:
    """The verdict on each sample, on the key of the run and on its own."""
    kind = SampleListed if told.is_listed else SampleUnlisted
    return [
        kind(
            instrument_run_id=told.instrument_run_id,
            sample_id=handed_to,
            claimed_sample_id=name,
            sheet_revision=told.sheet_revision,
        )
        for name in told.sample_ids
        for handed_to in (None, name)
    ]


CHECK_CLAIMS = Processor(
    "check-claims",
    reads=topics.SEQUENCING_RUN,
    on=(SampleClaimed, SampleSheetAttached, SampleSheetAmended),
    folds=(SampleClaimWithdrawn,),
    emits=(),
    decide=decide,
    evolve=evolve,
    state=Run,
    effects=(Call("tell", arguments=Tell, emits=(SampleListed, SampleUnlisted), perform=tell),),
    about="tells a sample and its run whether the run's sheet holds it",
)
