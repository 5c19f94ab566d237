"""Set-up from nothing: `python3 tools/setup.py run|dev|bench`. Standard library only.

It makes .venv, installs what one lock names (by hash) and then this checkout on top. It uses uv
where uv is present, else the venv module, else it prints the line that a person has to run. A
second call sees that nothing changed and ends in a few milliseconds.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST = (3, 11)
CANDIDATES = ("python3.14", "python3.13", "python3.12", "python3.11", "python3")

# Measured from empty caches: megabytes to fetch, megabytes on disk, minutes at 5 MB/s, two cores.
COSTS = {"run": (170, 570, 1), "dev": (235, 720, 2), "bench": (235, 720, 2)}
# Where cargo is, 3 MB of crates, 65 MB on disk and 15 s of one core more.
# Where its registry cannot be reached, Python does the work: 2 tries of 10 s, not 4 of 30.
CARGO = {"CARGO_HTTP_TIMEOUT": "10", "CARGO_NET_RETRY": "1"}
# Java archives of Kafka (44 MB), Picard (61 MB) and Nextflow (40 MB); the S3 server's sources
# (110 MB), built once; the tests compare the registry with another one (109 MB).
SERVERS = {"run": (256, 191, 2), "dev": (366, 311, 2), "bench": (256, 191, 2)}


def say(text: str) -> None:
    print(f"[setup] {text}", flush=True)


def fail(text: str) -> NoReturn:
    print(f"[setup] {text}", file=sys.stderr, flush=True)
    raise SystemExit(1)


def find_python() -> str:
    if sys.version_info >= OLDEST:
        return sys.executable
    for name in CANDIDATES:
        path = shutil.which(name)
        if (
            path
            and subprocess.run(
                [path, "-c", f"import sys; sys.exit(sys.version_info < {OLDEST})"], check=False
            ).returncode
            == 0
        ):
            return path
    fail(
        f"python3 is {sys.version.split()[0]} and 3.11 or newer is needed; install one, such as "
        f"`sudo apt-get install python3.11 python3.11-venv`, and run make again"
    )


def stamp_of(kind: str) -> str:
    native = ROOT / "native"
    sources = [
        ROOT / "locks" / f"{kind}.txt", ROOT / "pyproject.toml",
        *sorted(native.glob("Cargo.*")), *sorted(native.glob("src/**/*.rs")),
    ]  # fmt: skip
    parts = [source.read_bytes() for source in sources]
    return hashlib.sha256(b"\0".join(parts) + str(ROOT).encode()).hexdigest()


def covered(kind: str) -> bool:
    """Whether .venv holds this lock already; dev and bench hold all of run."""
    wider = {"run": ("run", "dev", "bench"), "dev": ("dev", "bench"), "bench": ("bench",)}[kind]
    marks = [(VENV / f"set-up-{each}", stamp_of(each)) for each in wider]
    return PYTHON.exists() and any(
        mark.exists() and mark.read_text() == stamp for mark, stamp in marks
    )


def make_venv(python: str, uv: str | None) -> None:
    if PYTHON.exists():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    if uv:
        subprocess.run([uv, "venv", "--quiet", "--python", python, str(VENV)], check=True)
        return
    made = subprocess.run(
        [python, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        version = subprocess.run(
            [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip
        fail(
            f"{python} has no working venv module; run this and then make again:\n"
            f"    sudo apt-get install -y python{version}-venv"
        )


def installer(uv: str | None) -> list[str]:
    if uv:
        return [uv, "pip", "install", "--python", str(PYTHON)]
    return [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]


def ensure_pip() -> None:
    """Give a .venv that uv made its own pip: uv may be gone since."""
    asked = [str(PYTHON), "-m", "pip", "--version"]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        subprocess.run([str(PYTHON), "-m", "ensurepip", "--default-pip"], check=True)


def install(kind: str, uv: str | None) -> None:
    lock = ROOT / "locks" / f"{kind}.txt"
    wanted = sum(1 for line in lock.read_text().splitlines() if "==" in line)
    say(f"installing {wanted} pinned packages, each checked by its hash")
    run_with_progress([*installer(uv), "--require-hashes", "-r", str(lock)], wanted)
    quiet = ["--quiet", "--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    subprocess.run([*installer(uv), *quiet], check=True, env={**CARGO, **os.environ})
    if any((ROOT / "native").glob("_rust*.so")):
        say("native code: built")
    else:
        say("native code: not built; Python does the same, slower (`genoflow doctor` says more)")


def run_with_progress(command: list[str], wanted: int) -> None:
    """Run an installer, turn its lines into a count, and keep them all for the case it fails."""
    began, lines, seen = time.monotonic(), [], 0
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()
    )
    done = threading.Event()

    def pulse() -> None:
        while not done.wait(5):
            say(f"  {time.monotonic() - began:4.0f} s: {min(seen, wanted)} of {wanted} packages")

    beat = threading.Thread(target=pulse, daemon=True)
    beat.start()
    try:
        for line in process.stdout or ():
            lines.append(line)
            seen += line.startswith("Collecting") or line.lstrip().startswith("+ ")
        code = process.wait()
    except BaseException:
        process.terminate()
        process.wait()
        raise
    finally:
        done.set()
    if code:
        sys.stderr.writelines(lines[-30:])
        fail(f"`{' '.join(command)}` ended with {code}; mend what it says and run make again")
    say(f"  {time.monotonic() - began:4.0f} s: all packages are in place")


def environment() -> dict[str, str]:
    """uv brings its own roots; where a proxy has a certificate of its own, the system's count."""
    return {**os.environ, "UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}


def main(kind: str) -> None:
    if covered(kind):
        return
    python, own = find_python(), VENV / "bin" / "uv"
    uv = shutil.which("uv") or (str(own) if own.exists() else None)
    fetched, on_disk, minutes = COSTS[kind]
    servers, kept, more = SERVERS[kind]
    say(f"fetching about {fetched} MB of packages into {VENV} ({on_disk} MB on disk)")
    say(f"and later about {servers} MB for the servers, once for all checkouts ({kept} MB stay)")
    say(f"minutes, about: {minutes} now and {more} in the background, with {python}"
        f" and {'uv' if uv else 'pip'}")  # fmt: skip
    make_venv(python, uv)
    if uv is None:
        ensure_pip()
    install(kind, uv)
    say("fetching Kafka; the S3 server is built later, beside what can run without it")
    subprocess.run(
        [str(PYTHON), "-m", "genoflow.deploy.local.artifacts", "kafka"], cwd=ROOT, check=True
    )
    (VENV / f"set-up-{kind}").write_text(stamp_of(kind))
    say("done")


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "run")
    except KeyboardInterrupt:
        print("\n[setup] stopped; run make again to go on where it left off", file=sys.stderr)
        raise SystemExit(130) from None
