"""Meta-information lines: their grammar, and what each kind of line has to say."""

from __future__ import annotations

import re
from typing import NamedTuple

from genoflow.processors.validation.builds import known_build
from genoflow.processors.validation.rules import Rule
from genoflow.processors.validation.vcf import rules_meta as rules
from genoflow.processors.validation.vcf.header import (
    CONTIGS_MAX,
    DECLARED_MAX,
    Header,
    Teller,
    quoted,
)
from genoflow.processors.validation.vcf.reserved import (
    Key,
    format_keys,
    info_keys,
    modification,
)

TYPES = ("Integer", "Float", "Flag", "Character", "String")
NUMBER = re.compile(r"[0-9]+|[.AG]")
STRUCTURAL = ("DEL", "INS", "DUP", "INV", "CNV")
KEY_NAME = re.compile(r"[A-Za-z_][0-9A-Za-z_.]*")
CONTIG_OLD = re.compile(r"[^\s,<>]+")
# As SAM names reference sequences. A star at the end reads like a pattern, and the
# specification's authors hold it to be wrong.
CONTIG = re.compile(r"[0-9A-Za-z!#$%&+./:;?@^_|~-](?:[0-9A-Za-z!#$%&*+./:;=?@^_|~-]*[^*])?")
SYMBOL = re.compile(r"[^\s,<>]+")
SAMPLE = re.compile(r"[^\s,<>\"*]+")
PERSON = re.compile(r"[^\s,:<>\"]+")
_HOST = r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Za-z.-]*[A-Za-z][0-9A-Za-z.-]*)"
URL = re.compile(
    rf"(?:file:///\S+|[A-Za-z][0-9A-Za-z+.-]*://(?:[^\s/@]+@)?{_HOST}(?::\d+)?(?:/\S*)?)"
)
MD5 = re.compile(r"[0-9a-f]{32}")
# What an allele may be called that is no type of a structural variant.
OTHER_ALTS = ("NON_REF", "*", "X", *"RYSWKMBDHVN")
KINDS = ("INFO", "FORMAT", "FILTER", "ALT", "contig", "META", "SAMPLE", "PEDIGREE")
REQUIRED = {
    "INFO": ("Number", "Type", "Description"),
    "FORMAT": ("Number", "Type", "Description"),
    "FILTER": ("Description",),
    "ALT": ("Description",),
    "META": ("Number", "Type", "Values"),
}
ORDER = ("ID", "Number", "Type", "Description")


class Pair(NamedTuple):
    """One key=value between < and >."""

    key: str
    value: str
    is_quoted: bool


def read_meta(line: str, header: Header, tell: Teller) -> None:
    """One line that begins with ##; what it declares stands in the header afterwards."""
    kind, equals, value = line[2:].partition("=")
    if not equals or not kind.strip():
        tell(rules.MALFORMED, f"{quoted(line)} is not ##key=value")
    elif not value.strip():
        tell(rules.VALUE_EMPTY, f"##{kind} has no value")
    elif kind in ("assembly", "pedigreeDB"):
        url = value[1:-1] if value[0] == "<" and value[-1] == ">" else value
        if not URL.fullmatch(url):
            tell(rules.URL, f"##{kind} is {quoted(value)}, which is no URL")
    elif value.startswith("<"):
        _structured(kind, value, header, tell)
    elif kind in KINDS:
        tell(rules.PAIR, f"##{kind} is {quoted(value)}, and <ID=…> is due")
    elif kind == "reference":
        # A path on the machine of whoever made it: only a published name in it says anything.
        name = value.rpartition("/")[2]
        if known_build(name):
            header.assemblies[name] = None


def _structured(kind: str, value: str, header: Header, tell: Teller) -> None:
    if not value.endswith(">"):
        tell(rules.UNCLOSED, f"##{kind} does not end with >: {quoted(value)}")
        return
    inner = value[1:-1]
    if kind not in KINDS and re.fullmatch(r'"[^"]*"', inner):
        tell(rules.TEXT_IN_BRACKETS, f"##{kind} has a text and no keys")
        return
    found = pairs_of(inner)
    if isinstance(found, Rule):
        tell(found, f"##{kind} cannot be read as key=value pairs: {quoted(inner)}")
        return
    values: dict[str, str] = {}
    for pair in found:
        if pair.key in values:
            tell(rules.KEY_REPEATED, f"##{kind} has {quoted(pair.key)} twice")
        values.setdefault(pair.key, pair.value)
    _check(kind, found, values, header, tell)


