// SPDX-License-Identifier: Apache-2.0
import { readFileSync, statSync } from 'node:fs'
import { AffidavitError } from '../shared/contract/errors.ts'
import type { EngineChild } from './engine-child.ts'
import { say } from './output.ts'

/** Who a command acts for. */
export interface ActingOptions {
  readonly user?: string
  readonly passwordFile?: string
}

/** Says so when others can read a file with a secret in it. */
export function warnIfShared(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (process.platform !== 'win32' && found && (found.mode & 0o077) !== 0) say(`others can read ${path}: chmod 600 it`)
}

/** First line of a file that only its owner can read. @throws AffidavitError file_unreadable */
export function passwordIn(path: string): string {
  let text: string
  try {
    warnIfShared(path)
    text = readFileSync(path, 'utf8')
  } catch {
    throw new AffidavitError('file_unreadable', `the password file cannot be read: ${path}`)
  }
  return text.split(/\r?\n/, 1)[0] ?? ''
}

/**
 * Makes the engine act for whoever the options name, or for the person that signs in with the account this runs under.
 * @returns whether somebody may work: true too while no people are set up
 * @throws AffidavitError unauthorized, rate_limited, bad_request
 */
export async function actFor(engine: EngineChild, options: ActingOptions): Promise<boolean> {
  const { user, passwordFile } = options
  if ((user === undefined) !== (passwordFile === undefined))
    throw new AffidavitError('bad_request', '--user and --password-file belong together')
  let session = await engine.call('session.get', {})
  if (user !== undefined && passwordFile !== undefined)
    session = await engine.call('session.sign_in', { name: user, password: passwordIn(passwordFile) })
  if (session.must_choose)
    throw new AffidavitError('forbidden', 'this password was set by somebody else: sign in once in the app and choose an own one')
  return session.state !== 'signed_out'
}

/** Refuses a command for which nobody is signed in. @throws AffidavitError unauthorized */
export async function requirePerson(engine: EngineChild, options: ActingOptions): Promise<void> {
  if (await actFor(engine, options)) return
  throw new AffidavitError(
    'unauthorized',
    'people are set up in this workspace: name one with --user and --password-file, or run under an account that a person signs in with'
  )
}
