"""The reader of FASTQ: it judges every record that is not certainly clean, and goes on."""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Iterable, Iterator

from genoflow.processors.validation.findings import Broken, Findings, Where
from genoflow.processors.validation.inflate import Block, blocks_of
from genoflow.processors.validation.port import Expected, Measured
from genoflow.processors.validation.reads import rules
from genoflow.processors.validation.reads.counts import counts_of
from genoflow.processors.validation.reads.metrics import metrics_of
from genoflow.processors.validation.reads.names import ANY, Origin, contradictions, origin_of
from genoflow.processors.validation.reads.record import (
    NeedMore,
    Spoiled,
    faults_of,
    read_record,
)
from genoflow.processors.validation.rules import Rule, Severity
from genoflow.processors.validation.source import Source

FORMAT = "FASTQ"
# Where a record may begin again behind one that is none: a name, some lines of letters, and a +.
NEXT_RECORD = re.compile(rb"\n(?=@[^\n]*\n(?:[A-Za-z.*-]*\r?\n){1,9}?\+)")
LOOK_BACK_BYTES = 64 * 1024  # kept of a text without a record: two names and the bases between
# A file has the reads of few lanes. One whose names begin in more ways is not looked at further:
# each way costs a comparison for every read.
ORIGINS_MAX = 64
# Phred + 64 begins at ; (59) in the oldest files and ends at i (105). What was written as
# Phred + 33 has qualities below 26 unless it is short, and above 52 only where it is no Illumina's.
PHRED64_FIRST, PHRED64_LAST = 59, 105
PHRED33_LAST = 75  # K, the best that Illumina's instruments write
UNLIKELY = 86  # V, as Phred + 33 a chance of one in two hundred thousand
BASES_TELLING = 10_000  # so many say by themselves that low qualities are not to come


def read_fastq(
    source: Source,
    compression: str,
    expected: Expected,
    findings: Findings,
    *,
    every: bool = True,
) -> Measured:
    """All records, with a finding for each rule that one breaks; nothing is measured of a file
    with errors. Without `every` only the sums are counted."""
    reader = Reader(expected, findings, is_plain=compression == "none", every=every)
    for _ in reader.names(blocks_of(source, compression, needs_end=False)):
        pass
    return reader.measured()


