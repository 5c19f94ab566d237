"""What a person says of reads that stand under a wrong label, held against what the log says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import uuid5

from genoflow.api.desks import Append, Decided
from genoflow.deploy.subject import LogSubjects, refuse_unknown
from genoflow.events import topics
from genoflow.events.errors import Contradicted, Refused
from genoflow.events.event import Event
from genoflow.events.identity import external_id
from genoflow.events.log.port import EventLog
from genoflow.events.sample_relabelled import SampleRelabelled
from genoflow.events.subjects import Subjects
from genoflow.projections.asking.sample import sample_of
from genoflow.projections.words import listed

# Each becomes two events of one decision, and a transaction takes 1,000.
READ_SETS_MAX = 400


async def relabelled(
    subjects: Subjects,
    sample_id: str,
    true_sample_id: str,
    read_set_ids: Sequence[str],
    decided: Decided,
) -> list[SampleRelabelled]:
    """That these read sets, or all that count, are another sample's; Refused where not."""
    if sample_id == true_sample_id:
        raise Refused(f"sample {sample_id!r}: is its own label already; name another with --as")
    known = await subjects.events_of(topics.SAMPLE, [sample_id, true_sample_id])
    refuse_unknown(true_sample_id, known[true_sample_id], Refused)
    named = _named(sample_id, known[sample_id], read_set_ids)
    return [_fact(sample_id, true_sample_id, named, decided)]


async def swapped(
    subjects: Subjects, one: str, other: str, decided: Decided
) -> list[SampleRelabelled]:
    """That the reads of two samples stand under each other's label; Refused where not."""
    if one == other:
        raise Refused(f"sample {one!r}: cannot be swapped with itself; name two samples")
    known = await subjects.events_of(topics.SAMPLE, [one, other])
    both = [(one, other), (other, one)]
    named = {sample_id: _named(sample_id, known[sample_id], ()) for sample_id, _ in both}
    return [_fact(label, true, named[label], decided) for label, true in both]


def _named(sample_id: str, story: Sequence[Event], wanted: Sequence[str]) -> tuple[str, ...]:
    refuse_unknown(sample_id, story)
    sample = sample_of(sample_id, story)
    gone = dict(_relabelled_before(story))
    for one in sample.read_sets.values():
        if one.invalidated is not None and one.name not in gone:
            gone[one.name] = f"does not count any more ({one.invalidated.reason_code})"
    valid = [name for name in sample.read_sets if name not in gone]
    has = f"it has {listed(valid)}" if valid else "it has none that counts"
    way = f"{has}; `genoflow sample show {sample_id}` lists them"
    for name in wanted:
        if name not in sample.read_sets:
            raise Refused(f"sample {sample_id!r}: read set {name!r} is not registered; {way}")
        if name in gone:
            raise Contradicted(f"sample {sample_id!r}: read set {name!r} {gone[name]}; {way}")
    named = tuple(dict.fromkeys(wanted)) or tuple(valid)
    if not named:
        raise Contradicted(
            f"sample {sample_id!r}: has no read set that counts, so nothing is to move"
        )
    if len(named) > READ_SETS_MAX:
        raise Refused(
            f"sample {sample_id!r}: has {len(named):,} read sets, and {READ_SETS_MAX} move at "
            f"once; name some of them with --read-set, then the others"
        )
    return named


def _relabelled_before(story: Iterable[Event]) -> Iterable[tuple[str, str]]:
    """Also what was said a moment ago, and was not worked off yet."""
    for event in story:
        if isinstance(event, SampleRelabelled):
            for name in event.read_set_ids:
                yield name, f"was relabelled as {event.true_sample_id} already"


def _fact(
    sample_id: str, true_sample_id: str, read_set_ids: tuple[str, ...], decided: Decided
) -> SampleRelabelled:
    # Of what is moved, so that the same command twice is one decision.
    same = uuid5(external_id("SampleRelabelled", *sorted(read_set_ids)), true_sample_id)
    fact = SampleRelabelled(
        sample_id=sample_id,
        true_sample_id=true_sample_id,
        read_set_ids=read_set_ids,
        request_id=decided.request_id or str(same),
        role=decided.role,
        reason=decided.reason,
    )
    return decided.says(fact)


class LogLabels:
    """LabelDesk over the log."""

    def __init__(self, log: EventLog) -> None:
        self._subjects = LogSubjects(log)

    async def relabel(
        self,
        sample_id: str,
        true_sample_id: str,
        read_set_ids: Sequence[str],
        decided: Decided,
        append: Append,
    ) -> SampleRelabelled:
        """Say that these read sets, or all that count, are another sample's."""
        # Two may relabel the same reads at once: the log orders them, and the row `relabel` moves
        # what still counts under the label, so the later one moves nothing.
        story = (await self._subjects.events_of(topics.SAMPLE, [sample_id]))[sample_id]
        for event in story:
            if isinstance(event, SampleRelabelled) and event.request_id == decided.request_id:
                return event  # a first try of unknown outcome
        [fact] = await relabelled(self._subjects, sample_id, true_sample_id, read_set_ids, decided)
        await append(fact)
        return fact
