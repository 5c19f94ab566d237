"""One record of FASTQ: where its lines are, and what can be said of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from genoflow.processors.validation.reads import rules
from genoflow.processors.validation.reads.counts import LINE_BYTES_MAX, name_of
from genoflow.processors.validation.rules import Rule

BASES = b"ACGTUNRYSWKMBDHVacgtunryswkmbdhv"  # of IUPAC
GAPS = b"-.*"
TEXT = bytes(range(32, 127)) + b"\t"
QUALITIES = bytes(range(33, 127))
BLANKS = bytes(range(33)) + b"\x7f"
QUOTED_BYTES_MAX = 60  # of a line in a message

Said = tuple[Rule, str]


class NeedMore(Exception):
    """The text ends within the record, and more is to come."""


class Spoiled(Exception):
    """No record can be made of these lines."""

    def __init__(self, rule: Rule, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message


class Record(NamedTuple):
    """A record without the ends of its lines."""

    title: bytes
    bases: bytes
    plus: bytes
    qualities: bytes
    lines: int
    end: int  # in the text
    notes: tuple[Said, ...] = ()


class Lines:
    """The lines from one place of a text on, one after the other."""

    def __init__(self, text: bytes, at: int, *, is_last: bool) -> None:
        self._text = text
        self._is_last = is_last
        self.at = at
        self.count = 0
        self.had_cr = False
        self.is_open = False  # the last line has no line feed

    @property
    def is_over(self) -> bool:
        """Whether the file ends here."""
        if self.at < len(self._text):
            return False
        if not self._is_last:
            raise NeedMore
        return True

    def is_before(self, lead: bytes) -> bool:
        """Whether the next line begins so, or the file ends here."""
        return self.is_open or self.is_over or self._text.startswith(lead, self.at)

    def next(self, part: str) -> bytes:
        """The next line; Spoiled where the file ends, naming the part that is missing."""
        if self.is_over:
            raise Spoiled(rules.TRUNCATED, f"ends in the middle, in its {part}")
        end = self._text.find(b"\n", self.at, self.at + LINE_BYTES_MAX + 2)
        if end < 0 and len(self._text) - self.at <= LINE_BYTES_MAX + 1:
            if not self._is_last:
                raise NeedMore
            end = len(self._text)
            self.is_open = True
        line = self._text[self.at : end] if end >= 0 else b""
        if line.endswith(b"\r"):
            self.had_cr = True
            line = line[:-1]
        if end < 0 or len(line) > LINE_BYTES_MAX:
            said = f"has a line of more than {LINE_BYTES_MAX} bytes"
            raise Spoiled(rules.LINE_TOO_LONG, said)
        self.at = end + (not self.is_open)
        self.count += 1
        return line


def read_record(text: bytes, at: int, *, is_last: bool) -> Record | int:
    """The record that begins there, or the end of an empty line; NeedMore, or Spoiled."""
    lines = Lines(text, at, is_last=is_last)
    title = lines.next("name")
    if not title:
        return lines.at
    if not title.startswith(b"@"):
        raise Spoiled(rules.NO_AT, f"begins with {quoted(title)} and not with @")
    bases, plus = _bases(lines)
    qualities, quality_lines = _qualities(lines, bases)
    notes: list[Said] = []
    joined = b"".join(bases)
    if max(len(bases), quality_lines) > 1:
        said = f"has its bases in {len(bases)} lines and its qualities in {quality_lines}"
        notes.append((rules.WRAPPED, said))
    if lines.had_cr:
        notes.append((rules.CR_LF, "has lines that end with CR LF"))
    if lines.is_open:
        notes.append((rules.NO_LAST_LF, "is the last one and has no line feed at its end"))
    return Record(title, joined, plus, qualities, lines.count, lines.at, tuple(notes))


def _bases(lines: Lines) -> tuple[list[bytes], bytes]:
    """The lines of the bases, and the line with + behind them."""
    first = lines.next("bases")
    if first.startswith(b"+"):
        raise Spoiled(rules.NO_BASES, f"has {quoted(first)} where its bases belong")
    bases, size = [first], len(first)
    while not (line := lines.next("line with +")).startswith(b"+"):
        if line.startswith(b"@") or not line or not first:
            raise Spoiled(rules.NO_PLUS, f"has {quoted(line)} where a line with + belongs")
        bases.append(line)
        size += len(line)
        if size > LINE_BYTES_MAX:
            raise Spoiled(rules.LINE_TOO_LONG, f"has more than {LINE_BYTES_MAX} bases")
    return bases, line


def _qualities(lines: Lines, bases: list[bytes]) -> tuple[bytes, int]:
    """As many as there are bases, and in how many lines."""
    due = sum(map(len, bases))
    if not due and lines.is_over:
        lines.is_open = True  # what is missing is the end of an empty line
        return b"", 1
    first = lines.next("qualities")
    if len(first) < due and lines.is_open:
        raise Spoiled(rules.TRUNCATED, "ends in the middle, in its qualities")
    if len(first) >= due or lines.is_over:
        if len(first) != due:
            raise Spoiled(rules.LENGTHS, f"has {due} bases and {len(first)} qualities")
        return first, 1
    qualities, count = first, 1
    while len(qualities) < due and not lines.is_open:
        qualities += lines.next("qualities")
        count += 1
    if len(qualities) < due:
        raise Spoiled(rules.TRUNCATED, "ends in the middle, in its qualities")
    # Of bases in one line the next record may have been taken for qualities: then the lengths
    # agree by chance at most, and what follows is no name.
    if len(qualities) != due or (len(bases) == 1 and not lines.is_before(b"@")):
        said = len(first) if len(bases) == 1 else len(qualities)
        raise Spoiled(rules.LENGTHS, f"has {due} bases and {said} qualities")
    return qualities, count


def faults_of(record: Record) -> Iterator[Said]:
    """What is wrong with a record whose lines are in order, the plainest first."""
    title, bases, plus, qualities = record[:4]
    if title.translate(None, TEXT):
        yield rules.NAME_TEXT, f"has a name that is not plain text: {quoted(title)}"
    if not name_of(title):
        yield rules.NAME_MISSING, "has no name"
    if len(plus) > 1 and plus[1:] != title[1:]:
        yield rules.PLUS_NAME, f"is named {quoted(title)}, and its line with + is {quoted(plus)}"
    if strange := bases.translate(None, BASES):
        if blanks := strange.translate(None, bytes(set(range(256)) - set(BLANKS))):
            yield rules.BASE_BLANK, f"has the character {blanks[0]} among its bases"
        elif letters := strange.translate(None, GAPS):
            yield rules.BASE, f"has {quoted(letters[:1])} among its bases"
        else:
            yield rules.GAP, f"has {quoted(strange[:1])} among its bases"
    if strange := qualities.translate(None, QUALITIES):
        yield (
            rules.QUALITY, f"has the character {strange[0]} as a quality; 33 to 126 are qualities"
        )  # fmt: skip


def quoted(line: bytes) -> str:
    """A line as it can be shown."""
    return repr(line[:QUOTED_BYTES_MAX])[1:]
