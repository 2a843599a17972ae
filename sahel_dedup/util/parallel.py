"""Work in threads: NumPy, SciPy and compiled loops release the GIL in all the heavy parts."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Part = TypeVar("_Part")
_Result = TypeVar("_Result")


def ordered_map(
    work: Callable[[_Part], _Result], parts: Iterable[_Part], workers: int = 0
) -> Iterator[_Result]:
    """Work on parts in threads, with about two parts per worker at a time.

    Parameters
    ----------
    work : callable
        Called with each part.
    parts : iterable
        The parts, which are read as needed.
    workers : int
        Number of threads; 0 uses all processors.

    Yields
    ------
    object
        The results, in the order of the parts.
    """
    workers = workers or os.cpu_count() or 1
    if workers == 1:
        yield from map(work, parts)
        return
    pending: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for part in parts:
            pending.append(pool.submit(work, part))
            if len(pending) > 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def slices(size: int, step: int) -> Iterator[slice]:
    """Cut a sequence into slices of a given length."""
    return (slice(start, min(start + step, size)) for start in range(0, size, step))
