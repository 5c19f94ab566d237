"""How a call goes, without a socket: what is sent again and when, and how a stream is cut apart."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import httpx2
import pytest

from genoflow.api.client import (
    ApiError,
    BadArgument,
    Client,
    Denied,
    Failed,
    Invalid,
    NotAllowed,
    TooMany,
    Unavailable,
    Unreachable,
    Unreadable,
    head_of,
)
from genoflow.api.client.call import IDEMPOTENCY_KEY, Call, path_of
from genoflow.api.client.session import Session
from genoflow.api.client.steps import Send, Wait, exchange
from genoflow.api.client.stream import Blocks, Message

ENVELOPE = {"code": "X", "message": "no; go there", "details": {}, "request_id": "r-1"}
GET = Call(method="GET", path="/v1/samples/counts")
POST = Call(method="POST", path="/v1/toys", fields={"sample_id": "S1"})
UNDER_KEY = Call(method="POST", path="/v1/toys", fields={"sample_id": "S1"}, idempotency_key="k")


def refusal(
    status: int, category: str = "storage", code: str = "X", **headers: str
) -> httpx2.Response:
    """A refusal in the API's envelope."""
    body = {"error": {**ENVELOPE, "code": code, "details": {"category": category}}}
    request = httpx2.Request("GET", "http://lab/v1/x")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx2.Response(status, json=body, headers=named, request=request)


def tries_of(call: Call, heard: httpx2.Response | httpx2.TransportError) -> tuple[int, list[float]]:
    """How often a call is sent where it hears the same each time, and the waits between."""
    steps, sent, waits = exchange(call, None), 0, []
    step = next(steps)
    try:
        while True:
            if isinstance(step, Wait):
                waits.append(step.seconds)
                step = steps.send(None)
            else:
                assert isinstance(step, Send)
                assert step.headers.get(IDEMPOTENCY_KEY) == call.idempotency_key
                sent += 1
                step = steps.send(heard)
    except (StopIteration, Unreachable):
        return sent, waits


@pytest.mark.parametrize(
    ("call", "heard", "expected"),
    [
        (GET, refusal(503), 4),
        (UNDER_KEY, refusal(503), 4),
        (POST, refusal(503), 1),
        (POST, refusal(429), 4),  # it was not begun
        (GET, refusal(500), 1),
        (GET, refusal(404), 1),
        (UNDER_KEY, refusal(409), 1),
        (UNDER_KEY, refusal(409, code="REQUEST_IN_PROGRESS"), 35),
        (GET, httpx2.ReadTimeout("late"), 4),
        (UNDER_KEY, httpx2.ReadTimeout("late"), 4),
        (POST, httpx2.ReadTimeout("late"), 1),
        (POST, httpx2.ConnectError("nobody"), 4),
    ],
)
def test_only_what_is_safe_is_sent_again(
    call: Call, heard: httpx2.Response | httpx2.TransportError, expected: int
) -> None:
    sent, waits = tries_of(call, heard)
    assert sent == expected
    assert len(waits) == expected - 1


def test_waits_are_as_long_as_the_api_says_and_bounded() -> None:
    assert tries_of(GET, refusal(429, Retry_After="7"))[1] == [7.0, 7.0, 7.0]
    assert tries_of(GET, refusal(429, Retry_After="61")) == (1, [])
    short = tries_of(GET, refusal(503))[1]
    for seconds, at_most in zip(short, (0.3, 0.6, 1.2), strict=True):
        assert at_most / 3 <= seconds <= at_most


@pytest.mark.parametrize("word", ["", ".", ".."])
def test_a_value_that_leads_elsewhere_is_not_sent(word: str) -> None:
    with pytest.raises(BadArgument, match=r"sample_id: .* is no id"):
        path_of("/v1/samples/{sample_id}", sample_id=word)


def test_addresses_and_filters_say_what_they_are_given() -> None:
    assert path_of("/v1/files/{one}/{two}", one="a/b?c", two="é") == "/v1/files/a%2Fb%3Fc/%C3%A9"
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    call = Call(method="GET", path="/", query={"a": None, "b": True, "c": ["x", "y"], "d": moment})
    assert call.pairs == [
        ("b", "true"), ("c", "x"), ("c", "y"), ("d", "2026-03-01T00:00:00+00:00"),
    ]  # fmt: skip
    assert Call(method="POST", path="/", fields={"a": 1, "b": None}).sent_body == b'{"a":1}'


