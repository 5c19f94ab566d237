"""Releasing editions: what is written once is never changed, and every id is given out once.

A release is a directory with one `.avsc` a version and `ids.lock`, which lists them in the order of
their ids with a checksum. The words of a model may be mended after its release: the released file
keeps the words that it had, and models are compared with it without them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import StringConstraints, ValidationError

from genoflow.events.avro import schema_of
from genoflow.events.errors import SchemaConflict
from genoflow.events.event import Event, explain
from genoflow.events.registry import LOCK_NAME, Edition, file_name
from genoflow.events.schema_rules import Change, Verdict, changes, incompatibilities, verdict
from genoflow.events.types import Part
from genoflow.events.upcasters import Upcast

Upcasters = Mapping[tuple[str, int], Upcast]
Models = Sequence[type[Event]]


class _Row(Part):
    id: int
    type: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z0-9]*$")]
    version: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*\.[0-9]+$")]
    sha256: str


class _Lock(Part):
    editions: tuple[_Row, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What lies between a model and the newest release of its type."""

    type: str
    released: str | None  # none: the type was never released
    version: str
    changes: tuple[Change, ...]
    verdict: Verdict


def schemas_directory() -> Path:
    """Where the released schemas of this installation are."""
    return Path(str(files("genoflow.schemas")))


