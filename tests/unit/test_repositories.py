"""Pipelines in repositories: a revision is a commit, and the commit is what runs."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from genoflow.deploy.repositories import (
    Place,
    address_of,
    checked_out,
    locate_in,
    place_in,
    with_revision,
)
from genoflow.events.errors import Refused
from genoflow.processors.running.engine import code_sha256

AS_SOMEBODY = ("-c", "user.name=lab", "-c", "user.email=lab@lab.example")


def git(repository: Path, *arguments: str) -> str:
    """What git answers."""
    done = subprocess.run(
        ["git", "-C", str(repository), *AS_SOMEBODY, *arguments], check=True, capture_output=True,
        text=True,
    )  # fmt: skip
    return done.stdout.strip()


def commit(repository: Path, text: str) -> str:
    """A commit with this script in the folder `flows/wgs`, which includes a module beside it."""
    for name, content in {
        "flows/wgs/main.nf": f"include {{ A }} from '../a/main'\n// {text}\n",
        "flows/a/main.nf": "process A { script: 'true' }\n",
    }.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).write_text(content)
    git(repository, "add", ".")
    git(repository, "commit", "-qm", text)
    return git(repository, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "a repository"
    folder.mkdir()
    git(folder, "init", "-qb", "main")
    return folder


def at(repository: Path, revision: str, folder: str = "flows/wgs") -> Place:
    """A place of it."""
    return Place(address_of(str(repository)), revision, folder)


def test_a_branch_a_tag_and_a_commit_are_commits(repository: Path, tmp_path: Path) -> None:
    first = commit(repository, "one")
    git(repository, "tag", "v1")
    second = commit(repository, "two")
    (repository / "flows/wgs/main.nf").write_text("not committed")
    for revision, known in (("v1", first), ("main", second), ("HEAD", second), (first[:9], first)):
        found, folder = checked_out(tmp_path / "cache", at(repository, revision))
        assert found == known
        assert folder == tmp_path / "cache/pipelines" / known / "flows/wgs"
        assert (
            folder.joinpath("main.nf")
            .read_text()
            .endswith("// one\n" if known == first else "// two\n")
        )
    assert {one.name for one in (tmp_path / "cache/pipelines").iterdir()} == {first, second}


def test_what_was_fetched_needs_the_repository_no_more(repository: Path, tmp_path: Path) -> None:
    known = commit(repository, "one")
    uri = at(repository, known).uri
    assert place_in(uri) == at(repository, known)
    folder = locate_in(tmp_path / "cache", uri)
    repository.rename(tmp_path / "elsewhere")
    assert folder is not None
    assert locate_in(tmp_path / "cache", uri) == folder
    assert code_sha256(folder) == code_sha256(tmp_path / "elsewhere/flows/wgs")
    with pytest.raises(Refused, match=r"git says: .*; name a revision that the repository has"):
        locate_in(tmp_path / "other", uri)


def test_a_document_is_given_its_commit_and_its_checksum(repository: Path, tmp_path: Path) -> None:
    known = commit(repository, "one")
    cache = tmp_path / "cache"
    by_option: dict[str, Any] = {"kind": "pipeline", "document_id": "wgs", "uri": "file:///x"}
    with_revision(by_option, cache, at(repository, "main"))
    by_address: dict[str, Any] = {"kind": "pipeline", "uri": at(repository, "main").uri}
    with_revision(by_address, cache)
    for document in (by_option, by_address):
        assert document["uri"] == at(repository, known).uri
        assert document["code_revision"] == known
        assert document["code_sha256"] == code_sha256(repository / "flows/wgs")
    with_revision(by_option, cache)  # what is said already is so
    wrong = {**by_option, "code_sha256": "0" * 64}
    with pytest.raises(Refused, match=r"wgs: code_sha256 is said to be '000.*; leave it out"):
        with_revision(wrong, cache)
    other = {"kind": "reference", "uri": "s3://x/y"}
    with_revision(other, cache, at(repository, "main"))
    assert other == {"kind": "reference", "uri": "s3://x/y"}


@pytest.mark.parametrize("revision", ["none", "--help", "v1 v2", "0" * 40])
def test_a_revision_that_is_none_is_refused(
    repository: Path, tmp_path: Path, revision: str
) -> None:
    commit(repository, "one")
    with pytest.raises(Refused, match="name a revision that the repository has"):
        checked_out(tmp_path / "cache", at(repository, revision))


@pytest.mark.parametrize("folder", ["none", "../..", "flows/wgs/main.nf", "/etc"])
def test_a_folder_that_is_none_is_refused(repository: Path, tmp_path: Path, folder: str) -> None:
    commit(repository, "one")
    with pytest.raises(Refused, match="has no folder"):
        checked_out(tmp_path / "cache", at(repository, "main", folder))


def test_only_addresses_that_name_a_place_are_taken() -> None:
    with pytest.raises(Refused, match="can be a folder, or file, https, ssh"):
        address_of("ext::sh -c whoami://x")
    assert address_of("https://x.example/y.git") == "https://x.example/y.git"
    assert place_in("git+ext::sh@1") is None
    assert place_in("file:///x") is None
    found = place_in("git+ssh://git@x.example/y@v1#subdirectory=a%20b")
    assert found == Place("ssh://git@x.example/y", "v1", "a b")
