"""The locks: `write` resolves them anew, `check` resolves them on every Python that we promise.

A lock holds versions and hashes and no address, so that it serves behind any mirror.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".venv" / "bin" / "uv"
LOCKS = {
    "run": ("run", "tower", "top", "trace", "local"),
    "dev": ("run", "tower", "top", "trace", "local", "dev"),
    "bench": ("run", "tower", "top", "trace", "local", "dev", "bench"),
}
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def write() -> None:
    for name, extras in LOCKS.items():
        print(f"[locks] resolving {name}", flush=True)
        compiled = [
            str(UV), "pip", "compile", "--quiet", "--universal", "--python-version", PYTHONS[0],
            "--generate-hashes", "--no-header", "--no-annotate", "--system-certs",
            "pyproject.toml", "locks/build.in", "-o", f"locks/{name}.txt",
        ]  # fmt: skip
        for extra in extras:
            compiled += ["--extra", extra]
        if name != "run":  # what runs in production is what is tested
            compiled += ["-c", "locks/run.txt"]
        subprocess.run(compiled, cwd=ROOT, check=True)
    print("[locks] resolving anchors", flush=True)
    # On their own: they pin older releases of what we run with, and run beside it.
    subprocess.run(
        [
            str(UV), "pip", "compile", "--quiet", "--universal", "--python-version", PYTHONS[0],
            "--generate-hashes", "--no-header", "--no-annotate", "--system-certs",
            "locks/anchors.in", "-o", "locks/anchors.txt",
        ],
        cwd=ROOT, check=True,
    )  # fmt: skip


def check() -> None:
    faults = 0
    for name in (*LOCKS, "anchors"):
        for version in PYTHONS:
            with tempfile.TemporaryDirectory() as folder:
                resolved = subprocess.run(
                    [
                        str(UV), "pip", "compile", "--quiet", "--python-version", version,
                        "--no-header", "--generate-hashes", "--only-binary", ":all:",
                        "--system-certs", f"locks/{name}.txt", "-o", f"{folder}/lock.txt",
                    ],
                    cwd=ROOT, capture_output=True, text=True, check=False,
                )  # fmt: skip
            verdict = "ok" if resolved.returncode == 0 else "FAILED"
            faults += resolved.returncode != 0
            print(f"[locks] {name} on {version}: {verdict} {resolved.stderr.strip()}", flush=True)
    if faults:
        raise SystemExit(1)


if __name__ == "__main__":
    {"write": write, "check": check}[sys.argv[1]]()
