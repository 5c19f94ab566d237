"""The anchors that are libraries, in `.venv-anchors`: an installation of their own.

Quix Streams and Faust pin older releases of what we run with (rich, click, pydantic-settings), so
they cannot stand in `.venv`; dnaio only competes. A second call sees that nothing changed and ends
at once.

Anchors that are programs are the system's to bring. Those that are missing are told with the way
to have them; without them their rows are missing, and nothing else.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".venv" / "bin" / "uv"
VENV = ROOT / ".venv-anchors"
LOCK = ROOT / "locks" / "anchors.txt"
# The crate that is called fq in the registry of crates is a library of somebody else.
# Of samtools and bcftools the ones that pysam brings compete where none is installed.
PROGRAMS = {
    "fastqc": "apt-get install fastqc",
    "fastp": "apt-get install fastp",
    "seqkit": "apt-get install seqkit",
    "samtools": "apt-get install samtools",
    "bcftools": "apt-get install bcftools",
    "fq": "cargo install --locked --git https://github.com/stjude-rust-labs/fq",
}


def main() -> None:
    _tell_missing()
    _install()


def _tell_missing() -> None:
    for program, way in PROGRAMS.items():
        if shutil.which(program) is None:
            print(f"[anchors] {program} is not installed: {way}", flush=True)


def _install() -> None:
    stamp, mark = hashlib.sha256(LOCK.read_bytes()).hexdigest(), VENV / "set-up"
    if mark.exists() and mark.read_text() == stamp:
        return
    print(f"[anchors] fetching about 40 MB of packages into {VENV} (110 MB on disk)", flush=True)
    # uv brings its own roots; where a proxy has a certificate of its own, the system's count.
    environment = {**os.environ, "UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}
    for command in (
        ["venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)],
        ["pip", "sync", "--quiet", "--python", str(VENV / "bin" / "python"), "--require-hashes",
         str(LOCK)],
    ):  # fmt: skip
        subprocess.run([str(UV), *command], check=True, env=environment)
    mark.write_text(stamp)


if __name__ == "__main__":
    main()
