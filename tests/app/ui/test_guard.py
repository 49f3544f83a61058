"""Access control: only requests of the app's own pages are forwarded, over HTTP and WebSockets."""

import asyncio
from collections.abc import MutableMapping
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from howard.app.ui.guard import Guard

PORT = 8123
TOKEN = "the-token-of-this-test"
HOST = f"127.0.0.1:{PORT}"
ORIGIN = f"http://{HOST}"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Replaces the app behind the guard; accepts all requests."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
    elif scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"secret"})
    else:
        await send({"type": "lifespan.startup.complete"})


def request(guard: Guard, kind: str, headers: dict[str, str], path: str = "/", query: str = "") -> Answer:
    """The response of the guard; the status of a WebSocket handshake is 101 or 403."""
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request"}

    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "method": "GET", "path": path, "query_string": query.encode(), "headers": pairs}
    asyncio.run(guard(scope, receive, send))
    if kind == "websocket":
        return Answer(101 if sent[0]["type"] == "websocket.accept" else 403, {}, b"")
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], answered, sent[1]["body"])


@pytest.fixture
def guard() -> Guard:
    return Guard(application, PORT, TOKEN)


@pytest.fixture
def cookie(guard: Guard) -> str:
    answer = request(guard, "http", {"host": HOST}, query=f"token={TOKEN}")
    assert answer.status == 200
    return answer.headers["set-cookie"].partition(";")[0]


def test_the_token_is_exchanged_for_a_strict_cookie(guard: Guard) -> None:
    answer = request(guard, "http", {"host": HOST}, query=f"token={TOKEN}")
    assert "SameSite=Strict" in answer.headers["set-cookie"]
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert TOKEN not in answer.headers["set-cookie"]
    assert TOKEN.encode() not in answer.body
    assert b"secret" not in answer.body


@pytest.mark.parametrize("query", ["", "token=", "token=wrong", f"token={TOKEN[:-1]}", f"other={TOKEN}"])
def test_without_the_token_nothing_is_served(guard: Guard, query: str) -> None:
    answer = request(guard, "http", {"host": HOST}, query=query)
    assert answer.status == 403
    assert b"secret" not in answer.body
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_the_cookie_is_accepted_by_both_protocols(guard: Guard, cookie: str, kind: str) -> None:
    answer = request(guard, kind, {"host": HOST, "origin": ORIGIN, "cookie": f"other=1; {cookie}"}, path="/any")
    assert answer.status == {"http": 200, "websocket": 101}[kind]


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": f"https://{HOST}"},
        {"origin": f"http://127.0.0.1:{PORT + 1}"},
        {"origin": f"{ORIGIN}.evil.example"},
        {"host": "evil.example"},
        {"host": f"evil.example:{PORT}"},
        {"host": "127.0.0.1"},
        {"host": f"{HOST}, {HOST}"},
        {"cookie": ""},
        {"cookie": f"howard_{PORT}=wrong"},
        {"cookie": f"howard_{PORT}={TOKEN}"},
        {"cookie": f"howard_{PORT}"},
    ],
)
def test_foreign_requests_are_refused(guard: Guard, cookie: str, kind: str, changes: dict[str, str]) -> None:
    good = {"host": HOST, "origin": ORIGIN, "cookie": cookie}
    assert request(guard, kind, good).status in (200, 101)
    assert request(guard, kind, good | changes).status == 403


def test_the_token_is_refused_with_a_foreign_host_or_origin(guard: Guard) -> None:
    query = f"token={TOKEN}"
    assert request(guard, "http", {"host": "evil.example"}, query=query).status == 403
    assert request(guard, "http", {"host": HOST, "origin": "http://evil.example"}, query=query).status == 403


def test_a_websocket_needs_an_origin(guard: Guard, cookie: str) -> None:
    assert request(guard, "websocket", {"host": HOST, "cookie": cookie}).status == 403


def test_responses_forbid_framing_and_sniffing(guard: Guard, cookie: str) -> None:
    answer = request(guard, "http", {"host": HOST, "cookie": cookie})
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert answer.headers["x-content-type-options"] == "nosniff"


@given(cookie=st.text(st.characters(codec="latin-1"), max_size=60), kind=st.sampled_from(["http", "websocket"]))
def test_no_random_cookie_is_accepted(cookie: str, kind: str) -> None:
    guard = Guard(application, PORT, TOKEN)
    assert request(guard, kind, {"host": HOST, "origin": ORIGIN, "cookie": cookie}).status == 403
