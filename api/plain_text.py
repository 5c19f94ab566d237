"""Refuses what no text of ours can hold, before a route or the database stumbles over it.

JSON can say half of a character (a lone surrogate), which no UTF-8 can; and U+0000, which Postgres
refuses. Parsers let both through.
"""

from __future__ import annotations

import json
import re

from starlette.requests import Request

from genoflow.api.errors import Refusal

_SUSPICIOUS = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)|\x00")


async def check_text(request: Request) -> None:
    """A Refusal of 400 where the address or a JSON body holds such a text."""
    if "\x00" in request.url.path or "%00" in request.url.query:
        raise Refusal(400, "the address holds U+0000; leave it out")
    if "json" not in request.headers.get("content-type", ""):
        return
    try:
        text = (await request.body()).decode()
        if _SUSPICIOUS.search(text):
            _check(text)
    except UnicodeError as error:
        raise Refusal(400, "the body is no UTF-8, or holds half a character; mend it") from error


def _check(text: str) -> None:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):  # no JSON, or a number of thousands of digits
        return  # whoever reads the body says what is wrong with it
    said = json.dumps(parsed, ensure_ascii=False)
    said.encode()
    if "\\u0000" in said.replace("\\\\", ""):
        raise Refusal(400, "the body holds U+0000; leave it out")
