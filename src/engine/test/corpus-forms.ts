// SPDX-License-Identifier: Apache-2.0
// Files of a bundle in other forms than the one in which they are written: what one reader takes for the same says another thing to the next.
import { concatBytes, toBase64, utf8 } from '../../shared/evidence/bytes.ts'
import { BUNDLE_NAMESPACE, formatSshsig, sshsigSignedData } from '../../shared/evidence/sshsig.ts'
import { ed25519FromSeed, sha256, sha512 } from '../crypto.ts'
import { type Bag, edit, editCheckpoint, text } from './corpus-edit.ts'
import { type CorpusKeys, resealedWay, type Way } from './corpus-way.ts'

const SIG = 'tagmanifest-sha256.txt.sig'
const TAGS = 'tagmanifest-sha256.txt'
const PAYLOADS = 'manifest-sha256.txt'
const CASE = 'data/case.json'

/** The signature, which no manifest lists and which anybody can change. */
function signatureWays({ another, exportSeed }: CorpusKeys): readonly Way[] {
  const way = (name: string, change: (bag: Bag) => void): Way => ({
    name: `the signature: ${name}`,
    change,
    step: 1,
    code: 'bundle_signature'
  })
  const form = (name: string, change: (text: string) => string) => way(name, (bag) => edit(bag, SIG, change))
  const other = ed25519FromSeed(another)
  const second = (bag: Bag): string => {
    const tags = bag.get(TAGS) ?? Buffer.alloc(0)
    return formatSshsig(other.publicKey, BUNDLE_NAMESPACE, other.sign(sshsigSignedData(sha512, BUNDLE_NAMESPACE, tags)))
  }
  /** With a digest that ssh-keygen takes as well. */
  const otherDigest = (bag: Bag): void => {
    const key = ed25519FromSeed(exportSeed)
    const field = (bytes: Uint8Array | string): Uint8Array => {
      const content = typeof bytes === 'string' ? utf8(bytes) : bytes
      return concatBytes(Uint8Array.of(0, 0, 0, content.length), content)
    }
    const head = concatBytes(field(BUNDLE_NAMESPACE), field(''), field('sha256'))
    const signature = key.sign(concatBytes(utf8('SSHSIG'), head, field(sha256(bag.get(TAGS) ?? Buffer.alloc(0)))))
    const blob = concatBytes(
      utf8('SSHSIG'),
      Uint8Array.of(0, 0, 0, 1),
      field(concatBytes(field('ssh-ed25519'), field(key.publicKey))),
      head,
      field(concatBytes(field('ssh-ed25519'), field(signature)))
    )
    const lines = toBase64(blob).match(/.{1,70}/g) ?? []
    bag.set(SIG, Buffer.from(`-----BEGIN SSH SIGNATURE-----\n${lines.join('\n')}\n-----END SSH SIGNATURE-----\n`))
  }
  return [
    form('text after its end', (all) => `${all}hello\n`),
    form('no last line end', (all) => all.slice(0, -1)),
    form('CRLF', (all) => all.replaceAll('\n', '\r\n')),
    form('a space in it', (all) => all.replace('\n', '\n ')),
    form('a blank line in it', (all) => all.replace('\n', '\n\n')),
    form('one long line', (all) => all.replaceAll(/(?<=[A-Za-z0-9+/=]{60})\n(?=[A-Za-z0-9+/=])/g, '')),
    form('twice', (all) => all + all),
    way('that of another behind it', (bag) => edit(bag, SIG, (all) => all + second(bag))),
    way('over another digest', otherDigest)
  ]
}

