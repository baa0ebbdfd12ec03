"""§12 with a hub: delivery, recovery and the ends of both, in virtual time."""

from __future__ import annotations

import random
import unittest

from agentmesh.errors import MeshError
from tests.world import World

DAY = 86_400


class Delivery(unittest.TestCase):
    def test_first_contact_and_receipts(self) -> None:
        w = World()
        a, b = w.agent("a"), w.agent("b")
        one = w.send("a", "b", "hello", ask=1)
        w.run(3)
        self.assertEqual(b.ids(), [one])
        self.assertEqual(a.states(one), [1, 2])
        self.assertEqual(len(b.core.store.one_times), 199)
        self.assertFalse(a.core.store.outbox or a.core.store.flights or b.core.store.due)

    def test_silence_after_delivery(self) -> None:
        """Receipts and answers end; two agents do not answer each other for ever."""
        w = World()
        w.agent("a"), w.agent("b")
        w.send("a", "b")
        w.run(10)
        before = [(s.core.store.digest(), s.core.out) for s in w.seats.values()]
        for s in w.seats.values():
            s.core.pump()
        self.assertEqual(before, [(s.core.store.digest(), s.core.out) for s in w.seats.values()])

    def test_unknown_name_and_offline_peer(self) -> None:
        w = World()
        w.agent("a")
        with self.assertRaises(MeshError) as refused:
            w.send("a", "nobody")
        self.assertEqual(refused.exception.code, "hub/no-such-agent")
        b = w.agent("b")
        w.disconnect("b")
        ids = [w.send("a", "b", str(n)) for n in range(5)]
        w.run(60)
        w.connect("b")
        w.run(5)
        self.assertEqual(b.ids(), ids)
        self.assertEqual(w.seats["a"].core.store.outbox, {})

    def test_address_of_another_key(self) -> None:
        w = World()
        w.agent("a"), w.agent("b")
        with self.assertRaises(MeshError) as refused:
            w.send("a", "b#" + ":".join(["0000"] * 8))
        self.assertEqual(refused.exception.code, "identity/fingerprint")

    def test_reinstalled_peer_is_not_followed(self) -> None:
        w = World()
        a = w.agent("a")
        w.agent("b")
        w.send("a", "b")
        w.run(3)
        w.disconnect("b")
        w.hub.rows.directory.rows.pop("b")
        w.hub.rows.owner.rows.clear()
        w.agent("b")
        a.core.forget("nobody")
        a.core.store.sessions.clear()
        with self.assertRaises(MeshError) as refused:
            w.send("a", "b")
        self.assertEqual(refused.exception.code, "identity/changed")
        self.assertEqual([p.name for p in a.told("identity/changed")], ["b"])

    def test_lost_sessions_are_probed(self) -> None:
        """The receiver lost its sessions: the probe of the sender repairs it."""
        w = World()
        a, b = w.agent("a"), w.agent("b")
        w.send("a", "b")
        w.run(5)
        b.core.store.sessions.clear()
        lost = w.send("a", "b", "again")
        w.run(5)
        self.assertIn("session/unknown", b.told("refused"))
        w.run(560, 5)
        self.assertNotIn(lost, b.ids())
        w.run(120, 5)
        self.assertIn(lost, b.ids())
        w.run(5)
        self.assertIn(1, a.states(lost))
        self.assertEqual(a.core.store.probes, {})

    def test_undelivered_after_14_days(self) -> None:
        w = World()
        a = w.agent("a")
        w.agent("b")
        w.disconnect("b")
        lost = w.send("a", "b")
        w.run(14 * DAY - 600, 600)
        self.assertEqual(a.told("agent/undelivered"), [])
        w.run(1_800, 600)
        self.assertEqual(a.told("agent/undelivered"), [("b", lost)])
        self.assertEqual(a.core.store.outbox, {})

    def test_rotation_and_refill(self) -> None:
        w = World()
        a = w.agent("a")
        first = a.core.newest_bundle().bundle
        w.run(7 * DAY + 1_200, 600)
        newest = a.core.newest_bundle()
        self.assertNotEqual(newest.bundle.ref, first.ref)
        self.assertTrue(newest.published)
        self.assertIn(first.ref, a.core.store.bundles)
        entry = w.hub.rows.directory.get("a")
        assert entry is not None
        self.assertEqual(entry.bundle, newest.bundle)

    def test_both_found_at_once(self) -> None:
        """Glare: after a few turns both seal on one session."""
        w = World()
        a, b = w.agent("a"), w.agent("b")
        w.disconnect("a")
        w.disconnect("b")
        ids = {"a": w.send("a", "b"), "b": w.send("b", "a")}
        w.connect("a")
        w.connect("b")
        w.run(5)
        for _ in range(4):
            w.send("a", "b")
            w.send("b", "a")
            w.run(2)
        self.assertIn(ids["a"], b.ids())
        self.assertIn(ids["b"], a.ids())
        chosen = []
        for one, other in ((a, b), (b, a)):
            session = one.core.sending(one.core.store, ("ab"[other is b], other.core.identity.ik))
            assert session is not None
            chosen.append(session.state.th)
        self.assertEqual(chosen[0], chosen[1])

    def test_full_chain_founds_a_new_session(self) -> None:
        w = World()
        a, b = w.agent("a", suites=(1,)), w.agent("b", suites=(1,))
        w.send("a", "b")
        w.run(3)
        (th, state), *_ = a.core.store.sessions.items()
        a.core.store.sessions[th] = type(state)(
            **{**vars(state), "ns": 1000, "cks": bytes(32), "own": state.own}
        )
        late = w.send("a", "b", "beyond")
        w.run(5)
        self.assertIn(late, b.ids())
        self.assertEqual(len(a.core.store.sessions), 2)


class Faults(unittest.TestCase):
    def test_random_losses(self) -> None:
        """Lost links, restarts of agents and hub: each content once, and receipted."""
        for seed in range(3):
            with self.subTest(seed=seed):
                r = random.Random(seed)
                w = World(lose=lambda name, up, raw: r.random() < 0.03)
                for name in "abc":
                    w.agent(name, suites=(1,))
                sent: list[tuple[str, str, bytes]] = []
                for _ in range(100):
                    one, other = r.sample("abc", 2)
                    try:
                        sent.append((one, other, w.send(one, other)))
                    except MeshError as e:
                        self.assertIn(e.code, ("hub/no-such-agent",))
                    if r.random() < 0.05:
                        w.restart(r.choice("abc"))
                    if r.random() < 0.02:
                        for name in "abc":
                            w.disconnect(name)
                        w.hub.restart()
                    for name, seat in w.seats.items():
                        if not seat.online and r.random() < 0.5:
                            w.connect(name)
                    w.run(r.choice((1, 1, 2, 40)))
                w.lose = None
                for _ in range(20):
                    for name, seat in w.seats.items():
                        if not seat.online:
                            w.connect(name)
                    w.run(60, 10)
                for name, seat in w.seats.items():
                    mine = [i for _, to, i in sent if to == name]
                    self.assertEqual(sorted(seat.ids()), sorted(mine), name)
                    self.assertEqual(seat.core.store.outbox, {})
                    self.assertEqual(seat.told("agent/undelivered"), [])


if __name__ == "__main__":
    unittest.main()
