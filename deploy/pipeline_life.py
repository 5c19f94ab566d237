"""From draft to active: what a pipeline's own test left, and who says that it takes runs.

What comes with the package was tested before it was released: `nextflow/validated.json` says on
which code. Published with just that code, it is validated and active at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from genoflow.deploy.catalog import AnyDocument, LogCatalog, order_of
from genoflow.deploy.pipelines import SHIPPED
from genoflow.events.errors import Contradicted, NotThere
from genoflow.events.event import Event
from genoflow.events.pipeline_activated import PipelineActivated
from genoflow.events.pipeline_deprecated import PipelineDeprecated
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.pipeline_validated import PipelineValidated
from genoflow.projections.document_states import ACTIVE, DEPRECATED, DRAFT

EVIDENCE = "validated.json"


@cache
def evidence() -> Mapping[str, dict[str, Any]]:
    """What the test of each pipeline of the package left when it was released."""
    text = files("genoflow.nextflow").joinpath(EVIDENCE).read_text(encoding="utf-8")
    found: dict[str, dict[str, Any]] = json.loads(text)
    return found


def of_release(document: PipelinePublished) -> PipelineValidated | None:
    """That this very code was tested before its release, and left what is owed; else None."""
    found = evidence().get(document.uri.removeprefix(f"{SHIPPED}:nextflow/"))
    if not document.uri.startswith(f"{SHIPPED}:") or found is None:
        return None
    owed = {one.kind for one in document.expected_outputs}
    if found["code_sha256"] != document.code_sha256 or not owed <= {*found["outputs"]}:
        return None
    return PipelineValidated(
        document_id=document.document_id, version=document.version, evidence="release", **found
    )


def with_release(documents: Iterable[AnyDocument]) -> list[Event]:
    """These documents, each pipeline that was tested before its release followed by that."""
    found: list[Event] = []
    for one in documents:
        found.append(one)
        if isinstance(one, PipelinePublished) and (validated := of_release(one)) is not None:
            found += [validated, _activation(validated)]
    return found


def _activation(passed: PipelineValidated) -> PipelineActivated:
    return PipelineActivated(
        document_id=passed.document_id, version=passed.version, tested_at=passed.tested_at
    )


async def version_of(
    catalog: LogCatalog, name: str, version: str | None
) -> tuple[PipelinePublished, str]:
    """A version of a pipeline with its status, the highest where none is named, else NotThere."""
    standing = await catalog.standing(name)
    if not standing:
        raise NotThere(f"pipeline {name}: is not published; `genoflow catalog list` shows what is")
    named = [one for one in standing if version is None or order_of(one) == order_of(version)]
    if not named:
        raise NotThere(
            f"pipeline {name}: has no version {version}; there are {', '.join(standing)}"
        )
    highest = max(named, key=order_of)
    found = await catalog.find(PipelinePublished, name, highest)
    assert found is not None, "what has a status is published"
    return found, standing[highest]


async def activated(
    catalog: LogCatalog, name: str, version: str | None
) -> tuple[str, PipelineActivated | None]:
    """The version, and that it takes new runs unless it does; Contradicted where it cannot."""
    found, status = await version_of(catalog, name, version)
    which = f"pipeline {name} {found.version}"
    if status == ACTIVE:
        return found.version, None
    if status == DEPRECATED:
        raise Contradicted(f"{which}: is deprecated, and stays so; publish it as a new version")
    passed = await catalog.passed(name, found.version)
    if status == DRAFT or passed is None:
        raise Contradicted(
            f"{which}: is a draft, its own test has not passed; `genoflow catalog test {name} "
            f"{found.version}` runs it"
        )
    higher = [
        one
        for one, state in (await catalog.standing(name)).items()
        if state == ACTIVE and order_of(one) > order_of(found.version)
    ]
    if higher:
        raise Contradicted(
            f"{which}: the higher version {higher[0]} is active, and the highest counts; publish "
            f"this code under a version above it"
        )
    return found.version, _activation(passed)


async def deprecated(
    catalog: LogCatalog, name: str, version: str | None, reason: str, replaced_by: str | None
) -> tuple[str, PipelineDeprecated | None]:
    """The version, and that it takes no new runs any more, unless that is so."""
    found, status = await version_of(catalog, name, version)
    if replaced_by is not None and not await catalog.standing(replaced_by):
        raise NotThere(
            f"pipeline {replaced_by}: is not published, so it replaces nothing; publish it first"
        )
    fact = PipelineDeprecated(
        document_id=name, version=found.version, reason=reason, replaced_by=replaced_by
    )
    return found.version, None if status == DEPRECATED else fact
