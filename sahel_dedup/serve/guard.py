"""Who may ask: a token, the name that the server was asked for, and pages of other sites.

A page of another site can make a browser send requests to this machine, also under a name of its
own that it points here (DNS rebinding). Hence a server on the loopback address answers to names of
the loopback alone, and nobody answers to a page of another origin.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from sahel_dedup.errors import SahelError
from sahel_dedup.serve.answers import failure

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# What tells nobody anything, so that whatever watches the server needs no token.
_OPEN = frozenset({"/health"})


class Guard:
    """Lets requests through that may ask.

    Parameters
    ----------
    app : ASGI application
    token : str or None
        What requests have to bear.
    hosts : iterable of str or None
        Names to answer to, ``None`` for any.
    """

    def __init__(self, app: ASGIApp, token: str | None, hosts: Iterable[str] | None) -> None:
        self._app = app
        self._token = None if token is None else token.encode()
        self._hosts = None if hosts is None else frozenset(name.lower() for name in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or have it answered."""
        if scope["type"] == "http" and (refusal := self._refuse(scope)) is not None:
            status, reason = refusal
            challenge = {"WWW-Authenticate": "Bearer"} if status == 401 else None
            await failure(SahelError(reason), status, headers=challenge)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refuse(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._hosts is not None and _name(host) not in self._hosts:
            return 421, f"Host: {host!r} is not a name of this server: see --allow-host"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return 403, f"Origin: pages of {origin!r} may not ask"
        if self._token is not None and scope["path"] not in _OPEN:
            kind, _, given = headers.get("authorization", "").partition(" ")
            if kind.lower() != "bearer" or not secrets.compare_digest(
                given.strip().encode("latin-1"), self._token
            ):
                return 401, "Authorization: a token is needed, as in 'Bearer TOKEN'"
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if scope["method"] == "POST" and kind != "application/json":
            # A form of a page needs no permission of the browser, JSON does.
            return 415, "Content-Type: only application/json is read"
        return None


def _name(host: str) -> str:
    """Return a host without its port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""
