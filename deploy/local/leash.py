"""A leash: the small parent that each embedded server runs under, so that none outlives its owner.

Run as `python -I -S leash.py CONTROL STATUS SIGNAL GRACE IDENTITY command…`. It uses nothing but
the standard library, because it starts once per server and its start-up is waited for.

* CONTROL is the read end of a pipe whose write end the owner holds. End of file means that the
  owner let go or died: the server gets SIGNAL, and SIGKILL once GRACE seconds have passed.
* STATUS is the write end of a pipe: one line with the server's process id, then end of file at the
  moment when the command has been executed; an `error …` line where it could not be.
* IDENTITY is `self`, `mapped` (user 1000 of an own user namespace, for a server that refuses to
  run as root while its files stay the caller's) or `UID:GID` (give up root for that user).

The kernel ends the server when the leash itself is killed. The exit code is the server's; a server
that a signal ended gives 128 plus the signal's number.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
import signal
import sys
import time

MAPPED_ID = 1000  # any id but 0: a server that refuses root looks at nothing else
PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
EXIT_IDENTITY_REFUSED = 126  # as shells say "found, but cannot be executed"
EXIT_NOT_EXECUTED = 127  # as shells say "not found"
EXIT_SIGNAL_BASE = 128
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def take_identity(identity: str) -> None:
    """Become the user that the server is to see, or raise OSError where the kernel refuses."""
    if identity == "self":
        return
    if identity == "mapped":
        if sys.platform != "linux":
            raise OSError(errno.ENOSYS, "user namespaces are Linux's")
        uid, gid = os.geteuid(), os.getegid()
        if _libc().unshare(CLONE_NEWUSER) != 0:
            code = ctypes.get_errno()
            raise OSError(code, f"user namespace: {os.strerror(code)}")
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{MAPPED_ID} {uid} 1")
        _write("/proc/self/gid_map", f"{MAPPED_ID} {gid} 1")
        return
    uid_text, _, gid_text = identity.partition(":")
    os.setgroups([])
    os.setgid(int(gid_text))
    os.setuid(int(uid_text))


def _die_with_parent(parent: int) -> None:
    # After the identity: a change of credentials clears the wish.
    if sys.platform != "linux":
        return
    _libc().prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(EXIT_SIGNAL_BASE + signal.SIGKILL)


def _become_server(command: list[str], identity: str, status: int, parent: int) -> None:
    os.setsid()
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it and exec would hand that on
    os.write(status, f"{os.getpid()}\n".encode())
    code = EXIT_IDENTITY_REFUSED
    try:
        take_identity(identity)
        code = EXIT_NOT_EXECUTED
        _die_with_parent(parent)
        os.execvp(command[0], command)
    except OSError as error:
        os.write(status, f"error {command[0]}: {error}\n".encode())
        os.write(2, f"{command[0]}: {error}\n".encode())
    os._exit(code)


def _signal_group(server: int, number: int) -> None:
    try:
        os.killpg(server, number)
    except ProcessLookupError:
        return
    except PermissionError:
        # macOS answers so for a group whose members are all zombies.
        return


def _exit_code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else EXIT_SIGNAL_BASE - code


def watch(server: int, control: int, wake: int, stop_signal: int, grace_seconds: float) -> int:
    """Wait for the server, end it when the owner lets go, and return its exit code."""
    stopping = False
    deadline: float | None = None
    while True:
        remaining = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select([wake] if stopping else [control, wake], [], [], remaining)
        if wake in ready:
            stopping |= any(number in STOP_SIGNALS for number in os.read(wake, 512))
        if control in ready and os.read(control, 1) == b"":
            stopping = True
        ended, status = os.waitpid(server, os.WNOHANG)
        if ended:
            _signal_group(server, signal.SIGKILL)  # what the server forked and left behind
            return _exit_code(status)
        if stopping and deadline is None:
            _signal_group(server, stop_signal)
            deadline = time.monotonic() + grace_seconds
        elif deadline is not None and time.monotonic() >= deadline:
            _signal_group(server, signal.SIGKILL)
            deadline = time.monotonic() + grace_seconds


def main(arguments: list[str]) -> int:
    """Run the command on a leash and return its exit code."""
    control, status, stop_signal = (int(argument) for argument in arguments[:3])
    grace_seconds, identity, command = float(arguments[3]), arguments[4], arguments[5:]
    wake, wake_writer = os.pipe()
    os.set_blocking(wake_writer, False)
    signal.set_wakeup_fd(wake_writer)
    for number in (signal.SIGCHLD, *STOP_SIGNALS):
        signal.signal(number, lambda *_: None)
    os.set_inheritable(status, False)
    os.set_inheritable(control, False)
    parent = os.getpid()
    server = os.fork()
    if server == 0:
        _become_server(command, identity, status, parent)
    os.close(status)
    return watch(server, control, wake, stop_signal, grace_seconds)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
