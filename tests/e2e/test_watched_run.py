"""From a run folder to files of reads: the watcher, the workers and Picard, for real."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from genoflow.deploy.addresses import Addresses
from genoflow.deploy.generate.cast import make_cast
from genoflow.deploy.generate.run_folder import clusters_of, count, write_run_folder
from genoflow.deploy.generate.sheets import sheet_bytes, sheet_of
from genoflow.deploy.wiring import ensure_bucket, open_s3
from tests.e2e.test_demultiplex import ROWS, Lab
from tests.e2e.workers import settings_of, succeeds, until, working


# Each way of spelling i5: as it is read, turned by the sheet, turned by the demultiplexer.
@pytest.mark.parametrize(
    ("model", "version"), [("MiSeq", "v1"), pytest.param("NovaSeq X", "v2", marks=pytest.mark.long)]
)
def test_a_folder_of_an_instrument_becomes_files_of_reads(
    stack: Addresses, suffix: str, tmp_path: Path, model: str, version: str
) -> None:
    settings = settings_of(
        stack, suffix, tmp_path / "home", raw_bucket=f"raw-{suffix}",
        work_bucket=f"work-{suffix}", picard_memory_mb=512,
    )  # fmt: skip
    succeeds(settings, "topics", "apply")
    client = open_s3(settings)
    ensure_bucket(client, settings.raw_bucket)
    run = make_cast(5, depth=0.3, model=model).run
    sheet = sheet_of(run, version)
    write_run_folder(tmp_path / "runs", run, sheet_bytes(sheet, run))
    lab = Lab(settings, client, run, sheet)
    succeeds(settings, "watch", str(tmp_path / "runs"), "--once", "--every", "0.1")
    with working(settings, tmp_path / "worker.log", "--once", *ROWS):
        done = until(lambda: lab.ended(1), "the run is demultiplexed")
        assert done.type() == "DemultiplexCompleted", done.payload()
        files = sum(len(done.expected_roles) for one in done.libraries if one.reads)
        until(lambda: len(lab.said("FileLanded")) == files, "all files have landed")
    client.close()
    expected: Counter[str | None] = Counter()
    for lane in run.lanes:
        expected += count(lane, clusters_of(run, lane)).passed
    found: Counter[str | None] = Counter({None: done.reads_undetermined})
    for one in done.libraries:
        found[one.sample_id] += one.reads
    assert +found == +expected
    assert not done.i5_looks_reversed
