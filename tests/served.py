"""A served index in a process of its own, for tests and benchmarks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SERVE = """
import sys
from sahel_dedup.index import StoryIndex
from sahel_dedup.serve import protocol
from sahel_dedup.serve.server import Limits, listen, serve
protocol.HEAD_SECONDS = float(sys.argv[2])
limits = Limits(body_bytes=1 << 20, body_seconds=float(sys.argv[3]))
with listen("127.0.0.1", 0) as taken, StoryIndex.open(sys.argv[1]) as index:
    serve(index, taken, limits=limits, on_ready=lambda url: sys.stderr.write(f"served on {url} "))
"""


@dataclass
class Served:
    """A running server."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def end(self, how: signal.Signals) -> int:
        """Send a signal and wait for the end; return the exit status."""
        self.process.send_signal(how)
        return self.process.wait(60)


@contextmanager
def serving(path: Path, *options: str, token: str | None = None) -> Iterator[Served]:
    """Run ``sahel-dedup serve``."""
    command = [sys.executable, "-m", "sahel_dedup", "serve", "--index", str(path), "--port", "0"]
    with _running([*command, *options], path, token) as served:
        yield served


@contextmanager
def impatient(path: Path, head_seconds: float, body_seconds: float) -> Iterator[Served]:
    """Run a server with given limits for the head and the body of a request."""
    command = [sys.executable, "-c", SERVE, str(path), str(head_seconds), str(body_seconds)]
    with _running(command, path, None) as served:
        yield served


@contextmanager
def _running(command: list[str], path: Path, token: str | None) -> Iterator[Served]:
    told = path.with_suffix(".log")
    variables = {**os.environ, "PYTHONUNBUFFERED": "1", "SAHEL_DEDUP_TOKEN": token or ""}
    with told.open("wb") as log, subprocess.Popen(command, stderr=log, env=variables) as process:
        try:
            deadline = time.monotonic() + 240
            while "served on " not in (text := told.read_text()):
                assert process.poll() is None, text
                assert time.monotonic() < deadline, text
                time.sleep(0.05)
            yield Served(text.partition("served on ")[2].split()[0], process)
        finally:
            if process.poll() is None:
                process.kill()
