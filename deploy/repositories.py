"""Code of pipelines in git repositories: a revision becomes a commit, a commit a folder.

The address of such code is `git+<where the repository is>@<commit>`, and where the pipeline is
not at its top `#subdirectory=<folder>` behind that. It names a commit and no branch: the same
address is the same code for ever, and a worker that has fetched it needs the repository no more.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any
from urllib.parse import quote, unquote

from genoflow.deploy.pipelines import locate
from genoflow.deploy.settings import inherited_environment
from genoflow.events.errors import Refused
from genoflow.processors.running.engine import code_sha256

GIT_SECONDS_MAX = 600  # a repository of some GB; who has a larger one publishes from a clone
SCHEMES = ("file", "https", "ssh")  # git itself takes more, and some of them run commands
FOLDER = "pipelines"  # below the cache
SUBDIRECTORY = "#subdirectory="
ADDRESS = re.compile(
    r"^git\+(?P<repository>(?:file|https|ssh)://.+)@(?P<revision>[^@#]+)"
    r"(?:#subdirectory=(?P<folder>[^#]+))?$"
)


@dataclass(frozen=True, slots=True)
class Place:
    """A folder of a repository at a revision, which is a branch, a tag or a commit."""

    repository: str
    revision: str
    folder: str = ""

    @property
    def uri(self) -> str:
        """Its address."""
        where = f"git+{self.repository}@{self.revision}"
        return f"{where}{SUBDIRECTORY}{quote(self.folder)}" if self.folder else where


def place_in(uri: str) -> Place | None:
    """What an address of this kind says; None for any other."""
    found = ADDRESS.match(uri)
    if found is None:
        return None
    return Place(found["repository"], found["revision"], unquote(found["folder"] or ""))


def address_of(repository: str) -> str:
    """The address of a repository that is named by a folder of this machine, or by a URL."""
    scheme, found, _ = repository.partition("://")
    if not found:
        return Path(repository).resolve().as_uri()
    if scheme not in SCHEMES:
        raise Refused(f"{repository}: can be a folder, or {', '.join(SCHEMES)}; name it so")
    return repository


def locate_in(cache: Path, uri: str) -> Path | None:
    """The folder of a pipeline on this machine, fetched from its repository where it is of one."""
    place = place_in(uri)
    return locate(uri) if place is None else checked_out(cache, place)[1]


def checked_out(cache: Path, place: Place) -> tuple[str, Path]:
    """The commit of a place, and its folder below the cache; Refused says what git says."""
    commit = place.revision
    kept = cache / FOLDER / commit
    if not (is_commit(commit) and kept.is_dir()):
        commit = _fetched(cache, place)
        kept = cache / FOLDER / commit
    folder = Path(os.path.normpath(kept / place.folder))
    if not folder.is_relative_to(kept) or not folder.is_dir():
        raise Refused(
            f"{place.uri}: the commit {commit} has no folder {place.folder!r}; name one that it has"
        )
    return commit, folder


def is_commit(text: str) -> bool:
    """Whether it is the whole name of a commit, which no later commit can have."""
    return re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", text) is not None


def _fetched(cache: Path, place: Place) -> str:
    """Put what a revision holds below the cache, whole or not at all; its commit."""
    (cache / FOLDER).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache / FOLDER, prefix=".fetched-") as name:
        clone, tree = Path(name) / "clone", Path(name) / "tree"
        tree.mkdir()
        _git(place, "clone", "--quiet", "--bare", "--", place.repository, str(clone))
        commit = _git(
            place, "-C", str(clone), "rev-parse", "--verify", "--quiet", "--end-of-options",
            f"{place.revision}^{{commit}}",
        )  # fmt: skip
        _git(
            place, "--git-dir", str(clone), "--work-tree", str(tree), "checkout", "--quiet",
            "--force", commit, "--", ".",
        )  # fmt: skip
        kept = cache / FOLDER / commit
        if not kept.is_dir():
            try:
                tree.rename(kept)
            except OSError:
                if not kept.is_dir():  # else another process was faster, with the same bytes
                    raise
    return commit


def _git(place: Place, *arguments: str) -> str:
    git = which("git")
    if git is None:
        raise Refused(f"{place.uri}: there is no git on this machine; install it, and try again")
    try:
        done = subprocess.run(
            [git, *arguments], env=_environment(), stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", timeout=GIT_SECONDS_MAX, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Refused(
            f"{place.uri}: git was not done after {GIT_SECONDS_MAX} s; clone the repository here "
            f"and name that folder"
        ) from error
    if done.returncode != 0:
        said = " ".join(done.stderr.split())[-300:] or "there is no such revision"
        raise Refused(f"{place.uri}: git says: {said}; name a revision that the repository has")
    return done.stdout.strip()


def _environment() -> Mapping[str, str]:
    """As it is here, and without questions that nobody answers."""
    told = inherited_environment().items()
    ours = {name: value for name, value in told if not name.startswith("GIT_")}
    protocols = ":".join(SCHEMES)
    return {**ours, "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": protocols, "LC_ALL": "C"}


def with_revision(document: dict[str, Any], cache: Path, place: Place | None = None) -> None:
    """Put the commit of a pipeline's code, its address and its checksum into its document.

    `place` says where the repository is, else the document's own address does. What the document
    says of commit and checksum has to be so.
    """
    found = place or place_in(str(document.get("uri", "")))
    if document.get("kind") != "pipeline" or found is None:
        return
    commit, folder = checked_out(cache, found)
    known = {"code_revision": commit, "code_sha256": code_sha256(folder)}
    for name, value in known.items():
        if document.get(name) not in (None, value):
            raise Refused(
                f"{document.get('document_id')}: {name} is said to be {document[name]!r:.80}, and "
                f"at {found.revision} of {found.repository} it is {value}; leave it out"
            )
    document |= known | {"uri": Place(found.repository, commit, found.folder).uri}


def address_faults(uri: str, code_revision: str | None) -> Iterator[str]:
    """What is wrong with where a document says that its code is."""
    place = place_in(uri)
    if place is None and uri.startswith("git+"):
        yield f"uri: {uri} is no address of a repository; write git+https://…@<commit>"
    elif place is not None and not is_commit(place.revision):
        yield (
            f"uri: names the revision {place.revision!r}, which can become another one; name the "
            f"commit, or have `genoflow catalog publish` find it"
        )
    elif place is not None and place.revision != code_revision:
        yield f"code_revision: is {code_revision}, and uri names {place.revision}; say one commit"
