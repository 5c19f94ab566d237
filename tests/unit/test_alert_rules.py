"""Rules of alerts as documents: what comes with the package, and what is refused, and how."""

from __future__ import annotations

import json
from copy import deepcopy
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from genoflow.deploy.alert_rules import KIND, MAY, NEEDS, OF_KINDS, rules_schema, schema_text
from genoflow.deploy.catalog_documents import digest, parse_documents
from genoflow.events.alert_rule import AlertRule
from genoflow.events.alert_rules_published import AlertRulesPublished
from genoflow.events.errors import Refused
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.running.parameters import canonical
from genoflow.processors.watchtower.runs import CHARTED
from tools.alert_rules_schema import PATH

GUARD = PrivacyGuard((r"MRN\d+",))
COMMON = {"severity": "warning", "group_by": "rule"}
WAITS = {
    "stage": "validate", "quantile": 0.99, "margin": 2, "floor_seconds": 60,
    "ceiling_seconds": 3600, "observations_min": 30,
}  # fmt: skip
BY_KIND: dict[str, dict[str, Any]] = {
    "late": WAITS,
    "missing": WAITS,
    "rate": {"figure": "failures", "stage": "run", "window": "hour", "above": 0.2, "at_least": 5},
    "drift": {"metric": "q30_fraction", "chart": "cusum", "runs_min": 20},
    "event": {"event_types": ["RunFailed"], "resolved_by": ["RunSucceeded"]},
}
DOCUMENT: dict[str, Any] = {
    "kind": KIND, "document_id": "alerts", "version": "1.0", "title": "Alerts",
    "rules": [
        {
            "rule": f"r-{kind}", "kind": kind, **COMMON, **fields,
            "ladder": "on-call", "quiet": "nights",
        }
        for kind, fields in BY_KIND.items()
    ],
    "ladders": [
        {
            "name": "on-call",
            "steps": [
                {"after_seconds": 0, "subscription_ids": ["sub-1"]},
                {"after_seconds": 900, "subscription_ids": ["sub-2", "sub-3"]},
            ],
        }
    ],
    "quiet": [
        {
            "name": "nights", "zone": "Europe/Berlin", "days": ["mon", "tue"],
            "from_time": "22:00", "until_time": "06:30", "severities": ["info", "warning"],
        }
    ],
}  # fmt: skip


def published(document: dict[str, Any]) -> AlertRulesPublished:
    [found] = parse_documents([("rules.json", json.dumps(document))], [], GUARD)
    assert isinstance(found, AlertRulesPublished)
    return found


def refused(document: dict[str, Any]) -> str:
    with pytest.raises(Refused) as told:
        published(document)
    return str(told.value)


def rule_of(of: str, **changes: Any) -> dict[str, Any]:
    """The document with one rule of this kind, changed; None takes a field away."""
    rule = {"rule": "mine", "kind": of, **COMMON, **BY_KIND[of], **changes}
    kept = {name: value for name, value in rule.items() if value is not None}
    return DOCUMENT | {"rules": [kept]}


def test_a_document_holds_what_was_written() -> None:
    found = published(DOCUMENT)
    assert [one.kind for one in found.rules] == list(BY_KIND)
    assert found.ladders[0].steps[1].subscription_ids == ("sub-2", "sub-3")
    assert found.quiet[0].zone == "Europe/Berlin"
    parts = {name: DOCUMENT[name] for name in ("rules", "ladders", "quiet")}
    assert found.content_sha256 == digest(canonical(parts))


def test_what_comes_with_the_package_can_be_published() -> None:
    text = files("genoflow.deploy.profiles").joinpath("alerts.json").read_text(encoding="utf-8")
    found = published(json.loads(text))
    assert {one.kind for one in found.rules} == set(NEEDS)
    drift = {one.metric for one in found.rules if one.kind == "drift"}
    assert drift == {one.metric for one in CHARTED}
    assert found.ladders == ()  # whom it would name, only a lab knows


def test_the_schema_on_the_page_is_the_one_that_is_used() -> None:
    assert PATH.read_text(encoding="utf-8") == schema_text(), (
        "docs/alert_rules.schema.json: differs; `python -m tools.alert_rules_schema` prints it"
    )


def test_another_reader_of_json_schema_takes_the_same_documents() -> None:
    Draft202012Validator.check_schema(rules_schema())
    validator = Draft202012Validator(rules_schema())
    assert not list(validator.iter_errors(DOCUMENT))
    assert [[*error.path] for error in validator.iter_errors(rule_of("late", quantile=2))] == [
        ["rules", 0, "quantile"]
    ]


def test_every_field_of_a_rule_is_of_all_kinds_or_of_some() -> None:
    common = {"rule", "kind", "severity", "group_by", "ladder", "quiet", "hint"}
    assert common | {*OF_KINDS} == {*AlertRule.model_fields}
    assert {*MAY} <= {*NEEDS}


