"""How a lab's information system calls what we know: a document of the lab, checked when read.

    {"orders": {"path": "/api/orders?state=released", "items": "data", "next": "links.next",
                "fields": {"case_id": "id", "assay": {"path": "test", "values": {"WGS": "wgs"}}},
                "members": {"items": "samples", "fields": {"sample_id": "barcode"}}},
     "results": {"path": "/api/results/{event_id}", "lookup": "/api/results/{event_id}",
                 "fields": {"barcode": "sample_id", "outcome": "type"}}}

A field is found by its path, with dots between the names; `values` puts other words in the place of
theirs, and `default` stands where there is nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from genoflow.events.errors import Refused
from genoflow.events.event import explain

FIELDS_MAX = 200  # of an order or a report: a LIMS has some dozens
LOCAL = r"^/[^\s#]*$"  # below the address of the system: no mapping leads elsewhere


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Found(_Part):
    """Where a value is, and which word of ours it is."""

    path: str = Field(min_length=1, max_length=200)
    values: dict[str, Any] | None = None
    default: Any = None


Fields = Mapping[str, str | Found]


class Members(_Part):
    """The samples of an order."""

    items: str
    fields: dict[str, str | Found] = Field(min_length=1, max_length=FIELDS_MAX)
    metadata: dict[str, str | Found] | None = Field(None, max_length=FIELDS_MAX)


class OrdersMapping(_Part):
    """Where orders are, and how their fields are called."""

    path: str = Field(pattern=LOCAL)
    items: str = ""  # where the list is in an answer; nothing where the answer is the list
    next: str | None = None  # where the address of the next page is
    fields: dict[str, str | Found] = Field(min_length=1, max_length=FIELDS_MAX)
    members: Members


class ResultsMapping(_Part):
    """Where facts go, and how their fields are called; as they are where none are named."""

    path: str = Field(pattern=LOCAL)
    method: Literal["PUT", "POST"] = "PUT"
    lookup: str | None = Field(None, pattern=LOCAL)
    fields: dict[str, str | Found] | None = Field(None, max_length=FIELDS_MAX)
    since: AwareDatetime | None = None


class LimsMapping(_Part):
    """What a lab has written down of its system."""

    orders: OrdersMapping | None = None
    results: ResultsMapping | None = None


def read_mapping(text: str, name: str) -> LimsMapping:
    """The mapping in a document; Refused names everything that is wrong with it."""
    try:
        return LimsMapping.model_validate_json(text)
    except ValidationError as error:
        raise Refused(explain(name, error)) from error


def at(value: Any, path: str) -> Any:
    """What stands at a path; None where there is nothing."""
    for name in path.split(".") if path else ():
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def mapped(document: Any, fields: Fields) -> dict[str, Any]:
    """A document with these fields alone, under these names; what is not there is left out."""
    found: dict[str, Any] = {}
    for name, where in fields.items():
        rule = Found(path=where) if isinstance(where, str) else where
        value = at(document, rule.path)
        if rule.values is not None and isinstance(value, str | int | bool):
            value = rule.values.get(str(value), value)
        if value is None:
            value = rule.default
        if value is not None:
            found[name] = value
    return found


def order_in(document: Any, mapping: OrdersMapping) -> dict[str, Any]:
    """An order of theirs in our words; whether it is right, the porch for orders says."""
    order = mapped(document, mapping.fields)
    members = at(document, mapping.members.items)
    rows = members if isinstance(members, list) else []
    order["members"] = [_member(one, mapping.members) for one in rows]
    return order


def _member(document: Any, mapping: Members) -> dict[str, Any]:
    member = mapped(document, mapping.fields)
    metadata = mapped(document, mapping.metadata or {})
    return member | ({"metadata": metadata} if metadata else {})


def is_wanted(mapping: ResultsMapping, occurred_at: datetime) -> bool:
    """Whether a fact of this time is sent."""
    return mapping.since is None or occurred_at >= mapping.since
