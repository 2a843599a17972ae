"""Crafted files of an index, which are changed and sealed again to hide it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]

from sahel_dedup.index.file_header import header_value
from sahel_dedup.index.seals import HeaderSealer, Sealer, added
from sahel_dedup.index.sqlite_file import TABLES


def change(path: Path, sql: str, values: tuple[Any, ...] = ()) -> None:
    """Change a closed file, as damage does."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        if values:
            connection.execute(sql, values)
        else:
            connection.executescript(sql)


def forge(path: Path, sql: str, values: tuple[Any, ...] = ()) -> None:
    """Change a closed file and seal all its rows again."""
    change(path, sql, values)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        header = dict(connection.execute("SELECT name, value FROM header").fetchall())
        identity = bytes.fromhex(json.loads(header["made"])["identity"])
        sums = {}
        for table, (key, _) in TABLES.items():
            sealer, sums[table] = Sealer(identity, table), 0
            for row in connection.execute(f"SELECT * FROM {table}").fetchall():
                seal = sealer.seal((row[0], *row[2:]))
                sums[table] = added(sums[table], seal)
                set_seal = f"UPDATE {table} SET seal = ? WHERE {key} = ?"
                connection.execute(set_seal, (seal, row[0]))
        state = msgpack.unpackb(header["state"]) | {"sums": sums}
        forge_header(path, "state", msgpack.packb(state))


def forge_header(path: Path, name: str, value: str | bytes) -> None:
    """Put a value into the header and seal it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        ((made,),) = connection.execute("SELECT value FROM header WHERE name = 'made'")
        identity = b"" if name == "made" else bytes.fromhex(json.loads(made)["identity"])
        row = name, HeaderSealer(identity).seal((name, value)), value
        connection.execute("INSERT OR REPLACE INTO header VALUES (?, ?, ?)", row)


def header_of(path: Path, name: str) -> dict[str, Any]:
    """Return a value of the header."""
    with closing(sqlite3.connect(path)) as connection:
        ((value,),) = connection.execute("SELECT value FROM header WHERE name = ?", (name,))
    return dict(header_value(value))
