"""Access control: only pages served by the app itself, opened with the token in its address, may use the app.

Other web pages in the same browser can send requests to 127.0.0.1, directly or through a host name that resolves to it
(DNS rebinding), and browsers allow any page to open a WebSocket. Therefore the Host, the Origin and a cookie of every
HTTP request and every WebSocket handshake are checked first.
"""

import hmac
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

TOKEN_PARAMETER = "token"
# Random bytes in token and cookie; 16 would suffice against guessing.
_TOKEN_BYTES = 24
# "Policy violation", RFC 6455 section 7.4.1.
_POLICY_VIOLATION = 1008
# Makes the browser load the page again as a same-site request: after an HTTP redirect of a request that another site
# started, the browser would not send the SameSite=Strict cookie.
_RELOAD_PAGE = b'<!doctype html><meta http-equiv="refresh" content="0;url=/"><title>Howard</title>'
_RESPONSE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Guard:
    """ASGI middleware around the whole app, for HTTP and WebSockets.

    The token in the first request's address (``/?token=...``) is exchanged for a cookie that is not sent with requests
    from other sites (``SameSite=Strict``) and cannot be read by scripts (``HttpOnly``).
    """

    def __init__(self, app: Application, port: int, token: str | None = None) -> None:
        """``app`` is served on ``port`` of the loopback interface; ``token`` is random if left out."""
        self.app = app
        self.token = token or secrets.token_urlsafe(_TOKEN_BYTES)
        self._session = secrets.token_urlsafe(_TOKEN_BYTES)
        # Cookies do not distinguish the ports of a host, so the name contains the port.
        self._cookie = f"howard_{port}"
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward the request to the app, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = _headers(scope)
        problem = self._find_problem(scope, headers)
        if problem is None and self._has_token(scope):
            await self._send_cookie(send)
        elif problem is None and self._has_cookie(headers):
            await self.app(scope, receive, _with_headers(send) if scope["type"] == "http" else send)
        else:
            await _refuse(scope, send, problem or "open the app with the address that it printed when it started")

    def _find_problem(self, scope: Scope, headers: dict[str, str]) -> str | None:
        """Why the request cannot come from a page of the app; None if it can."""
        if headers.get("host") not in self._hosts:
            return "unknown Host"
        origin = headers.get("origin")
        # Browsers send an Origin with every WebSocket handshake, but not with top-level navigation.
        if origin not in self._origins and (origin is not None or scope["type"] == "websocket"):
            return "another Origin"
        return None

    def _has_token(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] != "/":
            return False
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        given = query.get(TOKEN_PARAMETER, [""])[0]
        return hmac.compare_digest(given.encode(), self.token.encode())

    def _has_cookie(self, headers: dict[str, str]) -> bool:
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return False
        return morsel is not None and hmac.compare_digest(morsel.value.encode(), self._session.encode())

    async def _send_cookie(self, send: Send) -> None:
        cookie = f"{self._cookie}={self._session}; Path=/; HttpOnly; SameSite=Strict"
        headers = [(b"set-cookie", cookie.encode()), (b"content-type", b"text/html"), (b"cache-control", b"no-store")]
        await _respond(send, 200, [*headers, *_RESPONSE_HEADERS], _RELOAD_PAGE)


def _headers(scope: Scope) -> dict[str, str]:
    """The request's headers; values of repeated headers are joined, so that they match nothing."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        separator = "; " if key == "cookie" else ", "
        headers[key] = f"{headers[key]}{separator}{text}" if key in headers else text
    return headers


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *_RESPONSE_HEADERS]}
        await send(message)

    return send_with_headers


async def _refuse(scope: Scope, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        # Closing before accepting makes the server answer the handshake with 403.
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
    else:
        await _respond(send, 403, [(b"content-type", b"text/plain")], f"refused: {reason}\n".encode())


async def _respond(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
