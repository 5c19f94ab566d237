"""Runs that fail for real: Nextflow and the program of a run meet what labs meet, and say which."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from genoflow.deploy.local.artifacts import NEXTFLOW_JARS, ensure_jars, find_java
from genoflow.deploy.settings import inherited_environment, read_settings
from genoflow.processors.running.manifest import Fault
from genoflow.processors.running.nextflow import Nextflow
from tests.unit.test_run_program import Stage, stage

__all__ = ["stage"]
PUBLISHED = """
process LEAVE {
    publishDir params.outdir, mode: 'copy'
    output: path '*', type: 'any', emit: all
    script: '''
SCRIPT
    '''
}
workflow { LEAVE() }
"""
WHOLE = "mkdir -p bam/S1 vcf/_case; echo reads > bam/S1/S1.bam"
BGZF = "1f8b08040000000000ff0600424302001b0003000000000000000000"
FULL_BYTES = 256 * 1024


@dataclass
class Failing:
    """A pipeline of one step, run by Nextflow for a case of one sample."""

    stage: Stage

    def fault(self, script: str, config: str = "") -> Fault:
        """Why it failed."""
        code = self.stage.code
        (code / "main.nf").write_text(PUBLISHED.replace("SCRIPT", script))
        (code / "nextflow.config").write_text(config)
        found = self.stage.run().fault
        assert found is not None
        assert found.advice
        return found


@pytest.fixture
def failing(stage: Stage) -> Failing:
    """The same stage with the real engine."""
    settings = read_settings()
    jars = asyncio.run(ensure_jars(settings.cache, NEXTFLOW_JARS, lambda _: None))
    engine = Nextflow(find_java(), jars, "26", inherited_environment())
    stage.engine = engine  # type: ignore[assignment]
    return Failing(stage)


def told(fault: Fault) -> tuple[str | None, str | None, bool]:
    """What is said of it in short."""
    return fault.failure_class, fault.rule, fault.may_pass


def evidence(fault: Fault) -> str:
    """What shows it."""
    return "\n".join(fault.evidence)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[str]:
    """A disk of 256 kB; where none may be mounted, files of that size at most."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={FULL_BYTES}", "tmpfs", str(folder)],
        capture_output=True, check=False,
    )  # fmt: skip
    limit = "" if mounted.returncode == 0 else f"ulimit -f {FULL_BYTES // 1024}; "
    try:
        yield f"{limit}dd if=/dev/zero of={folder}/full bs=64k count=16"
    finally:
        if not limit:
            subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_is_known_by_what_the_step_wrote(
    failing: Failing, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "small") as fills:
        fault = failing.fault(fills)
    assert told(fault) == ("infrastructure", "disk full", False)
    assert fault.failed_process == "LEAVE"
    assert any(word in evidence(fault) for word in ("No space left", "exit code 153"))
    assert "have space made" in fault.advice


@pytest.mark.long
def test_a_container_without_a_program_for_containers(failing: Failing) -> None:
    config = "process.container = 'biocontainers/bwa:1'\ndocker.enabled = true\n"
    fault = failing.fault("echo never", config)
    assert told(fault) == ("infrastructure", "container program absent", False)
    words = ("docker: command not found", "Cannot connect to the Docker daemon")
    assert any(one in evidence(fault) for one in words)


@pytest.mark.long
def test_a_program_that_is_not_there(failing: Failing) -> None:
    fault = failing.fault("no-such-aligner --version")
    assert told(fault) == ("infrastructure", "program absent", False)
    assert "exit code 127" in fault.evidence
    assert "no-such-aligner: command not found" in evidence(fault)


def test_an_input_that_is_cut_short(failing: Failing) -> None:
    fault = failing.fault("head -c 9000 /dev/urandom | gzip | head -c 4000 | gzip -t")
    assert told(fault) == ("data", "input cut short", False)
    assert "unexpected end of file" in evidence(fault)


@pytest.mark.long
def test_a_step_that_was_killed_is_tried_again(failing: Failing) -> None:
    fault = failing.fault("kill -9 \\$\\$")
    assert told(fault) == ("infrastructure", "out of memory", True)
    assert fault.evidence[0] == "exit code 137"


@pytest.mark.long
def test_outputs_that_are_missing_though_all_went_well(failing: Failing) -> None:
    fault = failing.fault(WHOLE)
    assert told(fault) == ("pipeline", "output missing", False)
    assert "left 0 files as vcf of _case" in fault.reason


def test_an_output_that_is_cut_short_though_all_went_well(failing: Failing) -> None:
    escaped = "".join(f"\\\\x{BGZF[at : at + 2]}" for at in range(0, len(BGZF), 2))
    fault = failing.fault(f"{WHOLE}; printf '{escaped}' | head -c 20 > vcf/_case/C1.vcf.gz")
    assert told(fault) == ("pipeline", "output cut short", False)
    assert fault.reason_code == "output damaged"
    assert "C1.vcf.gz (vcf of _case) is cut short: it has no end of BGZF" in fault.reason


def test_a_genome_that_is_gone_begins_no_engine(failing: Failing) -> None:
    del failing.stage.store.objects["g.fa"]
    fault = failing.fault("echo never")
    assert told(fault) == ("lab", "reference missing", False)
    assert "there is no such object" in fault.reason


def test_reads_that_are_gone_are_data_and_a_store_that_is_away_is_not(failing: Failing) -> None:
    failing.stage.store.away = 9
    assert told(failing.fault("echo never")) == ("infrastructure", "store away", True)
    failing.stage.store.away = 0
    del failing.stage.store.objects["S1/R1.fastq.gz"]
    assert told(failing.fault("echo never")) == ("data", "input gone", False)


@pytest.mark.long
def test_a_pipeline_that_is_no_pipeline_says_so(failing: Failing) -> None:
    fault = failing.fault("echo '''; nonsense(")
    assert told(fault) == ("pipeline", "step failed", False)
    assert fault.failed_process is None
    assert fault.evidence, "Nextflow's own log says what is wrong"
