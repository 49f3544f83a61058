"""The app's server: on the loopback interface alone, behind the guard."""

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
from howard.app.ui.guard import TOKEN_PARAMETER, Guard
from howard.app.ui.page import build_page
from howard.app.ui.painter import Painter
from howard.app.ui.rendering import Renders
from howard.app.ui.routes import add_routes
from howard.app.ui.workspace import Workspace
from howard.errors import OutputError

_LOOPBACK = "127.0.0.1"
# Seconds for which a tab that lost its connection finds its page again.
_RECONNECT_TIMEOUT = 30.0


class _WithoutDisconnections(logging.Filter):
    """Leaves out the traceback that Starlette's middleware logs where a tab was closed before its answer came."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not (isinstance(error, RuntimeError) and str(error) == "No response returned.")


def serve(project: Project, port: int | None = None, opens_browser: bool = True) -> None:
    """Serve the app until Ctrl-C; prints its address.

    ``port`` is a free one if left out. Raises OutputError where the port is taken.
    """
    listener = _listen(port)
    taken = listener.getsockname()[1]
    with as_file(files("howard.app.ui") / "web") as scripts:
        pages.add_static_files("/howard", scripts, max_cache_age=0)
        guard = Guard(make_app(project), taken)
        address = f"http://{_LOOPBACK}:{taken}/?{TOKEN_PARAMETER}={guard.token}"
        print(texts.STARTED.format(address=address), flush=True)
        if opens_browser:
            webbrowser.open(address)
        config = uvicorn.Config(guard, log_level="warning", access_log=False, ws_max_size=1 << 22, lifespan="on")
        logging.getLogger("uvicorn.error").addFilter(_WithoutDisconnections())
        uvicorn.Server(config).run([listener])


def make_app(project: Project) -> FastAPI:
    """The app without its guard; one a process, since NiceGUI has its state in its module."""
    workspace = Workspace(project)
    renders, painter = Renders(workspace), Painter(workspace)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await workspace.start()
        follower = asyncio.create_task(renders.follow())
        yield
        follower.cancel()
        with suppress(asyncio.CancelledError):
            await follower
        workspace.stop()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    add_routes(app, workspace.pictures.image, workspace.thumbnail, renders.report)

    @ui.page("/", title=texts.TITLE, dark=True)
    def page() -> None:
        build_page(workspace, renders, painter)

    ui.run_with(
        app, language=texts.LANGUAGE, tailwind=False, show_welcome_message=False, reconnect_timeout=_RECONNECT_TIMEOUT
    )
    return app


def _listen(port: int | None) -> socket.socket:
    listener = socket.socket()
    if os.name == "posix":
        # A port whose connections were closed a minute ago is free; elsewhere the option would share ports in use.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_LOOPBACK, port or 0))
        # Whoever connects before the server has begun is served then.
        listener.listen()
    except OSError as error:
        listener.close()
        raise OutputError(f"port={port} cannot be used ({error.strerror}); leave it out for a free one") from error
    return listener
