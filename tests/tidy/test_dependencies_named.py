"""Each direct dependency has a row that says what it is for, and each row has its dependency."""

from __future__ import annotations

import re
import tomllib

from tests.tidy.source import text_of

PAGE = "docs/decisions/0007-dependencies.md"
PROJECT = tomllib.loads(text_of("pyproject.toml"))


def name_of(requirement: str) -> str:
    """`boto3[crt]>=1.42` is boto3, however it is spelled."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def required() -> dict[str, set[str]]:
    """Every direct dependency, with the extras that name it (`always` and `build` among them)."""
    project = PROJECT["project"]
    groups = {
        "always": project["dependencies"],
        "build": PROJECT["build-system"]["requires"],
        **project["optional-dependencies"],
    }
    found: dict[str, set[str]] = {}
    for group, requirements in groups.items():
        for requirement in requirements:
            found.setdefault(name_of(requirement), set()).add(group)
    found.pop("genoflow", None)
    return found


def rows() -> list[tuple[str, set[str], str, str]]:
    """The rows of the page's table: name, extras, what for, why it."""
    row = re.compile(r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
    return [
        (name_of(name), set(re.findall(r"[a-z]+", extras)), purpose.strip(), reason.strip())
        for name, extras, purpose, reason in row.findall(text_of(PAGE))
    ]


def test_page_and_project_name_the_same_dependencies() -> None:
    named = [name for name, *_ in rows()]
    assert sorted(named) == sorted(required()), f"mend the table of {PAGE}"


def test_each_row_names_the_extras_that_ask_for_it() -> None:
    assert {name: extras for name, extras, *_ in rows()} == required()


def test_each_row_gives_a_purpose_and_a_reason() -> None:
    assert [name for name, _, purpose, reason in rows() if not purpose or not reason] == []
