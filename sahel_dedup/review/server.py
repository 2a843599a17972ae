"""The server of a review, on the loopback address."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable

import uvicorn

from sahel_dedup.errors import SettingsError
from sahel_dedup.review.app import Review, make_app

_ADDRESS = "127.0.0.1"


def serve_review(review: Review, port: int, ready: Callable[[str], None]) -> None:
    """Serve a review until the process is interrupted.

    Parameters
    ----------
    review : Review
    port : int
        The port; 0 chooses a free one.
    ready : callable
        Called with the address of the page, which contains the token.

    Raises
    ------
    SettingsError
        If the port cannot be used.
    """
    token = secrets.token_urlsafe(24)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((_ADDRESS, port))
            # From here on, a browser that is faster than the server waits and is not refused.
            listening.listen()
        except OSError as error:
            raise SettingsError(f"--port: cannot use {port}: {error.strerror or error}") from error
        port = int(listening.getsockname()[1])
        hosts = frozenset({f"{_ADDRESS}:{port}", f"localhost:{port}"})
        config = uvicorn.Config(
            make_app(review, token, hosts), log_level="warning", access_log=False,
            server_header=False, lifespan="off",
        )  # fmt: skip
        ready(f"http://{_ADDRESS}:{port}/{token}/")
        uvicorn.Server(config).run(sockets=[listening])
