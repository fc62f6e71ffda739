// SPDX-License-Identifier: Apache-2.0
// Files of a bundle in other forms than the one in which they are written: what one reader takes for the same says another thing to the next.
import { concatBytes, toBase64, utf8 } from '../../shared/evidence/bytes.ts'
import { BUNDLE_NAMESPACE, formatSshsig, sshsigSignedData } from '../../shared/evidence/sshsig.ts'
import { ed25519FromSeed, sha256, sha512 } from '../crypto.ts'
import { type Bag, edit } from './corpus-edit.ts'
import type { CorpusKeys, Way } from './corpus-way.ts'

const SIG = 'tagmanifest-sha256.txt.sig'
const TAGS = 'tagmanifest-sha256.txt'

/** The signature, which no manifest lists and which anybody can change. */
function signatureWays({ another, exportSeed }: CorpusKeys): readonly Way[] {
  const way = (name: string, change: (bag: Bag) => void): Way => ({
    name: `the signature: ${name}`,
    change,
    step: 1,
    code: 'bundle_signature'
  })
  const text = (name: string, change: (text: string) => string) => way(name, (bag) => edit(bag, SIG, change))
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
    text('text after its end', (all) => `${all}hello\n`),
    text('no last line end', (all) => all.slice(0, -1)),
    text('CRLF', (all) => all.replaceAll('\n', '\r\n')),
    text('a space in it', (all) => all.replace('\n', '\n ')),
    text('a blank line in it', (all) => all.replace('\n', '\n\n')),
    text('one long line', (all) => all.replaceAll(/(?<=[A-Za-z0-9+/=]{60})\n(?=[A-Za-z0-9+/=])/g, '')),
    text('twice', (all) => all + all),
    way('that of another behind it', (bag) => edit(bag, SIG, (all) => all + second(bag))),
    way('over another digest', otherDigest)
  ]
}

export function formWays(keys: CorpusKeys): readonly Way[] {
  return signatureWays(keys)
}
