"""What is read of each record of one schema: the Avro schema and the wanted columns, made one tree.

The tree is plain data. The twin walks it as it is, and the extension takes it over once, so both
follow the same program. A path names a field, `sample_id`, or a field of a record in it,
`envelope.event_id`; the empty path is the whole event.

    kinds of nodes          what they are in columns                in COPY, beside jsonb
    string, enum            the text                                text (string also uuid)
    uuid                    its text                                uuid, text
    int, long               the number                              bigint, int
    double, boolean         the number, the truth value             double precision; boolean
    moment, date            microseconds, days since 1970           timestamptz; -
    decimal                 its text, with all digits of its scale  -
    bytes                   the bytes                               -
    array, record           a list, a dictionary                    -
    nullable                the value or None                       as its value

`jsonb rest` is a record without its first field: of an event, what stands behind the envelope.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

# A decimal is read as a number of 128 bits, which holds every number of 38 digits.
DECIMAL_DIGITS_MAX = 38
# Each column is two bytes of the row's count of fields, and Postgres has 1,600 columns at most.
COLUMNS_MAX = 1_600

_LOGICAL = {
    ("string", "uuid"): "uuid",
    ("long", "timestamp-micros"): "moment",
    ("int", "date"): "date",
    ("bytes", "decimal"): "decimal",
}
_PLAIN = frozenset({"string", "bytes", "int", "long", "double", "boolean"})

# Postgres type -> the kinds that it can hold; jsonb holds every kind.
COPY_KINDS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"string", "uuid", "enum"}),
    "uuid": frozenset({"uuid", "string"}),
    "bigint": frozenset({"int", "long"}),
    "int": frozenset({"int", "long"}),
    "double precision": frozenset({"double"}),
    "boolean": frozenset({"boolean"}),
    "timestamptz": frozenset({"moment"}),
    "jsonb": frozenset(
        {"string", "uuid", "enum", "int", "long", "double", "boolean", "moment", "date"}
        | {"decimal", "bytes", "array", "record"}
    ),
    "jsonb rest": frozenset({"record"}),
}


class Node(NamedTuple):
    """One type of the schema at its place."""

    kind: str
    place: str  # its path, as messages name it: files[].role
    name: str  # in its record
    slots: tuple[int, ...]  # the columns that take its value
    inner: bool  # whether a part of it is a column, too
    parts: tuple[Node, ...] = ()  # fields; or the item; or the value that may be null
    symbols: tuple[str, ...] = ()  # of an enum
    precision: int = 0
    scale: int = 0


@dataclass(frozen=True, eq=False)  # equal only to itself: the extension keeps its own by it
class Program:
    """What to read of the records of one schema."""

    root: Node
    columns: tuple[str, ...]  # the path of each column
    copies: tuple[str, ...] = ()  # the Postgres type of each, where rows of COPY are made


def program(schema: Any, columns: Sequence[str]) -> Program:
    """A program that reads these paths into columns."""
    if not 0 < len(columns) <= COLUMNS_MAX:
        raise ValueError(f"{len(columns)} columns, and there can be 1 to {COLUMNS_MAX:,}")
    maker = _Maker(columns)
    root = maker.node(schema, "", "", "")
    missing = [path for path in columns if path not in maker.met]
    if missing:
        raise ValueError(
            f"{root.name or 'this schema'} has no field {', '.join(missing)} outside of lists; "
            f"it has {', '.join(sorted(maker.met - {''}))}"
        )
    return Program(root, tuple(columns))


def copy_program(schema: Any, columns: Sequence[tuple[str, str]]) -> Program:
    """A program that makes rows for COPY out of (path, Postgres type)."""
    made = program(schema, [path for path, _ in columns])
    for node in _asked(made.root):
        value = node.parts[0] if node.kind == "nullable" else node
        for slot in node.slots:
            path, copy = columns[slot]
            if value.kind not in COPY_KINDS.get(copy, frozenset()):
                fitting = [name for name, kinds in COPY_KINDS.items() if value.kind in kinds]
                raise ValueError(
                    f"{path or 'the event'} is of kind {value.kind}, and {copy} cannot hold it; "
                    f"take {' or '.join(fitting)}"
                )
    return replace(made, copies=tuple(copy for _, copy in columns))


def _asked(node: Node) -> list[Node]:
    found = [node] if node.slots else []
    return found + [one for part in node.parts for one in _asked(part)]


class _Maker:
    """Walks one schema and remembers the records that it named, and the paths that it met."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = columns
        self.met: set[str] = set()
        self._named: dict[str, Any] = {}
        self._open: list[str] = []

    def node(self, schema: Any, place: str, name: str, namespace: str, path: bool = True) -> Node:
        """The node of a type; a path leads to it unless it stands in a list."""
        slots: tuple[int, ...] = ()
        if path:
            self.met.add(place)
            slots = tuple(slot for slot, wanted in enumerate(self.columns) if wanted == place)
        inner = path and any(_is_part(wanted, place) for wanted in self.columns)
        made = Node("", place, name, slots, inner)
        if isinstance(schema, str) and schema not in _PLAIN:
            schema = self._known(schema, place, namespace)
        if isinstance(schema, list):
            return self._nullable(schema, made, namespace, path)
        if isinstance(schema, str):
            return made._replace(kind=schema)
        if schema["type"] == "record":
            return self._record(schema, made, namespace, path)
        if schema["type"] == "array":
            item = self.node(schema["items"], f"{place}[]", "", namespace, path=False)
            return made._replace(kind="array", parts=(item,))
        if schema["type"] == "enum":
            self._named[_full_name(schema, namespace)] = schema
            return made._replace(kind="enum", symbols=tuple(schema["symbols"]))
        return self._scalar(schema, made)

    def _known(self, schema: str, place: str, namespace: str) -> Any:
        full = schema if "." in schema else f"{namespace}.{schema}"
        if full in self._open or full not in self._named:
            raise ValueError(
                f"{place or 'the event'}: {schema!r} cannot be read here; use records that do not "
                f"hold themselves, lists, enums, nullables and {', '.join(sorted(_PLAIN))}"
            )
        return self._named[full]

    def _nullable(self, schema: list[Any], made: Node, namespace: str, path: bool) -> Node:
        if len(schema) != 2 or schema[0] != "null" or schema[1] == "null":
            raise ValueError(f"{made.place}: a union of {schema}; only null and one type is read")
        value = self.node(schema[1], made.place, made.name, namespace, path)
        # The value's own column is the nullable one's: a null is a value of it.
        return made._replace(kind="nullable", parts=(value._replace(slots=()),))

    def _record(self, schema: Any, made: Node, namespace: str, path: bool) -> Node:
        full = _full_name(schema, namespace)
        if not schema["fields"]:
            raise ValueError(f"{full}: a record without fields takes no bytes and cannot be read")
        self._named[full] = schema
        self._open.append(full)
        namespace = full.rpartition(".")[0]
        begin = f"{made.place}." if made.place else ""
        parts = [
            self.node(field["type"], begin + field["name"], field["name"], namespace, path)
            for field in schema["fields"]
        ]
        self._open.pop()
        return made._replace(kind="record", name=made.name or full, parts=tuple(parts))

    def _scalar(self, schema: Any, made: Node) -> Node:
        logical = schema.get("logicalType")
        plain = schema["type"] if logical is None and schema["type"] in _PLAIN else ""
        kind = _LOGICAL.get((schema["type"], logical), plain)
        if kind == "decimal":
            precision, scale = schema["precision"], schema.get("scale", 0)
            if 0 <= scale <= precision <= DECIMAL_DIGITS_MAX:
                return made._replace(kind=kind, precision=precision, scale=scale)
        elif kind:
            return made._replace(kind=kind)
        raise ValueError(f"{made.place}: {schema} cannot be read here; teach native/ this type")


def _is_part(wanted: str, place: str) -> bool:
    return wanted != place and (not place or wanted.startswith(f"{place}."))


def _full_name(schema: Any, namespace: str) -> str:
    if "." in schema["name"]:
        return str(schema["name"])
    space = schema.get("namespace", namespace)
    return f"{space}.{schema['name']}" if space else str(schema["name"])
