"""The flow as people look at it: a table, and charts whose edges are events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from genoflow.events.catalogue import EVENTS
from genoflow.events.event import Event
from genoflow.processors.flow import FLOW, Porch, Row
from genoflow.processors.processor import Processor
from genoflow.processors.read_models import ReadModel

ALL = "all events"


@dataclass(frozen=True, slots=True)
class Node:
    """A row of the flow, or an effect of one."""

    name: str  # an effect's is its processor's, a slash, and its own
    kind: str  # porch, processor, effect or read model
    label: str


@dataclass(frozen=True, slots=True)
class Edge:
    """What one node says to another; without events, it opens an effect."""

    source: str
    target: str
    events: tuple[str, ...] = ()
    again: bool = False  # it may lead back to where it came from, with a bound


def flow_table(rows: Iterable[Row] = FLOW) -> str:
    """The flow as a Markdown table: README shows it, and a test compares the two."""
    lines = ["| name | kind | reads | emits | what it does |", "|---|---|---|---|---|"]
    for row in rows:
        reads, emits = reads_of(row), emits_of(row)
        cells = (row.name, kind_of(row), reads, emits, row.about)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def kind_of(row: Row) -> str:
    """What a row is, in words."""
    if isinstance(row, Porch):
        return "porch"
    return "processor" if isinstance(row, Processor) else "read model"


def reads_of(row: Row) -> str:
    """What a row reads, in words."""
    if isinstance(row, Porch):
        return "the outside world"
    if isinstance(row, Processor):
        return _names((*row.on, *row.folds))
    return ALL if row.on == EVENTS else _names(row.on)


def emits_of(row: Row) -> str:
    """What a row appends, in words."""
    if isinstance(row, ReadModel):
        return "–"
    return _names(row.said if isinstance(row, Processor) else row.emits)


def _names(events: Iterable[type[Event]]) -> str:
    return ", ".join(event.type() for event in events)


def nodes(rows: Iterable[Row] = FLOW) -> tuple[Node, ...]:
    """Every row, each with its effects behind it."""
    found: list[Node] = []
    for row in rows:
        found.append(Node(row.name, kind_of(row), row.name))
        if isinstance(row, Processor):
            found += [
                Node(f"{row.name}/{effect.name}", "effect", f"{effect.name} ({effect.kind.value})")
                for effect in row.effects
            ]
    return tuple(found)


def edges(rows: Sequence[Row] = FLOW) -> tuple[Edge, ...]:
    """Who says what to whom, and who opens which effect."""
    found: list[Edge] = []
    for row in rows:
        for source, said, again in _writers(row):
            if source != row.name:
                found.append(Edge(row.name, source))
            for reader in rows:
                found += _between(row, source, said, again, reader)
    return tuple(found)


def reaches(writer: Row, event: type[Event], reader: Row) -> bool:
    """Whether what this row says is read by that one; deadlines stand beside their subject."""
    if isinstance(reader, Porch):
        return False
    if isinstance(reader, ReadModel):
        return event in reader.on
    own = (writer.reads,) if isinstance(writer, Processor) else ()
    return event in (*reader.on, *reader.folds) and reader.reads in (event.about.topics or own)


_Said = tuple[type[Event], ...]


def _writers(row: Row) -> Iterator[tuple[str, _Said, _Said]]:
    if isinstance(row, Porch):
        yield row.name, row.emits, ()
    elif isinstance(row, Processor):
        yield row.name, row.emits, row.again
        for effect in row.effects:
            yield f"{row.name}/{effect.name}", effect.emits, row.again


def _between(writer: Row, source: str, said: _Said, again: _Said, reader: Row) -> Iterator[Edge]:
    if said and isinstance(reader, ReadModel) and reader.on == EVENTS:
        yield Edge(source, reader.name, (ALL,))
        return
    if isinstance(reader, ReadModel):
        again = ()  # nothing follows from a read model, so nothing comes back by it
    for back in (False, True):
        names = tuple(
            event.type()
            for event in said
            if (event in again) is back and reaches(writer, event, reader)
        )
        if names:
            yield Edge(source, reader.name, names, again=back)


def around(name: str) -> tuple[tuple[Node, ...], tuple[Edge, ...]]:
    """One row with its effects, what leads to them, and what follows from them."""
    own = {node.name for node in nodes() if node.name.split("/")[0] == name}
    touching = tuple(edge for edge in edges() if {edge.source, edge.target} & own)
    named = own | {end for edge in touching for end in (edge.source, edge.target)}
    return tuple(node for node in nodes() if node.name in named), touching


_SHAPES = {
    "porch": ("[/", "/]"), "processor": ("[", "]"), "effect": ("([", "])"),
    "read model": ("[(", ")]"),
}  # fmt: skip


def mermaid(shown: Sequence[Node], joined: Sequence[Edge]) -> str:
    """A chart for Markdown pages; a dashed edge is one that may lead back."""
    ids = {node.name: f"n{number}" for number, node in enumerate(shown)}
    lines = ["flowchart LR"]
    for node in shown:
        left, right = _SHAPES[node.kind]
        lines.append(f'    {ids[node.name]}{left}"{node.label}"{right}')
    for edge in joined:
        label = f'"{"<br>".join(edge.events)}"'
        arrow = f"-. {label} .->" if edge.again else f"-- {label} -->" if edge.events else "-->"
        lines.append(f"    {ids[edge.source]} {arrow} {ids[edge.target]}")
    return "\n".join(lines)


_DOT_SHAPES = {
    "porch": "house", "processor": "box", "effect": "ellipse", "read model": "cylinder",
}  # fmt: skip


def graphviz(shown: Sequence[Node], joined: Sequence[Edge]) -> str:
    """The same chart in the language of Graphviz."""
    lines = ["digraph flow {", "    rankdir=LR;"]
    lines += [
        f'    "{node.name}" [label="{node.label}", shape={_DOT_SHAPES[node.kind]}];'
        for node in shown
    ]
    for edge in joined:
        label = "\\n".join(edge.events)
        style = ', style="dashed"' if edge.again else ""
        lines.append(f'    "{edge.source}" -> "{edge.target}" [label="{label}"{style}];')
    return "\n".join([*lines, "}"])
