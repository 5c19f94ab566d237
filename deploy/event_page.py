"""docs/events.md, written from the models: what can stand on the log, and what it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pydantic import BaseModel

from genoflow.deploy.event_fields import FieldFacts, facts_of, parts_of
from genoflow.events.envelope import Envelope
from genoflow.events.event import Event
from genoflow.events.topics import TOPICS, Topic

_OPENING = """\
# Events

This page is written by `genoflow schemas catalog` from the models in `events/`; a test compares
them. Each event is one Avro record in Confluent's wire format. Its released schemas are
`schemas/<stem>.v<MAJOR>.<MINOR>.avsc`, and its first field is the [envelope](#envelope).
A time is UTC with microseconds. A field that may be null is null where nobody said it.
"""


def page_of(models: Sequence[type[Event]]) -> str:
    """The whole page."""
    return "\n".join([_OPENING, *_contents(models), *_body(models)])


def _contents(models: Sequence[type[Event]]) -> Iterator[str]:
    for topic in TOPICS:
        names = ", ".join(_link(model.type()) for model in models if topic in model.about.topics)
        yield f"- `{topic.name}` (key: {topic.key}): {names}"
    names = ", ".join(_link(model.type()) for model in models if not model.about.topics)
    yield f"- on the subject's own topic, under its own key: {names}"
    yield ""


def _body(models: Sequence[type[Event]]) -> Iterator[str]:
    for topic in TOPICS:
        yield from _section(
            f"{topic.name}",
            f"Key: {topic.key}. {topic.about[0].upper()}{topic.about[1:]}.",
            [model for model in models if _home(model) == topic],
        )
    yield from _section(
        "On the subject's own topic",
        "Ordered with the facts of the subject that they are about.",
        [model for model in models if not model.about.topics],
    )
    yield "## Records\n"
    yield "What events are made of, beside plain values.\n"
    records: list[type[BaseModel]] = [Envelope, *parts_of([Envelope, *models])]
    for part in records:
        yield f"### {part.__name__}\n"
        yield f"{_promise(part)}\n"
        yield from _table(facts_of(part))


def _home(model: type[Event]) -> Topic | None:
    return model.about.topics[0] if model.about.topics else None


def _section(title: str, opening: str, models: Iterable[type[Event]]) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"{opening}\n"
    for model in models:
        yield f"### {model.type()}\n"
        yield f"{_promise(model)}\n"
        yield f"{_standing(model)}\n"
        yield from _table(facts_of(model))


def _standing(model: type[Event]) -> str:
    about = model.about
    said = [f"Version {about.version}."]
    if len(about.topics) > 1:
        said.append(f"Stands on {' or '.join(f'`{topic.name}`' for topic in about.topics)}.")
    if about.identity:
        said.append(f"Identified from outside by {_listed(about.identity)}.")
    if about.discriminator:
        said.append(f"Of one cause, told apart by {_listed(about.discriminator)}.")
    if about.terminal:
        said.append("No processor acts on it.")
    return " ".join(said)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(rows: Sequence[FieldFacts]) -> Iterator[str]:
    yield "| field | type | meaning | may be null | example |"
    yield "|---|---|---|---|---|"
    for row in rows:
        kind = row.kind.replace(row.record, _link(row.record)) if row.record else row.kind
        meaning = row.meaning
        if row.choices and not all(choice in meaning for choice in row.choices):
            meaning += f": {', '.join(row.choices)}"
        example = f"`{row.example}`" if row.example else ""
        cells = (f"`{row.name}`", kind, meaning, "yes" if row.nullable else "", example)
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _promise(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"
