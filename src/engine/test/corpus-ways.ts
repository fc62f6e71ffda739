// SPDX-License-Identifier: Apache-2.0
// The ways to tamper with a bundle, each with the step that sees it and its reason.
import { type Bag, edit, flip, swap, text } from './corpus-edit.ts'
import type { CorpusKeys, Way } from './corpus-way.ts'

const LEAVES = 'data/leaves.jsonl'
const CASE = 'data/case.json'
const CHECKPOINT = 'proof/checkpoint'
const TAGS = 'tagmanifest-sha256.txt'
const SIG = 'tagmanifest-sha256.txt.sig'

/** The part of an erasure that names an erased record. */
const scopeOf = (bag: Bag): string => [...bag.keys()].find((name) => /\.scope\.\d+$/.test(name)) ?? ''

/** All ways that leave an archive which can be opened. */
export function tamperedWays(plain: Bag, keys: CorpusKeys): readonly Way[] {
  const seqs = [...text(plain, LEAVES).matchAll(/"seq":(\d+)/g)].map((match) => Number(match[1]))
  const [first = 0, second = 0] = seqs
  const last = seqs.at(-1) ?? 0
  const payload = (part: string, seq = first): string => `data/payload/${seq}.${part}`
  const proof = (seq: number): string => `data/proofs/${seq}.tlog-proof`
  const { relist, reseal, resealByAnother, sign } = keys
  /** A change whose manifests are made to fit. */
  const fitted = (change: (bag: Bag) => void) => (bag: Bag) => {
    change(bag)
    relist(bag)
  }
  /** A change that is sealed again with the real export key. */
  const sealed = (change: (bag: Bag) => void) => (bag: Bag) => {
    change(bag)
    reseal(bag)
  }
  const field = (key: string, to: string) =>
    fitted((bag) => edit(bag, LEAVES, (all) => all.replace(new RegExp(`"${key}":("[^"]*"|-?\\d+)`), `"${key}":${to}`)))
  const described = (key: string, to: string) =>
    sealed((bag) => edit(bag, CASE, (all) => all.replace(new RegExp(`"${key}":("[^"]*"|-?\\d+|true|false|\\[\\])`), `"${key}":${to}`)))

  const files = [...plain.keys()].filter(
    (name) => !name.startsWith('data/payload/') && !name.startsWith('data/proofs/') && name !== TAGS && name !== SIG
  )
  const everyFile: Way[] = files.map((name) => ({
    name: `one bit of ${name}`,
    change: (bag: Bag) => flip(bag, name),
    step: 2,
    code: 'file_changed'
  }))
  const everyFileLess: Way[] = files.flatMap((name) => [
    { name: `without ${name}`, change: (bag: Bag) => bag.delete(name), step: 2, code: 'missing' },
    {
      name: `${name} under another name`,
      change: (bag: Bag) => {
        bag.set(`${name}.old`, bag.get(name) ?? Buffer.alloc(0))
        bag.delete(name)
      },
      step: 2,
      // Without this one nothing else is listed.
      code: name === 'manifest-sha256.txt' ? 'missing' : 'extra_file'
    }
  ])
  return [
    ...everyFile,
    ...everyFileLess,
    { name: 'one bit of a payload', change: (bag) => flip(bag, payload('request')), step: 6, code: 'payload_changed' },
    { name: 'one bit of an opening', change: (bag) => flip(bag, `${payload('request')}.opening`), step: 6, code: 'payload_changed' },
    { name: 'one bit of a proof', change: (bag) => flip(bag, proof(first)), step: 2, code: 'file_changed' },
    { name: 'one bit of the tag manifest', change: (bag) => flip(bag, TAGS), step: 1, code: 'bundle_signature' },
    { name: 'one bit of the signature', change: (bag) => flip(bag, SIG), step: 1, code: 'bundle_signature' },
    { name: 'without the signature', change: (bag) => bag.delete(SIG), step: 1, code: 'missing', shellCode: 'bundle_signature' },
    { name: 'an extra file', change: (bag) => bag.set('data/extra.txt', Buffer.from('x')), step: 2, code: 'extra_file' },
    {
      name: 'an extra file, listed and sealed by another key',
      change: (bag) => {
        bag.set('data/extra.txt', Buffer.from('x'))
        resealByAnother(bag)
      },
      step: 1,
      code: 'signer_not_listed'
    },
    { name: 'sealed by another key', change: resealByAnother, step: 1, code: 'signer_not_listed' },
    {
      name: 'sealed by another key, confirmed keys',
      trusted: true,
      change: resealByAnother,
      step: 1,
      code: 'signer_not_trusted',
      shellCode: 'signer_not_listed'
    },
    {
      name: 'a payload, manifests made to fit',
      change: fitted((bag) => edit(bag, payload('response'), (all) => all.replace('answer', 'ANSWER'))),
      step: 6,
      code: 'payload_changed'
    },
    {
      name: 'a payload, sealed with the real key',
      trusted: true,
      change: sealed((bag) => edit(bag, payload('response'), (all) => all.replace('answer', 'ANSWER'))),
      step: 6,
      code: 'payload_changed'
    },
    {
      name: 'a payload, sealed by another key',
      change: (bag) => {
        edit(bag, payload('response'), (all) => all.replace('answer', 'ANSWER'))
        resealByAnother(bag)
      },
      step: 6,
      code: 'payload_changed'
    },
    {
      name: 'two payloads swapped, sealed with the real key',
      change: sealed((bag) => swap(bag, payload('request'), payload('request', second))),
      step: 6,
      code: 'payload_changed'
    },
    {
      name: 'a payload less, sealed with the real key',
      change: sealed((bag) => {
        bag.delete(payload('request'))
        bag.delete(`${payload('request')}.opening`)
      }),
      step: 6,
      code: 'part_missing'
    },
    {
      name: 'an opening less',
      change: fitted((bag) => bag.delete(`${payload('request')}.opening`)),
      step: 6,
      code: 'opening_missing'
    },
    {
      name: 'an opening without its payload',
      change: fitted((bag) => bag.delete(payload('request'))),
      step: 6,
      code: 'stray_payload'
    },
    {
      name: 'a longer opening',
      change: fitted((bag) => bag.set(`${payload('request')}.opening`, Buffer.alloc(33))),
      step: 6,
      code: 'opening_length'
    },
    {
      name: 'a stray payload',
      change: sealed((bag) => {
        bag.set('data/payload/999999.request', Buffer.from('x'))
        bag.set('data/payload/999999.request.opening', Buffer.alloc(32))
      }),
      step: 6,
      code: 'stray_payload'
    },
    { name: 'the status of a leaf', change: field('status', '"aborted"'), step: 5, code: 'leaf_not_in_tree' },
    { name: 'the time of a leaf', change: field('ts', '"2026-01-01T00:00:00.000Z"'), step: 5, code: 'leaf_not_in_tree' },
    { name: 'the source of a leaf', change: field('source', '"other"'), step: 5, code: 'leaf_not_in_tree' },
    { name: 'the latency of a leaf', change: field('latency_us', '1'), step: 5, code: 'leaf_not_in_tree' },
    { name: 'the tokens of a leaf', change: field('input_tokens', '1'), step: 5, code: 'leaf_not_in_tree' },
    { name: 'the start of a leaf', change: field('start_us', '1'), step: 5, code: 'leaf_not_in_tree' },
    {
      name: 'a commitment of a leaf',
      change: field('commit', `"${Buffer.alloc(32).toString('base64')}"`),
      step: 5,
      code: 'leaf_not_in_tree'
    },
    {
      name: 'the ciphertext hash of a leaf',
      change: field('ct_sha256', `"${Buffer.alloc(32).toString('base64')}"`),
      step: 5,
      code: 'leaf_not_in_tree'
    },
    { name: 'the number of a leaf', change: field('seq', String(second)), step: 5, code: 'leaf_order' },
    {
      name: 'an unknown type of a leaf',
      change: field('type', '"llm.invented"'),
      step: 5,
      code: 'leaf_schema',
      shellCode: 'leaf_not_in_tree'
    },
    {
      name: 'an unknown field in a leaf',
      change: fitted((bag) => edit(bag, LEAVES, (all) => all.replace('"v":1}', '"v":1,"z":1}'))),
      step: 5,
      code: 'leaf_schema',
      shellCode: 'leaf_not_in_tree'
    },
    {
      name: 'a leaf less, sealed with the real key',
      change: sealed((bag) => edit(bag, LEAVES, (all) => all.slice(all.indexOf('\n') + 1))),
      step: 5,
      code: 'case_count'
    },
    {
      name: 'a leaf twice',
      change: fitted((bag) => edit(bag, LEAVES, (all) => all + all.slice(0, all.indexOf('\n') + 1))),
      step: 5,
      code: 'leaf_order'
    },
    {
      name: 'spaces in a leaf',
      change: fitted((bag) => edit(bag, LEAVES, (all) => all.replace('{"actor"', '{ "actor"'))),
      step: 5,
      code: 'leaf_not_canonical',
      shellCode: 'leaf_not_in_tree'
    },
    {
      name: 'CRLF in the leaves',
      change: fitted((bag) => edit(bag, LEAVES, (all) => all.replaceAll('\n', '\r\n'))),
      step: 5,
      code: 'leaf_not_canonical',
      shellCode: 'leaf_not_in_tree'
    },
    {
      name: 'a byte-order mark before the leaves',
      change: fitted((bag) => edit(bag, LEAVES, (all) => `\ufeff${all}`)),
      step: 5,
      code: 'leaf_not_json',
      shellCode: 'leaf_not_in_tree'
    },
    { name: 'a proof less', change: fitted((bag) => bag.delete(proof(first))), step: 5, code: 'proof_missing' },
    {
      name: 'swapped proofs, sealed with the real key',
      change: sealed((bag) => swap(bag, proof(first), proof(second))),
      step: 5,
      code: 'proof_swapped'
    },
    {
      name: 'a stray proof',
      change: sealed((bag) => bag.set(proof(last + 1000), bag.get(proof(last)) ?? Buffer.alloc(0))),
      step: 5,
      code: 'stray_proof'
    },
    {
      name: 'the tree size of the checkpoint',
      change: sealed((bag) => edit(bag, CHECKPOINT, (all) => all.replace(/\n(\d+)\n/, (_, n) => `\n${Number(n) + 1}\n`))),
      step: 3,
      code: 'checkpoint_signature'
    },
    {
      name: 'the root of the checkpoint',
      change: sealed((bag) =>
        edit(bag, CHECKPOINT, (all) => all.replace(/\n[A-Za-z0-9+/]{43}=\n/, `\n${Buffer.alloc(32).toString('base64')}\n`))
      ),
      step: 3,
      code: 'checkpoint_signature'
    },
    {
      name: 'CRLF in the checkpoint',
      change: sealed((bag) => edit(bag, CHECKPOINT, (all) => all.replaceAll('\n', '\r\n'))),
      step: 3,
      code: 'checkpoint_unreadable'
    },
    {
      name: 'the earlier checkpoint in place of the newer one',
      change: sealed((bag) => bag.set(CHECKPOINT, bag.get('proof/previous-checkpoint') ?? Buffer.alloc(0))),
      step: 5,
      code: 'case_size'
    },
    {
      name: 'another root, signed with the real key of the log',
      trusted: true,
      change: sealed((bag) => edit(bag, CHECKPOINT, (all) => sign(all, { root: Buffer.alloc(32, 1) }))),
      step: 5,
      code: 'leaf_not_in_tree'
    },
    {
      name: 'a later size, signed with the real key, where a timestamp stands',
      from: 'stamped',
      trusted: true,
      change: sealed((bag) => edit(bag, CHECKPOINT, (all) => sign(all, { size: Number(all.split('\n')[1]) + 1 }))),
      step: 4,
      code: 'timestamp_imprint',
      shellCode: 'timestamp_authority'
    },
    {
      name: 'another root, signed with the real key, where a timestamp stands',
      from: 'stamped',
      trusted: true,
      change: sealed((bag) => edit(bag, CHECKPOINT, (all) => sign(all, { root: Buffer.alloc(32, 1) }))),
      step: 4,
      code: 'timestamp_imprint',
      shellCode: 'timestamp_authority'
    },
    {
      name: 'one bit of the timestamp, sealed with the real key',
      from: 'stamped',
      change: sealed((bag) => flip(bag, 'proof/checkpoint.tsr')),
      step: 4,
      code: null
    },
    {
      name: 'a timestamp without its authority',
      from: 'stamped',
      change: sealed((bag) => bag.delete('trust/tsa-ca.pem')),
      step: 4,
      code: 'missing'
    },
    {
      name: 'the key hash of the log key',
      change: sealed((bag) => edit(bag, 'trust/log.vkey', (all) => all.replace(/\+[0-9a-f]{8}\+/, '+00000000+'))),
      step: 3,
      code: 'checkpoint_unreadable'
    },
    {
      name: 'a consistency proof',
      change: sealed((bag) => edit(bag, 'proof/consistency.txt', () => 'old 1\n')),
      step: 3,
      code: 'checkpoint_inconsistent'
    },
    {
      name: 'a withheld part that is here',
      change: described('withheld', `[{"part":"request","reason":"x","seq":${first}}]`),
      step: 6,
      code: 'withheld_present'
    },
    {
      name: 'nothing named as withheld',
      from: 'withheld',
      change: sealed((bag) => edit(bag, CASE, (all) => all.replace(/"withheld":\[.*\]/, '"withheld":[]'))),
      step: 6,
      code: 'part_missing'
    },
    {
      name: 'a leaf of a tree with a disposed tile, sealed with the real key',
      from: 'pruned',
      change: sealed((bag) => edit(bag, LEAVES, (all) => all.replace('"status":"success"', '"status":"aborted"'))),
      step: 5,
      code: 'leaf_not_in_tree'
    },
    {
      name: 'an erased record without the scope that names it, sealed with the real key',
      from: 'erased',
      change: sealed((bag) => {
        const scope = scopeOf(bag)
        bag.delete(scope)
        bag.delete(`${scope}.opening`)
      }),
      step: 6,
      code: 'part_missing'
    },
    {
      name: 'a scope that names another record, sealed with the real key',
      from: 'erased',
      change: sealed((bag) => edit(bag, scopeOf(bag), (all) => all.replace(/\d+/, (seq) => String(Number(seq) + 1)))),
      step: 6,
      code: 'payload_changed'
    },
    { name: 'the number of records', change: described('records', '1'), step: 5, code: 'case_count' },
    { name: 'the number of leaves', change: described('leaves', '1'), step: 5, code: 'case_count' },
    { name: 'the tree size of the case', change: described('tree_size', '1'), step: 5, code: 'case_size' },
    { name: 'the origin of the case', change: described('origin', '"affidavit.invalid/0000000000000000"'), step: 5, code: 'case_origin' },
    {
      name: 'an unknown field in the case',
      change: sealed((bag) => edit(bag, CASE, (all) => all.replace('{', '{"a":1,'))),
      step: 5,
      code: 'case_unreadable'
    },
    {
      name: 'a name listed twice',
      change: (bag) => edit(bag, 'manifest-sha256.txt', (all) => all + all.slice(0, all.indexOf('\n') + 1)),
      step: 2,
      code: 'manifest_line'
    },
    {
      name: 'CRLF in a manifest',
      change: (bag) => edit(bag, 'manifest-sha256.txt', (all) => all.replaceAll('\n', '\r\n')),
      step: 2,
      code: 'manifest_line'
    },
    {
      name: 'a byte-order mark before a manifest',
      change: (bag) => edit(bag, 'manifest-sha256.txt', (all) => `\ufeff${all}`),
      step: 2,
      code: 'manifest_line'
    }
  ]
}

