"""§10 session: the Double Ratchet, and which of several sessions is sent on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from . import envelope as env
from .bundle import SecretKey
from .encoding import C
from .errors import MeshError
from .identity import Identity, Peer
from .keyschedule import (
    Block,
    PublicKeys,
    Trace,
    block_hash,
    message_key,
    next_chain_key,
    note,
    recv_exchange,
    send_exchange,
    step,
)
from .state import (
    GLARE_WINDOW,
    INITIATOR,
    MAX_CHAIN,
    MAX_RETIRED,
    MAX_SKIPPED,
    RESPONDER,
    SENDING_LIFETIME,
    SKIPPED_LIFETIME,
    Own,
    SkippedKey,
    State,
)
from .suite import Draws, H


class Session:
    """One session at one end; `state` is replaced as a whole, or not at all."""

    def __init__(self, identity: Identity, state: State, draws: Draws) -> None:
        self.identity = identity
        self.state = state
        self.draws = draws

    @classmethod
    def initiator(
        cls,
        identity: Identity,
        peer: Peer,
        suite: int,
        th: bytes,
        rk0: bytes,
        init: Sequence[Any],
        peer_block: PublicKeys,
        draws: Draws,
        now: int,
    ) -> Session:
        return cls(
            identity,
            State(th, suite, INITIATOR, peer, tuple(init), rk0, None, peer_block, now),
            draws,
        )

    @classmethod
    def responder(
        cls,
        identity: Identity,
        peer: Peer,
        suite: int,
        th: bytes,
        rk0: bytes,
        secret: SecretKey,
        public: PublicKeys,
        draws: Draws,
        now: int,
    ) -> Session:
        own = Own(secret, Block(public.x, public.ek, None))
        return cls(identity, State(th, suite, RESPONDER, peer, None, rk0, own, None, now), draws)

    @property
    def sid(self) -> bytes:
        return self.state.th[:16]

    @property
    def confirmed(self) -> bool:
        return self.state.verified is not None

    def view(self) -> bytes:
        s = self.state
        return C([s.th, s.suite, s.role, s.ns, s.pn, s.nr, len(s.skipped)])

    def digest(self) -> bytes:
        return H(repr(self.state).encode())

    def expired(self, kept: int) -> bool:
        return self.state.expired(kept)

    def can_send(self, stamp: int) -> bool:
        """By the later of both clocks (10.3)."""
        s = self.state
        if s.cks is not None and s.ns >= MAX_CHAIN:
            return False
        if s.verified is not None:
            return stamp - s.verified <= SENDING_LIFETIME
        return s.role == INITIATOR and (s.until is None or stamp <= s.until)

    # --- seal (10.3) ---------------------------------------------------------------------------

    def seal(self, contents: list[bytes], trace: Trace | None = None) -> bytes:
        s = self.state.copy()
        if s.cks is None:  # S1
            if s.peer_block is None:
                raise RuntimeError("a responder seals after its first open")
            s.pn, s.ns = s.ns, 0
            secret_key, block, secret = send_exchange(s.suite, s.peer_block, self.draws)
            s.rk, s.cks = step(s.suite, s.th, s.rk, secret, block, s.peer_block)
            s.own = Own(secret_key, block)
            for name, value in (
                ("block-hash", block_hash(block)),
                ("secret", secret),
                ("rk", s.rk),
            ):
                note(trace, name, value)
        elif s.ns == MAX_CHAIN:
            raise MeshError("session/chain-limit")
        assert s.own is not None and s.cks is not None
        note(trace, "ck", s.cks)
        n, mk = s.ns, message_key(s.suite, s.cks)  # S2
        guard = self.draws.draw("guard", 16)  # S3
        sealed = env.seal(
            s.suite,
            s.th,
            self.identity.name,
            self.identity.ik_secret,
            s.peer.name,
            mk,
            guard,
            s.own.block,
            s.pn,
            n,
            s.init,
            contents,
            trace,
        )
        s.cks, s.ns = next_chain_key(s.suite, s.cks), n + 1  # S4
        s.answer_due = False
        self.state = s  # S6
        return sealed

    # --- open (10.4) ---------------------------------------------------------------------------

    def clamp(self, most: int) -> None:
        """AGENT-1: no stamp lies after max(now, kept)."""
        s = self.state
        if max([s.last_use, s.created, *(k.time for k in s.skipped)]) > most:
            s = s.copy()
            s.created = min(s.created, most)
            s.verified = None if s.verified is None else min(s.verified, most)
            s.skipped = [replace(k, time=min(k.time, most)) for k in s.skipped]
            self.state = s

    def clean(self, kept: int) -> None:
        """SESSION-16: skipped keys past their time go."""
        s = self.state
        if any(kept - k.time >= SKIPPED_LIFETIME for k in s.skipped):
            self.state = replace(
                s, skipped=[k for k in s.skipped if kept - k.time < SKIPPED_LIFETIME]
            )

    def open(
        self,
        envelope: env.Envelope,
        kept: int,
        order: int = 0,
        trace: Trace | None = None,
        stamp: int | None = None,
    ) -> list[bytes]:
        """Steps 2 to 9; an error leaves the state as it was. No stamp: both clocks are `kept`."""
        s, h = self.state, envelope.header
        if any((v is None) != (s.suite == 1) for v in (h.block.ek, h.block.kem_ct)):
            raise MeshError("encoding/shape", "block of another suite")  # 2
        if h.n > MAX_CHAIN - 1 or h.pn > MAX_CHAIN:
            raise MeshError("session/chain-limit")
        return self.open_after_limits(
            envelope, kept, order, trace, kept if stamp is None else stamp
        )

    def open_after_limits(
        self, envelope: env.Envelope, kept: int, order: int, trace: Trace | None, stamp: int
    ) -> list[bytes]:
        """Steps 3 to 9."""
        s, h = self.state, envelope.header
        bh = block_hash(h.block)
        fresh: list[SkippedKey] = []
        new_rk = s.rk
        if bh in s.retired or (bh == s.current and h.n < s.nr):  # 3, 4
            stored = next(
                (
                    k
                    for k in s.skipped
                    if k.block_hash == bh and k.n == h.n and kept - k.time < SKIPPED_LIFETIME
                ),
                None,
            )
            if stored is None:
                raise MeshError("session/replay")
            contents = self._authenticate(stored.mk, envelope, trace)
            after = s.copy()
            after.skipped.remove(stored)  # R1
        elif bh == s.current:
            assert s.ckr is not None
            ck, mk, keys = self._walk(s.ckr, s.nr, h.n, trace)
            contents = self._authenticate(mk, envelope, trace)
            after = s.copy()
            after.skipped += [SkippedKey(bh, n, k, stamp) for n, k in keys]  # R2
            after.ckr, after.nr = ck, h.n + 1
        else:
            if s.own is None:  # 5
                raise MeshError("envelope/open", "new block while a step is due")
            if h.pn < s.nr or (s.ckr is None and h.pn != 0):  # 6
                raise MeshError("envelope/open", "pn")
            note(trace, "block-hash", bh)
            secret = recv_exchange(s.own.secret, h.block)  # 7
            note(trace, "secret", secret)
            new_rk, ck0 = step(s.suite, s.th, s.rk, secret, h.block, s.own.public)
            note(trace, "rk", new_rk)
            ck, mk, keys = self._walk(ck0, 0, h.n, trace)
            contents = self._authenticate(mk, envelope, trace)  # 8
            after = s.copy()
            if s.current is not None:  # R3
                assert s.ckr is not None
                _, _, old = self._walk(s.ckr, s.nr, h.pn, None)
                fresh += [SkippedKey(s.current, n, k, stamp) for n, k in old]
                after.retired.append(s.current)
                after.retired = after.retired[-MAX_RETIRED:]
            fresh += [SkippedKey(bh, n, k, stamp) for n, k in keys]
            after.skipped += fresh
            after.current = bh
            after.peer_block = PublicKeys(h.block.x, h.block.ek)
            after.rk, after.ckr, after.nr = new_rk, ck, h.n + 1
            after.own = after.cks = None
        after.init = None  # R4
        after.verified, after.until = stamp, None
        after.order = order
        after.heal_only = False
        live = set(after.retired) | {after.current}
        after.skipped = [
            k for k in after.skipped if k.block_hash in live and kept - k.time < SKIPPED_LIFETIME
        ][-MAX_SKIPPED:]
        self.state = after  # 9
        return contents

    def _walk(
        self, ck: bytes, start: int, n: int, trace: Trace | None
    ) -> tuple[bytes, bytes, list[tuple[int, bytes]]]:
        """From the chain key of number `start`: (ck_(n+1), mk_n, skipped (number, mk) below n)."""
        keys: list[tuple[int, bytes]] = []
        suite = self.state.suite
        for i in range(start, n):
            keys.append((i, message_key(suite, ck)))
            ck = next_chain_key(suite, ck)
        note(trace, "ck", ck)
        return next_chain_key(suite, ck), message_key(suite, ck), keys

    def _authenticate(self, mk: bytes, envelope: env.Envelope, trace: Trace | None) -> list[bytes]:
        s = self.state
        return env.open_with(s.suite, s.th, mk, envelope, s.peer, self.identity.name, trace)


def sending_session(sessions: Sequence[Session], kept: int, stamp: int) -> Session | None:
    """sessions: those with one peer, in the order of their founding commits."""
    usable = [s for s in sessions if not s.expired(kept) and s.can_send(stamp)]
    confirmed = [s for s in usable if s.confirmed]
    if confirmed:
        best = max(confirmed, key=lambda s: s.state.order or 0)
        glare = [
            s
            for s in confirmed
            if s.state.role != best.state.role
            and abs(s.state.created - best.state.created) <= GLARE_WINDOW
        ]
        return min([best, *glare], key=lambda s: s.state.th)
    unconfirmed = [s for s in usable if not s.confirmed]
    ordinary = [s for s in unconfirmed if not s.state.heal_only]
    if ordinary:
        return ordinary[-1]
    return unconfirmed[-1] if unconfirmed else None
