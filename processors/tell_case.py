"""A hop: each case of a sample is told when its reads are good enough, or no longer are, and when
a file of them came back from an archive.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from genoflow.events import topics
from genoflow.events.case_file_restored import CaseFileRestored
from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_left import CaseLeft
from genoflow.events.case_member_ready import CaseMemberReady
from genoflow.events.case_member_withdrawn import CaseMemberWithdrawn
from genoflow.events.event import Event
from genoflow.events.file_restored import FileRestored
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_overridden import QcOverridden
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.events.read_set_file import ReadSetFile
from genoflow.events.read_set_invalidated import ReadSetInvalidated
from genoflow.events.types import Part
from genoflow.processors.decision import NOTHING, Decision
from genoflow.processors.processor import Processor
from genoflow.processors.repeated import Remembering, is_repeated, with_this

ROUNDS_MAX = 100  # kept of one sample; a person would have stepped in long before


class Joined(Part):
    """A case, and what it asks for."""

    case_id: str
    role: str
    assay: str
    reference: str
    of_regions: bool
    qc_profile: str | None


class Round(Part):
    """A question about the reads, and its newest answer."""

    round: int
    assay: str
    reference: str
    of_regions: bool
    profile: str
    files: tuple[ReadSetFile, ...]
    verdict: str = ""  # passed, overridden or failed; nothing until it is known
    verdict_event_id: UUID | None = None


class Told(Part):
    """The newest round that a case was told of, with what it was about."""

    case_id: str
    round: int
    read_set_ids: tuple[str, ...]


class Member(Remembering):
    """The cases of one sample, its rounds, and who was told of which."""

    cases: tuple[Joined, ...] = ()
    rounds: tuple[Round, ...] = ()
    gone: tuple[str, ...] = ()
    told: tuple[Told, ...] = ()


def evolve(state: Member, event: Event) -> Member:
    """Keep the cases, the rounds and what was said of each, and to whom."""
    if is_repeated(state, event):
        return state
    after = _heard(state, event)
    told = {one.case_id: one for one in state.told}
    for joined, about in _good(after, event):
        if joined.case_id not in told or about.round >= told[joined.case_id].round:
            told[joined.case_id] = _told(joined, about)
    return after.model_copy(update={"told": tuple(told.values())})


def _told(joined: Joined, about: Round) -> Told:
    names = dict.fromkeys(one.read_set_id for one in about.files)
    return Told(case_id=joined.case_id, round=about.round, read_set_ids=tuple(names))


def _heard(state: Member, event: Event) -> Member:
    change: dict[str, object] = {"seen": with_this(state, event)}
    if isinstance(event, CaseJoined):
        others = (one for one in state.cases if one.case_id != event.case_id)
        change["cases"] = (*others, _joined(event))
    elif isinstance(event, CaseLeft):
        change["cases"] = tuple(one for one in state.cases if one.case_id != event.case_id)
    elif isinstance(event, QcRequested):
        change["rounds"] = (*state.rounds, _round(event))[-ROUNDS_MAX:]
    elif isinstance(event, ReadSetInvalidated):
        change["gone"] = tuple(dict.fromkeys((*state.gone, event.read_set_id)))
    elif isinstance(event, QcPassed | QcFailed | QcOverridden):
        change["rounds"] = tuple(
            _answered(one, event) if one.round == event.round else one for one in state.rounds
        )
    return state.model_copy(update=change)


def _joined(event: CaseJoined) -> Joined:
    return Joined(
        case_id=event.case_id,
        role=event.role,
        assay=event.assay,
        reference=event.reference,
        of_regions=event.target_set is not None,
        qc_profile=event.qc_profile,
    )


def _round(event: QcRequested) -> Round:
    return Round(
        round=event.round,
        assay=event.assay,
        reference=event.reference,
        of_regions=event.target_bases is not None,
        profile=event.profile,
        files=event.files,
    )


def _answered(one: Round, event: QcPassed | QcFailed | QcOverridden) -> Round:
    verdicts = {QcPassed: "passed", QcFailed: "failed", QcOverridden: "overridden"}
    update = {"verdict": verdicts[type(event)], "verdict_event_id": event.envelope.event_id}
    return one.model_copy(update=update)


def decide(state: Member, event: Event) -> Decision:
    """Tell the cases that wait for this verdict, the case that joins after it, or those that were
    told of what does not count any more.
    """
    if is_repeated(state, event):
        return NOTHING
    if isinstance(event, ReadSetInvalidated):
        return Decision(events=tuple(_withdrawals(state, event)))
    if isinstance(event, FileRestored):
        return Decision(events=tuple(_restored(state, event)))
    good = _good(_heard(state, event), event)
    return Decision(events=tuple(_ready(event.key, joined, about) for joined, about in good))


def _good(after: Member, event: Event) -> list[tuple[Joined, Round]]:
    """The cases that are told because of this event, each with the round."""
    pairs: list[tuple[Joined, Round | None]] = []
    if isinstance(event, CaseJoined):
        joined = next(one for one in after.cases if one.case_id == event.case_id)
        pairs = [(joined, _newest(after, joined))]
    elif isinstance(event, QcPassed | QcOverridden):
        about = next((one for one in after.rounds if one.round == event.round), None)
        pairs = [(one, about) for one in after.cases if about is not None and _fits(one, about)]
    return [(one, about) for one, about in pairs if about is not None and _is_good(after, about)]


def _withdrawals(state: Member, event: ReadSetInvalidated) -> Iterable[CaseMemberWithdrawn]:
    if event.read_set_id in state.gone:
        return
    for told in state.told:
        if event.read_set_id in told.read_set_ids:
            yield CaseMemberWithdrawn(
                case_id=told.case_id,
                sample_id=event.sample_id,
                read_set_id=event.read_set_id,
                round=told.round,
                reason_code=event.reason_code,
                reason=event.reason,
            )


def _restored(state: Member, event: FileRestored) -> Iterable[CaseFileRestored]:
    place = (event.bucket, event.object_key, event.version_id)
    rounds = {
        one.round
        for one in state.rounds
        if place in ((file.bucket, file.object_key, file.version_id) for file in one.files)
    }
    for told in state.told:
        if told.round in rounds:
            yield CaseFileRestored(
                case_id=told.case_id,
                sample_id=event.key,
                bucket=event.bucket,
                object_key=event.object_key,
                version_id=event.version_id,
            )


def _fits(joined: Joined, about: Round) -> bool:
    return (
        (joined.assay, joined.reference) == (about.assay, about.reference)
        and joined.of_regions == about.of_regions
        and joined.qc_profile in (None, about.profile)
    )


def _newest(state: Member, joined: Joined) -> Round | None:
    fitting = [one for one in state.rounds if _fits(joined, one)]
    return max(fitting, key=lambda one: one.round, default=None)


def _is_good(state: Member, about: Round) -> bool:
    counts = not {one.read_set_id for one in about.files} & {*state.gone}
    return counts and about.verdict in ("passed", "overridden")


def _ready(sample_id: str, joined: Joined, about: Round) -> CaseMemberReady:
    assert about.verdict_event_id is not None
    return CaseMemberReady(
        case_id=joined.case_id,
        sample_id=sample_id,
        role=joined.role,
        round=about.round,
        verdict=about.verdict,
        verdict_event_id=about.verdict_event_id,
        files=about.files,
    )


TELL_CASE = Processor(
    "tell-case",
    reads=topics.SAMPLE,
    on=(CaseJoined, QcPassed, QcOverridden, ReadSetInvalidated, FileRestored),
    folds=(CaseLeft, QcRequested, QcFailed),
    emits=(CaseMemberReady, CaseMemberWithdrawn, CaseFileRestored),
    decide=decide,
    evolve=evolve,
    state=Member,
    about="tells each case of a sample that its reads are good enough, or no longer are",
)
