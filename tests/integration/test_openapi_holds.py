"""A share of the cases of `python -m tests.faults api`: the document holds, whatever is asked."""

from __future__ import annotations

CASES = 500
SECONDS_MAX = 200.0  # most of it makes up what is asked: 12 to 60 s, as fast as the core is


async def test_every_answer_is_one_that_the_document_knows(tables_url: str) -> None:
    # Seconds of imports, which collecting all tests need not pay.
    from tests.openapi_cases import report
    from tests.openapi_run import play_all, room

    async with room(tables_url) as door:
        tally = await play_all(door, cases=CASES, seed_=1, seconds=SECONDS_MAX)
    assert tally.findings == {}, report(tally)
    assert tally.cases >= CASES
    assert 4 * tally.found_something >= CASES, tally.statuses
    assert len(tally.by_route) == tally.routes
    assert tally.strangers >= CASES // 20
    assert tally.unchanged >= 5
