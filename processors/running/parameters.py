"""Parameters of a pipeline held against the schema that it was published with.

The schema is one of JSON Schema (2020-12) in the layout of nf-schema: groups below `$defs` that
`allOf` puts together, or `properties` at its top. Taken is what tells a misspelt or missing name
and a value that cannot be: `type`, `enum`, `const`, bounds, lengths, `pattern`, `required`, and
`additionalProperties` or `unevaluatedProperties` false. Other words are for people and forms.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from genoflow.processors.json_schema import RULES, TYPES

# What the flow says of every run; what a pipeline declares of these is not asked of anybody.
GIVEN = frozenset(
    {"samples", "roles", "fasta", "bed", "gtf", "case_id", "kind", "python", "outdir"}
)
DEFINITIONS = ("#/$defs/", "#/definitions/")  # the second one is that of older layouts
PARTS_MAX = 100  # groups of one schema; more are a schema that names itself


def canonical(value: object) -> str:
    """The one text of a JSON value, by which contents are compared."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def faults_of(parameters: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Everything for which the pipeline would not know these parameters."""
    known, required, is_closed = declared(schema)
    found = [
        f"{name}: the pipeline needs it and it is not there"
        for name in required
        if name not in parameters and name not in GIVEN
    ]
    there = ", ".join(sorted(set(known) - GIVEN)) or "none"
    for name, value in parameters.items():
        if name in GIVEN:
            continue  # what the flow says goes over it
        if name in known:
            found += _value_faults(name, value, known[name])
        elif is_closed:
            found.append(f"{name}: the pipeline knows no such parameter; there are {there}")
    return found


def declared(schema: Mapping[str, Any]) -> tuple[dict[str, Any], list[str], bool]:
    """The parameters by name, which of them it needs, and whether there are no others."""
    known: dict[str, Any] = {}
    required: dict[str, None] = {}
    is_closed = False
    waiting, seen = [schema], 0
    while waiting and seen < PARTS_MAX:
        part, seen = waiting.pop(0), seen + 1
        properties, names = part.get("properties"), part.get("required")
        known |= properties if isinstance(properties, dict) else {}
        required |= dict.fromkeys(names if isinstance(names, list) else ())
        is_closed |= part.get("unevaluatedProperties") is False
        is_closed |= part.get("additionalProperties") is False
        waiting += _parts(part, schema)
    return known, list(required), is_closed


def _parts(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    groups = part.get("allOf")
    for one in [*(groups if isinstance(groups, list) else ()), {"$ref": part.get("$ref")}]:
        if isinstance(one, dict) and "$ref" not in one:
            yield one
        elif isinstance(one, dict) and isinstance(one["$ref"], str):
            for place in DEFINITIONS:
                if one["$ref"].startswith(place):
                    group = schema.get(place.strip("#/"), {}).get(one["$ref"].removeprefix(place))
                    yield group if isinstance(group, dict) else {}


def _value_faults(name: str, value: object, rule: object) -> Iterator[str]:
    if not isinstance(rule, dict):
        return
    kinds = rule.get("type")
    named = kinds if isinstance(kinds, list) else [kinds] if isinstance(kinds, str) else []
    if named and not any(_is(value, kind) for kind in named):
        yield f"{name}: is {value!r:.60}, and {' or '.join(map(str, named))} is asked for"
        return  # nothing else can be said of a value of another kind
    choices = rule.get("enum")
    if isinstance(choices, list) and value not in choices:
        yield f"{name}: is {value!r:.60}, and can be {', '.join(map(str, choices))}"
    for word, bound in rule.items():
        if word in RULES and word != "enum":
            try:
                yield from (f"{name}: {fact}" for fact in RULES[word](value, bound))
            except (TypeError, re.error) as error:
                yield f"{name}: its rule {word} {bound!r:.60} is none ({error}); mend the schema"


def _is(value: object, kind: str) -> bool:
    if isinstance(value, bool) and kind != "boolean":
        return False  # in Python it is an integer, too
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, TYPES.get(kind, (object,)))
