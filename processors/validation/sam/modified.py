"""MM, ML and MN: modified bases, counted along the read as it was sequenced."""

from __future__ import annotations

import re

from genoflow.processors.validation.sam import rules_tags as rules
from genoflow.processors.validation.sam.header import quoted
from genoflow.processors.validation.sam.record import REVERSE, Judge, Record, Tag

# The table of the specification has codes in upper case that its expression leaves out.
FORM = re.compile(rb"(?:[ACGTUN][-+](?:[a-zACGTUN]++|[0-9]++)[.?]?(?:,[0-9]++)*+;)*+")
ENTRY = re.compile(rb"([ACGTUN])[-+]([a-zACGTUN]+|[0-9]+)[.?]?((?:,[0-9]++)*+);")
COMPLEMENT = bytes.maketrans(b"ACGTU", b"TGCAA")
SKIP_DIGITS_MAX = 18
PART_BYTES = 256 * 1024  # of skips at once


def check_modified(record: Record, tags: dict[bytes, Tag], judge: Judge) -> None:
    """Add what is wrong with the modifications; stale ones are not compared with SEQ."""
    if b"MM" not in tags:
        if b"ML" in tags:
            judge.add(rules.ML, "there is ML without MM")
        return
    text = tags[b"MM"].value
    if not isinstance(text, bytes) or not FORM.fullmatch(text):
        judge.add(rules.MM, f"MM is {quoted(text if isinstance(text, bytes) else b'')}")
        return
    if b"MN" in tags and record.seq and tags[b"MN"].value != len(record.seq):
        said = f"MN is {tags[b'MN'].value!r}, and SEQ has {len(record.seq)} bases"
        judge.add(rules.MM_STALE, said)
        return
    _entries(text, record, tags, judge)


def _entries(text: bytes, record: Record, tags: dict[bytes, Tag], judge: Judge) -> None:
    probabilities = 0
    for entry in ENTRY.finditer(text):
        base, codes, skips = entry[1], entry[2], entry[3]
        places = skips.count(b",")
        probabilities += places * (1 if codes.isdigit() else len(codes))
        if not record.seq or not places:
            continue
        there = _bases(record, base)
        needed = _sum(skips) + places
        if needed > there:
            said = f"MM speaks of base {needed} of {base.decode()}, and SEQ has {there}"
            judge.add(rules.MM_BEYOND, said)
    if b"ML" in tags:
        value = tags[b"ML"].value
        count = value[1] if isinstance(value, tuple) else 0
        if count != probabilities:
            said = f"ML has {count} probabilities, and MM {probabilities}"
            judge.add(rules.ML, said)


def _bases(record: Record, base: bytes) -> int:
    """How many of them the read has, on the strand that was sequenced."""
    if base == b"N":
        return len(record.seq)
    if base == b"U":
        base = b"T"
    wanted = base.translate(COMPLEMENT) if record.flag & REVERSE else base
    seq = record.seq
    count = seq.count(wanted) + seq.count(wanted.lower())
    return count + seq.count(b"U") + seq.count(b"u") if wanted == b"T" else count


def _sum(skips: bytes) -> int:
    total, at = 0, 1
    while at < len(skips):
        end = skips.find(b",", at + PART_BYTES)
        end = len(skips) if end < 0 else end
        for skip in skips[at:end].split(b","):
            total += int(skip) if len(skip) <= SKIP_DIGITS_MAX else 10**SKIP_DIGITS_MAX
        at = end + 1
    return total
