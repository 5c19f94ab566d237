"""What the test of each pipeline left: `python -m tools.pipeline_tests` runs those that are stale.

Into nextflow/validated.json goes which code was tested, when, and what it left. By that a pipeline
of the package is active as soon as it is published; a test says which one has to be run again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from genoflow.deploy.catalog_documents import parse_documents
from genoflow.deploy.pipeline_life import EVIDENCE, evidence
from genoflow.deploy.pipeline_trial import PROFILE, tried
from genoflow.deploy.pipelines import PIPELINES, pipeline_document
from genoflow.deploy.settings import read_settings
from genoflow.events.pipeline_published import PipelinePublished
from genoflow.processors.intake.privacy import PrivacyGuard

PATH = Path(__file__).resolve().parents[1] / "nextflow" / EVIDENCE


def stale() -> list[str]:
    """The pipelines whose code is not the one that was tested."""
    known = evidence()
    return [
        name
        for name in PIPELINES
        if known.get(name, {}).get("code_sha256") != pipeline_document(name)["code_sha256"]
    ]


def main() -> int:
    """Run those that are stale, and write what they left; 1 where one did not pass."""
    found = {name: told for name, told in evidence().items() if name in PIPELINES}
    for name in stale():
        [document] = parse_documents(
            [(name, json.dumps(pipeline_document(name)))], (), PrivacyGuard(())
        )
        assert isinstance(document, PipelinePublished)
        trial = tried(read_settings(), document)
        if trial.fault:
            print(f"{name}: {trial.fault}", file=sys.stderr)
            return 1
        found[name] = {
            "code_sha256": document.code_sha256, "profile": PROFILE, "engine": trial.engine,
            "engine_version": trial.engine_version,
            "tested_at": trial.tested_at.isoformat(timespec="seconds"),
            "duration_seconds": trial.duration_seconds, "outputs": list(trial.outputs),
        }  # fmt: skip
        print(f"{name}: {trial.duration_seconds} s, {', '.join(trial.outputs)}")
        PATH.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
