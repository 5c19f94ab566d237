"""The embedded stack says what it cannot do, and leaves nothing behind when it could not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from genoflow.deploy.addresses import resolve
from genoflow.deploy.local import stack as local_stack
from genoflow.deploy.local import supervisor
from genoflow.deploy.local.files import try_lock
from genoflow.deploy.local.stack import LocalStack
from genoflow.deploy.local.state import read_state, read_status
from genoflow.events.errors import StackFault
from tests.integration.stacks import (
    COMMAND_SECONDS_MAX,
    all_gone,
    cli,
    private,
    until,
)
from tests.servers import cli_environment, embedded_settings


@pytest.mark.long
def test_two_starts_at_once_are_one_stack(tmp_path: Path) -> None:
    with private(tmp_path) as chosen:
        line = [sys.executable, "-m", "genoflow.deploy.cli", "up"]
        environment = cli_environment(chosen)
        starts = [
            subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True)
            for _ in range(3)
        ]
        tables = [start.communicate(timeout=COMMAND_SECONDS_MAX)[0] for start in starts]
        assert [start.returncode for start in starts] == [0, 0, 0]
        assert tables[0] == tables[1] == tables[2]


@pytest.mark.long
def test_half_written_data_directories_are_made_anew(tmp_path: Path) -> None:
    with private(tmp_path) as chosen:
        for name in ("kafka.new", "postgres.new"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "half").write_text("written")
        (tmp_path / "postgres").mkdir()
        assert local_stack.up(chosen, ("kafka", "postgres")).services["kafka"].usable
        assert not (tmp_path / "kafka.new").exists()


@pytest.mark.parametrize("name", ["kafka", "postgres"])
def test_a_strange_data_directory_is_refused_and_kept(tmp_path: Path, name: str) -> None:
    with private(tmp_path) as chosen:
        (tmp_path / name).mkdir()
        (tmp_path / name / "letter.txt").write_text("important")
        with pytest.raises(StackFault, match=rf"{name}: holds files but no .*move it away"):
            local_stack.up(chosen, (name,))
        assert (tmp_path / name / "letter.txt").read_text() == "important"
        assert not read_status(chosen).supervisor.alive()


def test_a_server_that_does_not_start_is_one_clear_error(tmp_path: Path) -> None:
    with private(tmp_path) as chosen:
        local_stack.up(chosen, ("postgres",))
        local_stack.down(chosen)
        (tmp_path / "postgres" / "postgresql.conf").write_text("no_such_setting = 1\n")
        result = cli(chosen.model_copy(update={"kafka": "127.0.0.1:1"}), "up")
        assert result.returncode == 1
        place = tmp_path / "logs" / "postgres.log"
        assert f"postgres: ended 3 times, last with exit code 1; the end of {place}" in (
            result.stderr
        )
        assert 'unrecognized configuration parameter "no_such_setting"' in result.stderr
        assert "Traceback" not in result.stderr
        assert not read_status(chosen).supervisor.alive()


def test_a_missing_server_is_named_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(StackFault, match=r"no kafka: .* `genoflow up`, or set GENOFLOW_KAFKA"):
        resolve(embedded_settings(tmp_path))


async def test_a_stack_of_a_program_ends_with_its_block(tmp_path: Path) -> None:
    async with LocalStack(embedded_settings(tmp_path), ("registry",)) as own:
        status = own.status
        assert status.services["registry"].usable
    assert all_gone(status)


def test_a_stack_of_a_program_ends_with_the_program(tmp_path: Path) -> None:
    chosen = embedded_settings(tmp_path)
    code = (
        "import os; from genoflow.deploy.local import stack; "
        "from genoflow.deploy.settings import read_settings; tether, hold = os.pipe(); "
        "stack.up(read_settings(), ('registry',), tether=tether); os.kill(os.getpid(), 9)"
    )
    ended = subprocess.run([sys.executable, "-c", code], env=cli_environment(chosen), check=False)
    assert ended.returncode == -signal.SIGKILL
    state = read_state(tmp_path)
    assert state is not None
    until(lambda: all_gone(state) and try_lock_once(tmp_path), "the stack gone")


def try_lock_once(home: Path) -> bool:
    descriptor = try_lock(home / "lock")
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


def test_an_interrupted_start_leaves_nothing_running(tmp_path: Path) -> None:
    with private(tmp_path) as chosen:
        start = subprocess.Popen(
            [sys.executable, "-m", "genoflow.deploy.cli", "up"],
            env=cli_environment(chosen),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert start.stderr is not None
        line = start.stderr.readline()
        assert "preparing" in line or "starting" in line
        state = read_state(tmp_path)
        start.send_signal(signal.SIGINT)
        _, errors = start.communicate(timeout=COMMAND_SECONDS_MAX)
        assert start.returncode == 130
        assert errors.endswith("genoflow: interrupted\n")
        assert state is not None
        assert all_gone(state)
        assert try_lock_once(tmp_path)


# A file system of its own, in namespaces that end with the command.
IN_SMALL_DISK = ("unshare", "--map-root-user", "--mount", "sh", "-c")
MOUNT = 'mount -t tmpfs -o size={size}m none "$GENOFLOW_HOME"'
FILL_AND_FREE = f"""
set -e
genoflow() {{ "$0" -m genoflow.deploy.cli "$@"; }}
{MOUNT.format(size=340)}
genoflow up
dd if=/dev/zero of="$GENOFLOW_HOME/filler" bs=1M 2>/dev/null || true
kill -KILL $(genoflow status | awk '$1 == "kafka" {{ print $3 }}')
while genoflow status | grep -q "^kafka *ready"; do sleep 0.1; done
! genoflow up
rm "$GENOFLOW_HOME/filler"
genoflow down
genoflow up
genoflow down
"""


def small_disks_work() -> bool:
    line = (*IN_SMALL_DISK, "mount -t tmpfs none /mnt")
    return subprocess.run(line, capture_output=True, check=False).returncode == 0


def test_a_small_disk_is_one_clear_error(
    tmp_path: Path, not_done: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "DISK_FREE_BYTES_MIN", 10**18)
    with pytest.raises(StackFault, match=rf"{tmp_path}: the disk has .* GENOFLOW_HOME"):
        supervisor.check_disk(tmp_path)
    if not small_disks_work():
        not_done("a stack on a small disk (this kernel refuses namespaces)")
        return
    script = f'{MOUNT.format(size=48)} && exec "$0" -m genoflow.deploy.cli up'
    result = subprocess.run(
        [*IN_SMALL_DISK, script, sys.executable],
        env=cli_environment(embedded_settings(tmp_path)),
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS_MAX,
        check=False,
    )
    assert result.returncode == 1
    assert f"{tmp_path}: the disk has" in result.stderr
    assert "GENOFLOW_HOME" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.long
def test_a_disk_that_is_full_is_said_and_recovered_from(
    tmp_path: Path, not_done: Callable[[str], None]
) -> None:
    if not small_disks_work():
        not_done("a disk that fills up (this kernel refuses namespaces)")
        return
    external = {"s3": "http://127.0.0.1:1", "registry": "http://127.0.0.1:1"}
    (tmp_path / "home").mkdir()
    chosen = embedded_settings(tmp_path / "home").model_copy(update=external)
    result = subprocess.run(
        [*IN_SMALL_DISK, FILL_AND_FREE, sys.executable],
        env=cli_environment(chosen),
        capture_output=True,
        text=True,
        timeout=2 * COMMAND_SECONDS_MAX,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert f"the disk of {tmp_path / 'home'} is full" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("name", ["kafka", "postgres"])
def test_a_disk_that_fills_up_while_data_is_laid_out_is_one_clear_error(
    tmp_path: Path, name: str
) -> None:
    # 0.1 MB a file at most: the write that does not fit fails as it does on a full disk.
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "
        "from genoflow.deploy.cli import run; sys.exit(run(['up']))"
    )
    external = {"kafka": "127.0.0.1:1", "postgres": "postgresql://nobody@127.0.0.1:1/none"}
    del external[name]
    chosen = embedded_settings(tmp_path).model_copy(
        update={"s3": "http://127.0.0.1:1", "registry": "http://127.0.0.1:1", **external}
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env=cli_environment(chosen),
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS_MAX,
        check=False,
    )
    assert result.returncode == 1, result.stderr
    assert str(tmp_path) in result.stderr
    assert "genoflow up" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / name / "PG_VERSION").exists()
