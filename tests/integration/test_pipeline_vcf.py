"""vcf: variants that others spelled, as everybody spells them."""

from __future__ import annotations

from pathlib import Path

import pysam
import pytest

from genoflow.deploy.pipelines import PIPELINES
from genoflow.processors.running.engine import NotDone
from tests.pipelines import Score, again, assert_stub_leaves_all, is_snv, owed_of, tried

PACKED = (("vcf", ""), ("tbi", ".tbi"))


def spelled(path: Path) -> set[tuple[str, int, str, str]]:
    """The records of a file by their very letters."""
    with pysam.VariantFile(str(path)) as records:
        return {(one.chrom, one.pos, one.ref or "", (one.alts or ("",))[0]) for one in records}


@pytest.mark.long
def test_variants_stand_as_everybody_spells_them_packed_and_indexed(tmp_path: Path) -> None:
    trial = tried("vcf", tmp_path)
    ours = spelled(trial.results / "vcf/_case/C1.vcf.gz")
    planted = {name: spelled(trial.folder / f"truth/{name}.vcf") for name in ("V1", "V2")}
    given = {name: spelled(trial.folder / f"{name}.vcf") for name in planted}
    assert ours == planted["V1"] | planted["V2"]
    assert not {one for places in given.values() for one in places if not is_snv(one)} & ours
    for name, places in planted.items():
        Score(places, trial.found(name)).holds()
    packed, index = (str(trial.results / f"{k}/_case/C1.vcf.gz{e}") for k, e in PACKED)
    with pysam.VariantFile(packed, index_filename=index) as found:
        assert [one.chrom for one in found.fetch("chrX")] != [], "by its index"
    assert trial.measured("variants") == {None: len(ours)}
    assert trial.left() == owed_of(PIPELINES["vcf"])
    assert_stub_leaves_all("vcf", trial)
    # Bases that are not those of the reference are no variant of it.
    path, table = tmp_path / "vcf/V1.vcf", tmp_path / "vcf/samples.tsv"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:2]))
    lines = path.read_text().splitlines()
    fields = lines[-1].split("\t")
    fields[3] = {"A": "C"}.get(fields[3][0], "A") + fields[3][1:]
    path.write_text("\n".join([*lines[:-1], "\t".join(fields)]) + "\n")
    with pytest.raises(NotDone, match="the step NORMALISE failed"):
        again("vcf", tmp_path / "vcf")