def pairs_of(text: str) -> list[Pair] | Rule:
    """The pairs of a structured value; the rule that it breaks where it cannot be read."""
    pairs: list[Pair] = []
    at = 0
    while at <= len(text):
        equals = text.find("=", at)
        key = text[at:equals]
        if equals < 0 or not key or re.search(r'[\s,"]', key.strip()) or not key.strip():
            return rules.PAIR
        start = equals + 1
        if text[start : start + 1] == '"':
            closed = re.compile(r'"(?:[^"\\]|\\.)*"').match(text, start)
            if closed is None or text[closed.end() : closed.end() + 1] not in ("", ","):
                return rules.QUOTES
            pairs.append(Pair(key.strip(), closed[0][1:-1], True))
            at = closed.end() + 1
            continue
        listed = re.compile(r"\[[^\]]*\]").match(text, start)
        end = listed.end() if listed else text.find(",", start)
        end = len(text) if end < 0 else end
        pairs.append(Pair(key.strip(), text[start:end], False))
        at = end + 1
    return pairs


def _check(
    kind: str, pairs: list[Pair], values: dict[str, str], header: Header, tell: Teller
) -> None:
    name = values.get("ID", "")
    if kind == "PEDIGREE":
        _pedigree(values, tell)
    if not name:
        # Up to 4.2 a pedigree has names alone, and lines of other kinds what they like.
        if header.minor >= 3 or (kind in KINDS and kind != "PEDIGREE"):
            tell(rules.ID_MISSING, f"##{kind} has no ID")
        return
    _unique(kind, name, values, header, tell)
    if kind in KINDS:
        _required(kind, name, pairs, values, header, tell)
        _quotes(kind, name, pairs, header, tell)
        _order(kind, name, pairs, header, tell)
        if "Number" in values or "Type" in values:
            _number_and_type(kind, name, values, header, tell)
        _by_kind(kind, name, values, header, tell)


def _required(
    kind: str,
    name: str,
    pairs: list[Pair],
    values: dict[str, str],
    header: Header,
    tell: Teller,
) -> None:
    required = REQUIRED.get(kind, ())
    if kind == "SAMPLE" and header.minor < 3:
        required = ("Genomes", "Mixture")
        if any(pair.is_quoted and pair.key != "Description" for pair in pairs):
            tell(rules.SAMPLE_QUOTES, f"a value of sample {quoted(name)} is quoted")
    for key in required:
        if key not in values:
            is_optional = required == ("Description",) and header.minor >= 4
            rule = rules.DESCRIPTION_MISSING if is_optional else rules.KEY_MISSING
            tell(rule, f"##{kind} {quoted(name)} has no {key}")


def _quotes(kind: str, name: str, pairs: list[Pair], header: Header, tell: Teller) -> None:
    are_new = header.minor >= 5 and kind in ("INFO", "FORMAT", "FILTER", "ALT")
    for pair in pairs:
        if pair.is_quoted:
            continue
        if pair.key == "Description":
            tell(rules.DESCRIPTION_QUOTES, f"the Description of {quoted(name)} is not quoted")
        elif are_new and pair.key not in STANDARD:
            tell(rules.OPTIONAL_QUOTES, f"{pair.key} of {quoted(name)} is not quoted")


def _by_kind(kind: str, name: str, values: dict[str, str], header: Header, tell: Teller) -> None:
    if kind in ("INFO", "FORMAT"):
        _field(kind, name, values, header, tell)
    elif kind == "FILTER":
        _filter(name, header, tell)
    elif kind == "ALT":
        _alt(name, header, tell)
    elif kind == "contig":
        _contig(name, values, header, tell)
    elif kind == "META":
        _meta(name, values, tell)
    elif kind == "SAMPLE":
        _sample(name, header, tell)


STANDARD = (*ORDER, "Values", "IDX")


def _unique(kind: str, name: str, values: dict[str, str], header: Header, tell: Teller) -> None:
    if header.declared >= DECLARED_MAX:
        return
    header.declared += 1
    lines = header.lines.setdefault(kind, {})
    before = lines.setdefault(name, values)
    if before is values:
        return
    if kind == "contig" and all(before[key] == values[key] for key in before.keys() & values):
        tell(rules.CONTIG_REPEATED, f"contig {quoted(name)} is declared twice")
        before.update(values)
    elif kind in KINDS[:5] or header.minor >= 3:
        tell(rules.ID_REPEATED, f"##{kind} has the ID {quoted(name)} twice")


def _order(kind: str, name: str, pairs: list[Pair], header: Header, tell: Teller) -> None:
    if kind not in ("INFO", "FORMAT", "FILTER", "ALT", "META"):
        return
    found = [pair.key for pair in pairs if pair.key in ORDER]
    is_ordered = found == sorted(found, key=ORDER.index)
    if kind == "META":
        is_ordered = pairs[0].key == "ID"
    if not is_ordered:
        rule = rules.ORDER_FREE if header.minor >= 5 else rules.ORDER
        tell(rule, f"##{kind} {quoted(name)} has its keys in the order {', '.join(found)}")


