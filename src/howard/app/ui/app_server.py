"""The app's web server: on the loopback interface only, behind the access control of `guard`."""

import asyncio
import logging
import os
import socket
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.resources import as_file, files

import uvicorn
from fastapi import FastAPI
from nicegui import app as pages
from nicegui import ui

from howard.app.core.project import Project
from howard.app.ui import texts
from howard.app.ui.doc_pages import add_doc_pages
from howard.app.ui.guard import TOKEN_PARAMETER, Guard
from howard.app.ui.page import build_page
from howard.app.ui.painter import Painter
from howard.app.ui.render_monitor import RenderMonitor
from howard.app.ui.routes import add_routes
from howard.app.ui.workspace import Workspace
from howard.errors import OutputError

_LOOPBACK = "127.0.0.1"
# Seconds within which a tab that lost its connection can reconnect to its page.
_RECONNECT_TIMEOUT = 30.0


class _DisconnectFilter(logging.Filter):
    """Drops the traceback that Starlette's middleware logs if a tab is closed before its response was sent."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not (isinstance(error, RuntimeError) and str(error) == "No response returned.")


def serve(project: Project, port: int | None = None, opens_browser: bool = True) -> None:
    """Print the app's address and serve it until Ctrl-C.

    A free port is chosen if ``port`` is left out. Raises OutputError if the port is in use.
    """
    listener = _listen(port)
    actual_port = listener.getsockname()[1]
    with as_file(files("howard.app.ui") / "web") as scripts:
        pages.add_static_files("/howard", scripts, max_cache_age=0)
        guard = Guard(make_app(project), actual_port)
        address = f"http://{_LOOPBACK}:{actual_port}/?{TOKEN_PARAMETER}={guard.token}"
        print(texts.STARTED.format(address=address), flush=True)
        if opens_browser:
            webbrowser.open(address)
        config = uvicorn.Config(guard, log_level="warning", access_log=False, ws_max_size=1 << 22, lifespan="on")
        logging.getLogger("uvicorn.error").addFilter(_DisconnectFilter())
        uvicorn.Server(config).run([listener])


def make_app(project: Project) -> FastAPI:
    """The app without access control; only one per process, because NiceGUI keeps module-level state."""
    workspace = Workspace(project)
    monitor, painter = RenderMonitor(workspace), Painter(workspace)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await workspace.start()
        polling = asyncio.create_task(monitor.run())
        yield
        polling.cancel()
        with suppress(asyncio.CancelledError):
            await polling
        workspace.stop()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    add_routes(app, workspace.pictures.image, workspace.thumbnail, monitor.report)

    @ui.page("/", title=texts.TITLE, dark=True)
    def page() -> None:
        build_page(workspace, monitor, painter)

    add_doc_pages()
    ui.run_with(
        app, language=texts.LANGUAGE, tailwind=False, show_welcome_message=False, reconnect_timeout=_RECONNECT_TIMEOUT
    )
    return app


def _listen(port: int | None) -> socket.socket:
    listener = socket.socket()
    if os.name == "posix":
        # Allows a port with connections in TIME_WAIT. On Windows the option would allow a port that is in use.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_LOOPBACK, port or 0))
        # Connections made before the server starts wait in the backlog.
        listener.listen()
    except OSError as error:
        listener.close()
        raise OutputError(f"port={port} cannot be used ({error.strerror}); leave it out for a free one") from error
    return listener
