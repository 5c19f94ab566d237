"""The header text of SAM, BAM and CRAM: read once, and held to its rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from genoflow.processors.validation.findings import NOWHERE, Broken, Findings, Where
from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.sam import rules_header as rules
from genoflow.processors.validation.sam.header_fields import CHECKS

HEADER_BYTES_MAX = 64 * 1024**2  # 500,000 references of 128 bytes each
REFERENCES_MAX = 500_000  # some 300 bytes of memory each: 150 MB
GROUPS_MAX = 200_000  # read groups and programs, some 600 bytes each: 120 MB
SHOWN = 80  # characters of what is quoted
LENGTH_MAX = 2**31 - 1
FIELD_LINE_BYTES_MAX = 4 * 1024**2  # of a line with fields: a command line, most likely
LINES_MAX = 2_000_000  # of @CO above all: some seconds
LINES_BETWEEN = 10_000  # after so many lines it is seen whether there are too many
PROGRAMS_DEEP_MAX = 10_000  # steps of one chain; a longer one is not followed to its end

FIELD = re.compile(rb"([A-Za-z][A-Za-z0-9]):(.*)", re.DOTALL)
PRINTABLE = bytes(range(32, 127))
NAME = re.compile(rb"[0-9A-Za-z!#$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]*")
NUMBER = re.compile(rb"[0-9]{1,18}")
VERSION = re.compile(rb"[0-9]+\.[0-9]+")
VERSIONS = tuple(b"1.%d" % minor for minor in range(7))
SUB_SORT = re.compile(rb"(?:coordinate|queryname|unsorted)(?::[A-Za-z0-9_-]++)++")
LOCUS = re.compile(rb"(.+):([0-9]{1,18})-([0-9]{1,18})")
KEPT = (b"LB", b"PU", b"SM", b"PP")
FREE_TEXT = (b"DS", b"CL")  # UTF-8 is allowed there

Fields = dict[bytes, bytes]


@dataclass(slots=True)
class Header:
    """What records are compared with."""

    names: list[bytes] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    circular: set[int] = field(default_factory=set)
    index: dict[bytes, int] = field(default_factory=dict)
    md5s: dict[bytes, str] = field(default_factory=dict)
    assemblies: list[str] = field(default_factory=list)
    groups: dict[bytes, Fields] = field(default_factory=dict)
    programs: dict[bytes, Fields] = field(default_factory=dict)
    lines: dict[bytes, int] = field(default_factory=dict)  # how many of each type
    version: str | None = None
    sort: bytes = b""
    group: bytes = b""
    sub_sort: bytes = b""

    def named(self, tag: bytes) -> frozenset[bytes]:
        """All values that @RG lines give to a tag."""
        return frozenset(group[tag] for group in self.groups.values() if tag in group)


def read_header(text: bytes, findings: Findings, *, with_lines: bool = True) -> Header:
    """The header of this text, its faults among the findings; padding with NUL is left out."""
    return _Reader(findings, with_lines).read(text.rstrip(b"\0"))


class _Reader:
    def __init__(self, findings: Findings, with_lines: bool) -> None:
        self._findings = findings
        self._with_lines = with_lines
        self._header = Header()
        self._alternatives: list[tuple[bytes, Where]] = []
        self._alternates: dict[bytes, bytes] = {}
        self._where = NOWHERE
        self._kinds: dict[bytes, Callable[[Fields, int], None]] = {
            b"HD": self._first,
            b"SQ": self._sequence,
            b"RG": self._group,
            b"PG": self._program,
        }

    def read(self, text: bytes) -> Header:
        for number, line in enumerate(_lines_of(text), start=1):
            self._where = Where(line=number) if self._with_lines else NOWHERE
            if number % LINES_BETWEEN == 0:
                self._bound(number)
            self._line(line.removesuffix(b"\r"), number)
        self._finish()
        return self._header

    def _bound(self, lines: int) -> None:
        header = self._header
        grouped = len(header.groups) + len(header.programs)
        others = len(self._alternatives)
        if (
            max(len(header.names), others) > REFERENCES_MAX
            or grouped > GROUPS_MAX
            or (lines > LINES_MAX)
        ):
            said = f"its header has {len(header.names)} @SQ lines and {grouped} of @RG and @PG"
            raise Broken(rules.LARGE, said, self._where)

    def _add(self, rule: Rule, said: str) -> None:
        self._findings.add(rule, said, self._where)

    def _line(self, line: bytes, number: int) -> None:
        kind, _, rest = line[1:].partition(b"\t")
        if line == b"@CO":
            self._add(rules.COMMENT, "@CO has no tab behind it")
            return
        whole = line.startswith(b"@") and re.fullmatch(rb"[A-Za-z]{2}", kind) and b"\t" in line
        if not whole:
            self._add(rules.LINE, f"{quoted(line)} is no header line")
            return
        self._header.lines[kind] = self._header.lines.get(kind, 0) + 1
        if kind == b"CO":
            self._encoding(rest, "the comment")
        elif len(line) > FIELD_LINE_BYTES_MAX:
            said = f"an @{kind.decode()} line has {len(line)} bytes"
            raise Broken(rules.LARGE, said, self._where)
        elif kind not in self._kinds:
            self._add(rules.KIND, f"@{kind.decode()} is no type of header line")
        else:
            self._kinds[kind](self._fields(kind, rest), number)

    def _fields(self, kind: bytes, rest: bytes) -> Fields:
        fields: Fields = {}
        for part in rest.split(b"\t"):
            found = FIELD.fullmatch(part)
            if found is None:
                said = f"{quoted(part)} in @{kind.decode()} is no field TAG:VALUE"
                self._add(rules.LINE, said)
                continue
            tag, value = found[1], found[2]
            if tag in fields:
                said = f"{tag.decode()} stands twice in one @{kind.decode()} line"
                self._add(rules.TAG_REPEATED, said)
                continue
            fields[tag] = value
            name = f"{tag.decode()} of @{kind.decode()}"
            if not value:
                self._add(rules.CHARACTERS, f"{name} is empty")
            elif value.translate(None, PRINTABLE):
                if tag in FREE_TEXT:
                    self._encoding(value, name)
                else:
                    self._add(rules.CHARACTERS, f"{name} is {quoted(value)}")
        return fields

    def _encoding(self, value: bytes, name: str) -> None:
        try:
            value.decode()
        except UnicodeDecodeError:
            self._add(rules.ENCODING, f"{name} is {quoted(value)}, which is not UTF-8")

    def _first(self, fields: Fields, number: int) -> None:
        if self._header.lines[b"HD"] > 1:
            self._add(rules.HD_REPEATED, "this is another @HD line")
            return
        if number > 1:
            self._add(rules.HD_PLACE, f"@HD is line {number}")
        version = fields.get(b"VN")
        if version is None:
            self._add(rules.HD_VERSION_MISSING, "@HD has no VN")
        elif VERSION.fullmatch(version):
            self._header.version = version[:SHOWN].decode()
            if version not in VERSIONS:
                self._add(rules.HD_VERSION_NEW, f"VN is {quoted(version)}")
        else:
            self._add(rules.HD_VERSION, f"VN is {quoted(version)}")
        sort, group, sub = fields.get(b"SO"), fields.get(b"GO"), fields.get(b"SS")
        if sort not in (None, b"unknown", b"unsorted", b"queryname", b"coordinate"):
            self._add(rules.HD_SORT, f"SO is {quoted(sort or b'')}")
        if group not in (None, b"none", b"query", b"reference"):
            self._add(rules.HD_GROUP, f"GO is {quoted(group or b'')}")
        self._header.sort, self._header.group = sort or b"", group or b""
        if sort in (b"queryname", b"coordinate") and group in (b"query", b"reference"):
            self._add(rules.HD_BOTH, f"SO is {sort.decode()} and GO is {group.decode()}")
        if sub is not None:
            self._sub_sort(sub, sort)

    def _sub_sort(self, sub: bytes, sort: bytes | None) -> None:
        if not SUB_SORT.fullmatch(sub):
            self._add(rules.HD_SUB, f"SS is {quoted(sub)}")
        elif sort is not None and not sub.startswith(sort + b":"):
            said = f"SO is {quoted(sort)} and SS is {quoted(sub)}"
            self._add(rules.HD_SUB_DIFFERS, said)
        else:
            self._header.sub_sort = sub

    def _sequence(self, fields: Fields, number: int) -> None:
        header = self._header
        name = fields.get(b"SN")
        if name is None:
            self._add(rules.SQ_NAME_MISSING, "an @SQ line has no SN")
            return
        if not NAME.fullmatch(name):
            self._add(rules.SQ_NAME, f"SN is {quoted(name)}")
        length = self._length(fields, name)
        if name in header.index:
            self._add(rules.SQ_REPEATED, f"SN {quoted(name)} stands twice")
            return
        at = header.index[name] = len(header.names)
        header.names.append(name)
        header.lengths.append(length)
        if fields.get(b"TP") == b"circular":
            header.circular.add(at)
        if b"M5" in fields:
            header.md5s[name] = fields[b"M5"].decode("ascii", "replace")
        if (assembly := fields.get(b"AS", b"").decode("utf-8", "replace")) and (
            assembly not in header.assemblies[-1:]
        ):
            header.assemblies.append(assembly)
        self._rest_of_sequence(fields, number)

    def _rest_of_sequence(self, fields: Fields, number: int) -> None:
        for other in fields[b"AN"].split(b",") if b"AN" in fields else ():
            if NAME.fullmatch(other):
                self._alternatives.append((other, self._where))
                if len(self._alternatives) > REFERENCES_MAX:
                    self._bound(number)
            else:
                self._add(rules.SQ_ALTERNATE, f"AN names {quoted(other)}")
        if b"AH" in fields:
            self._locus(fields[b"SN"], fields[b"AH"])
        self._check(b"SQ", fields)

    def _locus(self, name: bytes, locus: bytes) -> None:
        if locus != b"*" and not _is_locus(locus):
            self._add(rules.SQ_LOCUS, f"AH is {quoted(locus)}")
        self._alternates[name] = locus

    def _length(self, fields: Fields, name: bytes) -> int:
        length = fields.get(b"LN")
        if length is None:
            self._add(rules.SQ_LENGTH_MISSING, f"@SQ of {quoted(name)} has no LN")
        elif not NUMBER.fullmatch(length):
            self._add(rules.SQ_LENGTH_FORM, f"LN of {quoted(name)} is {quoted(length)}")
        elif 1 <= int(length) <= LENGTH_MAX:
            return int(length)
        else:
            self._add(rules.SQ_LENGTH, f"LN of {quoted(name)} is {quoted(length)}")
            return int(length)
        return 0

    def _group(self, fields: Fields, _number: int) -> None:
        self._keep(b"RG", fields, self._header.groups, rules.RG_REPEATED)
        if b"SM" not in fields:
            self._add(rules.RG_SAMPLE, f"@RG {quoted(fields.get(b'ID', b''))} has no SM")
        self._check(b"RG", fields)

    def _program(self, fields: Fields, _number: int) -> None:
        self._keep(b"PG", fields, self._header.programs, rules.PG_REPEATED)

    def _keep(self, kind: bytes, fields: Fields, kept: dict[bytes, Fields], repeated: Rule) -> None:
        identifier = fields.get(b"ID")
        if identifier is None:
            self._add(rules.ID_MISSING, f"an @{kind.decode()} line has no ID")
        elif identifier in kept:
            self._add(repeated, f"ID {quoted(identifier)} stands twice")
        else:
            kept[identifier] = {tag: fields[tag] for tag in KEPT if tag in fields}

    def _check(self, kind: bytes, fields: Fields) -> None:
        for tag, check in CHECKS[kind].items():
            if tag in fields and (rule := check(fields[tag])):
                said = f"{tag.decode()} of @{kind.decode()} is {quoted(fields[tag])}"
                self._add(rule, said)

    def _finish(self) -> None:
        self._where = NOWHERE
        header = self._header
        if header.lines and b"HD" not in header.lines:
            self._add(rules.HD_MISSING, "it has no @HD line")
        seen: set[bytes] = set()
        for name, where in self._alternatives:
            if name in seen or name in header.index:
                said = f"AN names {quoted(name)}, which is another sequence's name, too"
                self._findings.add(rules.SQ_ALTERNATE_REPEATED, said, where)
            seen.add(name)
        for name, locus in self._alternates.items():
            primary = locus if locus in header.index else locus.rpartition(b":")[0]
            if primary in self._alternates:
                said = f"AH of {quoted(name)} is {quoted(locus)}, which has AH itself"
                self._add(rules.SQ_LOCUS_ALTERNATE, said)
        self._chains()

    def _chains(self) -> None:
        programs = self._header.programs
        ended: set[bytes] = set()
        for identifier, fields in programs.items():
            if (previous := fields.get(b"PP")) is not None and previous not in programs:
                said = f"PP of {quoted(identifier)} is {quoted(previous)}, which is no @PG"
                self._add(rules.PG_PREVIOUS, said)
            chain: dict[bytes, None] = {}
            at: bytes | None = identifier
            while at in programs and at not in ended and len(chain) < PROGRAMS_DEEP_MAX:
                if at in chain:
                    said = f"the chain of PP from {quoted(identifier)} comes back to {quoted(at)}"
                    self._add(rules.PG_LOOP, said)
                    break
                chain[at] = None
                at = programs[at].get(b"PP")
            ended.update(chain)


def _lines_of(text: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(text):
        end = text.find(b"\n", at)
        end = len(text) if end < 0 else end
        yield text[at:end]
        at = end + 1


def _is_locus(value: bytes) -> bool:
    if NAME.fullmatch(value):  # a name may hold a colon itself
        found = LOCUS.fullmatch(value)
        return found is None or int(found[2]) <= int(found[3])
    return False


def quoted(value: bytes) -> str:
    """What stands there, short enough for a message."""
    text = value[:SHOWN].decode("utf-8", "backslashreplace")
    return repr(text + ("..." if len(value) > SHOWN else ""))
