"""What walks the steps of a call: one with threads and sockets that block, one that awaits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, closing, contextmanager
from dataclasses import replace
from typing import TypeVar

import httpx2

from genoflow.api.client.answers import read
from genoflow.api.client.call import Call, Timeouts
from genoflow.api.client.errors import denied
from genoflow.api.client.session import Session
from genoflow.api.client.steps import Heard, Renew, Send, Steps, Wait, exchange

T = TypeVar("T")
Http = httpx2.Client | httpx2.AsyncClient


def timeout_of(timeouts: Timeouts) -> httpx2.Timeout:
    """The same times as the HTTP library names them."""
    return httpx2.Timeout(
        connect=timeouts.connect_seconds, read=timeouts.read_seconds,
        write=timeouts.write_seconds, pool=timeouts.pool_seconds,
    )  # fmt: skip


def _request(http: Http, step: Send, silence_seconds: float) -> httpx2.Request:
    call = step.call
    request = http.build_request(
        call.method, call.path, params=tuple(call.pairs) or None,
        headers=dict(step.headers), content=call.sent_body,
    )  # fmt: skip
    if call.is_stream:
        request.extensions["timeout"] = {**request.extensions["timeout"], "read": silence_seconds}
    return request


class Wire:
    """Sends calls and waits for their answers; several threads may share one."""

    def __init__(self, http: httpx2.Client, session: Session, timeouts: Timeouts) -> None:
        self._http, self._session, self._timeouts = http, session, timeouts
        self._renewing = threading.Lock()

    def ask(self, call: Call, answers: Mapping[int, type[T]]) -> T:
        """The answer to a call, read as its status says; a Denied where it is a refusal."""
        return read(self.response(call), answers)

    def response(self, call: Call) -> httpx2.Response:
        """The answer to a call as it came, refusals too."""
        return self._walk(exchange(call, self._session))

    @contextmanager
    def opened(self, call: Call) -> Iterator[Iterator[bytes]]:
        """The bytes of an answer as they come; a Denied where it is a refusal."""
        with closing(self.response(replace(call, is_stream=True))) as response:
            if response.status_code != 200:
                raise denied(response)
            yield response.iter_bytes()

    def wait(self, seconds: float) -> None:
        """Wait so long."""
        time.sleep(seconds)

    def close(self) -> None:
        """Sign out where somebody signed in here, and close all connections."""
        try:
            self._walk(self._session.ending())
        finally:
            self._http.close()

    def _walk(self, steps: Steps[T]) -> T:
        heard: Heard = None
        with closing(steps):
            while True:
                try:
                    step = steps.send(heard)
                except StopIteration as end:
                    ended: T = end.value
                    return ended
                heard = None
                if isinstance(step, Wait):
                    self.wait(step.seconds)
                elif isinstance(step, Renew):
                    with self._renewing:
                        self._walk(step.session.renewal(step.used))
                else:
                    heard = self._sent(step)

    def _sent(self, step: Send) -> Heard:
        request = _request(self._http, step, self._timeouts.silence_seconds)
        try:
            response = self._http.send(request, stream=step.call.is_stream)
            if response.status_code != 200:
                response.read()
        except httpx2.TransportError as error:
            return error
        return response


class AsyncWire:
    """Sends calls and awaits their answers; several tasks may share one."""

    def __init__(self, http: httpx2.AsyncClient, session: Session, timeouts: Timeouts) -> None:
        self._http, self._session, self._timeouts = http, session, timeouts
        self._renewing = asyncio.Lock()

    async def ask(self, call: Call, answers: Mapping[int, type[T]]) -> T:
        """The answer to a call, read as its status says; a Denied where it is a refusal."""
        return read(await self.response(call), answers)

    async def response(self, call: Call) -> httpx2.Response:
        """The answer to a call as it came, refusals too."""
        return await self._walk(exchange(call, self._session))

    @asynccontextmanager
    async def opened(self, call: Call) -> AsyncIterator[AsyncIterator[bytes]]:
        """The bytes of an answer as they come; a Denied where it is a refusal."""
        response = await self.response(replace(call, is_stream=True))
        try:
            if response.status_code != 200:
                raise denied(response)
            async with aclosing(response.aiter_bytes()) as chunks:
                yield chunks
        finally:
            await response.aclose()

    async def wait(self, seconds: float) -> None:
        """Wait so long."""
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Sign out where somebody signed in here, and close all connections."""
        try:
            await self._walk(self._session.ending())
        finally:
            await self._http.aclose()

    async def _walk(self, steps: Steps[T]) -> T:
        heard: Heard = None
        with closing(steps):
            while True:
                try:
                    step = steps.send(heard)
                except StopIteration as end:
                    ended: T = end.value
                    return ended
                heard = None
                if isinstance(step, Wait):
                    await self.wait(step.seconds)
                elif isinstance(step, Renew):
                    async with self._renewing:
                        await self._walk(step.session.renewal(step.used))
                else:
                    heard = await self._sent(step)

    async def _sent(self, step: Send) -> Heard:
        request = _request(self._http, step, self._timeouts.silence_seconds)
        try:
            response = await self._http.send(request, stream=step.call.is_stream)
            if response.status_code != 200:
                await response.aread()
        except httpx2.TransportError as error:
            return error
        return response
