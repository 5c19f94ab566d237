"""House numbers: what fits on a screen is read, what does not is scrolled past."""

from __future__ import annotations

import ast

import pytest

from tests.tidy.source import ROOMS, python_files, text_of, tree_of

FUNCTION_LINES_MAX = 60
MODULE_LINES_MAX = 400
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def functions(name: str) -> list[Function]:
    return [node for node in ast.walk(tree_of(name)) if isinstance(node, Function)]


@pytest.mark.parametrize("name", python_files())
def test_no_module_is_longer_than_it_can_be_read(name: str) -> None:
    assert len(text_of(name).splitlines()) <= MODULE_LINES_MAX


@pytest.mark.parametrize("name", python_files())
def test_no_function_is_longer_than_a_screen(name: str) -> None:
    long = {
        node.name: length
        for node in functions(name)
        if (length := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert long == {}


@pytest.mark.parametrize("name", python_files(*ROOMS))
def test_every_module_and_public_definition_says_what_it_promises(name: str) -> None:
    tree = tree_of(name)
    assert ast.get_docstring(tree), name
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    silent = [node.name for node in public(tree.body) if not ast.get_docstring(node)]
    for node in classes:
        # A method that implements a port is promised there, in the words of the port.
        if not node.bases and not node.name.startswith("_"):
            silent += [m.name for m in public(node.body) if not ast.get_docstring(m)]
    assert silent == []


def public(body: list[ast.stmt]) -> list[Definition]:
    return [node for node in body if isinstance(node, Definition) and not node.name.startswith("_")]
