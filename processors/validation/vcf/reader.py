"""A VCF from its first line to its last: the header, then data lines, a block at a time.

An acceptor may look at a block first. What it takes for clean is clean by every rule and counted;
it hands over all other lines, and only those are read here. Without the extension that is all.
"""

from __future__ import annotations

from collections import Counter

from genoflow.events.file_metrics import FileMetrics
from genoflow.processors.validation.builds import build_of, contradicted
from genoflow.processors.validation.findings import Broken, Findings, Where
from genoflow.processors.validation.inflate import blocks_of
from genoflow.processors.validation.port import Expected, Measured
from genoflow.processors.validation.source import Source
from genoflow.processors.validation.text import Lines, whole_lines
from genoflow.processors.validation.vcf import rules_file as rules
from genoflow.processors.validation.vcf.accept import Acceptor, Handed
from genoflow.processors.validation.vcf.counts import Counts
from genoflow.processors.validation.vcf.header import Header, Teller, quoted
from genoflow.processors.validation.vcf.meta import read_meta
from genoflow.processors.validation.vcf.order import Order
from genoflow.processors.validation.vcf.record import POSITION, read_site
from genoflow.processors.validation.vcf.rules_record import COLUMN_COUNT
from genoflow.processors.validation.vcf.samples import read_samples
from genoflow.processors.validation.vcf.structural import tell_structural

CONTROLS = bytes({*range(32)} - {9, 10, 13})
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]
VERSIONS = {f"VCFv4.{minor}": minor for minor in range(1, 6)}
VERSION_PREFIX = "##fileformat="


def read_vcf(source: Source, compression: str, expected: Expected, findings: Findings) -> Measured:
    """All findings of a VCF; Broken where nothing behind it can be understood."""
    reader = VcfReader(expected, findings)
    if compression == "gzip":
        reader.tell(rules.GZIP_NOT_BGZF, "it is compressed by gzip, and not by bgzip")
    for lines in whole_lines(blocks_of(source, compression), rules.LINE_TOO_LONG):
        reader.take(lines)
    return reader.finish()


