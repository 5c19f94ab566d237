"""Refuses what no text of ours can hold, or what has two meanings, before a route reads it.

JSON can say half of a character (a lone surrogate), which no UTF-8 can; and U+0000, which Postgres
refuses. Parsers let both through, and of a name that is said twice they take the last word, where
a proxy or a log may have taken the first.
"""

from __future__ import annotations

import json
import re
from typing import Any

from starlette.requests import Request

from genoflow.api.refusal import Refusal

NAME_CHARACTERS_MAX = 100
_SUSPICIOUS = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)|\x00")


async def check_text(request: Request) -> None:
    """A Refusal of 400 where the address or a JSON body holds such a text."""
    if "\x00" in request.url.path or "%00" in request.url.query:
        raise Refusal(400, "the address holds U+0000; leave it out")
    if "json" not in request.headers.get("content-type", ""):
        return
    try:
        _check((await request.body()).decode())
    except UnicodeError as error:
        raise Refusal(400, "the body is no UTF-8, or holds half a character; mend it") from error


def _check(text: str) -> None:
    try:
        parsed = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):  # no JSON, or a number of thousands of digits
        return  # whoever reads the body says what is wrong with it
    if not _SUSPICIOUS.search(text):
        return
    said = json.dumps(parsed, ensure_ascii=False)
    said.encode()
    if "\\u0000" in said.replace("\\\\", ""):
        raise Refusal(400, "the body holds U+0000; leave it out")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            shown = name[:NAME_CHARACTERS_MAX].encode("ascii", "backslashreplace").decode()
            raise Refusal(400, f"the body says {shown} twice; say it once")
        found[name] = value
    return found
