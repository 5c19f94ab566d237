"""One record by itself: flags, place, CIGAR, mate."""

from __future__ import annotations

from array import array
from itertools import pairwise

from genoflow.processors.validation.sam import rules_alignment as rules
from genoflow.processors.validation.sam.header import quoted
from genoflow.processors.validation.sam.record import (
    FIRST,
    HARD,
    LAST,
    MATE_REVERSE,
    MATE_UNMAPPED,
    NONE,
    PAIRED,
    PROPER,
    SECONDARY,
    SOFT,
    SUPPLEMENTARY,
    UNMAPPED,
    Judge,
    Record,
)
from genoflow.processors.validation.sam.tags import check_tags

RESERVED = 0xF000
OF_PAIRS = PROPER | MATE_UNMAPPED | MATE_REVERSE | FIRST | LAST
OF_MAPPED = PROPER | SECONDARY | SUPPLEMENTARY
CODES = b"=ACMGRSVTWYHKDBNacmgrsvtwyhkdbn"


def check_record(record: Record, judge: Judge, *, as_text: bool) -> None:
    """Add what is wrong with a record whose fields could all be read."""
    _flags(record, judge)
    _place(record, judge)
    _mate(record, judge)
    if record.cigar:
        _operations(record.cigar, judge)
        if record.seq and record.query_bases != len(record.seq):
            said = f"CIGAR takes {record.query_bases} bases, and SEQ has {len(record.seq)}"
            judge.add(rules.CIGAR_LENGTH, said)
    if as_text and (strange := record.seq.translate(None, CODES)):
        judge.add(rules.SEQ_CODES, f"SEQ has {quoted(strange[:1])} in it")
    check_tags(record, judge, as_text=as_text)


def _flags(record: Record, judge: Judge) -> None:
    flag = record.flag
    if flag & RESERVED:
        judge.add(rules.FLAG_RESERVED, f"FLAG is {flag:#x}")
    if not flag & PAIRED:
        if flag & OF_PAIRS:
            judge.add(rules.FLAG_UNPAIRED, f"FLAG is {flag:#x}")
        if record.length:
            judge.add(rules.LENGTH_SINGLE, f"TLEN is {record.length}")
    elif bool(flag & FIRST) == bool(flag & LAST):
        judge.add(rules.FLAG_SEGMENT, f"FLAG is {flag:#x}")
    if flag & UNMAPPED and (record.cigar or record.mapq or flag & OF_MAPPED):
        said = (
            f"FLAG is {flag:#x}, MAPQ {record.mapq}, and CIGAR has {len(record.cigar)} operations"
        )
        judge.add(rules.FLAG_UNMAPPED, said)


def _place(record: Record, judge: Judge) -> None:
    is_mapped = not record.flag & UNMAPPED
    if (record.ref == NONE) != (record.pos == 0):
        judge.add(rules.NAME_WITHOUT_PLACE, f"POS is {record.pos}, and RNAME {_word(record.ref)}")
    if not is_mapped:
        return
    if record.mapq == 255:
        judge.add(rules.MAPQ_NONE, "MAPQ is 255")
    if record.ref == NONE or record.pos == 0 or not record.cigar:
        judge.add(rules.NO_PLACE, "a mapped read lacks RNAME, POS or CIGAR")
    header = judge.header
    if record.ref < 0 or record.ref in header.circular:
        return
    end = record.pos + max(record.reference_bases, 1) - 1
    if end > header.lengths[record.ref] > 0:
        said = f"it ends at {end}, and its reference at {header.lengths[record.ref]}"
        judge.add(rules.POSITION_BEYOND, said)


def _word(ref: int) -> str:
    return "*" if ref == NONE else "known"


def _mate(record: Record, judge: Judge) -> None:
    header = judge.header
    if (record.next_ref == NONE) != (record.next_pos == 0):
        said = f"PNEXT is {record.next_pos}, and RNEXT {_word(record.next_ref)}"
        judge.add(rules.NAME_WITHOUT_PLACE, said)
    if record.next_ref >= 0:
        if record.next_ref == record.ref and not record.next_is_same:
            judge.add(rules.NEXT_SAME, "RNEXT repeats RNAME")
        if record.next_pos > header.lengths[record.next_ref] > 0:
            said = f"PNEXT is {record.next_pos}"
            judge.add(rules.NEXT_BEYOND, f"{said} of {header.lengths[record.next_ref]}")


def _operations(cigar: array[int], judge: Judge) -> None:
    last = len(cigar) - 1
    codes = bytes(packed & 15 for packed in cigar)
    for at, code in enumerate(codes):
        misplaced = (code == HARD and 0 < at < last) or (
            code == SOFT
            and any(other != HARD for other in codes[: min(at, 2)])
            and any(other != HARD for other in codes[max(at + 1, last - 1) :])
        )
        if misplaced:
            judge.add(rules.CIGAR_CLIP, f"operation {at + 1} of CIGAR clips within it")
            break
    if any(packed >> 4 == 0 for packed in cigar) or any(
        one == other for one, other in pairwise(codes)
    ):
        judge.add(rules.CIGAR_ADJACENT, "CIGAR has empty operations, or the same one after itself")
