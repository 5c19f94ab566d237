"""Command lines forked from a process that has imported everything: a tenth of a cold start.

Most of what a short command costs is its imports, and the tests run some hundred commands. Each of
them is a process of its own all the same, with its own environment, folder and streams, and it goes
through `genoflow.deploy.cli.run`. That the installed program starts cold and imports what it needs
is shown by the commands that stay (`tests/e2e/workers.py`), and by the demo.

Of each test process there is one such keeper. It ends when its standard input does, so that it
cannot outlive who asks it. A command is told over a connection of its own:

1. the keeper accepts, and forks the **minder** of this command;
2. the minder takes the words, the environment, the folder and the three streams, and forks the
   command;
3. it tells how the command ended; should the asker hang up first, it kills the command.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, NoReturn

from genoflow.deploy.cli import run
from genoflow.events.catalogue import EVENTS

ROOT = Path(__file__).parents[1]
KEEPER_SECONDS_MAX = 60.0  # to import everything beside others that do the same
REQUEST_BYTES_MAX = 1 << 20  # words and an environment: the system's own limit is 2 MiB
STREAMS = 3
ROOMS = ("api", "deploy", "events", "native", "processors", "projections", "schemas")
LATE = ("aiokafka", "asyncpg", "boto3")  # what commands import only when they run


def command(
    words: Sequence[str], *, env: Mapping[str, str], timeout: float, said: str = "",
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run one command line to its end, as `subprocess.run` would with text."""
    done = command_in(Path.cwd(), words, env=env, timeout=timeout, said=said.encode())
    out, err = done.stdout.decode(), done.stderr.decode()
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


def command_in(
    folder: Path, words: Sequence[str], *, env: Mapping[str, str], timeout: float, said: bytes
) -> subprocess.CompletedProcess[bytes]:
    """Run one command line in a folder to its end, as `subprocess.run` would with bytes."""
    with (
        tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err,
        socket.socket(socket.AF_UNIX) as line,
    ):  # fmt: skip
        line.settimeout(timeout)
        line.connect(_keeper())
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb") as stdin, os.fdopen(writer, "wb") as speaker:
            asked = {"words": list(words), "env": dict(env), "cwd": str(folder)}
            _send(line, asked, (stdin, out, err))
            stdin.close()  # the command holds it now: nobody else keeps the pipe open
            telling = threading.Thread(target=_tell, args=(speaker, said))
            telling.start()
            try:
                status = line.recv(16)
            except TimeoutError as late:
                raise subprocess.TimeoutExpired(list(words), timeout) from late
            finally:
                line.close()  # the minder kills what still runs, and so the pipe's reader ends
                telling.join()
        out.seek(0)
        err.seek(0)
        code = os.waitstatus_to_exitcode(int(status))
        return subprocess.CompletedProcess(["genoflow", *words], code, out.read(), err.read())


def _tell(speaker: IO[bytes], said: bytes) -> None:
    try:
        speaker.write(said)
        speaker.close()
    except BrokenPipeError:  # it ended without reading all that it was told
        pass


def _send(line: socket.socket, asked: object, streams: Sequence[IO[bytes]]) -> None:
    body = json.dumps(asked).encode()
    assert len(body) <= REQUEST_BYTES_MAX, f"{len(body)} bytes of words and environment"
    socket.send_fds(line, [len(body).to_bytes(4, "big")], [one.fileno() for one in streams])
    line.sendall(body)


@cache
def _keeper() -> str:
    """The address of this process's keeper, which is started with the first command."""
    address = str(Path(tempfile.mkdtemp(prefix="warm-")) / "keeper")
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.warm", address], cwd=ROOT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    atexit.register(_leave, process)
    ready, _, _ = select.select([process.stdout], [], [], KEEPER_SECONDS_MAX)
    assert ready, f"no keeper of commands within {KEEPER_SECONDS_MAX} s"
    assert process.stdout.read(5) == b"ready"
    process.stdout.close()
    return address


def _leave(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.wait(KEEPER_SECONDS_MAX)


def keep(address: str) -> Sequence[str]:
    """Fork a command for each connection; returns in each command, with its words, and at the end
    leaves the process."""
    for module in (*LATE, *_ours()):
        importlib.import_module(module)
    for event in EVENTS:
        event.model_rebuild()  # models are built when they are used: here once for all
    assert threading.active_count() == 1, "a thread does not live through a fork"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # minders are nobody's concern once they end
    gc.freeze()  # what all share is not gone through, and so not copied
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen(64)
        os.write(1, b"ready")
        while True:
            heard, _, _ = select.select([door.fileno(), 0], [], [])
            if 0 in heard:
                Path(address).unlink()
                Path(address).parent.rmdir()
                os._exit(0)
            line, _ = door.accept()
            if os.fork() == 0:
                door.close()
                return _mind(line)
            line.close()


def _ours() -> Iterator[str]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if path.stem != "__main__":
                yield ".".join(("genoflow", *path.relative_to(ROOT).with_suffix("").parts))


def _mind(line: socket.socket) -> Sequence[str]:
    """Fork the command and stay until it ends; returns in the command, with its words."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, streams, _, _ = socket.recv_fds(line, 4, STREAMS)
    body = b""
    while len(body) < int.from_bytes(head, "big"):
        body += line.recv(REQUEST_BYTES_MAX)
    asked = json.loads(body)
    pid = os.fork()
    if pid:
        for stream in streams:
            os.close(stream)
        os.close(0)
        _stay(line, pid)
    line.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["env"])
    words: list[str] = asked["words"]
    sys.argv[:] = ["genoflow", *words]
    return words


def _stay(line: socket.socket, pid: int) -> NoReturn:
    ended = os.pidfd_open(pid)
    heard, _, _ = select.select([ended, line.fileno()], [], [])
    if ended not in heard:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if ended in heard:
        line.sendall(str(status).encode())
    os._exit(0)


if __name__ == "__main__":
    sys.exit(run(keep(sys.argv[1])))