class VcfReader:
    """Takes lines, of a text or written out of a BCF, and says at the end what they were."""

    def __init__(
        self,
        expected: Expected,
        findings: Findings,
        *,
        is_fast: bool = True,
        has_lines: bool = True,
    ) -> None:
        self.header = Header()
        self.tell = Teller(findings)
        self._expected = expected
        self._is_fast = is_fast
        self._has_lines = has_lines  # where records are lines of the file, and not of a decoder
        self._order = Order()
        self._acceptor: Acceptor | None = None
        self._counts = Counts(())
        self._records = 0
        self._number = 0  # of the last line
        self._blanks: list[int] = []
        self._ends: set[bytes] = set()
        self._version: str | None = None
        self._reference: str | None = None

    def take(self, lines: Lines) -> None:
        """Look at some whole lines."""
        text, at = lines.text, 0
        self._number = lines.number - 1
        if not text.endswith(b"\n"):
            self._tell_open(lines)  # first: what else is wrong with this line comes of it
        while self._acceptor is None and at < len(text):
            end = text.find(b"\n", at)
            end = len(text) if end < 0 else end
            self._number += 1
            self.tell.where = Where(line=self._number, byte=lines.stored_at)
            self._take_line(text[at:end])
            at = end + 1
        if at < len(text):
            self._take_data(text[at:], lines.stored_at)

    def _tell_open(self, last: Lines) -> None:
        self.tell.where = Where(line=last.number, byte=last.stored_at)
        rule = rules.LAST_LINE_OPEN if self.header.minor >= 5 else rules.LAST_LINE_CUT
        self.tell(rule, "its last line has no end")

    def _take_line(self, raw: bytes) -> None:
        """A line of the header."""
        line = self._decoded(raw)
        if not line:
            self._blanks.append(self._number)
            return
        self._tell_blanks()
        if self._version is None:
            self._take_version(line)
        elif line.startswith(VERSION_PREFIX):
            self.tell(rules.FILEFORMAT_REPEATED, f"line {self._number} is {quoted(line)}")
        elif line.startswith("##"):
            read_meta(line, self.header, self.tell)
        elif line.startswith("#CHROM"):
            self._take_columns(line)
        else:
            said = f"line {self._number} is neither ## nor #CHROM: {quoted(line)}"
            raise Broken(rules.LINE_BEFORE_HEADER, said, self.tell.where)

    def _take_version(self, line: str) -> None:
        if not line.startswith(VERSION_PREFIX):
            said = f"it begins with {quoted(line)}"
            raise Broken(rules.FILEFORMAT_MISSING, said, self.tell.where)
        version = line[len(VERSION_PREFIX) :]
        digits = version.removeprefix("VCFv4.")
        if not (version.startswith("VCFv4.") and digits.isdigit() and digits.isascii()):
            said = f"its version is {quoted(version)}"
            raise Broken(rules.VERSION_MALFORMED, said, self.tell.where)
        minor = VERSIONS.get(version)
        if minor is None:
            minor = 1 if digits == "0" else 5
            self.tell(rules.VERSION_UNKNOWN, f"its version is {version}, and is read as 4.{minor}")
        self.header.minor = minor
        self._version = version.removeprefix("VCFv")[:20]

    def _take_columns(self, line: str) -> None:
        names = line.split("\t")
        if names[:8] != COLUMNS or (len(names) > 8 and names[8] != "FORMAT"):
            raise Broken(rules.COLUMNS, f"its columns are {quoted(line)}", self.tell.where)
        samples = names[9:]
        if len(names) == 9:
            self.tell(rules.FORMAT_WITHOUT_SAMPLES, "FORMAT is the last column")
        if len({*samples}) < len(samples):
            [(twice, _)] = Counter(samples).most_common(1)
            self.tell(rules.SAMPLE_REPEATED, f"sample {quoted(twice)} is named twice")
        if any(not name.strip() for name in samples):
            self.tell(rules.SAMPLE_UNNAMED, "a sample has no name, or a tab ends the line")
        self.header.samples = samples
        self.header.columns = len(names)
        self.header.settle()
        self._compare()
        self._counts = Counts(samples)
        self._acceptor = Acceptor(self.header, self.tell, is_fast=self._is_fast)

    def _compare(self) -> None:
        """The header with what is known of the file."""
        header, sample = self.header, self._expected.sample_id
        if sample is not None and header.samples and sample not in header.samples:
            few = ", ".join(name[:100] for name in header.samples[:5])
            self.tell(rules.WRONG_SAMPLE, f"its header names {few}, and it was sent for {sample}")
        contigs = {name: length or 0 for name, length in header.contigs.items()}
        self._reference = build_of(contigs, header.assemblies)
        if said := contradicted(self._reference, self._expected.references):
            self.tell(rules.WRONG_BUILD, said)

    def _take_data(self, text: bytes, stored_at: int) -> None:
        assert self._acceptor is not None
        found = self._acceptor.look(text)
        if found.accepted:
            self._ends.add(b"\n")
            self._tell_blanks()
        self._counts.add(found.sites, found.genotypes)
        first_line, first_record, noted = self._number + 1, self._records + 1, 0
        for handed in found.handed:
            if handed.context >= 0:
                self._order.catch_up(handed.position, handed.highest)
                self._note(text[max(noted, handed.context) : handed.start])
                noted = max(noted, handed.start)
            self._number = first_line + handed.line
            line = self._number if self._has_lines else None
            self.tell.where = Where(line, first_record + handed.record, stored_at)
            self._take_record(handed, text)
        if found.tail >= 0:
            self._order.catch_up(found.position, found.highest)
            self._note(text[max(noted, found.tail) :])
        self._number = first_line + found.lines - 1
        self._records += found.records
        self._acceptor.learn()

    def _note(self, text: bytes) -> None:
        """Variants of lines that were accepted, for those that come behind them."""
        for line in text.split(b"\n"):
            columns = line.decode("utf-8", "replace").split("\t", 5)
            if len(columns) == 6 and POSITION.fullmatch(columns[1]):
                self._order.note(int(columns[1]), columns[3], columns[4].split(","))

    def _take_record(self, handed: Handed, text: bytes) -> None:
        raw = text[handed.start : handed.end]
        if raw in (b"", b"\r"):
            self._blanks.append(self._number)
            return
        if raw.startswith(b"#"):
            self.tell.where = Where(line=self._number, byte=self.tell.where.byte)
        line = self._decoded(raw)
        self._tell_blanks()
        if line.startswith("#"):
            self.tell(rules.META_AFTER_HEADER, f"line {self._number} is {quoted(line)}")
            return
        count = 1 + line.count("\t")
        if count != self.header.columns:
            said = f"it has {count} columns, and the header line {self.header.columns}"
            self.tell(COLUMN_COUNT, said)
            return
        columns = line.split("\t")
        site = read_site(columns, self.header, self._order, self.tell)
        genotypes = []
        if len(columns) > 9:
            genotypes = read_samples(columns, site, self.header, self.tell)
        if self.header.minor >= 4:
            keys = columns[8].split(":") if len(columns) > 8 else []
            tell_structural(site, keys, self.tell)
        if site.ref:
            self._counts.take(columns[2], site.ref, site.alts, genotypes)

    def _decoded(self, raw: bytes) -> str:
        ended = raw.endswith(b"\r")
        self._ends.add(b"\r\n" if ended else b"\n")
        raw = raw[:-1] if ended else raw
        if self._number == 1 and raw.startswith(BYTE_ORDER_MARK):
            self.tell(rules.BYTE_ORDER_MARK, "it begins with a byte order mark")
            raw = raw[len(BYTE_ORDER_MARK) :]
        if b"\r" in raw or raw.translate(None, CONTROLS) != raw:
            self.tell(rules.CONTROL_CHARACTER, f"a control character stands in {raw[:60]!r}")
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            if self.header.minor >= 3:
                said = f"byte {error.start + 1} of the line is no UTF-8"
                self.tell(rules.NOT_UTF8, said)
            return raw.decode("latin-1")

    def _tell_blanks(self) -> None:
        for number in self._blanks:
            self.tell.findings.add(rules.BLANK_LINE, f"line {number} is blank", Where(line=number))
        self._blanks.clear()

    def finish(self) -> Measured:
        """What all of it was; Broken where its header never came to an end."""
        self.tell.where = Where(line=self._number or None)
        if self._version is None:
            raise Broken(rules.EMPTY, "it has no lines")
        if self._acceptor is None:
            raise Broken(rules.HEADER_LINE_MISSING, "no line begins with #CHROM", self.tell.where)
        if self._blanks:
            self.tell(rules.BLANK_END, f"its last line with text is before line {self._blanks[0]}")
        if len(self._ends) > 1:
            self.tell(rules.LINE_ENDS_MIXED, "some lines end with CR LF, and others with LF")
        elif self._ends == {b"\r\n"} and self.header.minor < 3:
            self.tell(rules.CARRIAGE_RETURN, "its lines end with CR LF")
        return Measured(
            "VCF",
            FileMetrics(variants=self._records),
            reference=self._reference,
            version=self._version,
            details=self._counts.details(),
        )
