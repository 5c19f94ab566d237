"""The anchors of the stage benchmark, in `.venv-anchors`: an installation of their own.

Quix Streams and Faust pin older releases of what we run with (rich, click, pydantic-settings), so
they cannot stand in `.venv`. A second call sees that nothing changed and ends at once.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".venv" / "bin" / "uv"
VENV = ROOT / ".venv-anchors"
LOCK = ROOT / "locks" / "anchors.txt"


def main() -> None:
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
