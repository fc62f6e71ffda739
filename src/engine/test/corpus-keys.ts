// SPDX-License-Identifier: Apache-2.0
// What stands in the files of confirmed keys beside the keys of the log: of other logs, of other people, and as an editor left it.
import { cosign, formatWitnessVkey, witnessName } from '../../shared/evidence/cosignature.ts'
import { formatVkey, originOf, publicKeyPem, signCheckpoint } from '../../shared/evidence/note.ts'
import { allowedSignersLine, sshPublicKey } from '../../shared/evidence/sshsig.ts'
import { ed25519FromSeed, sha256 } from '../crypto.ts'
import { type Bag, edit, editCheckpoint, text } from './corpus-edit.ts'
import type { CorpusKeys, Way } from './corpus-way.ts'

const SIGNERS = 'allowed_signers'
const VKEY = 'log.vkey'
const BUNDLE = ' namespaces="affidavit-bundle"'

/** @param another seed of the export key of somebody else @param authority certificate of the timestamp authority itself, PEM */
export function keyWays({ reseal, resealByAnother, another }: CorpusKeys, plain: Bag, authority: string): readonly Way[] {
  const origin = text(plain, 'trust/log.vkey').split('+')[0] ?? ''
  const [theirLog, their, witness] = [Buffer.alloc(32, 50), another, Buffer.alloc(32, 51)].map(ed25519FromSeed)
  if (!theirLog || !their || !witness) throw new Error('no keys')
  const theirOrigin = originOf(sha256, theirLog.publicKey)
  const name = witnessName(sha256, witness.publicKey)
  const rsa = `ssh-rsa ${Buffer.concat([Buffer.from([0, 0, 0, 7]), Buffer.from('ssh-rsa'), Buffer.alloc(40, 1)]).toString('base64')}`
  const append = (file: string, more: string) => (trust: Bag) => edit(trust, file, (all) => all + more)
  const asIs = () => {}

  const good = (named: string, confirmed: (trust: Bag) => void): Way => ({
    name: `confirmed keys: ${named}`,
    confirmed,
    change: asIs,
    verdict: 'valid',
    step: null,
    code: null
  })
  const unread = (named: string, confirmed: (trust: Bag) => void): Way => ({ ...good(named, confirmed), verdict: 'refused' })
  const wrong = (named: string, confirmed: (trust: Bag) => void, code: string, change: (bag: Bag) => void = asIs): Way => ({
    ...good(named, confirmed),
    change,
    verdict: 'invalid',
    step: code === 'log_not_trusted' || code === 'cosignature' ? 3 : 1,
    code
  })
  const sealedByThem = (bag: Bag) => {
    bag.set('trust/allowed_signers', Buffer.from(allowedSignersLine(origin, their.publicKey)))
    resealByAnother(bag)
  }
  /** Everything that the owner of another log can make fit. */
  const theirs = (bag: Bag) => {
    const body = text(bag, 'proof/checkpoint').split('\n').slice(0, 3).join('\n')
    editCheckpoint(bag, () => signCheckpoint(sha256, `${body}\n`, { origin, publicKey: theirLog.publicKey, sign: theirLog.sign }))
    for (const file of ['proof/previous-checkpoint', 'proof/consistency.txt']) bag.delete(file)
    bag.set('trust/log.vkey', Buffer.from(`${formatVkey(sha256, origin, theirLog.publicKey)}\n`))
    bag.set('trust/log.pub.pem', Buffer.from(publicKeyPem(theirLog.publicKey)))
    sealedByThem(bag)
  }
  const bothLogs = (trust: Bag) => {
    append(VKEY, `${formatVkey(sha256, theirOrigin, theirLog.publicKey)}\n`)(trust)
    append(SIGNERS, allowedSignersLine(theirOrigin, their.publicKey))(trust)
  }
  const key = sshPublicKey(their.publicKey)
  const own = (change: (line: string) => string) => (trust: Bag) => edit(trust, SIGNERS, change)
  const cosigned = (spoil: boolean) => (bag: Bag) => {
    const body = text(bag, 'proof/checkpoint').split('\n').slice(0, 3).join('\n')
    const line = cosign(sha256, { name, publicKey: witness.publicKey, sign: witness.sign }, spoil ? 'other\n' : `${body}\n`, 1_700_000_000)
    editCheckpoint(bag, (all) => all + line)
    reseal(bag)
  }
  const witnessed = (trust: Bag) => trust.set('witness.vkey', Buffer.from(formatWitnessVkey(sha256, name, witness.publicKey)))
  return [
    wrong('a bundle under the name of this log by the owner of another', bothLogs, 'log_not_trusted', theirs),
    wrong('the same, its signer', bothLogs, 'signer_not_trusted', theirs),
    ...[`bob@example.com namespaces="git" ${key}\n`, `bob@example.com ${key}\n`].map((line, n) =>
      wrong(`a bundle by somebody who may sign other things (${n})`, append(SIGNERS, line), 'signer_not_trusted', sealedByThem)
    ),
    wrong(
      'the signer of this log, whose time is over',
      own((line) => line.replace(BUNDLE, ' valid-before="20200101"')),
      'signer_not_trusted'
    ),
    wrong(
      'the signer of this log under another name',
      own((line) => line.replace(origin, 'somebody')),
      'signer_not_trusted'
    ),
    wrong(
      'the signer of this log under a pattern',
      own((line) => line.replace(origin, 'affidavit.invalid/*')),
      'signer_not_trusted'
    ),
    wrong(
      'the signer of this log for another purpose',
      own((line) => line.replace(BUNDLE, ' namespaces="git"')),
      'signer_not_trusted'
    ),
    wrong(
      'the key of this log under another name',
      (trust) => trust.set(VKEY, Buffer.from(`${formatVkey(sha256, theirOrigin, theirLog.publicKey)}\n`)),
      'log_not_trusted'
    ),
    wrong('a cosignature that does not hold', witnessed, 'cosignature', cosigned(true)),
    { ...good('a witness', witnessed), change: cosigned(false) },
    {
      ...good('the certificate of the timestamp authority itself', (trust) => trust.set('tsa-ca.pem', Buffer.from(authority))),
      from: 'stamped'
    },
    good(
      'an RSA user, an authority, a date and a comment beside',
      append(SIGNERS, `# office\nalice ${rsa}\n*@example.com cert-authority ${key}\ncarol valid-after="20200101" ${key}\n`)
    ),
    good(
      'two spaces, tabs and a remark',
      own((line) => ` ${line.replace(' ssh-ed', '\t ssh-ed').trimEnd()} office\n`)
    ),
    good(
      'two purposes',
      own((line) => line.replace('="', '="git,'))
    ),
    good('a byte-order mark, CRLF and no last line end', (trust) => {
      for (const file of [VKEY, SIGNERS]) edit(trust, file, (all) => `\ufeff# kept\r\n${all.trimEnd()}`)
    }),
    good('keys of other logs before', (trust) =>
      edit(trust, VKEY, (all) => `# keys\nx.example/y+00000000+AAAA\n${formatVkey(sha256, theirOrigin, theirLog.publicKey)}\n${all}`)
    ),
    unread('no verifier key', (trust) => trust.set(VKEY, Buffer.from('hello\n'))),
    unread('no signer', (trust) => trust.set(SIGNERS, Buffer.from(''))),
    unread('no certificate', (trust) => trust.set('tsa-ca.pem', Buffer.from('hello\n'))),
    unread('no key of a witness', (trust) => trust.set('witness.vkey', Buffer.from('hello\n')))
  ]
}