@pytest.mark.parametrize(
    ("kind", "field"), [(kind, field) for kind, fields in NEEDS.items() for field in fields]
)
def test_a_kind_that_needs_a_field_says_so(kind: str, field: str) -> None:
    assert f"rules.json: rules.mine.{field}: is missing; a rule of kind {kind} needs" in refused(
        rule_of(kind, **{field: None})
    )


@pytest.mark.parametrize("kind", NEEDS)
def test_a_kind_refuses_what_it_does_not_know(kind: str) -> None:
    known = {*NEEDS[kind], *MAY.get(kind, ())}
    others = {
        name: value
        for fields in BY_KIND.values()
        for name, value in fields.items()
        if name not in known
    }
    said = refused(rule_of(kind, **others))
    for name in others:
        assert f"rules.mine.{name}: is nothing that a rule of kind {kind} knows; it has" in said


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (DOCUMENT | {"rules": []}, "rules: are none; give it at least one"),
        (rule_of("late", floor_seconds=7200), "rules.mine.floor_seconds: is 7200, and ceiling"),
        (rule_of("late", quantile=0.4), "rules.0.quantile: is 0.4; write at least 0.5"),
        (rule_of("drift", runs_min=19), "rules.0.runs_min: is 19; write at least 20"),
        (rule_of("drift", chart="ewma"), "rules.mine.chart: is ewma, which alarms nobody: its"),
        (rule_of("drift", metric="gc_fraction"), "metric: gc_fraction is not charted; there are"),
        (rule_of("drift", group_by="project"), "group_by: is project, and a chart has none; write"),
        (rule_of("rate", surplus=1), "rules.0.surplus: is not known; leave it out"),
        (rule_of("rate", kind="worse"), "rules.0.kind: is 'worse'; write one of late, missing"),
        (rule_of("event", event_types=["RunFell"]), "event_types: RunFell is no type of event"),
        (rule_of("event", resolved_by=["RunFailed"]), "resolved_by: RunFailed raises the alert"),
        (rule_of("event", ladder="off"), "rules.mine.ladder: off is not among the ladders of"),
        (rule_of("event", quiet="off"), "rules.mine.quiet: off is not among the quiet of this"),
        (rule_of("event", hint="ask for MRN4711"), "rules.0.hint: holds what pattern 1 of"),
        (DOCUMENT | {"rules": DOCUMENT["rules"][:1] * 2}, "rules.r-late: stands twice; keep one"),
        (DOCUMENT | {"ladders": DOCUMENT["ladders"] * 2}, "ladders.on-call: stands twice"),
        (DOCUMENT | {"quiet": DOCUMENT["quiet"] * 2}, "quiet.nights: stands twice"),
    ],
)
def test_a_wrong_document_is_refused_with_place_fact_and_way_out(
    document: dict[str, Any], said: str
) -> None:
    told = refused(document)
    assert said in told
    assert told.endswith("nothing was published; mend these and try again")


@pytest.mark.parametrize(
    ("part", "changes", "said"),
    [
        ("quiet", {"zone": "Europe/Atlantis"}, "quiet.nights.zone: Europe/Atlantis is no time"),
        ("quiet", {"until_time": "22:00"}, "quiet.nights.until_time: is 22:00, as from_time"),
        ("quiet", {"from_time": "25:00"}, "quiet.0.from_time: is '25:00'; write what fits"),
        ("quiet", {"days": ["noon"]}, "quiet.0.days.0: is 'noon'; write one of mon, tue"),
        ("ladders", {"steps": []}, "ladders.0.steps: has 0 items; give it at least 1"),
        (
            "ladders", {"steps": [{"after_seconds": 0, "subscription_ids": []}]},
            "ladders.on-call.steps.1.subscription_ids: are none; name who is told",
        ),
        (
            "ladders", {"steps": [{"after_seconds": 0, "subscription_ids": ["a"]}] * 2},
            "ladders.on-call.steps.2.after_seconds: is 0; whoever is told at once stands in",
        ),
    ],
)  # fmt: skip
def test_wrong_ladders_and_hours_are_refused(part: str, changes: dict[str, Any], said: str) -> None:
    document = deepcopy(DOCUMENT)
    document[part][0] |= changes
    assert said in refused(document)


def test_a_version_never_changes() -> None:
    before = published(DOCUMENT)
    again = parse_documents([("rules.json", json.dumps(DOCUMENT))], [before], GUARD)
    assert again == []
    changed = json.dumps(rule_of("late"))
    with pytest.raises(Refused, match="a version never changes, so give it a new one"):
        parse_documents([("rules.json", changed)], [before], GUARD)
