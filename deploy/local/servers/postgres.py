"""Postgres: a real one, for the read models, owned by whoever started the stack."""

from __future__ import annotations

import asyncio
import os
import pwd
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import asyncpg

from genoflow.deploy.local.artifacts import find_postgres
from genoflow.deploy.local.files import keep_secret, make_directory, remove_tree
from genoflow.deploy.local.process import Launch, run_once
from genoflow.deploy.local.service import PROBE_SECONDS_MAX, NotReady, Report, check_directory
from genoflow.events.errors import StackFault

USER = "genoflow"
DATABASE = "genoflow"
CONNECTIONS_MAX = 100  # a few pools of 10 and the tests: 100 is also what the manual starts with
WAL_MAX_MB = 256  # read models are rebuilt in bulk: fewer checkpoints, a bounded disk
ORPHAN_POLL_SECONDS = 0.05
ORPHAN_SECONDS_MAX = 10.0  # a postmaster whose leash died gets SIGKILL from the kernel at once


async def server_identity() -> str:
    """Return the leash's identity for Postgres, which refuses to run as root."""
    if os.geteuid() != 0:
        return "self"
    nobody = pwd.getpwnam("nobody")
    refusal = ""
    for identity in ("mapped", f"{nobody.pw_uid}:{nobody.pw_gid}"):
        try:
            await run_once(Launch(("/bin/true",), identity=identity))
        except StackFault as fault:
            refusal = str(fault)
        else:
            return identity
    raise StackFault(
        f"postgres: does not run as root, and this system lets root become nobody else ({refusal});"
        " run genoflow as a normal user, or set GENOFLOW_POSTGRES to an existing server"
    )


@contextmanager
def _password_file(password: str, identity: str) -> Iterator[str]:
    with NamedTemporaryFile("w", prefix="genoflow-") as file:
        file.write(password)
        file.flush()
        _give(Path(file.name), identity)
        yield file.name


def _give(path: Path, identity: str) -> None:
    if ":" in identity:
        uid, _, gid = identity.partition(":")
        os.chown(path, int(uid), int(gid))


@dataclass(slots=True)
class Postgres:
    """The embedded database server."""

    home: Path
    name: str = "postgres"
    port_count: int = 1
    _identity: str = "self"

    @property
    def data(self) -> Path:
        """The cluster's directory."""
        return self.home / "postgres"

    async def fetch(self, _report: Report) -> None:
        """Make sure that the server's programs are here and that somebody may run them."""
        find_postgres()
        self._identity = await server_identity()
        if ":" in self._identity:
            self._check_reachable()

    def _check_reachable(self) -> None:
        for path in (self.home, find_postgres()):
            closed = [part for part in path.parents if not part.stat().st_mode & 0o001]
            if closed:
                raise StackFault(
                    f"postgres: does not run as root, this kernel refuses user namespaces, and "
                    f"{closed[0]} is closed to the user nobody; run genoflow as a normal user, "
                    "or set GENOFLOW_POSTGRES to an existing server"
                )
        self.home.chmod(0o711)

    async def prepare(self) -> None:
        """Initialise the cluster beside its place and rename it: it is whole or not there."""
        if check_directory(self.data, "PG_VERSION", "Postgres"):
            await self._forget_dead_server()
            return
        unfinished = self.home / "postgres.new"
        remove_tree(unfinished)  # never used: only the rename makes it a cluster
        make_directory(unfinished)
        _give(unfinished, self._identity)
        with _password_file(keep_secret(self.home / "postgres.password"), self._identity) as file:
            await self._run(
                unfinished,
                *(str(find_postgres("initdb")), "-D", str(unfinished), "-U", USER),
                *("-A", "scram-sha-256", f"--pwfile={file}", "-k", "--no-sync"),
                *("-E", "UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                "--locale=C",
            )
        create = f'create database "{DATABASE}"'
        single = f"{find_postgres()} --single -F -D '{unfinished}' postgres"
        await self._run(unfinished, "/bin/sh", "-c", f"echo '{create}' | {single}")
        unfinished.rename(self.data)

    async def _run(self, unfinished: Path, *command: str) -> None:
        code, output = await run_once(Launch(command, identity=self._identity))
        if code != 0:
            remove_tree(unfinished)
            raise StackFault(
                f"{unfinished}: Postgres could not initialise it:\n{output}\n"
                "free some space or mend what it names, then run `genoflow up` again"
            )

    async def _forget_dead_server(self) -> None:
        # The server trusts a process id in this file, though another program may have it by now.
        mark = self.data / "postmaster.pid"
        if sys.platform != "linux" or not mark.exists():
            return
        pid = mark.read_text(encoding="utf-8").partition("\n")[0].strip()
        deadline = asyncio.get_running_loop().time() + ORPHAN_SECONDS_MAX
        while self._runs_here(pid):
            if asyncio.get_running_loop().time() > deadline:
                raise StackFault(
                    f"{self.data}: process {pid} still serves this directory; end it "
                    f"(`kill {pid}`), then run `genoflow up` again"
                )
            await asyncio.sleep(ORPHAN_POLL_SECONDS)
        mark.unlink(missing_ok=True)

    def _runs_here(self, pid: str) -> bool:
        try:
            return (Path("/proc") / pid / "cwd").readlink() == self.data
        except OSError:
            return False

    def launch(self, ports: tuple[int, ...]) -> Launch:
        """Say what to execute: this machine only, no socket files."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(ports[0]),
            "unix_socket_directories": "",
            "max_connections": str(CONNECTIONS_MAX),
            "max_wal_size": f"{WAL_MAX_MB}MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        return Launch(
            (str(find_postgres()), "-D", str(self.data), *options),
            stop_signal=signal.SIGINT,  # "fast": ends sessions; SIGTERM would wait for them
            identity=self._identity,
        )

    def address(self, ports: tuple[int, ...]) -> str:
        """Return the database's address, with its password: the file that keeps it is private."""
        password = keep_secret(self.home / "postgres.password")
        return f"postgresql://{USER}:{password}@127.0.0.1:{ports[0]}/{DATABASE}"

    async def probe(self, address: str) -> None:
        """Ask for `select 1`."""
        try:
            connection = await asyncpg.connect(address, timeout=PROBE_SECONDS_MAX)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise NotReady(f"postgres: {error or 'no answer'}") from error
        try:
            await connection.execute("select 1", timeout=PROBE_SECONDS_MAX)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise NotReady(f"postgres: {error or 'no answer'}") from error
        finally:
            connection.terminate()
