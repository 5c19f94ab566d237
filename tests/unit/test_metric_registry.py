"""The registry names every metric that is told anywhere, with the units in which it is told."""

from __future__ import annotations

import ast
from collections import Counter
from typing import Any

import pytest

from genoflow.deploy.pipelines import program
from genoflow.events.file_metrics import FileMetrics
from genoflow.events.metric_names import CONTRACT_NAMES, READS_UNITS
from genoflow.events.metric_registry import (
    METRICS,
    OF_CONTRACT,
    OF_RESULTS,
    units_of,
    why_unknown,
)
from genoflow.processors.measures import OF_ONE_FILE, Measures, values_of
from genoflow.processors.qc_profiles import UNITS_AT
from genoflow.processors.validation.engine import PythonEngine
from genoflow.processors.validation.port import Expected
from genoflow.processors.validation.telling import as_json
from tests import alignments, deep_reads
from tests.reads import library
from tests.unit.test_coverage import TARGETS
from tools.metrics_page import PAGE, page

NO_METRICS = {"read_names_sha256", "reference", "unknown"}
REPORT = program("report")
FILES = {
    "FASTQ": lambda: library(50, 1),
    "BAM": lambda: deep_reads.deep_bam(2, 1),
    "CRAM": lambda: alignments.in_order("wc", "no_ref=1", count=50),
    "VCF": lambda: alignments.vcf().replace(b"\t.\tA\tG", b"\trs1\tA\tG", 1),
    "BCF": lambda: alignments.vcf(mode="wb"),
}


@pytest.fixture(scope="module", params=FILES)
def told(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    targets = TARGETS if request.param == "BAM" else ()
    report = PythonEngine().validate([FILES[request.param]()], Expected(targets=targets))
    return request.param, as_json("file", report, strict=False)["metrics"]


def test_every_number_that_is_told_of_a_file_stands_in_it(
    told: tuple[str, dict[str, Any]],
) -> None:
    form, metrics = told
    known = {one.name: one.of for table in METRICS.values() for one in table}
    assert {name for name in metrics if name not in known} <= NO_METRICS
    of_others = {one.name for one in METRICS["judged"] if form not in one.of}
    assert not of_others & {name for name, value in metrics.items() if value is not None}


def test_every_name_of_the_contract_is_told_or_null_with_its_reason(
    told: tuple[str, dict[str, Any]],
) -> None:
    form, metrics = told
    for one in OF_CONTRACT:
        if metrics[one.name] is None:
            assert metrics["unknown"][one.name] == why_unknown(one.name)
    due = [one.name for one in OF_CONTRACT if form in one.of]
    assert [name for name in due if metrics[name] is None] == []
    if form != "FASTQ" and "gc_fraction" in metrics:
        assert metrics["gc_content"] == pytest.approx(100 * metrics["gc_fraction"])


def test_every_field_of_a_file_is_judged_in_its_unit() -> None:
    assert set(FileMetrics.model_fields) <= {*READS_UNITS}
    assert "depth_mean" in UNITS_AT["alignment"]
    assert not {"depth_mean", "x_ratio"} & {*UNITS_AT["reads"], *UNITS_AT["variants"]}


def test_names_of_the_contract_have_its_units() -> None:
    units = units_of(OF_CONTRACT)
    assert {name: alias.unit for name, alias in CONTRACT_NAMES.items()}.items() <= units.items()


def test_our_pipeline_tells_what_the_registry_says() -> None:
    tree = ast.parse(REPORT.read_text(encoding="utf-8"))
    [units] = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "UNITS"
    ]
    assert units.items() <= units_of(OF_RESULTS).items()


def test_depths_are_told_of_one_file_alone() -> None:
    one = Measures(
        name="one", reads=1, bases=100, metrics=FileMetrics(depth_mean=3.0, breadth_1x=0.5)
    )
    values = values_of([one], 0)
    assert (values["depth_mean"], values["breadth_1x"]) == (3.0, 0.5)
    both = values_of([one, one.model_copy(update={"name": "other"})], 0)
    assert not set(OF_ONE_FILE) & set(both)


def test_every_metric_is_told_once_of_a_material() -> None:
    for title, table in METRICS.items():
        count = Counter((one.name, form) for one in table for form in one.of)
        assert max(count.values()) == 1, title
        assert all(one.unit and one.unknown for one in table)


def test_the_page_is_what_the_registry_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m tools.metrics_page`"
