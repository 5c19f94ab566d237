"""Picard demultiplexes a generated run folder: every read of every sample comes back as it was."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from genoflow.deploy.generate.cast import make_cast
from genoflow.deploy.generate.fastq import TO_CHARACTERS
from genoflow.deploy.generate.genome import reverse_complement
from genoflow.deploy.generate.libraries import Library, Run
from genoflow.deploy.generate.run_folder import INTENSITIES, clusters_of, write_run_folder
from genoflow.deploy.local.artifacts import ensure_jars, find_java
from genoflow.deploy.local.process import Launch, run_once
from genoflow.deploy.settings import read_settings

SEED, DEPTH = 11, 1.0  # 250 pairs of a sample: 4 s for both lanes, most of it Java's start
JAVA_FLAGS = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
NOBODY = "Undetermined"
Reads = Counter[tuple[str, str, str, str]]
Picard = Callable[..., Awaitable[None]]


@pytest.fixture
async def picard() -> Picard:
    """Picard's command line, on the Java and the jars of the embedded stack."""
    class_path = await ensure_jars(read_settings().cache, "picard", lambda _: None)
    java = (str(find_java()), *JAVA_FLAGS, "-cp", ":".join(map(str, class_path)))

    async def call(tool: str, **options: object) -> None:
        words = (f"{name.upper()}={value}" for name, value in options.items())
        main = ("picard.cmdline.PicardCommandLine", tool)
        code, output = await run_once(Launch((*java, *main, *words)))
        assert code == 0, output

    return call


@dataclass(frozen=True)
class Lane:
    """What Picard is told of a lane."""

    run: Run
    number: int
    folder: Path
    work: Path

    @property
    def libraries(self) -> list[tuple[Library, str]]:
        """Each library of the lane, with i5 as it is read."""
        return [
            (library, self.run.i5_as_read(library.index2))
            for library in self.run.libraries
            if library.lane == self.number
        ]

    def common(self) -> dict[str, object]:
        index, read = self.run.index_bases, self.run.read_bases
        return {
            "basecalls_dir": self.folder / INTENSITIES / "BaseCalls",
            "lane": self.number,
            "read_structure": f"{read}T{index}B{index}B{read}T",
        }

    def barcodes(self) -> Path:
        lines = ["barcode_sequence_1\tbarcode_sequence_2\tbarcode_name\tlibrary_name"]
        lines += [
            f"{one.index1}\t{i5}\t{one.sample_id}\t{one.library_id}" for one, i5 in self.libraries
        ]
        return self._write("barcodes.txt", lines)

    def multiplex(self) -> Path:
        lines = ["OUTPUT_PREFIX\tBARCODE_1\tBARCODE_2"]
        lines += [f"{self.work / one.sample_id}\t{one.index1}\t{i5}" for one, i5 in self.libraries]
        return self._write("multiplex.txt", [*lines, f"{self.work / NOBODY}\tN\tN"])

    def _write(self, name: str, lines: list[str]) -> Path:
        path = self.work / name
        path.write_text("\n".join(lines) + "\n")
        return path

    async def extract(self, picard: Picard) -> dict[str, dict[str, str]]:
        """Let Picard match every barcode, and return its metrics by sample."""
        metrics = self.work / "metrics.txt"
        await picard(
            "ExtractIlluminaBarcodes", **self.common(), barcode_file=self.barcodes(),
            metrics_file=metrics, output_dir=self.work,
        )  # fmt: skip
        lines = [line for line in metrics.read_text().splitlines() if line and line[0] != "#"]
        return {row["BARCODE_NAME"]: row for row in csv.DictReader(lines, delimiter="\t")}

    async def convert(self, picard: Picard) -> None:
        await picard(
            "IlluminaBasecallsToFastq", **self.common(), barcodes_dir=self.work,
            multiplex_params=self.multiplex(), run_barcode=self.run.number,
            machine_name=self.run.instrument.serial, flowcell_barcode=self.run.flow_cell,
            read_name_format="CASAVA_1_8", compress_outputs="true",
            # Else it lowers qualities at the end of reads, as instruments of 2010 wanted it.
            apply_eamss_filter="false", include_non_pf_reads="false",
        )  # fmt: skip

    def found(self, name: str) -> Reads:
        """The pairs that Picard wrote for a sample."""
        mates = [
            gzip.decompress((self.work / f"{name}.{mate}.fastq.gz").read_bytes()).decode().split()
            for mate in (1, 2)
        ]
        first, second = ([(w[n + 2], w[n + 4]) for n in range(0, len(w), 5)] for w in mates)
        assert mates[0][::5] == mates[1][::5]
        return Counter((*one, *other) for one, other in zip(first, second, strict=True))

    def planted(self) -> dict[str, Reads]:
        """The pairs that were put in and passed the filter."""
        reads: dict[str, Reads] = {one.sample_id: Counter() for one, _ in self.libraries}
        reads[NOBODY] = Counter()
        for cluster in clusters_of(self.run, self.number):
            if cluster.passed:
                pair = cluster.pair
                key = (
                    pair.first.bases, pair.first.qualities.translate(TO_CHARACTERS).decode(),
                    pair.second.bases, pair.second.qualities.translate(TO_CHARACTERS).decode(),
                )  # fmt: skip
                reads[cluster.sample_id or NOBODY][key] += 1
        return reads


def lanes_of(run: Run, folder: Path, work: Path) -> list[Lane]:
    lanes = [Lane(run, number, folder, work / str(number)) for number in run.lanes]
    for lane in lanes:
        lane.work.mkdir()
    return lanes


async def test_every_read_of_every_sample_comes_back(picard: Picard, tmp_path: Path) -> None:
    run = make_cast(SEED, DEPTH).run
    folder = write_run_folder(tmp_path, run, None)
    for lane in lanes_of(run, folder, tmp_path):
        metrics = await lane.extract(picard)
        await lane.convert(picard)
        planted = lane.planted()
        assert planted[NOBODY].total() > 10
        assert {name: lane.found(name) for name in planted} == planted
        for library, _ in lane.libraries:
            told = metrics[library.sample_id]
            assert int(told["READS"]) == len(library.pairs)
            assert int(told["PF_READS"]) == planted[library.sample_id].total()
        assert any(int(row["ONE_MISMATCH_MATCHES"]) for row in metrics.values())


@pytest.mark.long
async def test_with_i5_turned_around_nobody_has_a_read(picard: Picard, tmp_path: Path) -> None:
    run = make_cast(SEED, DEPTH, "MiSeq").run
    folder = write_run_folder(tmp_path, run, None)
    turned = [replace(one, index2=reverse_complement(one.index2)) for one in run.libraries]
    [lane] = lanes_of(replace(run, libraries=tuple(turned)), folder, tmp_path)
    metrics = await lane.extract(picard)
    assert {row["READS"] for name, row in metrics.items() if name} == {"0"}
