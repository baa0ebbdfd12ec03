"""§11.4, state of the hub: durable rows with a journal, so that a frame is one write or none."""

from __future__ import annotations

import os
import sqlite3
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Generic, TypeVar

from . import bundle as bn
from . import codec
from . import onetime as ot
from .suite import H

K = TypeVar("K")
V = TypeVar("V")
_ABSENT: Any = object()


class Table(Generic[K, V]):
    """A dict of immutable rows that remembers the old value of each row changed in a write."""

    def __init__(self) -> None:
        self.rows: dict[K, V] = {}
        self.old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        return self.rows.get(key)

    def put(self, key: K, row: V) -> None:
        self.old.setdefault(key, self.rows.get(key, _ABSENT))
        self.rows[key] = row

    def pop(self, key: K) -> V | None:
        if key not in self.rows:
            return None
        self.old.setdefault(key, self.rows[key])
        return self.rows.pop(key)

    def undo(self) -> None:
        for key, row in self.old.items():
            if row is _ABSENT:
                self.rows.pop(key, None)
            else:
                self.rows[key] = row
        self.old = {}

    def changes(self) -> Iterator[tuple[K, V | None]]:
        """(key, new row or None) of this write."""
        for key, row in self.old.items():
            now = self.rows.get(key)
            if now is not row and (now is not None or row is not _ABSENT):
                yield key, now


@dataclass(frozen=True)
class Entry:
    ik: bytes
    bundle: bn.Bundle | None = None


@dataclass(frozen=True)
class Mail:
    sender: str
    mid: bytes
    envelope: bytes
    time: int


class MailTable(Table[tuple[str, int], Mail]):
    """Mail by (name, mseq), with the mail of each name beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.boxes: dict[str, dict[int, Mail]] = {}

    def _follow(self, key: tuple[str, int]) -> None:
        name, mseq = key
        row = self.rows.get(key)
        if row is not None:
            self.boxes.setdefault(name, {})[mseq] = row
        else:
            self.boxes.get(name, {}).pop(mseq, None)

    def put(self, key: tuple[str, int], row: Mail) -> None:
        super().put(key, row)
        self._follow(key)

    def pop(self, key: tuple[str, int]) -> Mail | None:
        row = super().pop(key)
        self._follow(key)
        return row

    def undo(self) -> None:
        keys = list(self.old)
        super().undo()
        for key in keys:
            self._follow(key)

    def loaded(self) -> None:
        for key in sorted(self.rows):
            self._follow(key)


@dataclass(frozen=True)
class Reserved:
    key: ot.OneTime
    time: int


@dataclass(frozen=True)
class Dedupe:
    mseq: int
    acked: int | None = None


@dataclass
class Rows:
    directory: Table[str, Entry] = field(default_factory=Table)
    owner: Table[bytes, str] = field(default_factory=Table)
    pool: Table[tuple[str, int], tuple[ot.OneTime, ...]] = field(default_factory=Table)
    seen: Table[tuple[str, bytes], int] = field(default_factory=Table)
    accepted: Table[str, tuple[tuple[int, int], ...]] = field(default_factory=Table)  # (time, keys)
    reserved: Table[tuple[str, str, int], Reserved] = field(default_factory=Table)
    fresh: Table[tuple[str, str], tuple[int, ...]] = field(default_factory=Table)
    mail: MailTable = field(default_factory=MailTable)
    next: Table[str, int] = field(default_factory=Table)
    dedupe: Table[tuple[str, str, bytes], Dedupe] = field(default_factory=Table)

    def tables(self) -> list[tuple[str, Table[Any, Any]]]:
        return [(f.name, getattr(self, f.name)) for f in fields(self)]

    def digest(self) -> bytes:
        return H(
            repr([(name, sorted(t.rows.items(), key=repr)) for name, t in self.tables()]).encode()
        )

    def undo(self) -> None:
        for _, table in self.tables():
            table.undo()

    def changed(self) -> bool:
        return any(next(table.changes(), None) is not None for _, table in self.tables())

    def settle(self) -> None:
        for _, table in self.tables():
            table.old = {}


class HubDisk:
    """The rows and the secret of a hub in one SQLite file, one transaction for each write."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self.db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=FULL"):
            self.db.execute(f"PRAGMA {pragma}")
        self.db.execute(
            "CREATE TABLE IF NOT EXISTS rows (place TEXT, key BLOB, value BLOB,"
            " PRIMARY KEY (place, key)) WITHOUT ROWID"
        )
        hints = typing.get_type_hints(Rows)
        self.types: dict[str, Any] = {f.name: typing.get_args(hints[f.name]) for f in fields(Rows)}
        self.types["mail"] = (tuple[str, int], Mail)

    def secret(self, fresh: bytes) -> bytes:
        """The secret of this hub; `fresh` if it has none yet."""
        self.db.execute("INSERT OR IGNORE INTO rows VALUES ('secret', x'', ?)", (fresh,))
        row: bytes = self.db.execute("SELECT value FROM rows WHERE place = 'secret'").fetchone()[0]
        return row

    def load(self) -> Rows:
        rows = Rows()
        for place, key, value in self.db.execute(
            "SELECT place, key, value FROM rows WHERE place <> 'secret'"
        ):
            key_type, value_type = self.types[place]
            getattr(rows, place).rows[codec.load(key_type, key)] = codec.load(value_type, value)
        rows.mail.loaded()
        return rows

    @contextmanager
    def write(self) -> Iterator[None]:
        """Several frames may share one transaction: what fails, fails for all."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.db.execute("COMMIT")
        except BaseException:
            self.db.execute("ROLLBACK")
            raise

    def commit(self, rows: Rows) -> None:
        with self.write():
            for place, table in rows.tables():
                for key, row in table.changes():
                    if row is None:
                        self.db.execute(
                            "DELETE FROM rows WHERE place = ? AND key = ?", (place, codec.dump(key))
                        )
                    else:
                        self.db.execute(
                            "INSERT OR REPLACE INTO rows VALUES (?, ?, ?)",
                            (place, codec.dump(key), codec.dump(row)),
                        )

    def close(self) -> None:
        self.db.close()
