"""Keys that a version of VCF reserves, with their Number and Type."""

from __future__ import annotations

import re
from typing import NamedTuple


class Key(NamedTuple):
    """What a key of INFO or FORMAT holds: how many values, and of which kind."""

    number: str  # a count, `.`, or a letter such as A; empty where nothing holds all writers
    type: str  # empty in the same way


def _keys(text: str) -> dict[str, Key]:
    """`KEY Number Type` between semicolons; ? is what the version leaves open."""
    rows = (row.split() for row in text.split(";") if row.strip())
    return {key: Key(number.strip("?"), kind.strip("?")) for key, number, kind in rows}


INFO_OLD = _keys(
    "AA 1 String; AC A Integer; AF A Float; AN 1 Integer; BQ 1 Float; CIGAR A String; DB 0 Flag;"
    "DP 1 Integer; END 1 Integer; H2 0 Flag; H3 0 Flag; MQ0 1 Integer; NS 1 Integer;"
    "SOMATIC 0 Flag; VALIDATED 0 Flag; 1000G 0 Flag"
)
# MQ is a mean, and the old files count on either type.
INFO_MQ = _keys("MQ 1 ?")
INFO_DEPTHS = _keys("AD R Integer; ADF R Integer; ADR R Integer")
# Up to 4.3 writers differ in the Number of what describes structural variants.
INFO_SV_OLD = _keys(
    "IMPRECISE 0 Flag; NOVEL 0 Flag; SVTYPE ? String; SVLEN ? Integer; CIPOS ? Integer;"
    "CIEND ? Integer; HOMLEN ? Integer; HOMSEQ ? String; BKPTID ? String; MEINFO ? String;"
    "METRANS ? String; DGVID ? String; DBVARID ? String; DBRIPID ? String; MATEID ? String;"
    "PARID ? String; EVENT ? String; CILEN ? Integer"
)
INFO_SV_NEW = _keys(
    "IMPRECISE 0 Flag; NOVEL 0 Flag; SVTYPE 1 String; SVLEN A Integer; CIPOS ? Integer;"
    "CIEND ? Integer; HOMLEN A Integer; HOMSEQ A String; BKPTID A String; MEINFO ? String;"
    "METRANS ? String; DGVID A String; DBVARID A String; DBRIPID A String; MATEID A String;"
    "PARID A String; EVENT A String; EVENTTYPE A String; CILEN ? Integer; CN A Float;"
    "CICN ? Float; SVCLAIM A String; RN A Integer; RUS . String; RUL . Integer; RUC . Float;"
    "RB . Integer; CIRUC . Float; CIRB . Integer; RUB . Integer"
)
FORMAT_OLD = _keys(
    "GT 1 String; DP 1 Integer; FT 1 String; GL G Float; PL G Integer; GP G Float; GQ 1 Integer;"
    "HQ 2 Integer; PS 1 Integer; PQ 1 Integer; EC A Integer; MQ 1 Integer"
)
FORMAT_GLE = _keys("GLE G String")
FORMAT_DEPTHS = _keys("AD R Integer; ADF R Integer; ADR R Integer; PP G Integer")
FORMAT_PHASES = _keys("PSL P String; PSO P Integer; PSQ P Integer; CN 1 Float; CICN 2 Float")
FORMAT_LOCAL = _keys(
    "LEN 1 Integer; LAA . Integer; LAD LR Integer; LADF LR Integer; LADR LR Integer;"
    "LEC LA Integer; LGL LG ?; LGP LG ?; LPL LG Integer; LPP LG Integer"
)
MODIFIED = re.compile(
    r"(DP|AD)?M(?:[0-9]+[ACGTUN]|5mC|5hmC|5fC|5caC|5hmU|5fU|5caU|6mA|8oxoG|XaoN|xaoN)"
)


def info_keys(minor: int) -> dict[str, Key]:
    """Of VCF 4.`minor`."""
    keys = {**INFO_OLD, **INFO_MQ}
    if minor >= 3:
        keys |= INFO_DEPTHS
    return keys | (INFO_SV_NEW if minor >= 4 else INFO_SV_OLD)


def format_keys(minor: int) -> dict[str, Key]:
    """Of VCF 4.`minor`, apart from base modifications, which are a pattern."""
    keys = FORMAT_OLD | (FORMAT_GLE if minor <= 2 else FORMAT_DEPTHS)
    if minor >= 4:
        keys |= FORMAT_PHASES
    return keys | FORMAT_LOCAL if minor >= 5 else keys


def modification(key: str) -> Key | None:
    """What a key of base modifications holds; None where it is none."""
    if match := MODIFIED.fullmatch(key):
        return Key("M", "Integer" if match[1] else "Float")
    return None
