"""§12.3, store and commits: the rows in one SQLite file, one transaction for each commit."""

from __future__ import annotations

import os
import sqlite3
import typing
from dataclasses import fields
from pathlib import Path
from typing import Any

from . import codec
from .errors import MeshError
from .store import Store


class Disk:
    """The file is locked while it is open (AGENT-3); deleted rows are overwritten (AGENT-6)."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self.db = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
        hints = typing.get_type_hints(Store)
        self.types: dict[str, Any] = {f.name: typing.get_args(hints[f.name]) for f in fields(Store)}
        try:
            for pragma in (
                "locking_mode=EXCLUSIVE",
                "journal_mode=TRUNCATE",
                "synchronous=FULL",
                "secure_delete=ON",
            ):
                self.db.execute(f"PRAGMA {pragma}")
            self.db.execute("BEGIN EXCLUSIVE")
            self.db.execute(
                "CREATE TABLE IF NOT EXISTS rows (place TEXT, key BLOB, value BLOB,"
                " PRIMARY KEY (place, key)) WITHOUT ROWID"
            )
            self.db.execute("COMMIT")
        except sqlite3.OperationalError as e:
            self.db.close()
            raise MeshError(
                "agent/store-locked" if "locked" in str(e) else "agent/store-corrupt", str(e)
            ) from e
        except sqlite3.DatabaseError as e:
            self.db.close()
            raise MeshError("agent/store-corrupt", str(e)) from e

    def load(self) -> Store | None:
        """None if nothing was ever committed."""
        store = Store({})
        try:
            for place, key, value in self.db.execute("SELECT place, key, value FROM rows"):
                key_type, value_type = self.types[place]
                getattr(store, place)[codec.load(key_type, key)] = codec.load(value_type, value)
        except (sqlite3.DatabaseError, MeshError, ValueError, TypeError, KeyError) as e:
            raise MeshError("agent/store-corrupt", str(e)) from e
        store.queue = dict(sorted(store.queue.items()))
        store.inbox = dict(sorted(store.inbox.items()))
        store.bundles = dict(sorted(store.bundles.items(), key=lambda b: b[1].bundle.seq))
        return store if store.me else None

    def commit(self, before: Store | None, after: Store) -> None:
        """AGENT-2: the rows that differ, all or none."""
        self.db.execute("BEGIN IMMEDIATE")
        try:
            for place in self.types:
                old = getattr(before, place) if before is not None else {}
                new = getattr(after, place)
                gone = [(place, codec.dump(k)) for k in old if k not in new]
                changed = [
                    (place, codec.dump(k), codec.dump(v))
                    for k, v in new.items()
                    if old.get(k) is not v
                ]
                if gone:
                    self.db.executemany("DELETE FROM rows WHERE place = ? AND key = ?", gone)
                if changed:
                    self.db.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", changed)
            self.db.execute("COMMIT")
        except BaseException:
            self.db.execute("ROLLBACK")
            raise

    def close(self) -> None:
        self.db.close()
