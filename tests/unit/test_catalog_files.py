"""Local files of documents: compared with what is said of them, published by their checksums."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.catalog_files import with_store_addresses
from genoflow.events.errors import Refused
from genoflow.processors.alignments import PANEL

FASTA = b">chr1\nACGT\n"
SHA256 = hashlib.sha256(FASTA).hexdigest()
HEAD = "##fileformat=VCFv4.3\n##contig=<ID=chr1>\n"
AF = '##INFO=<ID=AF,Number=A,Type=Float,Description="f">\n'
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nchr1\t5\t.\tA\tC\t.\t.\t"


def document(folder: Path, **changes: Any) -> list[tuple[str, str]]:
    """A reference with one file, on disk beside it."""
    (folder / "a genome.fa").write_bytes(FASTA)
    file = {"kind": "fasta", "uri": "file:a%20genome.fa", "size_bytes": 11, "sha256": SHA256}
    value = {"kind": "reference", "files": [file | changes]}
    path = folder / "catalog.json"
    path.write_text(json.dumps([value]))
    return [(str(path), path.read_text())]


@pytest.mark.parametrize("uri", ["file:a%20genome.fa", "a%20genome.fa", "absolute"])
def test_a_file_here_is_published_under_its_checksum(tmp_path: Path, uri: str) -> None:
    address = (tmp_path / "a genome.fa").as_uri() if uri == "absolute" else uri
    [(_, text)], [file] = with_store_addresses(document(tmp_path, uri=address), "raw")
    assert json.loads(text)[0]["files"][0]["uri"] == file.uri
    assert file.uri == f"s3://raw/catalog/{SHA256}/a%20genome.fa"
    assert (file.path.read_bytes(), file.key) == (FASTA, f"catalog/{SHA256}/a genome.fa")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"uri": "file:none.fa"}, "there is no such file"),
        ({"uri": "file://other/a.fa"}, "names a file of the machine other"),
        ({"size_bytes": 12}, "has 11 bytes, and the document says 12"),
        ({"sha256": "0" * 64}, f"has SHA-256 {SHA256}, and the document says 000"),
        ({"sha256": None}, "and the document says None"),
    ],
)
def test_a_file_that_is_not_what_is_said_is_refused(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused, match="nothing was published") as refused:
        with_store_addresses(document(tmp_path, **changes), "raw")
    assert reason in str(refused.value)


def panel(folder: Path, text: str) -> list[tuple[str, str]]:
    """A reference with this panel of common variants beside it."""
    (folder / "panel.vcf").write_text(text)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    changes = {"kind": PANEL, "uri": "file:panel.vcf", "size_bytes": len(text), "sha256": sha256}
    return document(folder, **changes)


def test_a_panel_with_frequencies_is_published(tmp_path: Path) -> None:
    _, [file] = with_store_addresses(panel(tmp_path, f"{HEAD}{AF}{COLUMNS}AF=0.4\n"), "raw")
    assert file.path.name == "panel.vcf"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{HEAD}{COLUMNS}.\n", "has no AF in INFO"),
        (f"{HEAD}{AF}{COLUMNS}.\n", "holds no common variant of one base on an autosome"),
        (f"{HEAD}{AF}{COLUMNS}AF=0.001\n", "holds no common variant of one base on an autosome"),
        ("no variants\n", "cannot be read as VCF or BCF"),
    ],
)
def test_a_panel_over_which_nothing_could_be_counted_is_refused(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(Refused, match="nothing was published") as refused:
        with_store_addresses(panel(tmp_path, text), "raw")
    assert f"{tmp_path / 'panel.vcf'}: {reason}" in str(refused.value)


def test_a_target_set_has_its_address_itself(tmp_path: Path) -> None:
    (tmp_path / "a.bed").write_bytes(FASTA)
    value = {"kind": "target-set", "uri": str(tmp_path / "a.bed"), "sha256": SHA256}
    [(_, text)], [file] = with_store_addresses([("-", json.dumps(value))], "raw")
    assert json.loads(text)["uri"] == file.uri


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "reference", "files": [{"uri": "s3://bucket/a.fa", "sha256": SHA256}]},
        {"kind": "pipeline", "uri": "file:///pipelines/germline"},
        {"kind": "reference", "files": "none"},
        [1, {"kind": "target-set"}],
    ],
)
def test_everything_else_is_left_as_it_is(value: object) -> None:
    text = json.dumps(value)
    assert with_store_addresses([("-", text), ("-", "{")], "raw") == ([("-", text), ("-", "{")], [])
