"""The pipelines of the package: what each takes, includes and owes, told the same everywhere."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from genoflow.deploy.commands import options
from genoflow.deploy.generate.trials import COLUMNS, TRIALS, write_trial
from genoflow.deploy.pipelines import PIPELINES, locate, pipeline_document, program
from genoflow.events.errors import Refused
from genoflow.processors.running.engine import code_sha256
from tests.tidy.source import ROOT
from tools.pipeline_schemas import pages

NEXTFLOW = ROOT / "nextflow"
MODULES = sorted(path.parent.name for path in NEXTFLOW.glob("modules/*/main.nf"))
FILES = {"r1", "r2", "alignment", "variants"}
NAMED = pytest.mark.parametrize("name", PIPELINES)


def scripts(pattern: str) -> Iterator[tuple[Path, str]]:
    """The scripts that a pattern names, with their text."""
    for path in sorted(NEXTFLOW.glob(pattern)):
        yield path, path.read_text(encoding="utf-8")


def schema(name: str, place: str) -> Any:
    """A schema of a pipeline."""
    return json.loads((NEXTFLOW / name / place).read_text(encoding="utf-8"))


def parameters(name: str) -> dict[str, Any]:
    """The parameters of a pipeline, of all groups."""
    groups = schema(name, "nextflow_schema.json")["$defs"].values()
    return {key: value for group in groups for key, value in group["properties"].items()}


def test_every_list_of_pipelines_has_the_same() -> None:
    there = {path.parent.name for path in NEXTFLOW.glob("*/main.nf")}
    assert set(PIPELINES) == set(TRIALS) == set(options.PIPELINES) == there


def test_the_schemas_are_what_the_tool_writes() -> None:
    for path, text in pages().items():
        assert path.read_text(encoding="utf-8") == text, "run `python -m tools.pipeline_schemas`"


@NAMED
def test_the_schemas_are_schemas(name: str) -> None:
    for place in ("nextflow_schema.json", "assets/schema_input.json"):
        jsonschema.Draft202012Validator.check_schema(schema(name, place))


@NAMED
def test_every_parameter_has_its_default_and_each_that_is_used_is_described(name: str) -> None:
    said = parameters(name)
    config = (NEXTFLOW / "modules/base.config").read_text(encoding="utf-8")
    config = config[: config.index("}")] + (NEXTFLOW / name / "nextflow.config").read_text("utf-8")
    config += (NEXTFLOW / "modules/call/params.config").read_text(encoding="utf-8")
    for key, about in said.items():
        [given] = re.findall(rf"^ *(?:params\.)?{key} = (\S+)", config, re.MULTILINE)[:1]
        default = about.get("default")
        said_there = f"'{default}'" if isinstance(default, str) else str(default or "null")
        assert given == said_there, key
    used = {key for _, text in scripts("*/main.nf") for key in re.findall(r"params\.(\w+)", text)}
    used |= {
        key for _, t in scripts("modules/*/main.nf") for key in re.findall(r"params\.(\w+)", t)
    }
    assert used <= parameters("rnaseq").keys() | parameters("germline").keys()


@NAMED
def test_what_a_trial_writes_is_a_table_of_samples_and_what_names_no_file_is_none(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("genoflow.deploy.generate.trials.Material.reads", lambda *_: ())
    monkeypatch.setattr("genoflow.deploy.generate.trials.rna_pairs", lambda *_: ())
    write_trial(tmp_path, name)
    with (tmp_path / "samples.tsv").open(encoding="utf-8") as table:
        read = csv.DictReader(table, delimiter="\t")
        rows = [{key: value for key, value in row.items() if value} for row in read]
    judge = jsonschema.Draft202012Validator(schema(name, "assets/schema_input.json"))
    columns = judge.schema["items"]["properties"].keys()
    assert set(columns) <= {*COLUMNS}
    rows = [{key: value for key, value in row.items() if key in columns} for row in rows]
    judge.validate(rows)
    assert all((tmp_path / row[key]).is_file() for row in rows for key in row if key in FILES)
    bare = {key: value for key, value in rows[0].items() if key not in FILES}
    for wrong in ([bare], [{**rows[0], "sample": "a b"}], []):
        assert not judge.is_valid(wrong)


def test_every_process_has_a_script_and_a_stub_and_is_taken_by_a_pipeline() -> None:
    taken = {
        module
        for _, text in scripts("*/main.nf")
        for module in re.findall(r"from '\.\./modules/(\w+)/main'", text)
    }
    assert taken == {*MODULES}
    for path, text in scripts("modules/*/main.nf"):
        name = path.parent.name
        if name == "samples":
            continue
        assert re.findall(r"^process (\w+) ", text, re.MULTILINE) == [name.upper()]
        assert text.count("    script:\n") == text.count("    stub:\n") == 1, path
        assert f"${{moduleDir}}/{program(name).name}" in text
        assert program(name).is_file()


@NAMED
def test_a_pipeline_is_published_with_what_it_owes(name: str) -> None:
    document = pipeline_document(name, "3", ("wgs", "panel"))
    assert (document["document_id"], document["version"]) == (name, "3")
    assert document["code_sha256"] == code_sha256(NEXTFLOW / name)
    owed = {(one["kind"], one["per"]) for one in document["expected_outputs"]}
    assert ("report", "case") in owed
    assert len(owed) == len(document["expected_outputs"])


# -- the checksum of the code


def of_all(root: Path) -> dict[str, str]:
    """The checksum of each pipeline of a copy."""
    return {name: code_sha256(root / name) for name in PIPELINES}


def test_the_checksum_of_a_pipeline_covers_the_modules_that_it_includes(tmp_path: Path) -> None:
    copy = tmp_path / "nextflow"
    shutil.copytree(NEXTFLOW, copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = of_all(copy)
    assert before == {name: code_sha256(NEXTFLOW / name) for name in PIPELINES}

    def changed(place: str) -> set[str]:
        path = copy / place
        path.write_text(path.read_text() + "\n")
        after = of_all(copy)
        different = {name for name in PIPELINES if after[name] != before[name]}
        before.update(after)
        return different

    assert changed("modules/quantify/quantify.py") == {"rnaseq"}
    assert changed("modules/somatic/main.nf") == {"germline", "somatic"}
    assert changed("modules/gather/gather.py") == {"germline", "vcf"}
    assert changed("modules/base.config") == {*PIPELINES}
    assert changed("trio/main.nf") == {"trio"}
    assert changed("modules/__init__.py") == set(), "no pipeline runs it"


def test_a_pipeline_whose_module_is_not_there_is_refused(tmp_path: Path) -> None:
    code = tmp_path / "alone"
    shutil.copytree(NEXTFLOW / "vcf", code)
    with pytest.raises(Refused, match=r"includes \.\./modules/\S+, and \S+ is not there"):
        code_sha256(code)


def test_a_module_may_include_another_and_both_are_covered(tmp_path: Path) -> None:
    for name, text in {
        "p/main.nf": "include { A } from '../m/a/main'\n",
        "m/a/main.nf": 'include { B } from "../b"\n',
        "m/b.nf": "process B { }\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    before = code_sha256(tmp_path / "p")
    (tmp_path / "m/b.nf").write_text("process B { script: 'true' }\n")
    assert code_sha256(tmp_path / "p") != before


def test_modules_are_no_pipeline() -> None:
    assert locate("package:nextflow/modules/align") is None
