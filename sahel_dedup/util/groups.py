"""Groups that are merged: union-find."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Generic, TypeVar

T = TypeVar("T", bound=Any)


class Groups(Generic[T]):
    """Groups of sortable items; a group is named after its least member."""

    def __init__(self) -> None:
        self._head: dict[T, T] = {}

    def enter(self, item: T) -> None:
        """Make an item a group of its own, unless it is already in a group."""
        self._head.setdefault(item, item)

    def join(self, one: T, other: T) -> T:
        """Merge the groups of two items, and return the name of the result."""
        self.enter(one)
        self.enter(other)
        first, second = sorted((self[one], self[other]))
        self._head[second] = first
        return first

    def find(self, item: T) -> T | None:
        """Return the name of an item's group, or ``None`` if it is in none."""
        return self[item] if item in self._head else None

    def members(self) -> Collection[T]:
        """Return all items."""
        return self._head.keys()

    def __getitem__(self, item: T) -> T:
        head = self._head
        while head[item] != item:
            head[item] = head[head[item]]
            item = head[item]
        return item
