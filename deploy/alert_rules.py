"""Rules of alerts as documents: their JSON Schema, and what the fields alone do not say.

The schema is made from the models, so what a document may hold stands in one place.
docs/alert_rules.schema.json is printed from here (`python -m tools.alert_rules_schema`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, get_args, get_origin
from zoneinfo import ZoneInfo

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from genoflow.events.alert_ladder import AlertLadder
from genoflow.events.alert_rule import AlertRule
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.avro import bare, optional
from genoflow.events.catalogue import EVENTS
from genoflow.events.quiet_hours import QuietHours
from genoflow.events.types import NO_NUL, Choices
from genoflow.processors.watchtower.runs import CHARTED, CUSUM
from genoflow.processors.watchtower.stages import BY_NAME as STAGES

KIND = "alert-rules"
DRIFT_GROUPS = ("rule", "subject", "instrument", "assay")  # the subject is the sequencing run
PARTS = ("rules", "ladders", "quiet")
WAITS = ("stage", "quantile", "margin", "floor_seconds", "ceiling_seconds", "observations_min")
# What a rule of each kind has to say; a list needs an item.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "late": WAITS,
    "missing": WAITS,
    "rate": ("figure", "stage", "window", "above", "at_least"),
    "drift": ("metric", "chart", "runs_min"),
    "event": ("event_types",),
}
MAY: Mapping[str, tuple[str, ...]] = {"event": ("resolved_by",)}
OF_KINDS = tuple(
    dict.fromkeys(name for names in (*NEEDS.values(), *MAY.values()) for name in names)
)


# -- what the fields alone do not say


def rules_faults(document: AlertRulesPublished) -> Iterator[str]:
    """Everything for which these rules cannot be followed: place, fact, way out."""
    if not document.rules:
        yield "rules: are none; give it at least one, or publish nothing"
    yield from _twice("rules", (one.rule for one in document.rules))
    yield from _twice("ladders", (one.name for one in document.ladders))
    yield from _twice("quiet", (one.name for one in document.quiet))
    ladders = {one.name for one in document.ladders}
    quiet = {one.name for one in document.quiet}
    for rule in document.rules:
        place = f"rules.{rule.rule}"
        yield from (f"{place}.{fault}" for fault in _of_kind(rule))
        if rule.kind == "drift":
            yield from (f"{place}.{fault}" for fault in _drift_faults(rule))
        yield from _named(f"{place}.ladder", rule.ladder, "ladders", ladders)
        yield from _named(f"{place}.quiet", rule.quiet, "quiet", quiet)
    for ladder in document.ladders:
        yield from _ladder_faults(ladder)
    for hours in document.quiet:
        yield from _hours_faults(hours)


def _of_kind(rule: AlertRule) -> Iterator[str]:
    kind = rule.kind
    known = (*NEEDS[kind], *MAY.get(kind, ()))
    for name in OF_KINDS:
        value = getattr(rule, name)
        is_said = value is not None and value != ()
        if is_said and name not in known:
            yield f"{name}: is nothing that a rule of kind {kind} knows; it has {', '.join(known)}"
        if not is_said and name in NEEDS[kind]:
            yield f"{name}: is missing; a rule of kind {kind} needs {', '.join(NEEDS[kind])}"
    floor, ceiling = rule.floor_seconds, rule.ceiling_seconds
    if floor is not None and ceiling is not None and floor > ceiling:
        yield (
            f"floor_seconds: is {floor:g}, and ceiling_seconds {ceiling:g}; "
            f"the floor is the smaller one"
        )
    if rule.stage is not None and rule.stage not in STAGES:
        yield f"stage: {rule.stage:.60} is none; there are {', '.join(STAGES)} (docs/watchtower.md)"
    types = {one.type() for one in EVENTS}
    for name in ("event_types", "resolved_by"):
        for told in getattr(rule, name):
            if told not in types:
                yield f"{name}: {told:.60} is no type of event; docs/events.md has them all"
    for told in sorted({*rule.event_types} & {*rule.resolved_by}):
        yield f"resolved_by: {told} raises the alert and would end it; leave it out of one of them"


def _drift_faults(rule: AlertRule) -> Iterator[str]:
    charted = {one.metric for one in CHARTED}
    if rule.metric is not None and rule.metric not in charted:
        has = ", ".join(sorted(charted))
        yield f"metric: {rule.metric:.60} is not charted; there are {has} (docs/quality.md)"
    if rule.chart is not None and rule.chart != CUSUM:
        yield (
            f"chart: is {rule.chart}, which alarms nobody: its level is told in the alerts of "
            f"{CUSUM}; write {CUSUM} (docs/quality.md)"
        )
    if rule.group_by not in DRIFT_GROUPS:
        yield (
            f"group_by: is {rule.group_by}, and a chart has none; write one of "
            f"{', '.join(DRIFT_GROUPS)}"
        )


def _named(place: str, name: str | None, part: str, there: set[str]) -> Iterator[str]:
    if name is not None and name not in there:
        has = ", ".join(sorted(there)) or "none"
        yield f"{place}: {name} is not among the {part} of this document ({has}); add it there"


def _twice(part: str, names: Iterable[str]) -> Iterator[str]:
    every = list(names)
    for name in sorted({one for one in every if every.count(one) > 1}):
        yield f"{part}.{name}: stands twice; keep one of them"


def _ladder_faults(ladder: AlertLadder) -> Iterator[str]:
    for number, step in enumerate(ladder.steps, start=1):
        place = f"ladders.{ladder.name}.steps.{number}"
        if not step.subscription_ids:
            yield f"{place}.subscription_ids: are none; name who is told, or leave the step out"
        if number > 1 and not step.after_seconds:
            yield (
                f"{place}.after_seconds: is 0; whoever is told at once stands in the step before"
            )


def _hours_faults(hours: QuietHours) -> Iterator[str]:
    place = f"quiet.{hours.name}"
    try:
        ZoneInfo(hours.zone)
    except (KeyError, ValueError, OSError):
        yield (
            f"{place}.zone: {hours.zone} is no time zone that this machine knows; write one of the "
            f"IANA database such as Europe/Berlin, or install tzdata where there is none"
        )
    if hours.from_time == hours.until_time:
        yield f"{place}.until_time: is {hours.until_time}, as from_time; give it another end"


# -- the schema


@cache
def rules_schema() -> dict[str, Any]:
    """The JSON Schema of a document of rules, in the words that `faults_of` knows."""
    parts: dict[str, Any] = {}
    whole = _record(AlertRulesPublished, parts)
    whole["properties"] = {"kind": {"const": KIND}, **whole["properties"]}
    whole["required"] = ["kind", *(one for one in whole["required"] if one != "content_sha256")]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:genoflow:alert-rules:1.0",
        "title": "Rules of alerts of GenoFlow",
        **whole,
        "$defs": parts,
    }


def _record(model: type[BaseModel], parts: dict[str, Any]) -> dict[str, Any]:
    fields = model.model_fields
    return {
        "description": " ".join((model.__doc__ or "").split()),
        "type": "object",
        "required": [name for name, info in fields.items() if info.is_required()],
        "additionalProperties": False,
        "properties": {
            name: {"description": info.description, **_value(info.annotation, info.metadata, parts)}
            for name, info in fields.items()
        },
    }


def _value(annotation: Any, marks: Iterable[Any], parts: dict[str, Any]) -> dict[str, Any]:
    found = [*marks, *_marks(annotation)]
    plain = bare(annotation)
    if (inner := optional(plain)) is not None:
        return _value(inner, found, parts)  # what has no value is left out
    if get_origin(plain) is tuple:
        items = _value(get_args(plain)[0], (), parts)
        return {"type": "array", **_limits(found, "minItems", "maxItems"), "items": items}
    if isinstance(plain, type) and issubclass(plain, BaseModel):
        parts.setdefault(plain.__name__, _record(plain, parts))
        return {"$ref": f"#/$defs/{plain.__name__}"}
    if plain is str:
        return _text(found)
    kind = {int: "integer", float: "number"}[plain]
    least = next((mark.ge for mark in found if hasattr(mark, "ge")), None)
    most = next((mark.le for mark in found if hasattr(mark, "le")), None)
    limits = {"minimum": least, "maximum": most}
    return {"type": kind} | {name: limit for name, limit in limits.items() if limit is not None}


def _text(marks: list[Any]) -> dict[str, Any]:
    for mark in marks:
        if isinstance(mark, Choices):
            return {"enum": list(mark.allowed)}
    pattern = next((p for mark in marks if (p := getattr(mark, "pattern", None))), None)
    shown = {"pattern": pattern} if pattern not in (None, NO_NUL) else {}
    return {"type": "string", **_limits(marks, "minLength", "maxLength"), **shown}


def _limits(marks: list[Any], least: str, most: str) -> dict[str, int]:
    found = {}
    for name, field in ((least, "min_length"), (most, "max_length")):
        limit = next((n for mark in marks if (n := getattr(mark, field, None)) is not None), None)
        if limit is not None:
            found[name] = limit
    return found


def _marks(annotation: Any) -> list[Any]:
    marks = []
    for mark in getattr(annotation, "__metadata__", ()):
        marks += mark.metadata if isinstance(mark, FieldInfo) else [mark]
    return marks


def schema_text() -> str:
    """The schema as docs/alert_rules.schema.json holds it."""
    return json.dumps(rules_schema(), indent=2) + "\n"
