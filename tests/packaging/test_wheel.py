"""What a downstream system installs: the whole of every room, and no more than it asked for."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from genoflow.native.batch import COMPILED
from tests.tidy.source import ROOMS, ROOT, files

# What `genoflow[subscribe]` may bring in, by import name: no web server, no object store, no CLI.
FORBIDDEN = (
    "argon2", "asyncpg", "boto3", "botocore", "click", "fastapi", "jwt", "limits", "pysam", "rich",
    "starlette", "structlog", "uvicorn",
)  # fmt: skip

EXTENSION = "native/_rust.abi3.so"  # in Rust; without it the wheel works, slower


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built from a copy of what git knows."""
    folder = tmp_path_factory.mktemp("wheel")
    # Where cargo is, the crates that set-up compiled are not compiled again.
    environment = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "native" / "target")}
    for name in files():
        target = folder / "source" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), "."],
        cwd=folder / "source", check=True, capture_output=True, timeout=120, env=environment,
    )  # fmt: skip
    [built] = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_file_of_every_room(wheel: zipfile.ZipFile) -> None:
    inside = [name for name in wheel.namelist() if ".dist-info" not in name]
    built = {name.removeprefix("genoflow/") for name in inside}
    left_out = {".toml", ".rs", ".md"}
    expected = {
        name
        for name in files()
        if name.split("/")[0] in ROOMS
        and Path(name).suffix not in left_out
        # From the one the wheel is built, the other is for the machine that watches.
        and not name.startswith(("deploy/images/", "deploy/observability/"))
    }
    assert built - {EXTENSION} == expected - {"native/Cargo.lock"}


def test_the_wheel_holds_the_extension_where_this_machine_can_build_it(
    wheel: zipfile.ZipFile,
) -> None:
    built = f"genoflow/{EXTENSION}" in wheel.namelist()
    assert built == COMPILED
    assert "cp311-abi3-" in Path(str(wheel.filename)).name


def test_the_namespace_itself_is_empty(wheel: zipfile.ZipFile) -> None:
    assert "genoflow/__init__.py" not in wheel.namelist()
    assert {name.split("/")[0] for name in wheel.namelist()} == {
        "genoflow", f"genoflow-{_metadata(wheel)['Version']}.dist-info",
    }  # fmt: skip


def _metadata(wheel: zipfile.ZipFile) -> dict[str, str]:
    [name] = [n for n in wheel.namelist() if n.endswith("/METADATA")]
    return dict(HeaderParser().parsestr(wheel.read(name).decode()))


def test_the_wheel_carries_its_licence_and_its_command(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert any(name.endswith("licenses/LICENSE") for name in names)
    [entry] = [n for n in names if n.endswith("/entry_points.txt")]
    assert b"genoflow = genoflow.deploy.entry:main" in wheel.read(entry)


def test_a_subscriber_imports_no_web_server_and_no_cloud(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    wheel.extractall(tmp_path)
    program = (
        "import json, sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]\n"
        "import genoflow.events.subscribe as sdk\n"
        "from genoflow.events.registry import released\n"
        "assert released().editions\n"
        f"assert sdk.__file__.startswith({str(tmp_path)!r}), sdk.__file__\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout))
    assert {"aiokafka", "fastavro", "pydantic"} <= loaded
    assert loaded & set(FORBIDDEN) == set()


def test_the_command_of_a_subscribers_install_says_what_it_needs(
    wheel: zipfile.ZipFile, tmp_path: Path
) -> None:
    wheel.extractall(tmp_path)
    program = (
        "import sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]\n"
        "sys.modules['click'] = None\n"
        "from genoflow.deploy.entry import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("genoflow: click is not installed")
    assert "genoflow[run]" in done.stderr


def test_the_subscribe_extra_asks_for_the_client_alone(wheel: zipfile.ZipFile) -> None:
    [name] = [n for n in wheel.namelist() if n.endswith("/METADATA")]
    required = HeaderParser().parsestr(wheel.read(name).decode()).get_all("Requires-Dist") or []
    base = [row for row in required if "extra ==" not in row]
    subscribe = [row for row in required if 'extra == "subscribe"' in row]
    assert {row.split(">")[0] for row in base} == {"fastavro", "pydantic"}
    assert {row.split(">")[0] for row in subscribe} == {"aiokafka"}
    asking = [row for row in required if 'extra == "client"' in row]
    assert {row.split(">")[0] for row in asking} == {"httpx2"}
