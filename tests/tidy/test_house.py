"""The habits that a machine can hold us to."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from importlib import import_module

import pytest

from genoflow.events import errors, topics
from genoflow.events.catalogue import EVENTS
from genoflow.events.registry import stem_of
from tests.tidy.source import ROOMS, ROOT, files, python_files, text_of, tree_of

# Only these may ask for the time, the environment or chance (habits 9 and 17).
READS_ENVIRONMENT = {"deploy/settings.py"}
# This file lists the names, and cargo writes its registry's into every lock, as an identity: which
# server is asked, the user's own configuration says.
NAMES_ITS_REGISTRY = {"tests/tidy/test_house.py", "native/Cargo.lock"}
PROJECT = tomllib.loads(text_of("pyproject.toml"))


def test_every_package_is_listed_so_that_the_wheel_holds_it() -> None:
    found = {
        f"genoflow.{name.removesuffix('/__init__.py').replace('/', '.')}"
        for name in python_files(*ROOMS)
        if name.endswith("/__init__.py")
    }
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == found


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {name.rpartition("/")[0] for name in python_files(*ROOMS)}
    assert {folder for folder in folders if f"{folder}/__init__.py" not in files()} == set()


@pytest.mark.parametrize("name", python_files(*ROOMS))
def test_one_file_reads_the_environment(name: str) -> None:
    if name in READS_ENVIRONMENT:
        return
    found = re.findall(r"os\.environ|os\.getenv|\bgetenv\(", text_of(name))
    assert found == [], f"{name}: pass the setting in; {READS_ENVIRONMENT} reads it"


@pytest.mark.parametrize("name", python_files("projections", "processors"))
def test_no_clock_and_no_chance_where_it_is_decided(name: str) -> None:
    if name.startswith(("processors/adapters/", "processors/intake/")):
        return
    found = re.findall(r"datetime\.now|time\.time\(|import random|uuid4", text_of(name))
    assert found == []


@pytest.mark.parametrize("name", python_files(*ROOMS))
def test_no_error_is_swallowed(name: str) -> None:
    for node in ast.walk(tree_of(name)):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            only = node.body[0]
            silent = len(node.body) == 1 and isinstance(only, ast.Pass | ast.Continue)
            assert not (silent and caught in {"everything", "Exception", "BaseException"}), (
                f"{name}:{node.lineno}: name the error and the reason"
            )


@pytest.mark.parametrize("model", EVENTS, ids=lambda model: model.__name__)
def test_class_module_and_schema_share_one_stem(model: type) -> None:
    stem = stem_of(model.__name__)
    assert model.__module__ == f"genoflow.events.{stem}"
    assert f"schemas/{stem}.v{model.about.version}.avsc" in files()  # type: ignore[attr-defined]


def test_every_event_class_stands_in_the_catalogue() -> None:
    defined = set()
    for name in python_files("events"):
        for node in tree_of(name).body:
            if isinstance(node, ast.ClassDef) and name == f"events/{stem_of(node.name)}.py":
                found = getattr(import_module(f"genoflow.events.{stem_of(node.name)}"), node.name)
                if hasattr(found, "about"):
                    defined.add(found)
    assert defined == set(EVENTS)


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    defined = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and value.__module__ == errors.__name__
    }
    assert drawn | {"GenoflowError"} == defined


def test_topic_names_stand_in_one_file() -> None:
    names = [topic.name for topic in topics.TOPICS]
    for name in python_files(*ROOMS):
        if name == "events/topics.py":
            continue
        for node in ast.walk(tree_of(name)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert node.value not in names, f"{name}:{node.lineno}: use topics.…"


def test_nothing_names_a_machine_or_a_registry_host() -> None:
    suspicious = re.compile(
        # s3://work/ is a bucket
        r"(?<![\w.])(?<!:/)/(?:work|root|home/\w+)/|pypi\.|pythonhosted|maven\.org|npmjs|crates\.io"
        r"|proxy\.golang"
    )
    found = [
        f"{name}:{number}"
        for name in files()
        if name not in NAMES_ITS_REGISTRY
        and (ROOT / name).suffix in {".py", ".md", ".toml", ".txt", ".json", ".lock", ""}
        for number, line in enumerate(text_of(name).splitlines(), start=1)
        if suspicious.search(line)
    ]
    assert found == []


def test_locks_hold_hashes_and_no_addresses() -> None:
    for name in ("run", "dev", "bench"):
        lock = text_of(f"locks/{name}.txt")
        assert "://" not in lock
        blocks = re.split(r"\n(?=\S)", lock)
        pinned = [block for block in blocks if "==" in block]
        assert len(pinned) > 20
        assert [block.split()[0] for block in pinned if "--hash=sha256:" not in block] == []


def test_what_runs_in_production_is_what_is_tested() -> None:
    def pins(name: str) -> dict[str, str]:
        return dict(re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", text_of(name), re.MULTILINE))

    run, dev, bench = (pins(f"locks/{name}.txt") for name in ("run", "dev", "bench"))
    assert {name: dev.get(name) for name in run} == run
    assert {name: bench.get(name) for name in run} == run
