// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import { clientName } from '../../../shared/evidence/leaf-data.ts'

/** A token that a file gives, such as a secret that a container mounts. */
export interface GivenToken {
  readonly name: string
  readonly token: string
}

/** Characters of a token at least: fewer can be guessed. */
const SHORTEST = 24

/**
 * Tokens of a file: one a line, `NAME TOKEN`, or a token alone, which belongs to the client `default`. Empty lines and those that begin
 * with `#` are passed over. No name and no token comes twice.
 * @throws AffidavitError file_unreadable, bad_request: names the line, never what is in it
 */
export function readTokenFile(path: string): GivenToken[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new AffidavitError('file_unreadable', 'the file that AFFIDAVIT_TOKEN_FILE names cannot be read')
  }
  const given: GivenToken[] = []
  const refuse = (line: number, expected: string): never => {
    throw new AffidavitError('bad_request', `line ${line} of the token file: expected ${expected}`)
  }
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const [first = '', second, ...more] = line.trim().split(/\s+/)
    const [name, token] = second === undefined ? ['default', first] : [first, second]
    if (more.length > 0 || token.length < SHORTEST || !clientName.safeParse(name).success)
      refuse(at + 1, `a name and a token of at least ${SHORTEST} characters`)
    if (given.some((one) => one.name === name || one.token === token)) refuse(at + 1, 'a name and a token that no line above has')
    given.push({ name, token })
  }
  return given
}