def text_of(schema: Any) -> str:
    """The text of a schema as it is released."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def read_release(directory: Path) -> tuple[Edition, ...]:
    """The editions of a release, each compared with its checksum."""
    editions = []
    for row in _lock_rows(directory):
        path = directory / file_name(row.type, row.version)
        try:
            text = path.read_bytes().decode("utf-8", errors="replace")
        except FileNotFoundError as error:
            raise SchemaConflict(
                f"{path.name}: is in {LOCK_NAME} and not in the directory; "
                f"take it from the history: a released schema is kept for ever"
            ) from error
        edition = Edition(row.id, row.type, row.version, text)
        if edition.sha256 != row.sha256:
            raise SchemaConflict(
                f"{path.name}: differs from what was released (sha256 {edition.sha256[:12]}…, "
                f"{LOCK_NAME} has {row.sha256[:12]}…); take the released file from the history"
            )
        editions.append(edition)
    return tuple(editions)


def _lock_rows(directory: Path) -> tuple[_Row, ...]:
    path = directory / LOCK_NAME
    try:
        return _Lock.model_validate_json(path.read_bytes(), strict=True).editions
    except FileNotFoundError:
        return ()
    except ValidationError as error:
        raise SchemaConflict(f"{explain(path.name, error)}; take it from the history") from error


def plan(models: Models, editions: Sequence[Edition], upcasters: Upcasters) -> tuple[Edition, ...]:
    """The editions that are still to be released; a change under a released version is refused."""
    added = []
    next_id = max((edition.id for edition in editions), default=0) + 1
    for model in models:
        schema = schema_of(model)
        mine = [edition for edition in editions if edition.type == model.type()]
        same = [edition for edition in mine if edition.version == model.about.version]
        if same:
            _refuse_change(model, schema, same[0], mine)
            continue
        _refuse_version(model, schema, mine, upcasters)
        added.append(Edition(next_id, model.type(), model.about.version, text_of(schema)))
        next_id += 1
    return tuple(added)


def _refuse_change(
    model: type[Event], schema: Any, released: Edition, mine: Sequence[Edition]
) -> None:
    found = changes(json.loads(released.text), schema)
    if not found:
        return
    siblings = [edition for edition in mine if edition.major == released.major]
    broken = any(incompatibilities(json.loads(edition.text), schema) for edition in siblings)
    highest = max(edition.minor for edition in siblings)
    advice = (
        f"bump the major to {released.major + 1}.0 and write an upcaster"
        if broken
        else f"bump the minor to {released.major}.{highest + 1}"
    )
    raise SchemaConflict(
        f"{model.type()} v{released.version} is released and the model says otherwise "
        f"({'; '.join(change.sentence() for change in found)}); {advice}"
    )


def _refuse_version(
    model: type[Event], schema: Any, mine: Sequence[Edition], upcasters: Upcasters
) -> None:
    major, minor = _numbers(model.about.version)
    newest = max(((edition.major, edition.minor) for edition in mine), default=None)
    following = {(1, 0)} if newest is None else {(newest[0], newest[1] + 1), (newest[0] + 1, 0)}
    if (major, minor) not in following:
        wanted = " or ".join(f"{a}.{b}" for a, b in sorted(following))
        raise SchemaConflict(
            f"{model.type()} v{model.about.version} does not follow what is released; "
            f"the next version is {wanted}"
        )
    for edition in mine:
        if edition.major == major:
            broken = incompatibilities(json.loads(edition.text), schema)
            if broken:
                raise SchemaConflict(
                    f"{model.type()} v{model.about.version} and v{edition.version} cannot read "
                    f"each other ({'; '.join(broken)}); bump the major and write an upcaster"
                )
    for gap in _missing_upcasters(model.type(), mine, major, upcasters):
        raise SchemaConflict(gap)


def _numbers(version: str) -> tuple[int, int]:
    major, _, minor = version.partition(".")
    return int(major), int(minor)


def _missing_upcasters(
    event_type: str, mine: Iterable[Edition], newest: int, upcasters: Upcasters
) -> Iterator[str]:
    oldest = min((edition.major for edition in mine), default=newest)
    for major in range(oldest, newest):
        if (event_type, major) not in upcasters:
            yield (
                f"{event_type}: nothing leads from v{major} to v{major + 1}, so older events could "
                f"not be read; write the upcaster ({event_type!r}, {major}) in events/upcasters.py"
            )


def export(directory: Path, models: Models, upcasters: Upcasters) -> tuple[Edition, ...]:
    """Write what is not yet released, and say what that was; the lock comes last, in one step."""
    editions = read_release(directory)
    added = plan(models, editions, upcasters)
    if not added and (directory / LOCK_NAME).exists():
        return ()
    for edition in added:
        path = directory / file_name(edition.type, edition.version)
        path.write_text(edition.text, encoding="utf-8")
    fresh = directory / f"{LOCK_NAME}.new"
    fresh.write_text(lock_text((*editions, *added)), encoding="utf-8")
    os.replace(fresh, directory / LOCK_NAME)  # noqa: PTH105 -- atomic by contract
    return added


def lock_text(editions: Iterable[Edition]) -> str:
    """The lock: one edition a line, so that a new one is one line of a diff."""
    rows = [
        json.dumps({"id": e.id, "type": e.type, "version": e.version, "sha256": e.sha256})
        for e in editions
    ]
    return '{"editions": [\n' + ",\n".join(rows) + "\n]}\n"


def check(directory: Path, models: Models, upcasters: Upcasters) -> list[str]:
    """All that is wrong with a release, one sentence each; empty if nothing is."""
    try:
        editions = read_release(directory)
    except SchemaConflict as error:
        return [str(error)]
    problems = [
        *_lock_problems(directory, editions),
        *_edition_problems(editions),
        *_model_problems(models, editions, upcasters),
    ]
    return list(dict.fromkeys(problems))


def _lock_problems(directory: Path, editions: Sequence[Edition]) -> Iterator[str]:
    ids = [edition.id for edition in editions]
    if ids != list(range(1, len(ids) + 1)):
        yield (
            f"{LOCK_NAME}: the ids are not 1 to {len(ids)} in order; ids are only ever appended, "
            f"so take the lock from the history"
        )
    names = [file_name(edition.type, edition.version) for edition in editions]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{LOCK_NAME}: {name} is listed twice; take the lock from the history"
    for path in sorted(directory.glob("*.avsc")):
        if path.name not in names:
            yield (
                f"{path.name}: is not in {LOCK_NAME}; remove it, or release it with "
                f"`genoflow schemas export`"
            )


def _edition_problems(editions: Sequence[Edition]) -> Iterator[str]:
    for index, older in enumerate(editions):
        for newer in editions[index + 1 :]:
            if (older.type, older.major) == (newer.type, newer.major):
                for problem in incompatibilities(json.loads(older.text), json.loads(newer.text)):
                    yield (
                        f"{older.type} v{older.version} and v{newer.version}: {problem}; "
                        f"release the change under the next major"
                    )


def _model_problems(
    models: Models, editions: Sequence[Edition], upcasters: Upcasters
) -> Iterator[str]:
    known = {model.type() for model in models}
    for event_type in sorted({edition.type for edition in editions} - known):
        yield (
            f"{event_type}: is released and has no model, so its events cannot be read; "
            f"put its model back into the catalogue"
        )
    for model in models:
        mine = [edition for edition in editions if edition.type == model.type()]
        major, _ = _numbers(model.about.version)
        yield from _missing_upcasters(model.type(), mine, major, upcasters)
        try:
            if plan([model], mine, upcasters):
                yield (
                    f"{model.type()} v{model.about.version}: is not released; "
                    f"run `genoflow schemas export`"
                )
        except SchemaConflict as error:
            yield str(error)


def differences(models: Models, editions: Sequence[Edition]) -> tuple[Difference, ...]:
    """For each model, what lies between it and the newest release of its type."""
    found = []
    for model in models:
        schema = schema_of(model)
        mine = [edition for edition in editions if edition.type == model.type()]
        newest = max(mine, key=lambda edition: (edition.major, edition.minor), default=None)
        if newest is None:
            found.append(Difference(model.type(), None, model.about.version, (), Verdict.MAJOR))
            continue
        old = json.loads(newest.text)
        found.append(
            Difference(
                model.type(),
                newest.version,
                model.about.version,
                changes(old, schema),
                verdict(old, schema),
            )
        )
    return tuple(found)
