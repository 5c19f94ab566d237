"""Configurations as people save them: held against the pipeline, and an edit is a new version."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from genoflow.api.desks import Append, Checked, Says
from genoflow.deploy.catalog import LogCatalog, order_of
from genoflow.deploy.catalog_documents import document_of
from genoflow.deploy.pipeline_documents import (
    config_id,
    configuration_faults,
    pipeline_for,
    said_in,
)
from genoflow.events.configuration_saved import ConfigurationSaved
from genoflow.events.errors import Contradicted, InvalidEvent, NotThere, Refused
from genoflow.events.log.port import EventLog
from genoflow.processors.configurations import configuration_of
from genoflow.processors.intake.privacy import IdentifierFound, PrivacyGuard

Wish = Mapping[str, Any]  # name, parameters, and what else a document of this kind says


class LogConfigurations:
    """Configurations over the log."""

    def __init__(self, log: EventLog, person_patterns: Sequence[str]) -> None:
        self._catalog = LogCatalog(log)
        self._guard = PrivacyGuard(person_patterns)

    async def check(self, pipeline: str, wish: Wish) -> Checked:
        """Everything for which it cannot be saved, and the version that it was held against."""
        _, checked = await self._drafted(pipeline, wish)
        return checked

    async def save(
        self, pipeline: str, wish: Wish, says: Says, append: Append
    ) -> ConfigurationSaved:
        """Save it as the next version of its name, or answer the same one that is saved already.

        Refused names every fault; Contradicted where somebody saved another one meanwhile.
        """
        fact, checked = await self._drafted(pipeline, wish)
        if fact is None or checked.faults:
            raise Refused("\n".join([*checked.faults, "nothing was saved; mend these"]))
        if fact.has_envelope:
            return fact
        said = says(fact)
        await append(said)
        found = await configuration_of(self._catalog, fact.document_id, fact.version)
        if found is None or said_in(found) != said_in(said):
            raise Contradicted(
                f"configuration {fact.title} {fact.version}: somebody has just saved it otherwise; "
                f"look at it, and save yours again"
            )
        return found

    async def _drafted(
        self, pipeline: str, wish: Wish
    ) -> tuple[ConfigurationSaved | None, Checked]:
        """What would be said, in its envelope where it is said already; and what is wrong."""
        documents, active = await self._catalog.documents(), await self._catalog.active()
        held = pipeline_for(pipeline, wish.get("pipeline_version"), documents, active)
        if held is None:
            raise NotThere(
                f"pipeline {pipeline}: {_missing(wish)} is not published; `genoflow catalog list "
                f"--kind pipeline` shows what is"
            )
        plain = {name: value for name, value in wish.items() if value is not None}
        if "pipeline_version" in plain:
            plain["pipeline_version"] = held.version
        title = plain.pop("name", None)
        before = await configuration_of(self._catalog, config_id(pipeline, str(title)))
        known = {"kind": "configuration", "pipeline": pipeline, "title": title}
        try:
            same = document_of({**known, **plain, "version": before.version if before else "1"})
            assert isinstance(same, ConfigurationSaved)
            self._guard.check(same)
        except (InvalidEvent, IdentifierFound) as error:
            return None, Checked(held.version, str(error).splitlines())
        faults = list(configuration_faults(same, documents, active))
        if before is None:
            return same, Checked(held.version, faults)
        if said_in(before) == said_in(same):
            return before, Checked(held.version, faults)
        fact = same.model_copy(update={"version": str(order_of(before.version)[0] + 1)})
        return fact, Checked(held.version, faults)

    async def saved(self, pipeline: str | None = None) -> list[ConfigurationSaved]:
        """The newest version of each configuration, of this pipeline alone where one is named."""
        every = await self._catalog.in_force(ConfigurationSaved)
        return [one for one in every if pipeline in (None, one.pipeline)]


def _missing(wish: Wish) -> str:
    version = wish.get("pipeline_version")
    return f"version {version}" if version else "it"


def wish_of(text: str) -> dict[str, Any]:
    """The parameters in a text; Refused where it holds no JSON object."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise Refused(f"parameters: are no JSON ({error}); write one object") from error
    if not isinstance(found, dict):
        raise Refused("parameters: are no JSON object; write names and values in braces")
    return found
