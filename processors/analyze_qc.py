"""A sample is held against a profile that somebody named, as an answer to a question.

What validation measured is on the topic of the sample, so only the profile and the reference are
looked up, by an effect whose outcome carries their content. The verdict has types of its own:
whoever waits for QcPassed or QcFailed never hears of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from genoflow.events import topics
from genoflow.events.errors import Parked, Refused
from genoflow.events.event import Event
from genoflow.events.proposal import ProposalRefused
from genoflow.events.qc_analysis_failed import QcAnalysisFailed
from genoflow.events.qc_analysis_passed import QcAnalysisPassed
from genoflow.events.qc_analysis_proposed import QcAnalysisProposed
from genoflow.events.qc_analysis_refused import QcAnalysisRefused
from genoflow.events.qc_analysis_requested import QcAnalysisRequested
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.events.reference_published import ReferencePublished
from genoflow.events.target_set_published import TargetSetPublished
from genoflow.events.threshold import Threshold
from genoflow.events.types import TEXT_CHARACTERS_MAX
from genoflow.processors import analysis_rules as rules
from genoflow.processors.analysis_rules import Question
from genoflow.processors.decision import NOTHING, Arguments, Decision, Effect
from genoflow.processors.ports import Attempt, CatalogReader
from genoflow.processors.processor import Call, Processor
from genoflow.processors.qc_profiles import CUSTOM, SHIPPED, required_of
from genoflow.processors.repeated import Remembering, is_repeated, with_this
from genoflow.processors.strictness import STANDARD

NAME = "analyze-qc"
EFFECT = "analyze"
WHOLE_GENOME = ""  # the assay of a sample that nobody ordered: no assay has this name


class Sample(rules.Material, Remembering):
    """The material of a sample, and which events it has heard."""


class Analyze(Arguments):
    """A question that the material of its sample can answer."""

    question: Question
    proposal_id: UUID


def decide(state: Sample, event: QcAnalysisProposed) -> Decision:
    """Look the profile up where the question can be answered; refuse it with the reason else."""
    if is_repeated(state, event):
        return NOTHING
    try:
        question = rules.asked(state, event)
    except Refused as error:
        return Decision(events=tuple(_no(event.sample_id, event.envelope.event_id, str(error))))
    asked = Analyze(question=question, proposal_id=event.envelope.event_id)
    return Decision(effects=(Effect(EFFECT, asked),))


def evolve(state: Sample, event: Event) -> Sample:
    """Keep the files that were validated, and what was ordered."""
    if is_repeated(state, event):
        return state
    change = {} if isinstance(event, QcAnalysisProposed) else rules.heard(state, event)
    return state.model_copy(update={**change, "seen": with_this(state, event)})


def _no(sample_id: str, proposal_id: UUID, reason: str) -> Sequence[ProposalRefused]:
    return [
        QcAnalysisRefused(
            sample_id=sample_id,
            proposal_event_id=proposal_id,
            reason=reason[:TEXT_CHARACTERS_MAX],
        )
    ]


# -- the effect


async def analyze(asked: Analyze, attempt: Attempt) -> Sequence[Event]:
    """Say what is judged and by what, and how it comes out; refuse where nothing is required."""
    catalog, question = attempt.ports.catalog, asked.question
    if catalog is None:
        raise Parked("analyze: this worker has no catalog; wire one")
    try:
        profile = await _profile(catalog, question)
        thresholds = _required(profile, question)
    except Refused as error:
        return not_analyzed(asked, str(error))
    request = QcAnalysisRequested(
        sample_id=question.sample_id,
        analysis_id=asked.proposal_id,
        assay=question.wish.assay if question.wish else None,
        material=question.material,
        profile=profile.document_id if profile else question.profile,
        profile_version=profile.version if profile else None,
        overridden_metrics=tuple(one.metric for one in question.overrides),
        thresholds=thresholds,
        genome_bases=await _bases(catalog, question),
        files=tuple(one.file for one in question.files),
        validation=profile.validation if profile else STANDARD,
        violating=rules.violating(question),
    )
    return [request, rules.verdict(question, request)]


def not_analyzed(asked: Analyze, reason: str) -> Sequence[Event]:
    """Say why a question has no answer."""
    return _no(asked.question.sample_id, asked.proposal_id, reason)


async def _profile(catalog: CatalogReader, question: Question) -> QcProfilePublished | None:
    """The profile by its name; of custom the lab's, else that of the order, or none at all."""
    profile = await catalog.find(QcProfilePublished, question.profile)
    wish = question.wish
    if profile is None and question.profile == CUSTOM and wish is not None:
        if wish.qc_profile is not None:
            return await catalog.find(QcProfilePublished, wish.qc_profile)
        return await catalog.default_for(QcProfilePublished, wish.assay)
    if profile is None and question.profile != CUSTOM:
        name = question.profile
        way = f"genoflow catalog profile {name} | genoflow catalog publish -"
        way = way if name in SHIPPED else "genoflow catalog list --kind qc-profile"
        raise Refused(f"qc_profile: {name} is not published; `{way}`")
    return profile


def _required(profile: QcProfilePublished | None, question: Question) -> tuple[Threshold, ...]:
    assay = question.wish.assay if question.wish else WHOLE_GENOME
    found = required_of(profile, assay, question.material) if profile is not None else ()
    thresholds = rules.overridden(found, question.overrides)
    if not thresholds:
        raise Refused(
            f"qc_profile: {question.profile} requires nothing of {question.material}"
            + (f" for the assay {assay}" if assay else ", and nobody has ordered this sample")
            + "; name another, or say what is required by parameters with custom"
        )
    return thresholds


async def _bases(catalog: CatalogReader, question: Question) -> int | None:
    """Over how many bases coverage is told; None where no order says of which build."""
    wish = question.wish
    if wish is None:
        return None
    if wish.target_set is not None:
        targets = await catalog.find(TargetSetPublished, wish.target_set)
        return targets.target_bases if targets else None
    reference = await catalog.find(ReferencePublished, wish.reference)
    return reference.genome_bases if reference else None


ANALYZE_QC = Processor(
    NAME,
    reads=topics.SAMPLE,
    on=(QcAnalysisProposed,),
    folds=rules.FACTS,
    emits=(QcAnalysisRefused,),
    decide=decide,
    evolve=evolve,
    state=Sample,
    state_version=3,
    effects=(
        Call(
            EFFECT,
            arguments=Analyze,
            emits=(QcAnalysisRequested, QcAnalysisPassed, QcAnalysisFailed, QcAnalysisRefused),
            perform=analyze,
            gives_up=not_analyzed,
        ),
    ),
    about="holds a sample against a profile that somebody named, without touching its rounds",
)
