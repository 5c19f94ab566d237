"""Which version of a document is in force: of most the highest, of pipelines the active one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from genoflow.events.event import Event
from genoflow.events.pipeline_activated import PipelineActivated
from genoflow.events.pipeline_deprecated import PipelineDeprecated
from genoflow.events.pipeline_not_validated import PipelineNotValidated
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.pipeline_validated import PipelineValidated

IN_FORCE, EARLIER = "in force", "earlier"
DRAFT, VALIDATED, DEPRECATED = "draft", "validated", "deprecated"  # of pipelines alone
ACTIVE = "active"
# What people call them of a pipeline: the one that another took the place of is deprecated, too.
STATUSES: Mapping[str, str] = {
    DRAFT: DRAFT, VALIDATED: VALIDATED, IN_FORCE: ACTIVE,
    EARLIER: DEPRECATED, DEPRECATED: DEPRECATED,
}  # fmt: skip
VERSION_PARTS = 3
VERSION_DIGITS = 20  # a version has at most as many characters

Changes = dict[str, str]  # version -> its new state
Change = Callable[[Mapping[str, str], Any], Changes]  # of the states of one name, by an event


def order_of(version: str) -> str:
    """A text that compares as the version does."""
    parts = version.split(".")
    parts += ["0"] * (VERSION_PARTS - len(parts))
    return ".".join(part.lstrip("0").rjust(VERSION_DIGITS, "0") for part in parts)


def published(states: Mapping[str, str], event: Any) -> Changes:
    """What a document that is new does to the versions of its name."""
    if event.version in states:
        return {}  # the first one under a version counts
    if isinstance(event, PipelinePublished) and event.begins == DRAFT:
        return {event.version: DRAFT}
    return _into_force(states, event.version)


def _into_force(states: Mapping[str, str], version: str) -> Changes:
    before = next((one for one, state in states.items() if state == IN_FORCE), None)
    if before is None:
        return {version: IN_FORCE}
    if order_of(version) <= order_of(before):
        return {version: EARLIER}
    return {before: EARLIER, version: IN_FORCE}


def _validated(states: Mapping[str, str], event: PipelineValidated) -> Changes:
    return {event.version: VALIDATED} if states.get(event.version) == DRAFT else {}


def _not_validated(states: Mapping[str, str], event: PipelineNotValidated) -> Changes:
    # One that is active stays so: a person says whether it is taken away from those who run it.
    return {event.version: DRAFT} if states.get(event.version) == VALIDATED else {}


def _activated(states: Mapping[str, str], event: PipelineActivated) -> Changes:
    if states.get(event.version) != VALIDATED:
        return {}
    return _into_force(states, event.version)


def _deprecated(states: Mapping[str, str], event: PipelineDeprecated) -> Changes:
    return {event.version: DEPRECATED} if event.version in states else {}


LIFE: Mapping[type[Event], Change] = {
    PipelineValidated: _validated,
    PipelineNotValidated: _not_validated,
    PipelineActivated: _activated,
    PipelineDeprecated: _deprecated,
}
