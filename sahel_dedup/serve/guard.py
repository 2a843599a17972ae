"""Guard: checks the token, the host name and the origin of each request.

A page of another site can make a browser send requests to this machine, even under a host name of
its own that resolves to this machine (DNS rebinding). A server on the loopback address therefore
answers only to names of the loopback address, and no server answers pages of another origin.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from sahel_dedup.errors import RequestError
from sahel_dedup.serve.answers import failure

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# Paths that reveal nothing, so that monitoring needs no token.
_OPEN = frozenset({"/health"})


class Guard:
    """Lets allowed requests through.

    Parameters
    ----------
    app : ASGI application
    token : str or None
        The token that requests must have.
    hosts : iterable of str or None
        Host names to answer to; ``None`` for any.
    """

    def __init__(self, app: ASGIApp, token: str | None, hosts: Iterable[str] | None) -> None:
        self._app = app
        self._token = None if token is None else token.encode()
        self._hosts = None if hosts is None else frozenset(name.lower() for name in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on."""
        if scope["type"] == "http" and (refusal := self._refuse(scope)) is not None:
            status, reason = refusal
            challenge = {"WWW-Authenticate": "Bearer"} if status == 401 else None
            await failure(RequestError(reason), status, headers=challenge)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refuse(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._hosts is not None and _name(host) not in self._hosts:
            return 421, f"Host: {host!r} is not a name of this server: see --allow-host"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return 403, f"Origin: requests from pages of {origin!r} are refused"
        if self._token is not None and scope["path"] not in _OPEN:
            kind, _, given = headers.get("authorization", "").partition(" ")
            if kind.lower() != "bearer" or not secrets.compare_digest(
                given.strip().encode("latin-1"), self._token
            ):
                return 401, "Authorization: a token is needed, as in 'Bearer TOKEN'"
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if scope["method"] == "POST" and kind != "application/json":
            # A browser sends a form to another site without asking, but not JSON.
            return 415, "Content-Type: only application/json is read"
        return None


def _name(host: str) -> str:
    """Return a host name without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