@pytest.mark.parametrize(
    ("status", "category", "kind"),
    [
        (422, "validation", Invalid),
        (403, "authentication", NotAllowed),
        (429, "rate_limiting", TooMany),
        (503, "storage", Unavailable),
        (500, "system", Failed),
    ],
)
def test_each_category_has_its_error(status: int, category: str, kind: type[Denied]) -> None:
    answer = refusal(status, category, Retry_After="99")
    with lab(lambda request: answer) as there, pytest.raises(kind, match="no; go there") as caught:
        there.samples.count()
    error = caught.value
    assert (error.code, error.message, error.request_id) == ("X", "no; go there", "r-1")
    assert (error.status, error.category, error.retry_after_seconds) == (status, category, 99.0)


def lab(answer: Callable[[httpx2.Request], httpx2.Response]) -> Client:
    """A client of which one function answers every call."""
    return Client("http://lab", key="gf_secret", transport=httpx2.MockTransport(answer))


def test_what_is_none_of_the_apis_answers_is_said_to_be_so() -> None:
    page = httpx2.Response(403, text="<html>a proxy</html>")
    with lab(lambda request: page) as there, pytest.raises(NotAllowed, match="perhaps a proxy"):
        there.samples.count()
    for body in ("<html>", '{"sample_id": 1}', "[]"):
        with lab(lambda request, body=body: httpx2.Response(200, text=body)) as there:  # type: ignore[misc]
            with pytest.raises(Unreadable, match="take the client of the API's version"):
                there.samples.get("S1")
            with pytest.raises(Unreadable, match="take the client of the API's version"):
                list(there.samples.list())
    moved = httpx2.Response(302, headers={"Location": "http://elsewhere/"})
    with lab(lambda request: moved) as there, pytest.raises(Unreadable, match="leads elsewhere"):
        there.samples.count()


def test_a_walk_that_would_not_end_is_ended() -> None:
    page = httpx2.Response(200, json={"items": [], "next": "same"})
    with lab(lambda request: page) as there, pytest.raises(Unreadable, match="would not end"):
        list(there.samples.list())


def test_a_newer_api_may_say_more() -> None:
    told = {"status": "half well", "version": "9", "checks": {"moon": "odd"}, "more": [1]}
    answer = httpx2.Response(503, json=told, headers={"X-Request-ID": "r-7"})
    with lab(lambda request: answer) as there:
        health = there.monitoring.health()
        assert (health.status, health.version, dict(health.checks)) == (
            "half well",
            "9",
            {"moon": "odd"},
        )
        assert (head_of(health).status, head_of(health).request_id) == (503, "r-7")
        assert health == there.monitoring.health()
        with pytest.raises(ValueError, match="frozen"):
            health.status = "well"  # type: ignore[misc]


def test_who_calls_is_said_once_and_not_shown() -> None:
    with pytest.raises(TypeError, match="a username goes with a password"):
        Client("http://lab", username="vera")
    with pytest.raises(TypeError, match="give one of them"):
        Client("http://lab", key="gf_secret", username="vera", password="secret")
    with pytest.raises(TypeError, match="is no address"):
        Client("lab.example.org", key="gf_secret")
    with pytest.raises(TypeError, match="adds /v1 itself"):
        Client("https://lab.example.org/v1/", key="gf_secret")
    with lab(lambda request: refusal(401, "authentication")) as there:
        assert "secret" not in repr(vars(there))
        with pytest.raises(ApiError) as caught:
            there.samples.count()
    assert "secret" not in str(caught.value)


