"""Names and their numbers, which can be looked up in both directions."""

from __future__ import annotations

from collections.abc import Iterable


class NameTable(dict[str, int]):
    """Numbers by name, assigned from 0 in order of arrival.

    Parameters
    ----------
    names : iterable of str
        The first names, each once.

    Attributes
    ----------
    names : list of str
        The names by number.
    """

    def __init__(self, names: Iterable[str] = ()) -> None:
        super().__init__()
        self.names: list[str] = []
        for name in names:
            self[name] = len(self)

    def __setitem__(self, name: str, number: int) -> None:
        if number != len(self.names):
            raise ValueError(f"{name!r} must be number {len(self.names)}, not {number}")
        # Store the name first, so that every number that another thread sees has a name.
        self.names.append(name)
        super().__setitem__(name, number)

    def __reduce__(self) -> tuple[type[NameTable], tuple[list[str]]]:
        # A dict is filled before its attributes exist.
        return NameTable, (self.names,)

    def setdefault(self, name: str, number: int) -> int:
        """Return the number of a name; a new name gets the given number, which must be the next."""
        if name not in self:
            self[name] = number
        return self[name]