class Reader:
    """What is known of a file on the way through it."""

    def __init__(
        self, expected: Expected, findings: Findings, *, is_plain: bool, every: bool = True
    ) -> None:
        self._expected = expected
        self._findings = findings
        self._is_plain = is_plain
        self._counts = counts_of(every=every)
        self._digest = hashlib.sha256()
        self._text = b""
        self._at = 0  # in the text
        self._before = 0  # of the text of the file, before this one
        self._marks: deque[tuple[int, int]] = deque()  # in the text of the file, and as stored
        self._line, self._record = 1, 1
        self._is_last = self._is_lost = False
        self._origins: set[bytes] = set()

    def names(self, blocks: Iterable[Block]) -> Iterator[bytes]:
        """The names of all reads, many at once, each with a line feed."""
        for block in blocks:
            self._add(block)
            self._read()
            names = self._counts.names()
            self._digest.update(names)
            yield names
        self._is_last = True
        self._read()
        names = self._counts.names()
        self._digest.update(names)
        yield names

    def _add(self, block: Block) -> None:
        left = self._text[self._at :]
        self._before += self._at
        self._marks.append((self._before + len(left), block.stored_at))
        self._text, self._at = block.text, 0
        if left and self._is_joined(left):
            self._before += len(left)
        elif left:
            self._text = left + block.text
        while len(self._marks) > 1 and self._marks[1][0] <= self._before:
            self._marks.popleft()

    def _is_joined(self, left: bytes) -> bool:
        """Whether a record that two blocks share is clean: then no block has to be copied."""
        end = 0
        for _ in range(4 - left.count(b"\n")):
            end = self._text.find(b"\n", end) + 1
            if not end:
                return False
        record = left + self._text[:end]
        if self._is_lost or self._counts.scan(record, 0) != (len(record), 1):
            return False
        self._record += 1
        self._line += 4
        self._at = end
        return True

    def _read(self) -> None:
        """Every record that is whole."""
        try:
            while self._at < len(self._text):
                if self._is_lost and not self._find():
                    return
                self._at, reads = self._counts.scan(self._text, self._at)
                self._record += reads
                self._line += 4 * reads
                if self._at < len(self._text):
                    self._judge()
        except NeedMore:
            return

    def _judge(self) -> None:
        try:
            record = read_record(self._text, self._at, is_last=self._is_last)
        except Spoiled as spoiled:
            where = self._where()
            message = f"read {self._record} {spoiled.message}"
            if spoiled.rule is rules.LINE_TOO_LONG:
                raise Broken(spoiled.rule, message, where) from spoiled
            self._findings.add(spoiled.rule, message, where)
            self._is_lost = True
            self._record += 1
            return
        if isinstance(record, int):
            self._say(rules.BLANK_LINE, f"line {self._line} is empty")
            self._step(record)
            return
        is_sound = True
        for rule, said in (*record.notes, *faults_of(record)):
            self._say(rule, f"read {self._record} {said}")
            is_sound = is_sound and rule.severity != Severity.ERROR
        if is_sound:
            self._compare(record.title)
            self._counts.add(record.title, record.bases, record.qualities)
        self._record += 1
        self._line += record.lines
        self._at = record.end

    def _compare(self, title: bytes) -> None:
        """The first name of its kind with what was registered; the others say the same."""
        if ANY in self._origins:
            return
        origin = origin_of(title) if len(self._origins) < ORIGINS_MAX else Origin(ANY)
        if origin.prefix in self._origins:
            return
        self._origins.add(origin.prefix)
        self._counts.know(origin.prefix)
        for rule, said in contradictions(title, origin, self._expected):
            self._say(rule, f"read {self._record}: {said}")

    def _find(self) -> bool:
        """Go to where the next record seems to begin, if it can be seen from here."""
        found = NEXT_RECORD.search(self._text, self._at)
        if found is not None:
            self._step(found.end())
            self._is_lost = False
            return True
        end = len(self._text)
        self._step(end if self._is_last else max(self._at, end - LOOK_BACK_BYTES))
        return False

    def _step(self, to: int) -> None:
        self._line += self._text.count(b"\n", self._at, to)
        self._at = to

    def _say(self, rule: Rule, message: str) -> None:
        self._findings.add(rule, message, self._where())

    def _where(self) -> Where:
        place = self._before + self._at
        at, stored_at = max((mark for mark in self._marks if mark[0] <= place), default=(0, 0))
        byte = stored_at + place - at if self._is_plain else stored_at
        return Where(self._line, self._record, byte)

    def measured(self) -> Measured:
        """What all of it was; called behind the last record."""
        if self._findings.count(Severity.ERROR):
            return Measured(FORMAT)
        raw = self._counts.raw()
        self._weigh(raw["reads"], raw["bases"], raw["quality_range"])
        if self._findings.count(Severity.ERROR):
            return Measured(FORMAT)
        metrics, details = metrics_of(raw)
        return Measured(
            FORMAT, metrics, raw["reads"], raw["bases"], self._digest.hexdigest(), details=details
        )

    def _weigh(self, reads: int, bases: int, qualities: tuple[int, int] | None) -> None:
        due = self._expected.reads
        if due is not None and reads != due:
            rule = rules.READS_MISSING if reads < due else rules.READS_UNEXPECTED
            said = f"it holds {reads} reads, and demultiplexing counted {due}"
            self._findings.add(rule, said)
        elif reads == 0:
            self._findings.add(rules.EMPTY, "it holds no reads")
        if qualities is None:
            return
        least, most = qualities
        is_telling = most >= UNLIKELY or bases >= BASES_TELLING
        if PHRED64_FIRST <= least <= PHRED64_LAST and most > PHRED33_LAST and is_telling:
            said = f"its qualities are the characters {least} to {most}, which is Phred + 64"
            self._findings.add(rules.PHRED64, said)
