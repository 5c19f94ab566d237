"""Thousands of requests drawn from the OpenAPI document, and what is wrong with their answers.

Schemathesis draws them, right ones and wrong ones; ids and words of real rows are put into them, so
that many find something. Each goes straight into the app, and its answer is compared with the
document. The same seed draws the same requests.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import load_all_checks
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.openapi_words import Words
from tests.straight_in import Answer

CHECKS = [
    status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance, negative_data_rejection,
]  # fmt: skip
BASE_URL = "http://lab"
SENT = ("method", "url", "headers", "params", "data", "json", "files", "cookies")
STRANGER_EVERY = 8  # of these many cases one is asked again by nobody
WRONG_SHARE = 0.3  # of the others: the right ones reach further
ROUNDS_MAX = 40
EDGES_SHARE_MAX = 0.2  # of all cases: values at the limits of each parameter, other methods
# A write that waits for its decider takes seconds: such a route has fewer cases, the others more.
SECONDS_PER_ROUTE_MIN = 0.5
SECONDS_PER_CASE_MAX = 0.1  # of a round
EXAMPLE_CHARACTERS_MAX = 700
STRANGER = (401,)
Ask = Callable[[requests.PreparedRequest, bool], Answer]


@dataclass
class Tally:
    """What was asked, what was answered, and what was wrong."""

    cases: int = 0
    routes: int = 0
    behind: int = 0  # the rows will never come as far as a position that was made up
    strangers: int = 0
    unchanged: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    by_route: dict[str, Counter[int]] = field(default_factory=dict)
    findings: dict[str, str] = field(default_factory=dict)

    def count(self, case: Any, answer: Answer) -> None:
        """Count one answer."""
        self.cases += 1
        self.statuses[answer.status] += 1
        self.behind += _is_behind(answer)
        self.by_route.setdefault(case.operation.label, Counter())[answer.status] += 1

    def found(self, case: Any, what: str, sent: requests.PreparedRequest, answer: Answer) -> None:
        """Keep one example of each thing that is wrong with a route, the shortest."""
        asked_, got = f"{sent.method} {sent.url} {sent.body!r}", f"{answer.status} {answer.body!r}"
        example = f"{asked_[:EXAMPLE_CHARACTERS_MAX]} -> {got[:EXAMPLE_CHARACTERS_MAX]}"
        key = f"{case.operation.label}: {what}"
        before = self.findings.get(key)
        if before is None or len(example) < len(before):
            self.findings[key] = example

    @property
    def found_something(self) -> int:
        """How many answers were of the two hundreds."""
        return sum(count for status, count in self.statuses.items() if 200 <= status < 300)


def play(
    document: dict[str, Any], words: Words, ask: Ask, *, cases: int, seed_: int, seconds: float
) -> Tally:
    """Ask so many cases of all routes, or as many as there is time for."""
    load_all_checks()
    generation = GenerationConfig(with_security_parameters=False)
    project = ProjectConfig(generation=generation)
    config = SchemathesisConfig(projects=ProjectsConfig(default=project))
    schema = schemathesis.openapi.from_dict(document, config=config)
    operations = [one.ok() for one in schema.get_all_operations() if isinstance(one, Ok)]
    tally, ends_at = Tally(routes=len(operations)), time.monotonic() + seconds
    edges = [
        case
        for operation in operations
        for case in schema.iter_coverage_cases(
            operation, generation_modes=list(GenerationMode), generation_config=generation
        )
    ]
    chance = random.Random(f"edges {seed_}")
    for case in chance.sample(edges, min(len(edges), round(cases * EDGES_SHARE_MAX))):
        if time.monotonic() < ends_at:
            asked(case, ask, tally)
    for number in range(ROUNDS_MAX):
        share = math.ceil((cases - tally.cases) / len(operations))
        for operation in operations:
            for mode in GenerationMode:
                # Shares are rounded up; no route goes without because of it.
                is_due = tally.cases < cases or operation.label not in tally.by_route
                if is_due and time.monotonic() < ends_at:
                    _hunt(operation, mode, words, ask, tally, share, seed_ * 1_000 + number)
        if tally.cases >= cases or time.monotonic() >= ends_at:
            break
    return tally


def _hunt(
    operation: Any,
    mode: GenerationMode,
    words: Words,
    ask: Ask,
    tally: Tally,
    share: int,
    number: int,
) -> None:
    is_wrong = mode is GenerationMode.NEGATIVE
    count = max(1, round(share * (WRONG_SHARE if is_wrong else 1 - WRONG_SHARE)))
    ends_at = time.monotonic() + SECONDS_PER_ROUTE_MIN + share * SECONDS_PER_CASE_MAX

    @seed(number)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(_cases(operation, mode, words))
    def one(case: Any) -> None:
        if time.monotonic() < ends_at:
            asked(case, ask, tally)

    with suppress(Unsatisfiable):  # a route without parameters cannot be asked in a wrong way
        one()


def asked(case: Any, ask: Ask, tally: Tally) -> None:
    """Ask one case, and now and then once more: as a stranger, or with the ETag of the answer."""
    told = case.as_transport_kwargs(base_url=BASE_URL)
    sent = requests.Request(**{name: told[name] for name in SENT if name in told}).prepare()
    answer = ask(sent, True)
    tally.count(case, answer)
    for wrong in (*_wrong(answer), *_off(case, sent, answer)):
        tally.found(case, wrong, sent, answer)
    turn = tally.cases % STRANGER_EVERY
    if turn == 0 and case.operation.definition.raw.get("security") != []:
        tally.strangers += 1
        answer = ask(sent, False)
        if answer.status not in (STRANGER if _is_known(case) else (*STRANGER, 405)):
            tally.found(case, "a stranger is answered", sent, answer)
    elif turn == 1 and "etag" in answer.headers:
        tally.unchanged += 1
        sent.headers["If-None-Match"] = answer.headers["etag"][0]
        again = ask(sent, True)
        tag = again.headers.get("etag")
        is_same = again.status == 304 and not again.body
        if not is_same and tag == answer.headers["etag"]:
            tally.found(case, "told again, and it did not change", sent, again)


def _is_known(case: Any) -> bool:
    return bool(case.method.upper() == case.operation.method.upper())


def _is_behind(answer: Answer) -> bool:
    return answer.status == 503 and b'"BEHIND"' in answer.body


def _wrong(answer: Answer) -> Iterator[str]:
    if answer.status >= 500 and not _is_behind(answer):
        yield f"{answer.status} {answer.raised}".strip()
    if "x-request-id" not in answer.headers:
        yield "no request id"


def _off(case: Any, sent: requests.PreparedRequest, answer: Answer) -> Iterator[str]:
    response = schemathesis.Response(
        answer.status, answer.headers, answer.body, sent, answer.seconds, verify=False,
        encoding="utf-8", stream_cut_short=answer.is_cut,
    )  # fmt: skip
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        yield from (f"{one.title}: {one.message}"[:400] for one in group.exceptions)
    except Failure as one:
        yield f"{one.title}: {one.message}"[:400]


def _cases(operation: Any, mode: GenerationMode, words: Words) -> st.SearchStrategy[Any]:
    drawn = operation.as_strategy(generation_mode=mode)

    @st.composite
    def cases(draw: st.DrawFn) -> Any:
        case = draw(drawn)
        for location, part in (
            (ParameterLocation.PATH, case.path_parameters),
            (ParameterLocation.QUERY, case.query),
            (ParameterLocation.BODY, case.body),
        ):
            if isinstance(part, dict) and not case.meta.is_negative_at(location):
                _put(draw, part, operation.path, words, location is ParameterLocation.QUERY)
        return case

    return cases()


def _put(
    draw: st.DrawFn, part: dict[str, Any], path: str, words: Words, may_leave_out: bool
) -> None:
    """Put words of real rows in the place of drawn ones, seven times of eight."""
    for name in sorted(part):
        if isinstance(part[name], dict):
            _put(draw, part[name], path, words, False)
        elif may_leave_out and draw(st.integers(0, 2)) == 0:
            del part[name]  # of ten filters at once hardly one finds anything
        elif (known := words.of(path, name)) and draw(st.integers(0, 7)) != 0:
            word: Any = draw(st.sampled_from(known))
            part[name] = [word] if isinstance(part[name], list) else word


def report(tally: Tally) -> str:
    """The findings in words, one below the other."""
    return "\n\n".join(f"{what}\n  {told}" for what, told in sorted(tally.findings.items()))


def on_loop(loop: asyncio.AbstractEventLoop, asking: Any) -> Ask:
    """How a thread asks an app that lives on this loop."""

    def ask(sent: requests.PreparedRequest, is_known: bool) -> Answer:
        answer: Answer = asyncio.run_coroutine_threadsafe(asking(sent, is_known), loop).result()
        return answer

    return ask
