"""The language of --where: what is understood, and that nothing that is typed becomes SQL."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from genoflow.deploy.replay.chosen import RUNS, SAMPLES, SEQUENCING_RUNS
from genoflow.deploy.replay.where import (
    CONDITIONS_MAX,
    VALUES_MAX,
    WHERE_CHARACTERS_MAX,
    Condition,
    as_sql,
    parse_where,
)
from genoflow.events.errors import Refused

COLUMNS = {
    "state": "text", "since": "timestamptz", "attempt": "bigint", "cost": "double precision",
    "run": "uuid", "is_late": "boolean",
}  # fmt: skip
RUN = "5f9d2c2e-7c1b-5a53-9d0c-2f6f4b1d7e10"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("state = failed", [("state", "=", ("failed",))]),
        ("state='failed'", [("state", "=", ("failed",))]),
        ("state = 'it''s, and in (a)'", [("state", "=", ("it's, and in (a)",))]),
        ("state != failed AND attempt >= 2", [
            ("state", "!=", ("failed",)), ("attempt", ">=", (2,)),
        ]),
        ("state in (failed, 'QC failed')", [("state", "in", ("failed", "QC failed"))]),
        ("since >= 2026-01-01", [("since", ">=", (datetime(2026, 1, 1, tzinfo=UTC),))]),
        ("since < 2026-01-01T08:00:00+01:00", [
            ("since", "<", (datetime(2026, 1, 1, 7, tzinfo=UTC),)),
        ]),
        ("state = none", [("state", "=", ())]),
        ("state != none", [("state", "!=", ())]),
        ("state = 'none'", [("state", "=", ("none",))]),
        ("cost > 1.5 and is_late = true", [("cost", ">", (1.5,)), ("is_late", "=", (True,))]),
        (f"run = {RUN}", [("run", "=", (UUID(RUN),))]),
        ("state = Ärger", [("state", "=", ("Ärger",))]),
    ],
)  # fmt: skip
def test_what_is_said_is_understood(text: str, found: list[tuple[str, str, Any]]) -> None:
    assert parse_where(text, COLUMNS) == tuple(Condition(*one) for one in found)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "ends where a column should stand"),
        ("stat = failed", "'stat' is no column; there are attempt, cost, is_late, run, since"),
        ("state", "ends where an operator should stand"),
        ("state =", "ends where a value of|ends where a value should stand"),
        ("state failed", "'failed' is no operator"),
        ("state = failed or attempt = 1", "after a condition comes `and` or the end, not 'or'"),
        ("state = failed and", "ends where a column should stand"),
        ("state = a b", "after a condition comes"),
        ("state in failed", "in round brackets"),
        ("state in (a b)", "between values stands a comma"),
        ("state in (a,", "ends where"),
        ("state in ()", "stands where a value of state should"),
        ("state < none", "has no order"),
        ("attempt = two", "attempt is a whole number, and 'two' is none"),
        ("attempt = 99999999999999999999", "a whole number"),
        ("cost = nan", "a number"),
        ("since = yesterday", "a time such as"),
        ("since = 0001-01-01T00:00:00+14:00", "a time such as"),
        ("run = R1", "an id such as"),
        ("is_late = maybe", "true or false"),
        ("state = 'open", "is not understood"),
        ("state = failed; drop table live.runs", "is not understood"),
        ("state = failed -- and more", "'--' is no|after a condition"),
        ("1=1", "'1' is no column"),
        ("state = failed) or (true", "after a condition comes"),
        ("state = 'a\0b'", "x00b' is none"),
        ("pg_sleep(1) = 1", "is no column"),
        ('"state" = failed', "is not understood"),
        ("since + 1 = 2", "is no operator"),
        (f"state = {'x' * WHERE_CHARACTERS_MAX}", "say it shorter"),
        (" and ".join(["attempt = 1"] * (CONDITIONS_MAX + 1)), "ask twice"),
        (f"attempt in ({', '.join(['1'] * (VALUES_MAX + 1))})", "ask twice"),
    ],
)
def test_what_is_not_understood_is_refused_with_what_is(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        parse_where(text, COLUMNS)


def sql_of(text: str) -> tuple[list[str], list[Any]]:
    """The statement that comes of a text, and the values beside it."""
    values: list[Any] = []

    def value(one: Any) -> str:
        values.append(one)
        return f"${len(values)}"

    found = as_sql(parse_where(text, COLUMNS), COLUMNS, lambda name: f"t.{name}", value)
    return found, values


ALPHABET = "ab1 '\"();,=<>!-._%\\\n\0\ud800äßnoneandi"


def any_text(seed: int, length: int) -> str:
    """A text of what hurts most."""
    chance = random.Random(f"where {seed}")
    return "".join(chance.choices(ALPHABET, k=chance.randint(0, length)))


@pytest.mark.parametrize("seed", range(300))
def test_a_value_never_stands_in_the_statement(seed: int) -> None:
    value = any_text(seed, 20)
    quoted = value.replace("'", "''")
    try:
        parts, values = sql_of(f"state = '{quoted}' and state in (a, '{quoted}')")
    except Refused:
        assert "\0" in value or any("\ud800" <= one <= "\udfff" for one in value)
        return
    assert parts == ["t.state = $1::text", "t.state = any($2::text[])"]
    assert values == [value, ["a", value]]


def test_whatever_is_typed_is_understood_or_refused() -> None:
    said: list[str] = []
    for seed in range(5_000):
        begin = ("", "state = ", "since > ", "attempt in (", "state = a and ")[seed % 5]
        try:
            parse_where(begin + any_text(seed, 40), COLUMNS)
        except Refused as refusal:
            said.append(str(refusal))
    assert all(one.startswith("--where: ") for one in said)
    assert 1_000 < len(said) < 5_000


def test_empty_columns_are_neither_equal_nor_the_same() -> None:
    assert sql_of("state != failed and state = none and run != none") == (
        ["t.state is distinct from $1::text", "t.state is null", "t.run is not null"], ["failed"],
    )  # fmt: skip


def test_rows_are_asked_by_their_columns_and_no_place_on_the_log() -> None:
    for rows in (RUNS, SAMPLES, SEQUENCING_RUNS):
        assert {"state", "since", "reason", "recorded_at"} <= set(rows.columns)
        assert not any(name.startswith("log_") for name in rows.columns)
    assert {"project_id", "assay", "pipeline"} <= set(RUNS.columns)
