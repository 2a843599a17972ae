"""Objects that hold a file or a connection, and therefore cannot be copied."""

from __future__ import annotations

from typing import NoReturn


class NotCopied:
    """Refuses to be copied and pickled, and says what to do instead.

    A copy would share the file or the connection: closing one would close the other.
    """

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} cannot be copied or pickled: open or connect it again where "
            "it is needed"
        )
