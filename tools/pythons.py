"""Every Python that we promise: unit tests on those that are present, the locks on the others."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = ROOT / ".venv" / "bin" / "uv"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def say(text: str) -> None:
    print(f"[pythons] {text}", flush=True)


def found(version: str) -> str | None:
    """An interpreter that really is this version, or None: a shim may be there without one."""
    path = shutil.which(f"python{version}")
    asked = [path or "", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    if path is None:
        return None
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    return path if answer.stdout.strip() == version else None


def test_on(version: str, python: str) -> bool:
    """Install the dev lock beside this checkout in a folder of its own and run the unit tests."""
    with tempfile.TemporaryDirectory() as folder:
        venv = Path(folder) / "venv"
        binary = venv / "bin" / "python"
        pip = [str(UV), "pip", "install", "--quiet", "--system-certs", "--python", str(binary)]
        subprocess.run([str(UV), "venv", "--quiet", "--python", python, str(venv)], check=True)
        subprocess.run([*pip, "--require-hashes", "-r", "locks/dev.txt"], cwd=ROOT, check=True)
        subprocess.run([*pip, "--no-deps", "--no-build-isolation", "-e", "."], cwd=ROOT, check=True)
        done = subprocess.run(
            [str(binary), "-m", "pytest", "--quiet", "-p", "no:cacheprovider", "tests/unit",
             "tests/contracts/test_log.py", "-k", "not kafka"],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=900,
        )  # fmt: skip
        last = (done.stdout.strip().splitlines() or ["nothing was printed"])[-1]
        say(f"{version}: {last}")
        if done.returncode:
            sys.stderr.write(done.stdout[-4000:])
        return done.returncode == 0


def main() -> None:
    """Exit non-zero if any Python fails; a Python that is absent is reported as not run."""
    faults = []
    for version in PYTHONS:
        python = found(version)
        if python is None:
            say(f"{version}: not present, so not run; its locks resolve (see above)")
        elif not test_on(version, python):
            faults.append(version)
    if faults:
        raise SystemExit(f"[pythons] failed on {', '.join(faults)}")


if __name__ == "__main__":
    main()
