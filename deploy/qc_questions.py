"""Questions about the quality of a sample at the command line: asked, awaited, and told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import Any
from uuid import UUID, uuid5

from genoflow.events import topics
from genoflow.events.errors import NotThere, Refused
from genoflow.events.event import Event
from genoflow.events.identity import GENOFLOW
from genoflow.events.log.partitioner import partition_of
from genoflow.events.log.port import EventLog
from genoflow.events.measured import Measured
from genoflow.events.metric_names import BOUNDS, CONTRACT_NAMES, READS_UNITS, in_our_words
from genoflow.events.qc_analysis_failed import QcAnalysisFailed
from genoflow.events.qc_analysis_passed import QcAnalysisPassed
from genoflow.events.qc_analysis_proposed import QcAnalysisProposed
from genoflow.events.qc_analysis_refused import QcAnalysisRefused
from genoflow.events.qc_analysis_requested import QcAnalysisRequested
from genoflow.events.qc_failed import QcFailed
from genoflow.events.qc_metrics_recorded import QcMetricsRecorded
from genoflow.events.qc_passed import QcPassed
from genoflow.events.qc_requested import QcRequested
from genoflow.events.threshold import Threshold
from genoflow.processors import analysis_rules as rules
from genoflow.processors.json_schema import faults_of
from genoflow.processors.qc_metrics import number

OF_QUESTIONS = (
    QcAnalysisProposed, QcAnalysisRequested, QcAnalysisPassed, QcAnalysisFailed, QcAnalysisRefused,
)  # fmt: skip
OF_ROUNDS = (QcRequested, QcMetricsRecorded, QcPassed, QcFailed)
BOUND = {"type": "number"}
PARAMETERS = {
    "type": "object",
    "properties": {
        name: {
            "type": "object", "additionalProperties": False,
            "properties": dict.fromkeys(BOUNDS, BOUND),
        }
        for name in (*READS_UNITS, *CONTRACT_NAMES)
    },
    "additionalProperties": False,
}  # fmt: skip


def thresholds_in(text: str) -> tuple[Threshold, ...]:
    """Thresholds by metric as JSON; Refused names everything that is wrong with them."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise Refused(f"--parameters: is no JSON ({error})") from error
    if faults := faults_of(value, PARAMETERS):
        raise Refused("\n".join(f"--parameters: {fault}" for fault in faults))
    found = []
    for name, bounds in value.items():
        alias = CONTRACT_NAMES.get(name)
        unit = alias.unit if alias else READS_UNITS[name]
        found.append(Threshold(**in_our_words({"metric": name, "unit": unit, **bounds})))
    return tuple(found)


def place_in(path: str | None) -> tuple[str | None, str | None]:
    """Bucket and key of s3://bucket/key; Refused where it is none."""
    if path is None:
        return None, None
    bucket, _, key = path.removeprefix("s3://").partition("/")
    if not path.startswith("s3://") or not bucket:
        raise Refused(f"--data: {path!r:.80} is no s3://bucket/key; name a file, or a folder")
    return bucket, key or None


async def question(
    log: EventLog,
    sample_id: str,
    profile: str,
    path: str | None,
    thresholds: tuple[Threshold, ...],
    request_id: str | None,
) -> QcAnalysisProposed:
    """The proposal of a question that the material can answer; the same again has the same id.

    Refused, with the reason, where it cannot be answered.
    """
    bucket, key = place_in(path)
    said = QcAnalysisProposed(
        sample_id=sample_id, profile=profile, bucket=bucket, object_key=key, thresholds=thresholds,
        request_id=request_id or "unnamed",
    )  # fmt: skip
    state = rules.Material()
    async for event in _events(log, sample_id, rules.FACTS):
        state = state.model_copy(update=rules.heard(state, event))
    found = rules.asked(state, said)
    if request_id is not None:
        return said
    words = [said.payload(), *(one.measures.name for one in found.files)]
    name = uuid5(GENOFLOW, json.dumps(words, sort_keys=True))
    return said.model_copy(update={"request_id": str(name)})


async def _events(log: EventLog, sample_id: str, types: Sequence[type[Event]]) -> Any:
    name, key = topics.SAMPLE.name, sample_id.encode()
    place = (name, partition_of(key, await log.partitions(name)))
    start, stop = await log.starts(name), await log.ends(name)
    names = {kind.type() for kind in types}
    async with aclosing(log.read({place: start[place]}, {place: stop[place]})) as records:
        async for record in records:
            if record.key_bytes == key and record.type in names:
                yield record.event


