"""Groups that grow together: union-find."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Generic, TypeVar

T = TypeVar("T", bound=Any)


class Groups(Generic[T]):
    """Groups of things that can be compared; a group is named by its least member."""

    def __init__(self) -> None:
        self._head: dict[T, T] = {}

    def enter(self, item: T) -> None:
        """Let a thing be a group of its own, unless it is in one."""
        self._head.setdefault(item, item)

    def join(self, one: T, other: T) -> T:
        """Make the groups of two things one, and return its name."""
        self.enter(one)
        self.enter(other)
        first, second = sorted((self[one], self[other]))
        self._head[second] = first
        return first

    def find(self, item: T) -> T | None:
        """Return the name of a thing's group, ``None`` if it is in none."""
        return self[item] if item in self._head else None

    def members(self) -> Collection[T]:
        """Return all things."""
        return self._head.keys()

    def __getitem__(self, item: T) -> T:
        head = self._head
        while head[item] != item:
            head[item] = head[head[item]]
            item = head[item]
        return item