def _number_and_type(
    kind: str, name: str, values: dict[str, str], header: Header, tell: Teller
) -> None:
    number, type_ = values.get("Number"), values.get("Type")
    letters: tuple[str, ...] = ("R",) if header.minor >= 2 else ()
    if kind == "FORMAT" and header.minor >= 4:
        letters += ("P",)
    if kind == "FORMAT" and header.minor >= 5:
        letters += ("LA", "LR", "LG", "M")
    if number is not None and not NUMBER.fullmatch(number) and number not in letters:
        tell(rules.NUMBER, f"##{kind} {quoted(name)} has the Number {quoted(number)}")
    is_known = type_ in TYPES and not (kind == "FORMAT" and type_ == "Flag")
    if type_ is not None and not is_known:
        tell(rules.TYPE, f"##{kind} {quoted(name)} has the Type {quoted(type_)}")
    if type_ == "Flag" and number != "0" and kind == "INFO":
        tell(rules.FLAG_NUMBER, f"the flag {quoted(name)} has the Number {number}")


def _field(kind: str, name: str, values: dict[str, str], header: Header, tell: Teller) -> None:
    """A line of INFO or FORMAT, whose key may be reserved."""
    is_old_name = header.minor < 3 or (kind == "INFO" and name == "1000G")
    if not is_old_name and not KEY_NAME.fullmatch(name):
        tell(rules.KEY_NAME, f"{quoted(name)} is no key of {kind}")
    number, type_ = values.get("Number"), values.get("Type")
    if number is None or type_ is None:
        return
    declared = header.infos if kind == "INFO" else header.formats
    if len(declared) < DECLARED_MAX:
        declared.setdefault(name, Key(number, type_))
    keys = (info_keys if kind == "INFO" else format_keys)(header.minor)
    reserved = keys.get(name)
    if reserved is None and kind == "FORMAT" and header.minor >= 5:
        reserved = modification(name)
    if reserved is None:
        return
    if reserved.number not in ("", number):
        said = f"{kind} {name} has the Number {number}, and {reserved.number} is reserved"
        tell(rules.RESERVED_NUMBER, said)
    if reserved.type not in ("", type_):
        said = f"{kind} {name} has the Type {type_}, and {reserved.type} is reserved"
        tell(rules.RESERVED_TYPE, said)


def _filter(name: str, header: Header, tell: Teller) -> None:
    if len(header.filters) < DECLARED_MAX:
        header.filters.add(name)
    if name == "0":
        tell(rules.FILTER_ZERO, "a filter is declared as 0")
    elif re.search(r"[\s;]", name):
        tell(rules.ID_CHARACTERS, f"the filter {quoted(name)} has white space or a semicolon")


def _alt(name: str, header: Header, tell: Teller) -> None:
    if len(header.alts) < DECLARED_MAX:
        header.alts.add(name)
    if not SYMBOL.fullmatch(name):
        if name != "<*>":
            tell(rules.ID_CHARACTERS, f"the ALT {quoted(name)} has white space, < or >")
        return
    first, levels, _ = name.partition(":")
    is_free = (header.minor >= 3 and not levels) or name in OTHER_ALTS
    if first not in STRUCTURAL and not is_free:
        tell(rules.ALT_TYPE, f"{quoted(name)} begins with none of {', '.join(STRUCTURAL)}")


def _contig(name: str, values: dict[str, str], header: Header, tell: Teller) -> None:
    allowed = CONTIG if header.minor >= 3 else CONTIG_OLD
    if not allowed.fullmatch(name) or (header.minor >= 3 and name in STRUCTURAL):
        tell(rules.ID_CHARACTERS, f"{quoted(name)} is no name of a contig")
    length = values.get("length")
    if len(header.contigs) >= CONTIGS_MAX:
        header.has_all_contigs = False
        return
    header.contigs.setdefault(name, None)
    if length is not None:
        if re.fullmatch(r"[0-9]{1,18}", length) and int(length) > 0:
            header.contigs[name] = int(length)
        else:
            tell(rules.CONTIG_LENGTH, f"contig {quoted(name)} has the length {quoted(length)}")
    if not MD5.fullmatch(values.get("md5", "0" * 32)):
        tell(rules.CONTIG_MD5, f"contig {quoted(name)} has the md5 {quoted(values['md5'])}")
    if "assembly" in values:
        header.assemblies[values["assembly"]] = None


def _meta(name: str, values: dict[str, str], tell: Teller) -> None:
    listed = values.get("Values", "[]")
    if not (listed.startswith("[") and listed.endswith("]")):
        tell(rules.VALUES, f"the Values of {quoted(name)} are {quoted(listed)}")


def _sample(name: str, header: Header, tell: Teller) -> None:
    if not (SAMPLE if header.minor >= 3 else SYMBOL).fullmatch(name):
        tell(rules.ID_CHARACTERS, f"{quoted(name)} is no name of a sample")


def _pedigree(values: dict[str, str], tell: Teller) -> None:
    for key, value in values.items():
        if not PERSON.fullmatch(value):
            tell(rules.PEDIGREE_VALUE, f"{quoted(key)} of a PEDIGREE is {quoted(value)}")
