"""Which classes a run of Nextflow loads: it runs one task."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from genoflow.deploy.local.class_archive import Learn
from genoflow.deploy.local.process import Launch, run_once
from genoflow.processors.running.nextflow import MAIN, OFFLINE, SMALL, opened

# What every run does: a task is begun, heard of and looked at. What else one uses is loaded then.
SCRIPT = """process ONE { output: stdout
    script: 'echo one' }
workflow { ONE() | view }
"""


def learner(java: Path, class_path: Sequence[Path]) -> Learn:
    """How Nextflow is run once."""

    async def learn(folder: Path, options: Sequence[str]) -> tuple[int, str]:
        (folder / "main.nf").write_text(SCRIPT, encoding="ascii")
        command = (
            str(java), *SMALL, *options, *opened(), "-cp", os.pathsep.join(map(str, class_path)),
            MAIN, "-log", str(folder / "log"), "run", str(folder / "main.nf"),
            "-work-dir", str(folder / "tasks"),
        )  # fmt: skip
        home = {"NXF_HOME": str(folder / "home"), "JAVA_HOME": str(java.parent.parent)}
        return await run_once(Launch(command, {**OFFLINE, **home, "NXF_CACHE_DIR": str(folder)}))

    return learn