/** Archives that are refused before any step. */
export async function hostileWays(
  zip: Buffer,
  pack: (bag: Bag) => Promise<Buffer>
): Promise<readonly (readonly [name: string, content: Buffer])[]> {
  const renamed = async (harmless: string, name: string): Promise<Buffer> => {
    const bytes = await pack(
      new Map([
        [harmless, Buffer.from('x')],
        ['bagit.txt', Buffer.from('x')]
      ])
    )
    return Buffer.from(bytes.toString('latin1').replaceAll(harmless, name), 'latin1')
  }
  /** Changes the directory entry of `bagit.txt`. */
  const patched = (change: (entry: Buffer) => void): Buffer => {
    const bytes = Buffer.from(zip)
    const at = bytes.lastIndexOf('bagit.txt') - 46
    change(bytes.subarray(at))
    return bytes
  }
  return [
    ['a name with dots', await renamed('xx/up.txt', '../up.txt')],
    ['an absolute name', await renamed('xabsolute', '/absolute')],
    ['a name with backslashes', await renamed('axxxxxxxb', 'a\\..\\..\\b')],
    ['a name with a drive', await renamed('Cx/windows', 'C:/windows')],
    ['a name twice', await renamed('bagix.txt', 'bagit.txt')],
    ['names that differ in case only', await renamed('xagit.txt', 'Bagit.txt')],
    ['a bomb', await pack(new Map([['data/zeros', Buffer.alloc(16 * 1024 * 1024)]]))],
    ['too many entries', await pack(new Map(Array.from({ length: 20_001 }, (_, i) => [`data/${i}`, Buffer.alloc(0)])))],
    ['a truncated archive', zip.subarray(0, zip.length - 1000)],
    ['the first half', zip.subarray(0, zip.length / 2)],
    ['bytes after the end', Buffer.concat([zip, Buffer.from('more')])],
    ['no archive', Buffer.from('hello')],
    ['nothing', Buffer.alloc(0)],
    ['an encrypted bundle', Buffer.from('age-encryption.org/v1\n-> X25519 x\n')],
    ['an encrypted bundle in its text form', Buffer.from('-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24ub3JnL3YxCg==\n')],
    ['a link', patched((entry) => entry.writeUInt32LE((0o120777 << 16) >>> 0, 38))],
    ['an encrypted entry', patched((entry) => entry.writeUInt16LE(entry.readUInt16LE(8) | 1, 8))],
    ['an unknown compression', patched((entry) => entry.writeUInt16LE(99, 10))],
    ['an entry over another', patched((entry) => entry.writeUInt32LE(0, 42))],
    ['an entry beyond the end', patched((entry) => entry.writeUInt32LE(0x7fffffff, 42))]
  ]
}
