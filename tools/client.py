"""The client's models and methods, written from the API's own OpenAPI: `make client`.

By hand are `api/client/*.py`: how a call goes. Written here is what there is to call.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from genoflow.api.app import create_app, document_of
from genoflow.api.ports import Outside
from genoflow.api.routes import ROUTERS
from genoflow.api.services import Services
from tools.client_calls import Operation, class_of, everything, operations_of, resource
from tools.client_shapes import MODULE_LINES_MAX, Shape, Shapes

ROOT = Path(__file__).resolve().parent.parent
CLIENT = Path("api/client")
RUFF = Path(sys.executable).parent / "ruff"
SHARED = "shared"
# What a written module may use, and where it is from; its imports are those that it names.
KNOWN = {
    "Mapping": "collections.abc", "Sequence": "collections.abc", "datetime": "datetime",
    "date": "datetime", "NoneType": "types", "Any": "typing", "Literal": "typing", "UUID": "uuid",
    "Field": "pydantic", "Answer": "genoflow.api.client.answers",
    "Call": "genoflow.api.client.call", "path_of": "genoflow.api.client.call",
    "new_key": "genoflow.api.client.call", "Pages": "genoflow.api.client.pages",
    "AsyncPages": "genoflow.api.client.pages", "Stream": "genoflow.api.client.stream",
    "AsyncStream": "genoflow.api.client.stream", "Wire": "genoflow.api.client.wire",
    "AsyncWire": "genoflow.api.client.wire",
}  # fmt: skip


def document() -> Shape:
    """The OpenAPI document of the app, which needs no server for it."""
    nothing: Any = None
    app = create_app(
        cast("Services", nothing), (), Outside(*[nothing] * len(Outside.__slots__)), routers=ROUTERS
    )
    return document_of(app)


def written(described: Shape) -> dict[str, str]:
    """Every module of the client that this document gives, by its path, formatted."""
    shapes = Shapes(described)
    by_tag: dict[str, list[Operation]] = {}
    for one in operations_of(described, shapes):
        by_tag.setdefault(one.tag, []).append(one)
    modules = dict(_models(described, shapes))
    names = {name for classes in modules.values() for name in classes}
    if names & set(KNOWN):
        clash = sorted(names & set(KNOWN))
        raise SystemExit(f"{clash}: are names of the client itself; rename these models of the API")
    known = {**KNOWN, **{name: _dotted(path) for path, names in modules.items() for name in names}}
    found = {path: _module(path, list(names.values()), known) for path, names in modules.items()}
    for is_async, folder in ((False, "resources"), (True, "async_resources")):
        for tag, operations in by_tag.items():
            path = f"{folder}/{tag}.py"
            found[path] = _module(path, [resource(tag, operations, is_async=is_async)], known)
            known[class_of(tag, is_async=is_async)] = _dotted(path)
        path = f"{folder}/everything.py"
        found[path] = _module(path, [everything(by_tag, is_async=is_async)], known)
    for folder, about in FOLDERS.items():
        found[f"{folder}/__init__.py"] = f'"""{about}, as the OpenAPI has them."""\n'
    # Routes that come move a model from one module to another; here it keeps its place.
    found["models/__init__.py"] += _exported(modules)
    return _formatted(found)


FOLDERS = {
    "models": "What the API answers",
    "resources": "The calls of the client that waits",
    "async_resources": "The calls of the client that awaits",
}


def _models(described: Shape, shapes: Shapes) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """By module, the classes of models that are used by one tag alone, and of those by several."""
    users: dict[str, set[str]] = {}
    for methods in described["paths"].values():
        for one in methods.values():
            # Bodies are taken apart into arguments; what they are made of is not.
            bodies = [
                shapes.resolved(content.get("schema", {})).get("properties", {})
                for content in one.get("requestBody", {}).get("content", {}).values()
            ]
            tag = re.sub(r"\W+", "_", one["tags"][0])
            for name in shapes.used_by([bodies, one["responses"]]):
                users.setdefault(name, set()).add(tag)
    shared = [name for name in users if len(users[name]) > 1]
    homes: dict[str, list[str]] = {SHARED: shared}
    for name, tags in users.items():
        if len(tags) == 1:
            homes.setdefault(next(iter(tags)), []).append(name)
    for home, names in homes.items():
        wanted = [name for name in shapes.in_order(names) if _is_model(shapes, name)]
        yield from _parts(home, {shapes.names[name]: shapes.model(name) for name in wanted})


def _is_model(shapes: Shapes, name: str) -> bool:
    shape = shapes.components[name]
    is_of_errors = name in ("ErrorEnvelope", "ErrorBody")
    return "properties" in shape and not shapes.rows_of(shape) and not is_of_errors


def _parts(
    home: str, classes: Mapping[str, list[str]]
) -> Iterator[tuple[str, dict[str, list[str]]]]:
    part: dict[str, list[str]] = {}
    number = 1
    for name, lines in classes.items():
        if part and sum(map(len, part.values())) + len(lines) > MODULE_LINES_MAX:
            yield _place(home, number), part
            part, number = {}, number + 1
        part[name] = lines
    if part:
        yield _place(home, number), part


def _place(home: str, number: int) -> str:
    return f"models/{home}.py" if number == 1 else f"models/{home}_{number}.py"


def _dotted(path: str) -> str:
    return f"genoflow.api.client.{path.removesuffix('.py').replace('/', '.')}"


def _module(path: str, blocks: list[list[str]], known: Mapping[str, str]) -> str:
    body = "\n".join(line for block in blocks for line in block)
    bare = re.sub(r'"""(.*?)"""|"[^"]*"', "", body, flags=re.DOTALL)
    used = sorted(set(re.findall(r"\b[A-Za-z_]\w*", bare)) & set(known))
    imports = [f"from {known[name]} import {name}" for name in used if known[name] != _dotted(path)]
    subject = Path(path).stem.replace("_", " ")
    title = f'"""{subject.capitalize()}; written by `make client` from the API\'s OpenAPI."""'
    return "\n".join([title, "", "from __future__ import annotations", "", *imports, "", "", body])


def _exported(modules: Mapping[str, Mapping[str, Any]]) -> str:
    imports = [
        f"from {_dotted(path)} import {name}" for path, names in modules.items() for name in names
    ]
    exported = sorted(name for names in modules.values() for name in names)
    return "\n".join(["", *imports, "", f"__all__ = {exported!r}", ""])


def _formatted(modules: Mapping[str, str]) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        for path, text in modules.items():
            place = Path(folder) / CLIENT / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        for command in (["check", "--select", "I", "--fix"], ["format"]):
            options = ["--quiet", "--no-cache", "--config", str(ROOT / "pyproject.toml"), "."]
            subprocess.run([str(RUFF), *command, *options], cwd=folder, check=True)
        return {
            str(CLIENT / path): (Path(folder) / CLIENT / path).read_text()
            for path in sorted(modules)
        }


def main() -> None:
    """Write every module anew, and remove those that nothing asks for any more."""
    modules = written(document())
    for folder in FOLDERS:
        for old in (ROOT / CLIENT / folder).glob("*.py"):
            if str(old.relative_to(ROOT)) not in modules:
                old.unlink()
    for path, text in modules.items():
        place = ROOT / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    print(f"[client] {len(modules)} modules below {CLIENT}")


if __name__ == "__main__":
    main()
