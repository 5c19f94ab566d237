"""Regions of another build, and parameters that a pipeline does not know: each named at sight."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from genoflow.events.run_requested import RunRequested
from genoflow.processors.running.parameters import faults_of
from genoflow.processors.running.regions import fault_of, lengths_of
from tests import qc_facts
from tests.run_facts import pipeline, ready
from tests.unit.test_request_run import resolved

LENGTHS = {"1": 8, "2": 4}
SCHEMA = {
    "type": "object", "additionalProperties": False, "required": ["ploidy"],
    "properties": {
        "ploidy": {"type": "integer"}, "mode": {"type": ["string", "null"]},
        "caller": {"enum": ["fast", "exact"]},
    },
}  # fmt: skip


def test_sequences_of_a_fasta_are_measured(tmp_path: Path) -> None:
    fasta = tmp_path / "g.fa"
    fasta.write_bytes(b">1 chromosome\nACGT\r\nACGT\n>2\nAC\nGT\n")
    assert lengths_of(fasta) == LENGTHS


@pytest.mark.parametrize(
    ("bed", "words"),
    [
        (b"1\t0\t8\n2\t1\t4\tname\n", None),
        (b"track name=x\n#c\n\n1 0 8\n", None),
        (b"1\t0\t8\nchr1\t0\t8\n", "line 2 names the sequence chr1, and the reference has 1, 2"),
        (b"1\t0\t9\n", "line 1 ends at 9, and 1 of the reference has 8 bases"),
        (b"1\t4\t4\n", "line 1 begins at 4 and ends at 4"),
        (b"1\t-1\t4\n", "line 1 is not a sequence, a start and an end"),
        (b"1\t4\n", "line 1 is not a sequence, a start and an end"),
        (b"\xff\xfe\x00\n", "line 1 is not a sequence, a start and an end"),
        (b"", "it holds no region"),
    ],
)
def test_regions_of_another_build_are_found(tmp_path: Path, bed: bytes, words: str | None) -> None:
    path = tmp_path / "t.bed"
    path.write_bytes(bed)
    found = fault_of(path, LENGTHS)
    assert (found is None) if words is None else (words in str(found))


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"ploidy": 2, "mode": None, "caller": "fast"}, None),
        ({}, "ploidy: the pipeline needs it and it is not there"),
        ({"ploidy": "2"}, "ploidy: is '2', and integer is asked for"),
        ({"ploidy": True}, "ploidy: is True, and integer is asked for"),
        ({"ploidy": 2, "mode": 1}, "mode: is 1, and string or null is asked for"),
        ({"ploidy": 2, "caller": "x"}, "caller: is 'x', and can be fast, exact"),
        ({"ploidy": 2, "plody": 1}, "plody: the pipeline knows no such parameter; there are call"),
    ],
)
def test_parameters_are_held_against_their_schema(
    parameters: dict[str, Any], words: str | None
) -> None:
    found = faults_of(parameters, SCHEMA)
    assert (found == []) if words is None else (len(found) == 1 and words in found[0])


GROUPS: dict[str, Any] = {
    "$defs": {
        "in": {"properties": {"samples": {"type": "string"}}, "required": ["samples"]},
        "how": {
            "properties": {
                "variant_caller": {"type": "string", "enum": ["bcftools"], "help_text": "x"},
                "depth": {"type": "integer", "minimum": 1, "maximum": 9},
                "name": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 3},
            },
            "required": ["depth"],
        },
    },
    "allOf": [{"$ref": "#/$defs/in"}, {"$ref": "#/$defs/how"}],
    "unevaluatedProperties": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("parameters", "faults"),
    [
        ({"depth": 1}, []),
        ({"depth": 1, "outdir": "x"}, []),  # what the flow says goes over it
        ({}, ["depth: the pipeline needs it and it is not there"]),
        (
            {"variant_caller": "GATK", "depth": 10, "name": "A", "x": 1},
            [
                "variant_caller: is 'GATK', and can be bcftools",
                "depth: is 10; write at most 9",
                "name: is 'A'; write what fits ^[a-z]+$",
                "x: the pipeline knows no such parameter; there are depth, name, variant_caller",
            ],
        ),
        ({"depth": "1"}, ["depth: is '1', and integer is asked for"]),
        ({"depth": 1, "name": "long"}, ["name: has 4 characters; give it at most 3"]),
    ],
)
def test_parameters_are_held_against_the_groups_of_nf_schema(
    parameters: dict[str, Any], faults: list[str]
) -> None:
    assert faults_of(parameters, GROUPS) == faults
    older = json.loads(json.dumps(GROUPS).replace("$defs", "definitions"))
    assert faults_of(parameters, older) == faults


def test_a_schema_that_names_itself_or_nothing_ends() -> None:
    around = {"$defs": {"a": {"allOf": [{"$ref": "#/$defs/a"}]}}, "allOf": [{"$ref": "#/$defs/a"}]}
    assert faults_of({"a": 1}, around) == []
    nowhere = {"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "x"}, 1], "$defs": {"a": 1}}
    assert faults_of({"a": 1}, nowhere) == []
    odd = {"properties": {"a": {"minimum": "x", "pattern": "("}}}
    assert ["its rule" in one for one in faults_of({"a": "1"}, odd)] == [True]


def test_a_schema_that_says_nothing_takes_everything() -> None:
    for schema in ({}, {"properties": [], "required": "x"}, {"properties": {"a": True}}):
        assert faults_of({"a": 1}, schema) == []


async def test_parameters_that_nobody_knows_refuse_the_run() -> None:
    strict = '{"additionalProperties":false,"properties":{}}'
    documents = (
        pipeline(parameters_schema_json=strict), qc_facts.reference(), qc_facts.profile(),
    )  # fmt: skip
    [said] = await resolved(ready(), *documents)
    assert isinstance(said, RunRequested)
    [found] = said.findings
    assert (found.what, found.place, found.refuses) == (
        "parameters", "the pipeline germline 1", True,
    )  # fmt: skip
    assert "ploidy: the pipeline knows no such parameter" in found.said
    assert "publish a version whose parameters fit its own schema" in found.said
