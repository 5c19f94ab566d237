"""The records of a CRAM file by the rules of SAM: flags, places, CIGAR, mates, order and tags."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Mapping
from typing import Any

from genoflow.processors.validation.cram.rules import QUALITY
from genoflow.processors.validation.cram.tags import check_cram_tags
from genoflow.processors.validation.findings import Findings, Where
from genoflow.processors.validation.port import Expected
from genoflow.processors.validation.sam.checks import check_record
from genoflow.processors.validation.sam.coverage import Aim, Coverage, coverage
from genoflow.processors.validation.sam.depth import LEFT_OUT
from genoflow.processors.validation.sam.expected import compare_name
from genoflow.processors.validation.sam.header import Header
from genoflow.processors.validation.sam.order import add_broken
from genoflow.processors.validation.sam.record import UNKNOWN, UNMAPPED, Judge, Record
from genoflow.processors.validation.sam.rules_header import WRONG_UNIT
from genoflow.processors.validation.sam.scan import open_scan

# Of a record all that its checks look at but how far its places lie; some 400 bytes: 40 MB.
Shape = tuple[int, int, int, int, str | None, int, bool, bool, bool]
SHAPES_MAX = 100_000
ANYWHERE = sys.maxsize


class Alignments:
    """Looks at each record that htslib gives, in the order of the file.

    Most records differ from one before them by their places alone. Of a shape that was found clean
    it is kept how far they may lie, so the checks are made once for each shape.
    """

    def __init__(self, header: Header, expected: Expected, findings: Findings) -> None:
        self._expected = expected
        self._judge = Judge(header, findings)
        self.scan = open_scan(header)
        self._orders, self._depths = self.scan.orders, self.scan.depths
        self._aim = Aim(header, expected.targets)
        self._aim.give(header, self._depths)
        self._clean: dict[Shape, tuple[int, int]] = {}

    def take(
        self, records: list[Any], before: int, worst: Mapping[int, int], *, with_bases: bool
    ) -> None:
        """Check some records, behind so many others; the worst qualities, of those out of scale."""
        see, clean, cover = self._orders.next, self._clean.get, self._depths.cover
        for number, one in enumerate(records, start=before + 1):
            if number in worst:
                add_quality(worst[number], number, self._judge.findings)
            name = (one.query_name or "*").encode("utf-8", "replace")
            if number == 1 and (said := compare_name(name, self._expected)):
                self._judge.findings.add(WRONG_UNIT, said, Where(record=number))
            flag, ref, next_ref = one.flag, one.reference_id, one.next_reference_id
            start, next_start = one.reference_start, one.next_reference_start
            if not flag & LEFT_OUT:
                cover(flag, (ref, start), (next_ref, next_start), name, _packed(one))
            size, length = (one.query_length, one.template_length) if with_bases else (0, 0)
            broken = see(name, flag, (ref, start + 1), (next_ref, next_start + 1), length)
            shape = (
                flag, one.mapping_quality, ref, next_ref, one.cigarstring, size,
                start < 0, next_start < 0, length != 0,
            )  # fmt: skip
            bounds = clean(shape)
            if bounds is None or start > bounds[0] or next_start > bounds[1]:
                self._look(_record(one, name, shape), shape, number)
            if tags := one.get_tags(with_value_type=True):
                self._judge.where = Where(record=number)
                record = _record(one, name, shape)
                check_cram_tags(one, tags, record, self._judge, with_bases=with_bases)
            if broken:
                self._judge.where = Where(record=number)
                add_broken(broken, name, self._judge)

    def coverage(self) -> Coverage:
        """How deep the records lie, once all are taken."""
        return coverage(self._judge.header, self._aim, self._depths)

    def _look(self, record: Record, shape: Shape, number: int) -> None:
        judge = self._judge
        judge.where = Where(record=number)
        known = len(judge.header.names)
        if record.ref >= known or record.next_ref >= known:
            record.ref = record.next_ref = UNKNOWN
        found = judge.findings.counts.total()
        check_record(record, judge, as_text=False)
        if found == judge.findings.counts.total() and len(self._clean) < SHAPES_MAX:
            self._clean[shape] = self._bounds(record)

    def _bounds(self, record: Record) -> tuple[int, int]:
        """The last places, counted from 0, at which a clean record of this shape is clean."""
        header, last, next_last = self._judge.header, ANYWHERE, ANYWHERE
        is_free = record.flag & UNMAPPED or record.ref < 0 or record.ref in header.circular
        if not is_free and header.lengths[record.ref] > 0:
            last = header.lengths[record.ref] - max(record.reference_bases, 1)
        if record.next_ref >= 0 and header.lengths[record.next_ref] > 0:
            next_last = header.lengths[record.next_ref] - 1
        return last, next_last


def add_quality(quality: int, number: int, findings: Findings) -> None:
    """A quality that no letter of SAM stands for."""
    findings.add(QUALITY, f"a quality is {quality}", Where(record=number))


def _packed(one: Any) -> list[int]:
    return [length << 4 | code for code, length in one.cigartuples or ()]


def _record(one: Any, name: bytes, shape: Shape) -> Record:
    flag, mapq, ref, next_ref, _, size, _, _, has_length = shape
    return Record(
        name=name,
        flag=flag,
        ref=ref,
        pos=one.reference_start + 1,
        mapq=mapq,
        cigar=array("I", _packed(one)),
        next_ref=next_ref,
        next_pos=one.next_reference_start + 1,
        length=one.template_length if has_length else 0,
        seq=b"N" * size,  # how many there are is all that is asked of them
        qual=None,
        next_is_same=True,
    )
