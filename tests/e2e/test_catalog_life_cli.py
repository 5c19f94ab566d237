"""A lab's own pipeline at the command line: from its repository to what runs take, and out."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.local.artifacts import NEXTFLOW_JARS, ensure_jars
from genoflow.deploy.settings import Settings
from genoflow.events.pipeline_not_validated import PipelineNotValidated
from genoflow.events.pipeline_validated import PipelineValidated
from tests.e2e.workers import fails, said, settings_of, succeeds
from tests.unit.test_repositories import git

MAIN = """nextflow.enable.dsl = 2
process COUNT {
    publishDir "${params.outdir}/text/_case", mode: 'copy'
    output: path 'counted.txt'
    script: "printf '%s' '${params.word}' > counted.txt"
}
workflow { COUNT() }
"""
CONFIG = "params { outdir = 'results'; word = '' }\nprofiles { test { params.word = 'WORD' } }\n"
DOCUMENT = {
    "kind": "pipeline", "document_id": "own", "title": "Words", "engine": "nextflow",
    "case_kinds": ["single"], "materials": ["FASTQ"], "assays": ["words"],
    "parameters_schema": {
        "type": "object", "$defs": {"it": {"properties": {"word": {"enum": ["yes", "no"]}}}},
        "allOf": [{"$ref": "#/$defs/it"}], "unevaluatedProperties": False,
    },
    "parameters": {"word": "yes"}, "containers": {"COUNT": f"sha256:{'a' * 64}"},
    "expected_outputs": [{"kind": "text", "per": "case", "content_type": "text/plain"}],
}  # fmt: skip


@pytest.fixture
def settings(stack: Addresses, suffix: str, tmp_path: Path) -> Settings:
    """A deployment of this test's own."""
    found = settings_of(stack, suffix, tmp_path / "home")
    succeeds(found, "topics", "apply")
    asyncio.run(ensure_jars(found.cache, NEXTFLOW_JARS, lambda _: None))
    return found


def committed(repository: Path, word: str) -> str:
    """A commit whose test writes this word."""
    (repository / "main.nf").write_text(MAIN)
    (repository / "nextflow.config").write_text(CONFIG.replace("WORD", word))
    git(repository, "add", ".")
    git(repository, "commit", "-qm", f"Write {word or 'nothing'}")
    return git(repository, "rev-parse", "HEAD")


def published(settings: Settings, repository: Path, version: str) -> str:
    """What publishing the branch says."""
    document = json.dumps(DOCUMENT | {"version": version})
    place = ("--repository", str(repository), "--revision", "main")
    return succeeds(settings, "catalog", "publish", "-", *place, said=document)


@pytest.mark.long
def test_a_pipeline_of_a_lab_is_tested_before_runs_take_it(
    settings: Settings, tmp_path: Path
) -> None:
    repository = tmp_path / "flows"
    repository.mkdir()
    git(repository, "init", "-qb", "main")
    first = committed(repository, "")
    told = published(settings, repository, "1")
    assert f"commit {first}" in told
    assert "as a draft (`genoflow catalog test own 1`, then `activate`)" in told
    assert "is a draft" in fails(settings, "catalog", "activate", "own")
    failed = succeeds(settings, "catalog", "test", "own", "1", code=1)
    assert "own 1 did not pass" in failed
    assert "left no text" in failed
    [fact] = said(settings, PipelineNotValidated, "own")
    assert fact.reason.startswith("it ended with exit code 0 and left no text")

    second = committed(repository, "yes")
    assert f"commit {second}" in published(settings, repository, "2")
    git(repository, "checkout", "-q", first)  # what the folder holds is not what was published
    assert "own 2 passed in" in succeeds(settings, "catalog", "test", "own")
    [passed] = said(settings, PipelineValidated, "own")
    assert (passed.version, passed.evidence, passed.outputs) == ("2", "run", ("text",))
    assert succeeds(settings, "catalog", "activate", "own") == "own 2 is active\n"
    assert succeeds(settings, "catalog", "activate", "own") == "own 2 is active already\n"
    shown = json.loads(succeeds(settings, "catalog", "show", "own"))
    assert (shown["status"], shown["code_revision"]) == ("active", second)
    assert shown["uri"] == f"git+{repository.as_uri()}@{second}"

    parameters = tmp_path / "parameters.json"
    parameters.write_text('{"word": "perhaps"}')
    configuration = ("catalog", "configuration")
    fault = "parameters.word: is 'perhaps', and can be yes, no"
    asked = ("own", str(parameters))
    assert fault in succeeds(settings, *configuration, "check", *asked, code=1)
    assert fault in fails(settings, *configuration, "save", *asked, "--name", "mine")
    parameters.write_text('{"word": "no"}')
    save = (*configuration, "save", "own", str(parameters), "--name", "mine")
    for _ in range(2):
        assert "mine 1 of own is saved as " in succeeds(settings, *save)
    assert '{"word":"no"}' in succeeds(settings, *configuration, "list", "--pipeline", "own")

    gone = ("deprecate", "own", "2", "--reason", "counts twice")
    assert succeeds(settings, "catalog", *gone) == "own 2 is deprecated\n"
    assert "stays so" in fails(settings, "catalog", "activate", "own", "2")
    listed = json.loads(succeeds(settings, "catalog", "list", "--kind", "pipeline", "--json"))
    assert [one["status"] for one in listed["documents"]] == ["draft", "deprecated"]