async def story_of(log: EventLog, job_id: str, sample_id: str | None = None) -> list[Event]:
    """What stands on the log about a question or a round; NotThere where nobody asked.

    Of a question whose sample is not named the whole topic is read.
    """
    try:
        name = UUID(job_id)
    except ValueError:
        named, _, digits = job_id.rpartition(".")
        found = [
            event
            async for event in _events(log, named, OF_ROUNDS)
            if digits.isdecimal() and event.round == int(digits)
        ]
    else:
        known = _events(log, sample_id, OF_QUESTIONS) if sample_id else _questions(log)
        found = [event async for event in known if _about(event) == name]
    if not found:
        raise NotThere(
            f"{job_id}: nobody has asked for it; it is what `genoflow qc analyze` prints, or the "
            f"sample, a dot and the round, such as S7.1"
        )
    return found


async def stands(log: EventLog, said: QcAnalysisProposed) -> bool:
    """Whether this very question was asked before."""
    asked = _events(log, said.sample_id, (QcAnalysisProposed,))
    name = said.external_id()
    return name in [event.envelope.event_id async for event in asked]


async def _questions(log: EventLog) -> Any:
    topic = topics.SAMPLE.name
    names = {kind.type() for kind in OF_QUESTIONS}
    async with aclosing(log.read(await log.starts(topic), await log.ends(topic))) as records:
        async for record in records:
            if record.type in names:
                yield record.event


def _about(event: Event) -> UUID:
    if isinstance(event, QcAnalysisProposed):
        return event.envelope.event_id
    if isinstance(event, QcAnalysisRefused):
        return event.proposal_event_id
    assert isinstance(event, QcAnalysisRequested | QcAnalysisPassed | QcAnalysisFailed)
    return event.analysis_id


ANSWERS = (QcAnalysisPassed, QcAnalysisFailed, QcAnalysisRefused, QcPassed, QcFailed)


def is_answered(story: Sequence[Event]) -> bool:
    """Whether there is a verdict, or a refusal."""
    return any(isinstance(one, ANSWERS) for one in story)


def told(story: Sequence[Event]) -> dict[str, Any]:
    """How far it is and how it came out, for programs; the words are those of the API."""
    # A question that was sent again may stand behind its own answer.
    last = next((one for one in reversed(story) if isinstance(one, ANSWERS)), story[-1])
    is_refused = isinstance(last, QcAnalysisRefused)
    verdict = None
    if isinstance(last, QcAnalysisPassed | QcPassed):
        verdict = "pass"
    elif isinstance(last, QcAnalysisFailed | QcFailed):
        verdict = "fail"
    status = "failed" if is_refused else "completed" if verdict else "queued"
    measured = getattr(last, "measured", ())
    is_round = isinstance(last, OF_ROUNDS)
    recorded = [one for one in story if isinstance(one, QcMetricsRecorded)]
    why = {one.metric: one.reason for event in recorded for one in event.unknown}
    return {
        "qc_job_id": f"{last.key}.{last.round}" if is_round else str(_about(last)),  # type: ignore[attr-defined]
        "sample_id": last.key,
        "status": status,
        "pass_fail": verdict,
        "reason": getattr(last, "reason", None),
        "profile": getattr(last, "profile", None) or getattr(story[0], "profile", None),
        "profile_version": getattr(last, "profile_version", None),
        "measured": [
            one.model_dump(mode="json") | {"why": why.get(one.metric)} for one in measured
        ],
    }


def lines_of(row: dict[str, Any]) -> Iterator[str]:
    """The same for people."""
    version = f" {row['profile_version']}" if row["profile_version"] else ""
    verdict = row["pass_fail"] or row["status"]
    yield f"{row['qc_job_id']}: {row['sample_id']} by {row['profile']}{version}: {verdict}"
    if row["reason"]:
        yield f"  {row['reason']}"
    for plain in row["measured"]:
        one = Measured(**{name: plain[name] for name in Measured.model_fields})
        limits = [
            f"{word} {number(bound)}"
            for word, bound in (("at least", one.required_min), ("at most", one.required_max))
            if bound is not None
        ]
        wanted = f"  ({' and '.join(limits)})" if limits else ""
        value = (
            f"is not known: {plain['why']}" if plain["why"] else f"{number(one.value)} {one.unit}"
        )
        yield f"  {one.verdict:<12}{one.metric:<22}{value}{wanted}"
