"""Profiles: held to their schema, by assay and stage, in either's names; the shipped ones hold."""

from __future__ import annotations

import json
import random
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from genoflow.deploy.catalog_documents import parse_documents, profile_schema
from genoflow.deploy.commands.catalog import profile as print_profile
from genoflow.events.errors import Refused
from genoflow.events.metric_names import CONTRACT_NAMES, in_our_words
from genoflow.events.qc_profile_published import QcProfilePublished
from genoflow.processors.intake.privacy import PrivacyGuard
from genoflow.processors.json_schema import faults_of
from genoflow.processors.qc_profiles import required_of, required_of_results
from tests import qc_facts as facts

Plain = dict[str, Any]
GUARD = PrivacyGuard(())
Q30 = {"metric": "q30_fraction", "unit": "fraction", "required_min": 0.8}
PROFILE: Plain = {
    "kind": "qc-profile", "document_id": "mine", "version": "1", "title": "Mine",
    "assays": ["wgs"], "run_thresholds": [], "reads_thresholds": [Q30], "results_thresholds": [],
    "top_ups_max": 2,
}  # fmt: skip
MISSING = object()


def shipped(name: str) -> Plain:
    text = files("genoflow.deploy.profiles").joinpath(f"{name}.json").read_text(encoding="utf-8")
    document: Plain = json.loads(text)
    return document


def parsed(document: Plain) -> QcProfilePublished:
    [found] = parse_documents([("f.json", json.dumps(document))], (), GUARD)
    assert isinstance(found, QcProfilePublished)
    return found


def refused(**changes: Any) -> str:
    with pytest.raises(Refused) as caught:
        parsed({k: v for k, v in (PROFILE | changes).items() if v is not MISSING})
    return str(caught.value)


@pytest.mark.parametrize("name", ["standard", "strict"])
@pytest.mark.parametrize("assay", ["wgs", "wes", "panel"])
def test_a_shipped_profile_says_what_it_requires_of_every_assay_and_material(
    name: str, assay: str
) -> None:
    profile = parsed(shipped(name))
    assert profile.document_id == name
    assert profile.validation == name  # standard or strict
    of = {one: required_of(profile, assay, one) for one in ("FASTQ", "BAM", "CRAM", "VCF")}
    reads = {one.metric for one in of["FASTQ"]}
    assert reads == {"quality_mean", "q30_fraction", "n_fraction", "mean_coverage"}
    assert {one.metric for one in of["BAM"]} - reads >= {"mapped_fraction"}
    assert of["BAM"] == of["CRAM"]
    assert "variants" in {one.metric for one in of["VCF"]}
    assert "mean_coverage" not in {one.metric for one in of["VCF"]}
    results = {one.metric for one in required_of_results(profile, assay, "FASTQ")}
    assert results >= {"contamination", "mean_coverage"}
    assert "mean_coverage" not in {one.metric for one in required_of_results(profile, assay, "VCF")}


def test_strict_is_never_laxer_than_standard() -> None:
    standard, strict = parsed(shipped("standard")), parsed(shipped("strict"))
    compared = 0
    for assay in ("wgs", "wes", "panel"):
        for of in (required_of, required_of_results):
            for material in ("FASTQ", "BAM", "VCF"):
                laxer = {one.metric: one for one in of(standard, assay, material)}
                for one in of(strict, assay, material):
                    other = laxer.get(one.metric)
                    if other is None:
                        continue
                    compared += 1
                    if other.required_min is not None:
                        assert one.required_min is not None
                        assert one.required_min >= other.required_min
                    if other.required_max is not None:
                        assert one.required_max is not None
                        assert one.required_max <= other.required_max
    assert compared > 30


def test_only_the_standard_is_the_default_of_an_assay() -> None:
    assert parsed(shipped("standard")).assays == ("wgs", "wes", "panel")
    assert parsed(shipped("strict")).assays == ()


def test_the_command_prints_what_publish_takes(capsys: pytest.CaptureFixture[str]) -> None:
    print_profile.main(["strict"], standalone_mode=False)
    assert parsed(json.loads(capsys.readouterr().out)).document_id == "strict"


def test_an_older_profile_requires_of_every_assay_what_it_always_did() -> None:
    profile = facts.profile()
    for material in ("FASTQ", "BAM", "VCF"):
        assert required_of(profile, "wgs", material) is profile.reads_thresholds
    assert required_of_results(profile, "wgs", "FASTQ") is profile.results_thresholds
    before = parsed(PROFILE)
    assert parsed(PROFILE | {"assay_thresholds": []}) == before


def test_a_threshold_of_an_assay_takes_the_place_of_the_one_for_all() -> None:
    own = {"assay": "wgs", "stage": "reads", "thresholds": [Q30 | {"required_min": 0.9}]}
    profile = parsed(PROFILE | {"assay_thresholds": [own]})
    assert [one.required_min for one in required_of(profile, "wgs", "FASTQ")] == [0.9]
    assert [one.required_min for one in required_of(profile, "wes", "FASTQ")] == [0.8]
    assert profile.content_sha256 != parsed(PROFILE).content_sha256


