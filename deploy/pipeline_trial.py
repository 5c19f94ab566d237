"""A pipeline's own test, run for real: its profile `test`, and whether it left what it owes."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from genoflow.deploy.generate.trials import TRIALS, write_trial
from genoflow.deploy.pipelines import SHIPPED
from genoflow.deploy.repositories import locate_in
from genoflow.deploy.run_pipeline import nextflow
from genoflow.deploy.settings import Settings
from genoflow.events.errors import Refused
from genoflow.events.pipeline_not_validated import PipelineNotValidated
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.events.pipeline_validated import PipelineValidated
from genoflow.processors.running.engine import Engine, NotDone, Plan, code_sha256
from genoflow.processors.running.program import WHOLE_CASE

PROFILE = "test"
RESULTS = "results"
REASON_CHARACTERS_MAX = 2_000  # as much as the event holds
MEND = "mend the pipeline, publish it as a new version and have that tested"


@dataclass(frozen=True, slots=True)
class Trial:
    """How a test ended: what it left, or what was wrong."""

    tested_at: datetime
    duration_seconds: float
    engine: str
    engine_version: str
    outputs: tuple[str, ...] = ()
    fault: str = ""


def tried(settings: Settings, document: PipelinePublished) -> Trial:
    """Run the profile `test` of what is published; Refused where just that code is not here.

    A pipeline of the package is given what `genoflow simulate --pipeline` writes; any other brings
    its material itself.
    """
    which = f"pipeline {document.document_id} {document.version}"
    folder = locate_in(settings.cache, document.uri)
    if folder is None or not folder.is_dir():
        raise Refused(f"{which}: is not on this machine ({document.uri}); install it here")
    if (found := code_sha256(folder)) != document.code_sha256:
        raise Refused(
            f"{which}: the code at {document.uri} has SHA-256 {found}, and {document.code_sha256} "
            f"was published; publish it as a new version"
        )
    engine = replace(nextflow(settings), tasks=None)  # on this machine, where its material lies
    kinds = {(one.kind, one.per) for one in document.expected_outputs}
    with tempfile.TemporaryDirectory(prefix="genoflow-test-") as work:
        name = document.uri.removeprefix(f"{SHIPPED}:nextflow/")
        if document.uri.startswith(f"{SHIPPED}:") and name in TRIALS:
            write_trial(Path(work), name)
        return _run(engine, folder, Path(work), kinds, f"test-{document.code_sha256[:16]}")


def _run(
    engine: Engine, folder: Path, work: Path, kinds: Iterable[tuple[str, str]], name: str
) -> Trial:
    results = work / RESULTS
    parameters = {"outdir": str(results), "python": sys.executable}
    at, begun = datetime.now(UTC), time.monotonic()
    trial = Trial(at, 0.0, engine.name, engine.version)
    try:
        engine.run(Plan(folder, parameters, work, name, profile=PROFILE))
    except NotDone as error:
        fact = error.fault.reason.partition(";")[0]
        fault = f"{fact}; read what it wrote, {MEND}"
        return replace(trial, duration_seconds=_since(begun), fault=fault[:REASON_CHARACTERS_MAX])
    missing = [kind for kind, per in sorted(kinds) if not _is_left(results / kind, per)]
    trial = replace(trial, duration_seconds=_since(begun))
    if missing:
        fault = (
            f"it ended with exit code 0 and left no {', '.join(missing)} at <outdir>/<kind>/"
            f"<sample, or {WHOLE_CASE}>/; {MEND}"
        )
        return replace(trial, fault=fault[:REASON_CHARACTERS_MAX])
    return replace(trial, outputs=tuple(sorted({kind for kind, _ in kinds})))


def _since(begun: float) -> float:
    return round(time.monotonic() - begun, 1)


def _is_left(folder: Path, per: str) -> bool:
    """Whether the case, or each sample that there is, has one file with something in it."""
    places = [folder / WHOLE_CASE] if per == "case" else [*folder.glob("[!_]*")]
    return bool(places) and all(_has_one(place) for place in places)


def _has_one(place: Path) -> bool:
    files = [one for one in place.glob("*") if one.is_file()]
    return len(files) == 1 and files[0].stat().st_size > 0


def fact_of(document: PipelinePublished, trial: Trial) -> PipelineValidated | PipelineNotValidated:
    """What is said of the version that was tried."""
    known = {
        "document_id": document.document_id, "version": document.version,
        "code_sha256": document.code_sha256, "profile": PROFILE, "engine": trial.engine,
        "engine_version": trial.engine_version, "tested_at": trial.tested_at,
        "duration_seconds": trial.duration_seconds,
    }  # fmt: skip
    if trial.fault:
        return PipelineNotValidated(**known, reason=trial.fault)
    return PipelineValidated(**known, evidence="run", outputs=trial.outputs)
