"""Who may talk to the app: only pages that it served itself, to whoever has its address with the token.

Other web pages in the same browser can send requests to 127.0.0.1, directly or through a name that they make resolve
to it (DNS rebinding), and browsers let any page open a websocket. Hence every HTTP request and every websocket is
checked for its Host, its Origin and a cookie, before anything else sees it.
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
# Bytes of randomness in token and cookie; 16 are beyond guessing.
_TOKEN_BYTES = 24
# "Policy violation", RFC 6455 section 7.4.1.
_POLICY_VIOLATION = 1008
# The browser then asks for the page anew, as a request of the app's own: a redirect of a request that another page
# started would come without the SameSite=Strict cookie.
_ENTRANCE = b'<!doctype html><meta http-equiv="refresh" content="0;url=/"><title>Howard</title>'
_RESPONSE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Guard:
    """ASGI middleware around the whole app, for HTTP and websockets.

    The first load has the token in its address (``/?token=...``); it is exchanged for a cookie that pages of other
    sites cannot send (``SameSite=Strict``) and scripts cannot read (``HttpOnly``).
    """

    def __init__(self, app: Application, port: int, token: str | None = None) -> None:
        """``app`` is served on ``port`` of the loopback interface; ``token`` is made up if left out."""
        self.app = app
        self.token = token or secrets.token_urlsafe(_TOKEN_BYTES)
        self._session = secrets.token_urlsafe(_TOKEN_BYTES)
        # Cookies are shared by all ports of a host.
        self._cookie = f"howard_{port}"
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = _headers(scope)
        problem = self._foreign(scope, headers)
        if problem is None and self._brings_token(scope):
            await self._enter(send)
        elif problem is None and self._has_cookie(headers):
            await self.app(scope, receive, _with_headers(send) if scope["type"] == "http" else send)
        else:
            await _refuse(scope, send, problem or "open the app with the address that it printed when it started")

    def _foreign(self, scope: Scope, headers: dict[str, str]) -> str | None:
        """What shows that the request was not made by a page of the app; None if nothing does."""
        if headers.get("host") not in self._hosts:
            return "unknown Host"
        origin = headers.get("origin")
        # Browsers name the origin of every websocket, but not that of a page that is opened.
        if origin not in self._origins and (origin is not None or scope["type"] == "websocket"):
            return "another Origin"
        return None

    def _brings_token(self, scope: Scope) -> bool:
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

    async def _enter(self, send: Send) -> None:
        cookie = f"{self._cookie}={self._session}; Path=/; HttpOnly; SameSite=Strict"
        headers = [(b"set-cookie", cookie.encode()), (b"content-type", b"text/html"), (b"cache-control", b"no-store")]
        await _respond(send, 200, [*headers, *_RESPONSE_HEADERS], _ENTRANCE)


def _headers(scope: Scope) -> dict[str, str]:
    """The request's headers; of one that is given twice, both values, which then match nothing."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        separator = "; " if key == "cookie" else ", "
        found[key] = f"{found[key]}{separator}{text}" if key in found else text
    return found


def _with_headers(send: Send) -> Send:
    async def send_more(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *_RESPONSE_HEADERS]}
        await send(message)

    return send_more


async def _refuse(scope: Scope, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        # Before the handshake is accepted, the server answers it with 403.
        await send({"type": "websocket.close", "code": _POLICY_VIOLATION})
    else:
        await _respond(send, 403, [(b"content-type", b"text/plain")], f"refused: {reason}\n".encode())


async def _respond(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