def test_many_threads_carry_a_session_on_once() -> None:
    spent: list[str] = []
    entries = ["one"]
    together = threading.Barrier(8)

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path.startswith("/v1/auth/log"):
            told = {"access_token": entries[-1], "refresh_token": "r1", "expires_in": 900}
            return httpx2.Response(200, json=told)
        if request.url.path == "/v1/auth/refresh":
            spent.append(request.content.decode())
            entries.append("two")
            told = {"access_token": "two", "refresh_token": "r2", "expires_in": 900}
            return httpx2.Response(200, json=told)
        if request.headers["Authorization"] == "Bearer one":
            together.wait(10)  # all of them are refused before one of them is let in again
            return refusal(401, "authentication")
        return httpx2.Response(200, json={"valid": 1})

    transport = httpx2.MockTransport(answer)
    with Client("http://lab", username="vera", password="p", transport=transport) as there:
        threads = [threading.Thread(target=there.samples.count) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(20)
        assert there.samples.count() == {"valid": 1}
    assert spent == ['{"refresh_token":"r1"}']


def test_a_session_is_carried_on_before_it_ends_and_begun_anew_where_it_cannot_be() -> None:
    now = [0.0]
    session = Session(username="vera", password="p", clock=lambda: now[0])
    told = {"access_token": "a", "refresh_token": "r", "expires_in": 900}

    def renew(*heard: httpx2.Response | httpx2.TransportError) -> list[str]:
        asked, steps, left = [], session.renewal(session.tokens), list(heard)
        step = next(steps)
        try:
            while True:
                assert isinstance(step, Send)
                asked.append(step.call.path.rpartition("/")[2])
                step = steps.send(left.pop(0))
        except StopIteration:
            return asked

    assert session.is_due()
    assert renew(httpx2.Response(200, json=told)) == ["login"]
    assert not session.is_due()
    now[0] = 870.0
    assert session.is_due()
    assert renew(httpx2.Response(200, json=told)) == ["refresh"]
    assert not session.is_due()
    lost = httpx2.ReadTimeout("late")  # it may have been spent: it is not sent again
    assert renew(lost, httpx2.Response(200, json=told)) == ["refresh", "login"]
    assert renew(httpx2.Response(200, json=told)) == ["refresh"]
    with pytest.raises(Unavailable):
        renew(lost, *[refusal(503)])
    assert renew(httpx2.Response(200, json=told)) == ["login"]
    ended = refusal(401, "authentication")
    assert renew(ended, httpx2.Response(200, json=told)) == ["refresh", "login"]


STREAM = (
    b"retry: 1500\nid: a\n\n: nothing new\n\n"
    + 'id: b\nevent: X\ndata: {"text": "one\u2028line\x85"}\n\nid: c\r\n\r\n'.encode()
    + b"data: first\rdata: second\r\r"
)
MESSAGES = [
    Message("a", None, 1.5), Message(None, None, None),
    Message("b", '{"text": "one\u2028line\x85"}', None), Message("c", None, None),
    Message(None, "first\nsecond", None),
]  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
def test_a_stream_is_read_however_it_is_cut(size: int) -> None:
    blocks = Blocks()
    found = [
        message
        for start in range(0, len(STREAM), size)
        for message in blocks.feed(STREAM[start : start + size])
    ]
    assert [*found, *blocks.feed(b"\n")] == MESSAGES


def test_a_stream_without_an_end_is_not_kept() -> None:
    blocks = Blocks()
    for _ in range(10):
        assert list(blocks.feed(b"x" * 1_000_000)) == []
    with pytest.raises(Unreadable, match="more than 10,000,000 bytes"):
        list(blocks.feed(b"x"))


def told(number: int) -> str:
    """An event as a stream tells it."""
    event = {
        "event_id": str(UUID(int=number)), "type": "X", "subject": "S", "topic": "t",
        "partition": 0, "offset": number, "payload": {"number": number}, "causation_id": None,
        "correlation_id": str(UUID(int=0)), "occurred_at": "2026-03-01T10:00:00Z",
        "recorded_at": "2026-03-01T10:00:00Z", "actor": {"kind": "person", "id": "a"},
        "producer": {"service": "api", "version": "1"},
    }  # fmt: skip
    return f"id: p{number}\nevent: X\ndata: {json.dumps(event)}\n\n"


def test_a_stream_comes_back_from_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[tuple[str | None, str | None]] = []
    answers: list[str | httpx2.Response | Exception] = [
        "retry: 500\nid: p0\n\n" + told(1)[:-9],  # cut in the middle of an event
        httpx2.ReadTimeout("silent"), refusal(503, Retry_After="0"),
        told(1) + told(2) + "id: p9\n\n", "", told(10),
    ]  # fmt: skip

    def answer(request: httpx2.Request) -> httpx2.Response:
        places.append((request.url.params.get("position"), request.headers.get("Last-Event-ID")))
        said = answers.pop(0)
        if isinstance(said, Exception):
            raise said
        return said if isinstance(said, httpx2.Response) else httpx2.Response(200, text=said)

    waits: list[float] = []
    with lab(answer) as there:
        monkeypatch.setattr(there._wire, "wait", waits.append)
        with there.events.stream(position="begin", subject=["S"]) as stream:
            found = [next(stream) for _ in range(3)]
    assert [one.payload["number"] for one in found] == [1, 2, 10]
    assert [head_of(one).position for one in found] == ["p1", "p2", "p10"]
    assert places == [("begin", None), *[(None, "p0")] * 3, *[(None, "p9")] * 2]
    assert waits[0] == 0.5


def test_a_stream_that_is_away_for_long_ends_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("nobody listens")

    waits: list[float] = []
    with lab(answer) as there:
        monkeypatch.setattr(there._wire, "wait", waits.append)
        with there.events.stream() as stream, pytest.raises(Unreachable, match="nobody listens"):
            next(stream)
    assert len(waits) == 10 * 3 + 9
    assert sum(waits) > 15
