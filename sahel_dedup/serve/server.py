"""``sahel-dedup serve``: the process that serves an index."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from importlib import resources

import uvicorn
from starlette.applications import Starlette

from sahel_dedup.errors import IndexStateError, SettingsError
from sahel_dedup.index.story_index import StoryIndex
from sahel_dedup.serve.app import Service
from sahel_dedup.serve.guard import LOOPBACK, Guard
from sahel_dedup.serve.metrics import Metrics
from sahel_dedup.serve.protocol import PatientProtocol
from sahel_dedup.serve.requests import Bodies
from sahel_dedup.serve.writing import Writer

logger = logging.getLogger("sahel_dedup.serve")

# How many bodies of the largest size may arrive at the same time.
_BODIES = 8
_CONNECTIONS = 1024
# Seconds to finish requests that began before the server was stopped.
_GRACE = 20
_IDLE = 30


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of what clients may send to a server.

    Attributes
    ----------
    body_bytes : int
        Most bytes of the body of a request.
    body_seconds : float
        Most seconds that it may take to arrive.
    waiting : int
        Most articles that may wait to be added.
    """

    body_bytes: int = 16 << 20
    body_seconds: float = 30.0
    waiting: int = 4096


def listen(host: str, port: int) -> socket.socket:
    """Open a port.

    Raises
    ------
    SettingsError
        If it cannot be opened.
    """
    try:
        family, kind, proto, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        taken = socket.socket(family, kind, proto)
        try:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            taken.bind(address)
        except BaseException:
            taken.close()
            raise
    except (OSError, OverflowError) as error:
        raise SettingsError(f"cannot listen on {host!r}, port {port}: {error}") from error
    return taken


def serve(
    index: StoryIndex,
    taken: socket.socket,
    *,
    token: str | None = None,
    names: Iterable[str] = (),
    limits: Limits | None = None,
    on_ready: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serve an index until the process is stopped.

    Parameters
    ----------
    index : StoryIndex
        The index, which nothing else may use meanwhile.
    taken : socket
        The result of `listen`.
    token : str, optional
        The token that requests must have. Only a server on the loopback address may have none.
    names : iterable of str
        Further host names to which the server answers.
    limits : Limits, optional
    on_ready : callable
        Called with the address once requests are answered.

    Raises
    ------
    SettingsError
        If a token is required and missing.
    IndexStateError
        If the index has failed.
    """
    host, port = taken.getsockname()[:2]
    local = ipaddress.ip_address(host).is_loopback
    if token is None and not local:
        raise SettingsError(
            f"{host!r} needs a token, because others can connect to it: see --token-file"
        )
    # If others can reach the server under any name, the token protects it.
    known = LOOPBACK.union(names) if local or names else None
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    _compile()
    asyncio.run(_serve(index, taken, token, known, limits or Limits(), lambda: on_ready(url)))


def _compile() -> None:
    """Compile all loops, or load them from the cache, before any client waits for one."""
    with (resources.files("sahel_dedup") / "sample" / "wire.jsonl").open(encoding="utf-8") as lines:
        dated = [json.loads(line) for line in lines]
    undated = [{"id": f"{row['id']}, undated", "text": row["text"]} for row in dated]
    with StoryIndex() as index:
        for row in (*dated[:2], *undated[:2]):
            index.add(row)
        index.add_many(dated + undated)
        index.upsert({**dated[0], "text": dated[1]["text"]})
        index.query({**dated[2], "id": "asked"})
        index.remove(dated[3]["id"])
        index.compact()


async def _serve(
    index: StoryIndex,
    taken: socket.socket,
    token: str | None,
    names: Iterable[str] | None,
    limits: Limits,
    ready: Callable[[], None],
) -> None:
    metrics, failures = Metrics(), list[Exception]()

    def fail(error: Exception) -> None:
        failures.append(error)
        service.failed = server.should_exit = True

    writer = Writer(index, limits.waiting, metrics.batch, fail)
    bodies = Bodies(limits.body_bytes, limits.body_seconds, _BODIES * limits.body_bytes)
    service = Service(index, writer, bodies, metrics)
    app = service.application()

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await writer.close()

    app.router.lifespan_context = lifespan
    server = _Server(_config(Guard(app, token, names)), service, ready)
    await server.serve(sockets=[taken])
    if failures:
        raise IndexStateError(f"the index has failed: {failures[0]}") from failures[0]


class _Server(uvicorn.Server):
    """A server that ends streams before it waits for requests to end."""

    def __init__(self, config: uvicorn.Config, service: Service, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._service = service
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.stopping.set()
        await super().shutdown(sockets)


def _config(app: Guard) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=PatientProtocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_IDLE,
        timeout_graceful_shutdown=_GRACE,
    )
