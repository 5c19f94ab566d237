"""What MultiQC reads of our files; what it read once is committed, and it reads them where it is.

Anew: put its answer, as `_taken` gives it, into tests/measured/multiqc-<version>.json.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from genoflow.api.reports.multiqc import multiqc_of
from genoflow.deploy.qc_reports import Judge, of_files
from tests.alignments import bam, vcf
from tests.reads import library
from tests.report_pages import told

VERSION = "1.35"
MEASURED = Path(__file__).resolve().parent.parent / "measured" / f"multiqc-{VERSION}.json"
GENERAL = "genoflow_general"
SECTION = re.compile(r"multiqc_(genoflow_[a-z_]+?)_(plot|table)")
Numbers = dict[str, dict[str, list[float]]]  # by section and row: how many, and their sum


@pytest.fixture(scope="module")
def files() -> dict[str, Any]:
    """Reads that are judged, and alignments and variants beside them."""
    reads = of_files([told(library(2_000, 11), "S7_R1.fastq")], Judge("standard", "wgs", 1_000))
    others = of_files([told(bam(), "S8.bam"), told(vcf(), "S9.vcf")], None)
    named = multiqc_of(reads)
    return named | {f"others_{name}": one for name, one in multiqc_of(others).items()}


def test_multiqc_reads_every_section_and_every_value(files: Mapping[str, Any]) -> None:
    written: Numbers = {}
    for content in files.values():
        for row, values in _rows(content["data"]).items():
            written.setdefault(content["id"], {})[row] = values
    assert written == json.loads(MEASURED.read_text(encoding="utf-8"))
    assert len(written) > 15


def test_multiqc_says_the_same_where_it_is(
    tmp_path: Path, files: Mapping[str, Any], not_done: Callable[[str], None]
) -> None:
    program = shutil.which("multiqc")
    if program is None or VERSION not in _output(program, "--version"):
        not_done(f"MultiQC beside what it read once (version {VERSION} is not on the path)")
        return
    folder = tmp_path / "files"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    _output(program, "--outdir", str(tmp_path), str(folder))
    read = json.loads((tmp_path / "multiqc_data" / "multiqc_data.json").read_text())
    assert _taken(read) == json.loads(MEASURED.read_text(encoding="utf-8"))


def _taken(read: Mapping[str, Any]) -> Numbers:
    """What stands in its own data: each plot and table by the id of its section."""
    sections = {
        found.group(1): _rows(data)
        for name, data in read["report_saved_raw_data"].items()
        if (found := SECTION.fullmatch(name))
    }
    [general] = read["report_general_stats_data"].values()
    return sections | {GENERAL: _rows(general)}


def _rows(data: Mapping[str, Any]) -> dict[str, list[float]]:
    rows = {}
    for name, found in data.items():
        cells = found.values() if isinstance(found, dict) else (y for _, y in found)
        numbers = [float(one) for one in cells if not isinstance(one, str)]
        rows[name] = [len(numbers), round(sum(numbers), 6)]
    return rows


def _output(*command: str) -> str:
    done = subprocess.run(command, check=True, timeout=300, capture_output=True, text=True)
    return done.stdout
