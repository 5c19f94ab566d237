"""The tags of a CRAM record by the rules of SAM: types, MD and NM against CIGAR, @RG and @PG."""

from __future__ import annotations

from typing import Any

from genoflow.processors.validation.sam.record import Judge, Record, Tag
from genoflow.processors.validation.sam.tags import check_tags

# As htslib hands them over: a whole number has the size that it is stored in.
WHOLE = frozenset("cCsSiI")
LETTERS = frozenset("ZHA")
OF_ARRAYS = {"b": "c", "B": "C", "h": "s", "H": "S", "i": "i", "I": "I", "l": "i", "L": "I",
             "f": "f"}  # fmt: skip


def check_cram_tags(
    one: Any, found: list[tuple[str, Any, str]], record: Record, judge: Judge, *, with_bases: bool
) -> None:
    """Add what is wrong with the tags of a record that htslib has decoded."""
    record.tags = {name.encode(): _tag(value, kind) for name, value, kind in found}
    # Bases are needed where a tag speaks of them; what was not decoded is not compared.
    record.seq = (one.query_sequence or "").encode() if with_bases else b""
    check_tags(record, judge, as_text=False)


def _tag(value: Any, kind: str) -> Tag:
    if kind in WHOLE:
        return Tag("i", int(value))
    if kind in LETTERS:
        return Tag(kind, value.encode("utf-8", "replace") if isinstance(value, str) else value)
    if kind == "B":
        return Tag("B", (OF_ARRAYS.get(value.typecode, "?"), len(value)))
    return Tag("f", float(value))
