"""§12: what every agent keeps: clocks, maintenance, own keys, trust. No hub, no mail."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from . import bundle as bn
from . import identity as idn
from . import onetime as ot
from .disk import Disk
from .errors import MeshError
from .handshake import LiveBundle, LiveOneTime
from .identity import Identity, Peer
from .judging import clean_ids
from .session import Session
from .state import State
from .store import PeerKey, Pin, Self, Store
from .suite import Draws
from .transfer import IdentityState, PeerState, export_state

BUNDLE_ROTATION = 604_800
REPLAY_ROTATION, MAX_LIVE_BUNDLES = 32_768, 64
MAX_MADE_ONE_TIME, MAX_HELD_ONE_TIME = 200, 500
HOUR = 3_600
EVENT_INTERVAL = 3_600
JUMP_PATIENCE = 600
UNKNOWN, PINNED, VERIFIED = 0, 1, 2
TRUST_NAMES = {UNKNOWN: "unknown", PINNED: "pinned", VERIFIED: "verified"}


@dataclass(frozen=True)
class Policy:
    """accept and send: first-use, any, pinned or verified."""

    accept: str = "first-use"
    send: str = "first-use"
    max_age: int | None = None


@dataclass(frozen=True)
class Snapshot:
    identity: Identity
    store: Store


class Keeper:
    """Holds a store; each change is made on a copy and committed as a whole."""

    has_hub = False

    def __init__(
        self,
        identity: Identity,
        draws: Draws,
        now: int,
        suites: tuple[int, ...] = (1, 2),
        policy: Policy = Policy(),
        require_one_time: bool = False,
        disk: Disk | None = None,
    ) -> None:
        self.draws = draws
        self.now_ms = 1000 * now
        self.suites = suites
        self.policy = policy
        self.flags = bn.ONE_TIME_REQUIRED if require_one_time else 0
        self.disk = disk
        self.events: list[tuple[str, Any]] = []
        self._changed_at: dict[str, int] = {}
        stored = disk.load() if disk is not None else None
        if stored is None:
            stored = Store({"": Self(identity.name, identity.ik_secret, identity.dk_secret, now)})
            if disk is not None:
                disk.commit(None, stored)
        me = stored.self
        self.identity = Identity(me.name, me.ik_secret, me.dk_secret)
        self.store = stored

    @property
    def now(self) -> int:
        return self.now_ms // 1000

    def take_import(self, state: IdentityState) -> None:
        """AGENT-64, into an empty store."""
        s = self.store.copy()
        s.change(seq=state.seq, hub_ik=state.hub_ik, imported=self.now, drop=True)
        for p in state.peers:
            s.pins[p.name] = Pin(p.ik, p.trust, p.suite)
            if p.seq:
                s.seqs[p.name, p.ik] = bn.Known(p.seq, None)
        self.commit(s)

    def digest(self) -> bytes:
        return self.store.digest()

    # --- commits -------------------------------------------------------------------------------

    def begin(self) -> Store:
        """The beginning of a commit, on a copy: the clock, then maintenance."""
        s = self.store.copy()
        s.me[""] = s.self.at(self.now)
        self.bring_back(s)
        if self.may_erase():
            self.maintain(s)
        return s

    def bring_back(self, s: Store) -> None:
        """AGENT-1: no stored time of a delay lies after `now`."""
        for copy, row in list(s.outbox.items()):
            if row.ok is not None and row.ok > self.now:
                s.outbox[copy] = replace(row, ok=self.now)
        for peer, clock in list(s.probes.items()):
            if clock.last > self.now:
                s.probes[peer] = replace(clock, last=self.now)
        if s.self.imported is not None and s.self.imported > self.now:
            s.change(imported=self.now)
        if s.self.renewed > self.now:
            s.change(renewed=self.now)

    def commit(self, s: Store) -> None:
        if self.disk is not None:
            self.disk.commit(self.store, s)
        self.store = s

    def may_erase(self) -> bool:
        """AGENT-30; without a hub always."""
        return True

    def maintain(self, s: Store) -> None:
        kept, most = s.self.kept, s.stamp(self.now)
        for th, state in list(s.sessions.items()):
            x = Session(self.identity, state, self.draws)
            x.clamp(most)
            x.clean(kept)
            s.sessions[th] = x.state
            if x.expired(kept):
                del s.sessions[th]
        clean_ids(s, kept, most)
        for ref, b in list(s.bundles.items()):
            if kept > b.bundle.not_after + bn.PREKEY_GRACE:
                del s.bundles[ref]
        for th in [th for th, ref in s.replays.items() if ref not in s.bundles]:
            del s.replays[th]
        for ref, k in list(s.one_times.items()):
            if kept > k.key.not_after + bn.PREKEY_GRACE:
                del s.one_times[ref]
        for ref in [ref for ref, end in s.used.items() if kept > end + bn.PREKEY_GRACE]:
            del s.used[ref]

    def move_clock(self, now: int) -> None:
        """Moves the clock and does what became due by it."""
        self.now_ms = 1000 * now
        self.commit(self.begin())
        if self.bundle_due():
            self.publish()

    # --- own keys ------------------------------------------------------------------------------

    def newest_bundle(self) -> LiveBundle:
        return list(self.store.bundles.values())[-1]

    def bundle_due(self) -> bool:
        """BUNDLE-2, HANDSHAKE-36. While `jump` is set, `now` has to stay there for a while."""
        s = self.store
        if not s.bundles:
            return True
        newest, me = self.newest_bundle(), s.self
        if me.kept - newest.made >= BUNDLE_ROTATION:
            return True
        if me.jump is None or self.now - me.jump >= JUMP_PATIENCE:
            b = newest.bundle
            if (
                self.now - newest.made >= BUNDLE_ROTATION
                or not b.not_before <= self.now <= b.not_after
            ):
                return True
        return (
            len(s.bundles) < MAX_LIVE_BUNDLES
            and self.now - newest.made >= HOUR
            and list(s.replays.values()).count(newest.bundle.ref) >= REPLAY_ROTATION
        )

    def publish(self, lifetime: int = bn.MAX_BUNDLE_LIFETIME) -> bytes:
        """Makes and commits a new bundle (BUNDLE-1)."""
        s = self.begin()
        s.change(seq=bn.next_seq(s.self.seq, self.now))
        raw, secrets = bn.create(
            self.identity, self.draws, s.self.seq, self.now, list(self.suites), self.flags, lifetime
        )
        b = bn.read_bundle(raw)
        s.bundles[b.ref] = LiveBundle(b, tuple(secrets), self.identity.dk_secret, self.now)
        self.commit(s)
        return raw

    def room_for_one_times(self, s: Store, suite: int) -> int:
        """BUNDLE-6."""
        made = sum(n for t, n in s.made.values() if 0 <= self.now - t < HOUR)
        held = sum(k.key.suite == suite for k in s.one_times.values())
        return max(0, min(MAX_MADE_ONE_TIME - made, MAX_HELD_ONE_TIME - held))

    def make_one_times(self, suite: int, count: int) -> list[ot.OneTime]:
        """Makes and commits at most `count` one-time keys."""
        s = self.begin()
        keys = []
        for _ in range(min(count, self.room_for_one_times(s, suite))):
            raw, secret = ot.create(self.identity, self.draws, suite, self.now)
            key = ot.read(raw)
            s.one_times[key.ref] = LiveOneTime(key, secret)
            keys.append(key)
        for number in [i for i, (t, _) in s.made.items() if self.now - t >= HOUR]:
            del s.made[number]
        s.made[s.count()] = (self.now, len(keys))
        self.commit(s)
        return keys

    def make_one_time(self, suite: int) -> ot.OneTime:
        return self.make_one_times(suite, 1)[0]

    def export(self, key: bytes | None = None, passphrase: str | None = None) -> bytes:
        s = self.store
        peers = []
        for name, pin in s.pins.items():
            known = s.seqs.get((name, pin.ik))
            peers.append(PeerState(name, pin.ik, pin.trust, pin.suite, known.seq if known else 0))
        state = IdentityState(self.identity, s.self.seq, s.self.hub_ik, tuple(peers))
        return export_state(state, self.draws, key, passphrase)

    # --- trust ---------------------------------------------------------------------------------

    def trust(self, peer: Peer) -> int:
        pin = self.store.pinned((peer.name, peer.ik))
        return pin.trust if pin is not None else UNKNOWN

    def allowed(self, policy: str, trust: int, as_sender: bool) -> bool:
        """§12.4 Trust: unknown names pass with `any`; with `first-use` to send, or with a hub."""
        if policy == "verified":
            return trust == VERIFIED
        return (
            policy == "any"
            or trust != UNKNOWN
            or (policy == "first-use" and (as_sender or self.has_hub))
        )

    def verify(self, address: str) -> int:
        name, fingerprint = idn.read_address(address)
        pin = self.store.pins.get(name)
        if pin is None or fingerprint is None or fingerprint != idn.fingerprint(pin.ik):
            raise MeshError("identity/fingerprint")
        s = self.begin()
        s.pins[name] = replace(pin, trust=VERIFIED)
        self.commit(s)
        return VERIFIED

    def forget(self, name: str) -> bool:
        """IDENTITY-14: sessions and what was to be sent go; ids, floor and seq stay."""
        s = self.begin()
        pin = s.pins.pop(name, None)
        if pin is None:
            return False
        key: PeerKey = (name, pin.ik)
        s.cards.pop(name, None)
        for table in (s.met, s.due, s.probes, s.flights):
            table.pop(key, None)
        for th in [th for th, x in s.sessions.items() if (x.peer.name, x.peer.ik) == key]:
            del s.sessions[th]
        lost = [i for k, i in s.outbox if k == key] + [
            q.id for q in s.queue.values() if q.name == name
        ]
        s.outbox = {k: v for k, v in s.outbox.items() if k[0] != key}
        s.queue = {n: q for n, q in s.queue.items() if q.name != name}
        self.commit(s)
        self.events += [("agent/undelivered", (name, i)) for i in lost]
        return True

    def raise_changed(self, peer: Peer) -> None:
        """IDENTITY-11: at most one event for each name and hour."""
        last = self._changed_at.get(peer.name)
        if last is None or not 0 <= self.now - last < EVENT_INTERVAL:
            self._changed_at[peer.name] = self.now
            self.events.append(("identity/changed", peer))

    # --- bundles of peers ----------------------------------------------------------------------

    def accept_bundle(self, raw: bytes, name: str | None, fingerprint: str | None) -> bn.Bundle:
        s = self.store
        b = bn.read_bundle(raw)
        pin = s.pins.get(b.name)
        try:
            return bn.accept(
                raw,
                self.now,
                name,
                fingerprint,
                pin.ik if pin else None,
                s.seqs.get((b.name, b.ik)),
            )
        except MeshError as e:
            if e.code == "identity/changed":
                self.raise_changed(Peer(b.name, b.ik))
            raise

    @staticmethod
    def keep_lie(s: Store, b: bn.Bundle) -> None:
        """BUNDLE-23: two bundles with one seq prove a fault of their signer."""
        s.evidence[b.ref] = (s.cards.get(b.name, b""), b.raw)

    @staticmethod
    def remember(s: Store, b: bn.Bundle, suite: int, verified: bool) -> None:
        """BUNDLE-24: what changes in one commit with the use of a bundle."""
        pin = s.pins.get(b.name, Pin(b.ik, PINNED))
        s.pins[b.name] = Pin(b.ik, VERIFIED if verified else pin.trust, max(pin.suite, suite))
        s.seqs[b.name, b.ik] = bn.Known(b.seq, b.ref)

    def session(self, state: State) -> Session:
        return Session(self.identity, state, self.draws)
