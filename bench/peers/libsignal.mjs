// libsignal: two parties, stores that keep serialised records as a database would.

import {
  IdentityChange,
  IdentityKeyPair,
  IdentityKeyStore,
  KEMKeyPair,
  KyberPreKeyRecord,
  KyberPreKeyStore,
  PreKeyBundle,
  PreKeyRecord,
  PreKeySignalMessage,
  PreKeyStore,
  PrivateKey,
  ProtocolAddress,
  processPreKeyBundle,
  SessionRecord,
  SessionStore,
  SignalMessage,
  SignedPreKeyRecord,
  SignedPreKeyStore,
  signalDecrypt,
  signalDecryptPreKey,
  signalEncrypt,
} from "@signalapp/libsignal-client"

export const name = "libsignal"

class Sessions extends SessionStore {
  #records = new Map()
  async saveSession(address, record) {
    this.#records.set(address.toString(), record.serialize())
  }
  async getSession(address) {
    const bytes = this.#records.get(address.toString())
    return bytes ? SessionRecord.deserialize(bytes) : null
  }
  async getExistingSessions(addresses) {
    return Promise.all(addresses.map((address) => this.getSession(address)))
  }
}

class Identities extends IdentityKeyStore {
  pair = IdentityKeyPair.generate()
  #known = new Map()
  async getIdentityKey() {
    return this.pair.privateKey
  }
  async getIdentityKeyPair() {
    return this.pair
  }
  async getLocalRegistrationId() {
    return 1
  }
  async saveIdentity(address, key) {
    this.#known.set(address.toString(), key)
    return IdentityChange.NewOrUnchanged
  }
  async isTrustedIdentity() {
    return true
  }
  async getIdentity(address) {
    return this.#known.get(address.toString()) ?? null
  }
}

class PreKeys extends PreKeyStore {
  #records = new Map()
  async savePreKey(id, record) {
    this.#records.set(id, record.serialize())
  }
  async getPreKey(id) {
    return PreKeyRecord.deserialize(this.#records.get(id))
  }
  async removePreKey() {
    // kept: the benchmark founds many sessions with one bundle
  }
}

class SignedPreKeys extends SignedPreKeyStore {
  #records = new Map()
  async saveSignedPreKey(id, record) {
    this.#records.set(id, record.serialize())
  }
  async getSignedPreKey(id) {
    return SignedPreKeyRecord.deserialize(this.#records.get(id))
  }
}

class KyberPreKeys extends KyberPreKeyStore {
  #records = new Map()
  async saveKyberPreKey(id, record) {
    this.#records.set(id, record.serialize())
  }
  async getKyberPreKey(id) {
    return KyberPreKeyRecord.deserialize(this.#records.get(id))
  }
  async markKyberPreKeyUsed() {
    // kept, as above
  }
}

function party(label) {
  return {
    address: ProtocolAddress.new(label, 1),
    sessions: new Sessions(),
    identities: new Identities(),
    preKeys: new PreKeys(),
    signed: new SignedPreKeys(),
    kyber: new KyberPreKeys(),
  }
}

async function publish(one) {
  const { identities } = one
  const preKey = PrivateKey.generate()
  const signed = PrivateKey.generate()
  const kyber = KEMKeyPair.generate()
  const sign = (key) => identities.pair.privateKey.sign(key.serialize())
  const signedSig = sign(signed.getPublicKey())
  const kyberSig = sign(kyber.getPublicKey())
  await one.preKeys.savePreKey(1, PreKeyRecord.new(1, preKey.getPublicKey(), preKey))
  await one.signed.saveSignedPreKey(
    1,
    SignedPreKeyRecord.new(1, 0, signed.getPublicKey(), signed, signedSig),
  )
  await one.kyber.saveKyberPreKey(1, KyberPreKeyRecord.new(1, 0, kyber, kyberSig))
  return () =>
    PreKeyBundle.new(
      ...[1, 1, 1, preKey.getPublicKey(), 1, signed.getPublicKey(), signedSig],
      ...[identities.pair.publicKey, 1, kyber.getPublicKey(), kyberSig],
    )
}

async function pass(from, to, text) {
  const { address, sessions, identities } = to
  const sent = await signalEncrypt(...[text, address, from.address, from.sessions, from.identities])
  const bytes = sent.serialize()
  const plain =
    sent.type() === 3
      ? await signalDecryptPreKey(
          ...[PreKeySignalMessage.deserialize(bytes), from.address, address, sessions, identities],
          ...[to.preKeys, to.signed, to.kyber],
        )
      : await signalDecrypt(
          ...[SignalMessage.deserialize(bytes), from.address, address, sessions, identities],
        )
  if (plain.length !== text.length) throw new Error("libsignal: what came is not what was sent")
}

/** Set-up of a session and its first message, from a published bundle on. */
export async function setUp() {
  const bob = party("bob")
  const bundle = await publish(bob)
  const text = new Uint8Array(256)
  return async () => {
    const alice = party("alice")
    await processPreKeyBundle(
      ...[bundle(), bob.address, alice.address, alice.sessions, alice.identities],
    )
    await pass(alice, bob, text)
  }
}

/** One message after the other in one direction. */
export async function oneWay(size) {
  const [alice, bob] = [party("alice"), party("bob")]
  const bundle = await publish(bob)
  await processPreKeyBundle(
    ...[bundle(), bob.address, alice.address, alice.sessions, alice.identities],
  )
  const text = new Uint8Array(size)
  await pass(alice, bob, text)
  await pass(bob, alice, text)
  return () => pass(alice, bob, text)
}