def test_metrics_may_bear_the_names_of_the_contract_and_are_kept_under_ours() -> None:
    theirs = [
        {"metric": "gc_content", "unit": "percent", "warn_min": 38, "warn_max": 42.5},
        {"metric": "total_reads", "unit": "reads", "required_min": 10},
    ]
    found = parsed(PROFILE | {"reads_thresholds": theirs}).reads_thresholds
    assert [(one.metric, one.unit) for one in found] == [
        ("gc_fraction", "fraction"), ("reads", "reads"),
    ]  # fmt: skip
    assert (found[0].warn_min, found[0].warn_max) == (0.38, 0.425)
    ours = parsed(PROFILE | {"reads_thresholds": [one.model_dump() for one in found]})
    assert ours.reads_thresholds == found
    wrong = [{"metric": "gc_content", "unit": "fraction", "warn_min": 0.4}]
    assert "reads_thresholds.gc_content: is not measured; there are" in refused(
        reads_thresholds=wrong
    )
    for name, alias in CONTRACT_NAMES.items():
        words = in_our_words({"metric": name, "unit": alias.unit, "required_min": 100.0})
        assert words["required_min"] == pytest.approx(100.0 / alias.times)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"title": MISSING}, "f.json: title: is missing; add it"),
        ({"titel": "x"}, "f.json: titel: is not known; leave it out, there are kind, document_id"),
        ({"version": "one"}, "f.json: version: is 'one'; write what fits"),
        ({"assays": "wgs"}, "f.json: assays: is 'wgs'; write an array"),
        ({"top_ups_max": 1.5}, "f.json: top_ups_max: is 1.5; write an integer"),
        ({"top_ups_max": True}, "f.json: top_ups_max: is True; write an integer"),
        ({"reads_thresholds": [{"metric": "x"}]}, "reads_thresholds.0.unit: is missing; add it"),
        (
            {"reads_thresholds": [Q30 | {"required_min": "high"}]},
            "reads_thresholds.0.required_min: is 'high'; write a number or null",
        ),
        (
            {"assay_thresholds": [{"assay": "wgs", "stage": "soup", "thresholds": [Q30]}]},
            "assay_thresholds.0.stage: is 'soup'; write one of reads, alignment, variants, results",
        ),
        (
            {"assay_thresholds": [{"assay": "wgs", "stage": "reads", "thresholds": []}]},
            "assay_thresholds.0.thresholds: has 0 items; give it at least 1",
        ),
        (
            {"assay_thresholds": [{"assay": "wgs", "stage": "variants", "thresholds": [Q30]}]},
            "assay_thresholds.wgs.variants.q30_fraction: is not measured; there are variants",
        ),
        (
            {"assay_thresholds": [{"assay": "a", "stage": "reads", "thresholds": [Q30]}] * 2},
            "assay_thresholds.a.reads: stands twice; put its thresholds into one",
        ),
    ],
)
def test_what_is_wrong_is_named_by_its_path_with_the_way_out(changes: Plain, line: str) -> None:
    assert line in refused(**changes)


def _mutated(value: Any, source: random.Random) -> Any:
    """The same document with something else somewhere."""
    odd: tuple[Any, ...] = (
        None,
        True,
        0,
        -1,
        2.5,
        1e9,
        "",
        "x" * 200,
        "a b",
        [],
        {},
        [1],
        {"metric": 1},
    )
    if source.random() < 0.15 or not isinstance(value, dict | list) or not value:
        return source.choice(odd)
    if isinstance(value, list):
        place = source.randrange(len(value))
        return [_mutated(one, source) if n == place else one for n, one in enumerate(value)]
    name = source.choice(list(value))
    if source.random() < 0.2:
        return {k: v for k, v in value.items() if k != name}
    if source.random() < 0.2:
        return value | {source.choice(("extra", "kind", "Title")): 1}
    return value | {name: _mutated(value[name], source)}


def test_our_reading_of_the_schema_is_that_of_a_judge() -> None:
    schema = profile_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    judge = jsonschema.Draft202012Validator(schema)
    source = random.Random(7)
    counts = {True: 0, False: 0}
    for document in (shipped("standard"), shipped("strict"), PROFILE):
        assert faults_of(document, schema) == []
        for _ in range(400):
            changed = document
            for _ in range(source.choice((1, 1, 2))):
                changed = _mutated(changed, source)
            is_valid = judge.is_valid(changed)
            assert (faults_of(changed, schema) == []) == is_valid, changed
            counts[is_valid] += 1
    assert counts[False] > 500
    assert counts[True] > 20


def test_the_schema_knows_the_fields_of_the_event() -> None:
    named = set(profile_schema()["properties"]) - {"kind"}
    assert named == set(QcProfilePublished.model_fields)
    words = profile_schema()["$defs"]["threshold"]["properties"]
    assert set(words) == set(type(facts.Q30).model_fields)