/** Of the case there is one text (RFC 8785); who holds the key could seal another. */
function caseWays(keys: CorpusKeys): readonly Way[] {
  const way = resealedWay(keys, (name) => `the case: ${name}, sealed with the real key`)
  const form = (name: string, change: (text: string) => string) => way(name, (bag) => edit(bag, CASE, change), 'case_unreadable')
  const examiner = (name: string, to: string) => form(name, (all) => all.replace('Examiner', to))
  /** In more bytes than characters, of which the schema counts. */
  const long = (length: number) => `\u00e9\u20ac\u{1f4dc}\\"${'x'.repeat(length - 4)}`
  return [
    form('a name twice', (all) => all.replace('"recipient":"Examiner"', '"recipient":"Somebody else","recipient":"Examiner"')),
    form('a name twice, the other way about', (all) =>
      all.replace('"recipient":"Examiner"', '"recipient":"Examiner","recipient":"Somebody"')
    ),
    form('two lines of withheld parts', (all) => all.replace('"withheld":[]', '"withheld":[],"withheld":[]')),
    form('pretty-printed', (all) => `${JSON.stringify(JSON.parse(all), null, 1)}\n`),
    form('without its line end', (all) => all.slice(0, -1)),
    form('a second line without an end', (all) => `${all}more`),
    form('a byte-order mark', (all) => `\ufeff${all}`),
    form('a number with a fraction', (all) => all.replace(/"tree_size":(\d+)/, '"tree_size":$1.0')),
    examiner('a letter written as an escape', '\\u0045xaminer'),
    examiner('an escape that there is not', 'Exam\\qiner'),
    examiner('a raw tab', 'Exam\tiner'),
    examiner('a long text', long(201)),
    way('bytes that are no UTF-8', (bag) => flipTo(bag, 'Examiner', 0xff), 'case_unreadable'),
    way('half a character', (bag) => flipTo(bag, 'Examiner', 0xc3), 'case_unreadable'),
    form('a long name of the program', (all) => all.replace(/"app":"[^"]*"/, `"app":"${'x'.repeat(33)}"`)),
    form('no date', (all) => all.replace(/"written":"[^"]*"/, '"written":"yesterday"')),
    form('a day that there is not', (all) => all.replace(/"written":"[^"]*"/, '"written":"2026-02-30T10:00:00.000Z"')),
    {
      ...way('the longest text, of many alphabets', (bag) => edit(bag, CASE, (all) => all.replace('Examiner', long(200))), null),
      step: null,
      verdict: 'consistent, signer not confirmed'
    }
  ]
}

/** Puts a byte in place of the first of a word. */
function flipTo(bag: Bag, word: string, byte: number): void {
  const bytes = Buffer.from(bag.get(CASE) ?? '')
  bytes.writeUInt8(byte, bytes.indexOf(word))
  bag.set(CASE, bytes)
}

/** Names in the wrong manifest, or in both; the tag manifest is signed as it is then. */
function manifestWays({ relist, seal }: CorpusKeys): readonly Way[] {
  const way = (name: string, change: (bag: Bag) => void, code: string): Way => ({
    name: `the manifests: ${name}, sealed with the real key`,
    change: (bag) => {
      relist(bag)
      change(bag)
      seal(bag)
    },
    step: 2,
    code
  })
  const add = (line: string) => (bag: Bag) => edit(bag, TAGS, (all) => `${all}${line}\n`)
  /** Takes a line out of one manifest into the other. */
  const move = (bag: Bag, file: string, from: string, to: string): void => {
    const line = text(bag, from)
      .split('\n')
      .find((one) => one.endsWith(`  ${file}`))
    edit(bag, from, (all) => all.replace(`${line}\n`, ''))
    edit(bag, to, (all) => `${all}${line}\n`)
    relink(bag)
  }
  const relink = (bag: Bag): void => {
    const digest = Buffer.from(sha256(bag.get(PAYLOADS) ?? Buffer.alloc(0))).toString('hex')
    edit(bag, TAGS, (all) => all.replace(/[0-9a-f]{64} {2}manifest-/, `${digest}  manifest-`))
  }
  const nothing = '0'.repeat(64)
  return [
    way('a file of the data in that of the tags', (bag) => move(bag, 'data/report.html', PAYLOADS, TAGS), 'wrong_manifest'),
    way('a tag file in that of the data', (bag) => move(bag, 'README-VERIFY.txt', TAGS, PAYLOADS), 'wrong_manifest'),
    way('a file of the data with another digest in that of the tags', add(`${nothing}  data/report.html`), 'wrong_manifest'),
    way('a file of the data in both', (bag) => add(text(bag, PAYLOADS).split('\n')[0] ?? '')(bag), 'wrong_manifest'),
    way('that of the tags lists itself', add(`${nothing}  ${TAGS}`), 'wrong_manifest'),
    way('that of the tags lists the signature', add(`${nothing}  ${SIG}`), 'wrong_manifest'),
    way('no last line end in that of the tags', (bag) => edit(bag, TAGS, (all) => all.slice(0, -1)), 'manifest_line'),
    way(
      'no last line end in that of the data',
      (bag) => {
        edit(bag, PAYLOADS, (all) => all.slice(0, -1))
        relink(bag)
      },
      'manifest_line'
    )
  ]
}

/** Keys, notes and leaves. */
function keyAndNoteWays(keys: CorpusKeys): readonly Way[] {
  const way = resealedWay(keys, (name) => `${name}, sealed with the real key`)
  const at = (name: string, step: number, code: string, change: (bag: Bag) => void) => way(name, change, code, { step })
  const vkey = (name: string, change: (text: string) => string) =>
    at(`the verifier key: ${name}`, 3, 'checkpoint_unreadable', (bag) => edit(bag, 'trust/log.vkey', change))
  const pem = (name: string, change: (text: string) => string) =>
    at(`the key in PEM: ${name}`, 3, 'log_keys_differ', (bag) => edit(bag, 'trust/log.pub.pem', change))
  /** Other bytes before the 32 of the key. */
  const header = (bytes: Uint8Array) => (all: string) => {
    const key = Buffer.from(all.split('\n')[1] ?? '', 'base64').subarray(-32)
    return `-----BEGIN PUBLIC KEY-----\n${toBase64(concatBytes(bytes, key))}\n-----END PUBLIC KEY-----\n`
  }
  const signer = (name: string, change: (text: string) => string) =>
    at(`the signer: ${name}`, 1, 'signer_not_listed', (bag) => edit(bag, 'trust/allowed_signers', change))
  const note = (name: string, code: string, change: (text: string) => string) =>
    at(`the checkpoint: ${name}`, 3, code, (bag) => editCheckpoint(bag, change))
  const line = (change: (parts: readonly [name: string, signature: Buffer]) => string) => (all: string) => {
    const [, name = '', signature = ''] = all.split('\n')[4]?.split(' ') ?? []
    return all.replace(/\n\n— .*\n/, `\n\n${change([name, Buffer.from(signature, 'base64')])}`)
  }
  const signed = (name: string, signature: Uint8Array) => `— ${name} ${toBase64(signature)}\n`
  const foreign = signed('witness.example', new Uint8Array(76).fill(5))
  const previous = (name: string, change: (text: string) => string, file = 'proof/previous-checkpoint') =>
    at(`the earlier checkpoint: ${name}`, 3, 'checkpoint_inconsistent', (bag) => edit(bag, file, change))
  return [
    vkey('a space before it', (all) => ` ${all}`),
    vkey('CRLF', (all) => all.replace('\n', '\r\n')),
    vkey('a byte-order mark', (all) => `\ufeff${all}`),
    vkey('more line ends', (all) => `${all}\n\n`),
    vkey('no line end', (all) => all.trimEnd()),
    pem('as one for X25519', header(Uint8Array.of(0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 3, 0x21, 0))),
    pem('other bytes before it', header(new Uint8Array(12))),
    pem('CRLF', (all) => all.replaceAll('\n', '\r\n')),
    pem('a remark before it', (all) => `remark\n${all}`),
    signer('a pattern for a name', (all) => all.replace(/^\S+/, '*')),
    signer('a list of names', (all) => `me@example.com,${all}`),
    signer('a pattern for a purpose', (all) => all.replace('affidavit-bundle', 'affidavit-*')),
    signer('two purposes', (all) => all.replace('affidavit-bundle', 'git,affidavit-bundle')),
    signer('tabs', (all) => all.replaceAll(' ', '\t')),
    signer('a comment', (all) => `# office\n${all}`),
    note(
      'the signature under another name',
      'checkpoint_signature',
      line(([, own]) => signed('somebody.example', own))
    ),
    note(
      'bytes between key id and signature',
      'checkpoint_signature',
      line(([name, own]) => signed(name, concatBytes(own.subarray(0, 4), new Uint8Array(9).fill(1), own.subarray(4))))
    ),
    note('a line of somebody else before that of the log', 'checkpoint_signature', (all) => all.replace('\n\n', `\n\n${foreign}`)),
    note(
      'a broken line before that of the log',
      'checkpoint_signature',
      // The last byte of a signature is 0 in one of sixteen: one that is turned over is always another.
      line(
        ([name, own]) =>
          signed(
            name,
            own.map((byte, i) => (i === 67 ? byte ^ 1 : byte))
          ) + signed(name, own)
      )
    ),
    note('a further line that is no base64', 'checkpoint_unreadable', (all) => `${all}— witness.example AAAA=AAA\n`),
    note('a further line without a signature', 'checkpoint_unreadable', (all) => `${all}— witness.example \n`),
    note('an empty line behind', 'checkpoint_unreadable', (all) => `${all}\n`),
    note('no last line end', 'checkpoint_unreadable', (all) => all.slice(0, -1)),
    {
      ...note('a line of somebody else behind that of the log', '', (all) => all + foreign),
      step: null,
      code: null,
      verdict: 'consistent, signer not confirmed'
    },
    previous('more behind it', (all) => `${all}more\n`),
    previous('a line of somebody else before that of the log', (all) => all.replace('\n\n', `\n\n${foreign}`)),
    previous('its proof without a last line end', (all) => all.slice(0, -1), 'proof/consistency.txt'),
    at('leaves without a last line end', 5, 'leaf_schema', (bag) => edit(bag, 'data/leaves.jsonl', (all) => all.slice(0, -1)))
  ]
}

export const formWays = (keys: CorpusKeys): readonly Way[] => [
  ...signatureWays(keys),
  ...caseWays(keys),
  ...manifestWays(keys),
  ...keyAndNoteWays(keys)
]
