"""The running app on the network: loopback only, and access control over HTTP and WebSockets."""

import asyncio
import http.client
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

pytest.importorskip("nicegui")
import websockets

from tests.app.ui.running_app import RunningApp, environment, running_app

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    with running_app(tmp_path_factory.mktemp("app")) as running:
        yield running


def port_of(app: RunningApp) -> int:
    return int(app.origin.rpartition(":")[2])


def get(app: RunningApp, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a GET request; the path is sent unchanged."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(app), timeout=30)
    connection.putrequest("GET", path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


@pytest.fixture(scope="module")
def cookie(app: RunningApp) -> str:
    status, headers, _ = get(app, app.address.removeprefix(app.origin), {})
    assert status == 200
    return headers["set-cookie"].partition(";")[0]


def handshake(app: RunningApp, headers: dict[str, str], origin: str | None) -> int:
    """Status of a WebSocket handshake with NiceGUI's endpoint; 101 if it succeeds."""

    async def connect() -> int:
        address = f"ws://127.0.0.1:{port_of(app)}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
        try:
            options = {"additional_headers": headers, "open_timeout": 30, "proxy": None}
            async with websockets.connect(address, origin=origin, **options):  # type: ignore[arg-type]
                return 101
        except websockets.InvalidStatus as error:
            return error.response.status_code

    return asyncio.run(connect())


def test_the_page_is_served_only_with_the_cookie(app: RunningApp, cookie: str) -> None:
    status, headers, body = get(app, "/", {"Cookie": cookie})
    assert status == 200
    assert b"howard" in body
    assert headers["x-frame-options"] == "SAMEORIGIN"
    for given in ({}, {"Cookie": cookie + "x"}):
        assert get(app, "/", given)[0] == 403
    assert get(app, "/?token=wrong", {})[0] == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example"},
        {"Host": "evil.example:80"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/_nicegui_ws/socket.io/?EIO=4&transport=polling", "/howard/picture_store.js"])
def test_other_origins_and_hosts_are_refused(app: RunningApp, cookie: str, headers: dict[str, str], path: str) -> None:
    assert get(app, path, {"Cookie": cookie})[0] == 200
    assert get(app, path, {"Cookie": cookie, **headers})[0] == 403


def test_websockets_are_checked_like_http_requests(app: RunningApp, cookie: str) -> None:
    assert handshake(app, {"Cookie": cookie}, app.origin) == 101
    assert handshake(app, {"Cookie": cookie}, "http://evil.example") == 403
    assert handshake(app, {"Cookie": cookie}, None) == 403
    assert handshake(app, {}, app.origin) == 403


@pytest.mark.parametrize(
    "path",
    [
        "/howard/../page.py",
        "/howard/..%2Fpage.py",
        "/howard/%2e%2e/page.py",
        "/howard/%2Fetc%2Fpasswd",
        "/howard//etc/passwd",
        "/report/../../etc/passwd",
        "/report/..%2F..%2Ftest.howard.json",
        "/picture/..%2F..%2Fetc%2Fpasswd",
        "/thumbnail/..%2F..%2Fetc/1",
        "/docs",
        "/docs/conf.py",
        "/docs/..%2FREADME.md",
        "/docs/%2e%2e/README.md",
        "/docs/images/..%2Fconf.py",
        "/docs/images/..%2F..%2Fpyproject.toml",
        "/openapi.json",
        "//etc/passwd",
        "/../../../etc/passwd",
    ],
)
def test_no_file_is_served_by_path(app: RunningApp, cookie: str, path: str) -> None:
    status, _, body = get(app, path, {"Cookie": cookie})
    assert b"root:" not in body
    assert b"build_page" not in body
    assert b"howard_project" not in body
    assert b"build-backend" not in body
    assert b"Howard removes" not in body
    assert status in (400, 404)


def test_other_network_interfaces_are_not_served(app: RunningApp) -> None:
    addresses = {each[4][0] for each in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    outside = [each for each in addresses if not each.startswith("127.")]
    if not outside:
        pytest.skip("this machine has only the loopback interface")
    with pytest.raises(OSError, match=r"refused|unreachable"):
        socket.create_connection((outside[0], port_of(app)), timeout=5)


def test_a_port_in_use_is_an_error_of_one_line(app: RunningApp) -> None:
    command = [sys.executable, "-m", "howard.app", f"port={port_of(app)}", "browser=false", "project=other.howard.json"]
    given = environment(app.folder)
    done = subprocess.run(command, env=given, cwd=app.folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: port={port_of(app)} cannot be used")
    assert done.stderr.count("\n") == 1
