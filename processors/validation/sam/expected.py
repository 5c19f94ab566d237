"""The header against what is known of the file: its sample, its read set, its reference."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from genoflow.processors.validation.builds import build_of, contradicted
from genoflow.processors.validation.findings import Findings
from genoflow.processors.validation.port import Expected
from genoflow.processors.validation.sam import rules_header as rules
from genoflow.processors.validation.sam.header import Header, quoted

# As instruments of Illumina write a platform unit: flow cell and lane, and a barcode behind them.
UNIT = re.compile(r"(?:.*[_:-])?([A-Za-z0-9]{5,})[.:_-](\d{1,3})(?:[.:_-].*)?")
LANE = re.compile(r"[0-9]{1,3}")
UNIT_CHARACTERS_MAX = 200
NAME_FIELDS = 7  # instrument, run, flow cell, lane, tile, x, y
FASTA_PIECE_BYTES = 1024**2
OUTSIDE = bytes(range(33)) + bytes(range(127, 256))  # what a digest of a reference leaves out


def compare_header(header: Header, expected: Expected, findings: Findings) -> str | None:
    """The build that the header speaks of; what contradicts the order is added."""
    contigs = {
        name.decode("latin-1"): length
        for name, length in zip(header.names, header.lengths, strict=True)
        if len(name) < 10
    }
    build = build_of(contigs, header.assemblies)
    if said := contradicted(build, expected.references):
        findings.add(rules.WRONG_BUILD, said)
    samples = sorted(sample.decode("utf-8", "replace") for sample in header.named(b"SM"))
    sample = expected.sample_id
    if sample is not None and samples and samples != [sample]:
        few = ", ".join(name[:100] for name in samples[:5])
        findings.add(rules.WRONG_SAMPLE, f"its header names {few}, and it was sent for {sample}")
    _units(header, expected, findings)
    if expected.reference_path is not None:
        _reference(header, expected.reference_path, findings)
    return build


def _units(header: Header, expected: Expected, findings: Findings) -> None:
    for unit in sorted(header.named(b"PU")):
        text = unit[:UNIT_CHARACTERS_MAX].decode("utf-8", "replace")
        found = UNIT.fullmatch(text)
        if found is None:
            continue
        if expected.flow_cell is not None and expected.flow_cell not in text:
            said = f"PU is {quoted(unit)}, and its flow cell is {expected.flow_cell}"
            findings.add(rules.WRONG_UNIT, said)
        elif expected.lane is not None and int(found[2]) != expected.lane:
            said = f"PU is {quoted(unit)}, and lane {expected.lane} is due"
            findings.add(rules.WRONG_UNIT, said)


def compare_name(name: bytes, expected: Expected) -> str | None:
    """What a read name says against instrument, flow cell and lane; nothing where it is silent."""
    fields = name.decode("latin-1").split(":")
    if len(fields) != NAME_FIELDS or not LANE.fullmatch(fields[3]):
        return None
    for what, found, due in (
        ("instrument", fields[0], expected.instrument),
        ("flow cell", fields[2], expected.flow_cell),
    ):
        if due is not None and found != due:
            return f"its reads are of {what} {found[:60]}, and {due} is due"
    if expected.lane is not None and int(fields[3]) != expected.lane:
        return f"its reads are of lane {fields[3]}, and lane {expected.lane} is due"
    return None


def _reference(header: Header, path: Path, findings: Findings) -> None:
    """Length and digest of every sequence that both name."""
    found: dict[bytes, tuple[int, str]] = {}
    for name, length, digest in sequences(path):
        if name in header.index:
            found[name] = length, digest
    for name, at in header.index.items():
        if name not in found:
            findings.add(rules.REFERENCE_LACKS, f"the reference has no {quoted(name)}")
            continue
        length, digest = found[name]
        if header.lengths[at] != length:
            said = f"LN of {quoted(name)} is {header.lengths[at]}, and in the reference {length}"
            findings.add(rules.REFERENCE_DIFFERS, said)
        elif header.md5s.get(name, digest) != digest:
            said = f"M5 of {quoted(name)} is {header.md5s[name]}, and in the reference {digest}"
            findings.add(rules.REFERENCE_DIFFERS, said)


def sequences(path: Path) -> Iterator[tuple[bytes, int, str]]:
    """Name, length and MD5 of each sequence of a FASTA, read in pieces."""
    name: bytes | None = None
    length, digest = 0, hashlib.md5(usedforsecurity=False)
    held = b""
    with path.open("rb") as file:
        while piece := file.read(FASTA_PIECE_BYTES):
            lines = (held + piece).split(b"\n")
            held = lines.pop()
            if not held.startswith(b">"):
                lines.append(held)
                held = b""
            for line in lines:
                if line.startswith(b">"):
                    if name is not None:
                        yield name, length, digest.hexdigest()
                    name, length = (line[1:].split() or [b""])[0], 0
                    digest = hashlib.md5(usedforsecurity=False)
                else:
                    bases = line.translate(None, OUTSIDE)
                    length += len(bases)
                    digest.update(bases.upper())
    if name is not None:
        yield name, length, digest.hexdigest()
