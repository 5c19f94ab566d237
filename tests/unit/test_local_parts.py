"""The small parts of the embedded stack that need no server."""

from __future__ import annotations

import hashlib
import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from genoflow.deploy.local import jars
from genoflow.deploy.local.files import keep_secret, tail, try_lock, write_atomically
from genoflow.deploy.local.servers.kafka import new_cluster_id
from genoflow.deploy.local.servers.s3 import S3, secret_key
from genoflow.deploy.local.state import read_state
from genoflow.deploy.settings import Settings, as_environment
from genoflow.events.errors import StackFault


def test_a_cluster_id_never_looks_like_an_option() -> None:
    # One in 64 did: of 2,000 ids, all would have to be lucky.
    assert not any(new_cluster_id().startswith("-") for _ in range(2_000))
    assert len(new_cluster_id()) == 22


@pytest.mark.parametrize("name", ["kafka", "picard"])
def test_every_jar_is_named_once_with_its_hash(name: str) -> None:
    locked = jars.read_lock(name)
    assert len({jar.file_name for jar in locked}) == len(locked) > 40
    assert all(len(jar.sha256) == 64 for jar in locked)


def test_a_changed_jar_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some-1.0.jar"
    path.write_bytes(b"as it was")
    jar = jars.Jar("some", "org.some:some:1.0", jars.sha256_of(path))
    jars.check([jar], tmp_path)
    path.write_bytes(b"as it is")
    with pytest.raises(StackFault, match=rf"{path}: its SHA-256 is .* the lock says"):
        jars.check([jar], tmp_path)
    path.unlink()
    with pytest.raises(StackFault, match="is missing"):
        jars.check([jar], tmp_path)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "state"
    write_atomically(path, "one")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "\ud800")
    assert path.read_text() == "one"


def test_a_secret_is_made_once_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    first = keep_secret(path)
    assert keep_secret(path) == first
    assert len(first) == 32
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_lock_is_held_by_one_and_ends_with_its_holder(tmp_path: Path) -> None:
    first = try_lock(tmp_path / "lock")
    assert first is not None
    assert try_lock(tmp_path / "lock") is None
    os.close(first)
    second = try_lock(tmp_path / "lock")
    assert second is not None
    os.close(second)


def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert tail(log) == ""
    log.write_text("".join(f"line {number}\n" for number in range(5_000)))
    assert tail(log, 2) == "line 4998\nline 4999"


def test_the_embedded_store_has_its_own_secret_unless_one_is_named(tmp_path: Path) -> None:
    own = Settings(home=tmp_path)
    assert secret_key(own) == secret_key(own) != own.s3_secret_key.get_secret_value()
    assert secret_key(Settings(home=tmp_path, s3_secret_key="named")) == "named"


def test_no_directory_of_the_store_begins_like_the_other(tmp_path: Path) -> None:
    store = S3(Settings(home=tmp_path))
    buckets, older = str(store.data), str(store.versions)
    assert not buckets.startswith(older)
    assert not older.startswith(buckets)


def test_settings_reach_another_process_unchanged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = Settings(
        home=tmp_path, cache=tmp_path / "c", kafka="a:1", person_patterns=(r"\d{4}",),
        postgres="postgresql://u:p@h/d",
    )  # fmt: skip
    for name, value in as_environment(given).items():
        monkeypatch.setenv(name, value)
    assert Settings() == given


def test_an_empty_state_file_is_a_stack_that_does_not_run(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None
    (tmp_path / "stack.json").write_text("")
    assert read_state(tmp_path) is None


@pytest.mark.parametrize(("failures", "is_fetched"), [(0, True), (2, True), (3, False)])
def test_a_jar_is_asked_for_again_where_the_network_stumbles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failures: int, is_fetched: bool
) -> None:
    content = b"a jar"
    jar = jars.Jar("toy", "org.example:toy:1", hashlib.sha256(content).hexdigest())
    asked: list[str] = []

    class Repository:
        """Answers after some failures, by the calls that lead to a jar."""

        def project(self, group: str, artifact: str) -> Repository:
            return self

        def at_version(self, version: str) -> Repository:
            return self

        def artifact(self) -> Repository:
            return self

        def resolve(self) -> Path:
            asked.append("")
            if len(asked) <= failures:
                raise OSError("no such name for now")
            (tmp_path / "cached").write_bytes(content)
            return tmp_path / "cached"

    monkeypatch.setattr(jars, "read_lock", lambda _set_name: [jar])
    monkeypatch.setattr(jars, "_repository", lambda: nullcontext(Repository()))
    monkeypatch.setattr(jars, "PAUSES_SECONDS", (0.0, 0.0))
    if is_fetched:
        jars.fetch("toy", tmp_path)
        assert (tmp_path / "toy-1.jar").read_bytes() == content
    else:
        with pytest.raises(OSError, match="no such name"):
            jars.fetch("toy", tmp_path)
    assert len(asked) == min(failures, 2) + 1
