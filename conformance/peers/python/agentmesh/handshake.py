"""§8 handshake: initiate and respond."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import bundle as bn
from . import envelope as env
from . import onetime as ot
from .errors import MeshError
from .identity import Identity, Peer, check_name
from .keyschedule import PublicKeys, Trace, root, transcript_hash
from .session import Session
from .state import MAX_CHAIN
from .suite import (
    Draws,
    check_ed25519,
    check_kem,
    check_x25519,
    decaps,
    encaps,
    x25519,
    x25519_public,
)

MAX_REPLAY_CACHE = 65_536
MAX_INITS = 20


# --- initiator ---------------------------------------------------------------------------------


@dataclass
class Initiated:
    suite: int
    init: list[Any]
    th: bytes
    rk0: bytes
    session: Session
    otk_ref: bytes | None


def initiate(
    identity: Identity,
    bundle: bn.Bundle,
    one_time: bytes | None,
    suites: Sequence[int],
    remembered: int,
    draws: Draws,
    now: int,
    used_refs: frozenset[bytes] = frozenset(),
    trace: Trace | None = None,
    stamp: int | None = None,
) -> Initiated:
    """bundle has been accepted (§6.4). Without a stamp the session was created at `now`."""
    if bundle.ik == identity.ik:  # 1
        raise MeshError("handshake/self")
    common = set(suites) & {p.suite for p in bundle.prekeys}  # 2
    if not common:
        raise MeshError("suite/unsupported")
    suite = max(common)
    least = remembered if remembered in suites else 0
    if suite < least:  # 3
        raise MeshError("suite/downgrade")
    otk = ot.accept(one_time, bundle, suite, now) if one_time is not None else None  # 4
    if otk is not None and otk.ref in used_refs:
        otk = None
    if otk is None and bundle.flags & bn.ONE_TIME_REQUIRED:  # 5
        raise MeshError("handshake/one-time-required")
    prekey = bundle.prekey(suite)
    assert prekey is not None
    e_secret = draws.draw("ephemeral", 32)
    e = x25519_public(e_secret)
    kem_ct = ss = None
    if suite == 2:
        ek = otk.ek if otk is not None else prekey.ek
        assert ek is not None
        kem_ct, ss = encaps(ek, draws.draw("encaps", 32))
    dh = [
        x25519(identity.dk_secret, prekey.x),
        x25519(e_secret, bundle.dk),
        x25519(e_secret, prekey.x),
    ]
    if otk is not None:
        dh.append(x25519(e_secret, otk.x))
    init: list[Any] = [
        suite,
        bundle.ref,
        otk.ref if otk else None,
        identity.name,
        identity.ik,
        identity.dk,
        e,
        kem_ct,
    ]
    th = transcript_hash(init, bundle.name, bundle.ik)
    rk0 = root(th, suite, dh, ss, trace)
    session = Session.initiator(
        identity,
        Peer(bundle.name, bundle.ik),
        suite,
        th,
        rk0,
        init,
        PublicKeys(prekey.x, prekey.ek),
        draws,
        now if stamp is None else stamp,
    )
    session.state.until = bundle.not_after
    return Initiated(suite, init, th, rk0, session, otk.ref if otk else None)


# --- responder ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class LiveBundle:
    bundle: bn.Bundle
    secrets: tuple[bn.SecretKey, ...]
    dk_secret: bytes
    made: int = 0
    published: bool = False  # the hub has it

    def secret(self, suite: int) -> bn.SecretKey | None:
        return next((x for x in self.secrets if x.suite == suite), None)


@dataclass(frozen=True)
class LiveOneTime:
    key: ot.OneTime
    secret: bn.SecretKey


@dataclass
class Accepted:
    session: Session
    peer: Peer
    rk0: bytes
    contents: list[bytes]
    repeated: bool  # step 4a: an init of a stored session
    bundle: LiveBundle | None = None
    one_time: LiveOneTime | None = None


@dataclass
class Responder:
    """What §8.4 consults; nothing of it is changed here, `accept` of the agent commits."""

    identity: Identity
    bundles: Sequence[LiveBundle]
    replayed: Mapping[bytes, bytes]  # the replay caches: TH to bundle-ref
    one_times: Sequence[LiveOneTime]
    suites: Sequence[int]
    remembered: Callable[[Peer], int]
    session_by_th: Callable[[bytes], Session | None]
    sid_in_use: Callable[[bytes], bool]
    pinned: Callable[[str], bytes | None]
    static_policy: Callable[[Peer], bool]
    room_for_init: Callable[[Peer], bool]
    function_policy: Callable[[Peer], bool] | None = None
    on_changed: Callable[[Peer], None] | None = None


def respond(
    r: Responder,
    envelope: env.Envelope,
    kept: int,
    draws: Draws,
    order: int = 0,
    from_name: str | None = None,
    trace: Trace | None = None,
    stamp: int | None = None,
) -> Accepted:
    """Steps 1a to 8b; the caller commits step 9. Without a stamp both clocks are `kept`."""
    stamp = kept if stamp is None else stamp
    h = envelope.header
    assert h.init is not None
    suite, bundle_ref, otk_ref, name_a, ik_a, dk_a, e, kem_ct = h.init
    if suite not in (1, 2):  # 1a
        raise MeshError("suite/unsupported")
    if any((v is None) != (suite == 1) for v in (h.block.ek, h.block.kem_ct, kem_ct)) or h.pn != 0:
        raise MeshError("encoding/shape", "suite and lengths, or pn")  # 1b
    if h.n > MAX_CHAIN - 1:  # 1c
        raise MeshError("session/chain-limit")
    check_name(name_a)  # 1d
    if ik_a == r.identity.ik:  # 2
        raise MeshError("handshake/self")
    th = transcript_hash(list(h.init), r.identity.name, r.identity.ik)  # 3
    if th[:16] != h.sid:
        raise MeshError("envelope/open", "made for somebody else")
    peer = Peer(name_a, ik_a)

    stored = r.session_by_th(th)  # 4a
    if stored is not None and stored.state.role == 1:
        contents = stored.open(envelope, kept, order, trace, stamp)
        return Accepted(stored, peer, b"", contents, True)
    if th in r.replayed:  # 4b
        raise MeshError("handshake/replay")
    if r.sid_in_use(h.sid):  # 4c
        raise MeshError("envelope/open", "sid in use")

    live = next((b for b in r.bundles if b.bundle.ref == bundle_ref), None)  # 5a
    if live is None:
        raise MeshError("handshake/unknown-prekey", "bundle")
    prekey, secret = live.bundle.prekey(suite), live.secret(suite)  # 5b
    if prekey is None or secret is None:  # whatever is offered now
        raise MeshError("suite/unsupported")
    remembered = r.remembered(peer)  # 5c
    if suite < remembered and remembered in r.suites:
        raise MeshError("suite/downgrade")
    if otk_ref is None and live.bundle.flags & bn.ONE_TIME_REQUIRED:  # 5d
        raise MeshError("handshake/one-time-required")
    one_time = None
    if otk_ref is not None:  # 5e
        one_time = next(
            (k for k in r.one_times if k.key.ref == otk_ref and k.key.suite == suite), None
        )
        if one_time is None:
            raise MeshError("handshake/unknown-prekey", "one-time key")

    if from_name is not None and from_name != name_a:  # 6a
        raise MeshError("identity/untrusted", "from-name")
    pinned = r.pinned(name_a)
    changed = pinned is not None and pinned != ik_a  # 6b
    if not changed:
        if not r.static_policy(peer):  # 6c
            raise MeshError("identity/untrusted", "policy")
        if (
            otk_ref is None and list(r.replayed.values()).count(bundle_ref) >= MAX_REPLAY_CACHE
        ):  # 6d
            raise MeshError("handshake/limit", "replay cache")
        if not r.room_for_init(peer):
            raise MeshError("handshake/limit", "inits")

    def steps_7_and_8a() -> tuple[Session, bytes, list[bytes]]:
        check_ed25519(ik_a)  # 7
        for key in (dk_a, e, h.block.x):
            check_x25519(key)
        if h.block.ek is not None:
            check_kem(h.block.ek)
        dh = [
            x25519(secret.x_secret, dk_a),
            x25519(live.dk_secret, e),
            x25519(secret.x_secret, e),
        ]  # 8a
        if one_time is not None:
            dh.append(x25519(one_time.secret.x_secret, e))
        ss = None
        if suite == 2:
            kd = one_time.secret.kd if one_time is not None else secret.kd
            assert kd is not None
            ss = decaps(kd, kem_ct)
        rk0 = root(th, suite, dh, ss, trace)
        session = Session.responder(
            r.identity, peer, suite, th, rk0, secret, PublicKeys(prekey.x, prekey.ek), draws, stamp
        )
        contents = session.open_after_limits(envelope, kept, order, trace, stamp)
        return session, rk0, contents

    if changed:
        try:
            steps_7_and_8a()
            if r.on_changed is not None:
                r.on_changed(peer)
        except MeshError:
            pass
        raise MeshError("identity/changed")
    session, rk0, contents = steps_7_and_8a()
    if r.function_policy is not None and not r.function_policy(peer):  # 8b
        raise MeshError("identity/untrusted", "policy function")
    session.state.answer_due = True
    return Accepted(session, peer, rk0, contents, False, live, one_time)
