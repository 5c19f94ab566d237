"""A hop: when the reads of a sample are good enough, each case that it belongs to is told."""

from __future__ import annotations

from uuid import UUID

from genoflow.events import topics
from genoflow.events.case_joined import CaseJoined
from genoflow.events.case_member_ready import CaseMemberReady
from genoflow.events.event import Event
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


class Member(Remembering):
    """The cases of one sample, and its rounds."""

    cases: tuple[Joined, ...] = ()
    rounds: tuple[Round, ...] = ()
    gone: tuple[str, ...] = ()


def evolve(state: Member, event: Event) -> Member:
    """Keep the cases, the rounds and what was said of each."""
    if is_repeated(state, event):
        return state
    change: dict[str, object] = {"seen": with_this(state, event)}
    if isinstance(event, CaseJoined):
        others = (one for one in state.cases if one.case_id != event.case_id)
        change["cases"] = (*others, _joined(event))
    elif isinstance(event, QcRequested):
        change["rounds"] = (*state.rounds, _round(event))[-ROUNDS_MAX:]
    elif isinstance(event, ReadSetInvalidated):
        change["gone"] = tuple(dict.fromkeys((*state.gone, event.read_set_id)))
    else:
        assert isinstance(event, QcPassed | QcFailed | QcOverridden)
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
    """Tell the cases that wait for this verdict, or the case that joins after it."""
    if is_repeated(state, event):
        return NOTHING
    after = evolve(state, event)
    if isinstance(event, CaseJoined):
        joined = next(one for one in after.cases if one.case_id == event.case_id)
        pairs = [(joined, _newest(after, joined))]
    else:
        assert isinstance(event, QcPassed | QcOverridden)
        about = next((one for one in after.rounds if one.round == event.round), None)
        pairs = [(one, about) for one in after.cases if about is not None and _fits(one, about)]
    return Decision(
        events=tuple(
            _ready(event.key, joined, about)
            for joined, about in pairs
            if about is not None and _is_good(after, about)
        )
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
    on=(CaseJoined, QcPassed, QcOverridden),
    folds=(QcRequested, QcFailed, ReadSetInvalidated),
    emits=(CaseMemberReady,),
    decide=decide,
    evolve=evolve,
    state=Member,
    about="tells each case of a sample that its reads are good enough, with their files",
)
