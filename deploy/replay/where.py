"""Which subjects are meant: `state = failed and project_id in (P1, 'P 2') and since >= 2026-01-01`.

A small language over the columns of a row, and nothing else. Names are looked up in the table and
values are handed to Postgres beside the statement, so nothing that was typed becomes SQL.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from genoflow.events.errors import Refused

WHERE_CHARACTERS_MAX = 4_000  # a line that a person types; 100 ids of 36 characters fit
CONDITIONS_MAX = 20
VALUES_MAX = 100  # of one `in`
INTEGER_MAX = 2**63 - 1  # what Postgres keeps in a bigint
OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "in")
NONE = "none"  # unquoted: the column is empty

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<quoted>'(?:[^']|'')*')
      | (?P<operator><=|>=|!=|=|<|>)
      | (?P<mark>[(),])
      | (?P<word>[\w.:+@/-]+)
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Condition:
    """One column held against a value, against several, or against being empty."""

    column: str
    operator: str
    values: tuple[Any, ...]  # none: it is compared with being empty


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


def parse_where(text: str, columns: Mapping[str, str]) -> tuple[Condition, ...]:
    """The conditions of this text over columns of these kinds; Refused with what is understood."""
    if len(text) > WHERE_CHARACTERS_MAX:
        raise Refused(f"--where: has more than {WHERE_CHARACTERS_MAX:,} characters; say it shorter")
    tokens = _tokens(text)
    found: list[Condition] = []
    while True:
        found.append(_condition(tokens, columns))
        if len(found) > CONDITIONS_MAX:
            raise Refused(f"--where: has more than {CONDITIONS_MAX} conditions; ask twice")
        if not tokens:
            return tuple(found)
        joint = tokens.pop(0)
        if joint.kind != "word" or joint.text.lower() != "and":
            raise _no_sentence(f"after a condition comes `and` or the end, not {joint.text!r}")


def as_sql(
    conditions: tuple[Condition, ...],
    columns: Mapping[str, str],
    named: Callable[[str], str],
    value: Callable[[Any], str],
) -> list[str]:
    """The conditions as SQL: `named` writes a column, `value` keeps a value beside it."""
    parts = []
    for one in conditions:
        name, kind = named(one.column), columns[one.column]
        if not one.values:
            parts.append(f"{name} is {'' if one.operator == '=' else 'not '}null")
        elif one.operator == "in":
            parts.append(f"{name} = any({value(list(one.values))}::{kind}[])")
        elif one.operator == "!=":  # an empty column is another value, too
            parts.append(f"{name} is distinct from {value(one.values[0])}::{kind}")
        else:
            parts.append(f"{name} {one.operator} {value(one.values[0])}::{kind}")
    return parts


def _tokens(text: str) -> list[_Token]:
    found, place = [], 0
    text = text.rstrip()
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise _no_sentence(f"{text[place:].strip()[:20]!r} is not understood")
        found.append(_Token(match.lastgroup, match[match.lastgroup]))
        place = match.end()
    return found


def _no_sentence(fact: str) -> Refused:
    return Refused(
        f"--where: {fact}; say `column = value`, with {' '.join(OPERATORS)}, joined by `and`, "
        f"such as \"state = failed and since >= 2026-01-01\"; quote values with blanks as 'so'"
    )


def _taken(tokens: list[_Token], what: str) -> _Token:
    if not tokens:
        raise _no_sentence(f"it ends where {what} should stand")
    return tokens.pop(0)


def _condition(tokens: list[_Token], columns: Mapping[str, str]) -> Condition:
    name = _taken(tokens, "a column")
    if name.kind != "word" or name.text not in columns:
        raise Refused(
            f"--where: {name.text[:40]!r} is no column; there are {', '.join(sorted(columns))}"
        )
    operator = _taken(tokens, "an operator")
    sign = operator.text.lower()
    if operator.kind not in ("operator", "word") or sign not in OPERATORS:
        raise _no_sentence(f"{operator.text[:40]!r} is no operator")
    kind = columns[name.text]
    if sign == "in":
        return Condition(name.text, sign, _list(tokens, name.text, kind))
    said = _taken(tokens, "a value")
    if said.kind == "word" and said.text.lower() == NONE:
        if sign not in ("=", "!="):
            raise _no_sentence(f"{NONE} has no order; take = or !=")
        return Condition(name.text, sign, ())
    return Condition(name.text, sign, (_value(said, name.text, kind),))


def _list(tokens: list[_Token], column: str, kind: str) -> tuple[Any, ...]:
    if _taken(tokens, "(").text != "(":
        raise _no_sentence("behind `in` stand values in round brackets")
    values = []
    while True:
        values.append(_value(_taken(tokens, "a value"), column, kind))
        if len(values) > VALUES_MAX:
            raise Refused(f"--where: more than {VALUES_MAX} values of {column}; ask twice")
        mark = _taken(tokens, "`,` or `)`")
        if mark == _Token("mark", ")"):
            return tuple(values)
        if mark != _Token("mark", ","):
            raise _no_sentence(f"between values stands a comma, not {mark.text[:40]!r}")


def _value(said: _Token, column: str, kind: str) -> Any:
    if said.kind not in ("word", "quoted"):
        raise _no_sentence(f"{said.text!r} stands where a value of {column} should")
    text = said.text[1:-1].replace("''", "'") if said.kind == "quoted" else said.text
    try:
        value = _READ[kind](text)
    except (ValueError, OverflowError, KeyError) as error:
        what = _SAID.get(kind, "something that can be compared")
        raise Refused(f"--where: {column} is {what}, and {text[:40]!r} is none") from error
    return value


def _text(text: str) -> str:
    text.encode()  # half a character is none
    if "\0" in text:
        raise ValueError("Postgres keeps no NUL")
    return text


def _whole(text: str) -> int:
    number = int(text)
    if abs(number) > INTEGER_MAX:
        raise ValueError("too large")
    return number


def _real(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("no number")
    return number


def _time(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _flag(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


_READ: Mapping[str, Callable[[str], Any]] = {
    "text": _text, "bigint": _whole, "integer": _whole, "double precision": _real,
    "timestamptz": _time, "boolean": _flag, "uuid": UUID,
}  # fmt: skip
_SAID: Mapping[str, str] = {
    "text": "a text", "bigint": "a whole number", "integer": "a whole number",
    "double precision": "a number", "timestamptz": "a time such as 2026-01-01T08:00:00Z (UTC "
    "without a zone)", "boolean": "true or false", "uuid": "an id such as "
    "5f9d2c2e-7c1b-5a53-9d0c-2f6f4b1d7e10",
}  # fmt: skip
COMPARABLE = frozenset(_READ)  # kinds of columns that can be asked for
