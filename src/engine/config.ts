// SPDX-License-Identifier: Apache-2.0
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'

/** What the engine reads from its environment; the only place of the engine that does. */
export interface EngineEnvironment {
  readonly nativeBinding: string | undefined
  readonly passphraseFile: string | undefined
  readonly allowedHosts: readonly string[]
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent'
}

const list = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

/** Reads and checks the engine's environment variables. */
export function engineEnvironment(env: NodeJS.ProcessEnv = process.env): EngineEnvironment {
  const level = z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).catch('info')
  return {
    nativeBinding: env.AFFIDAVIT_NATIVE_BINDING || undefined,
    passphraseFile: env.AFFIDAVIT_PASSPHRASE_FILE || undefined,
    allowedHosts: list(env.AFFIDAVIT_ALLOWED_HOSTS),
    logLevel: level.parse(env.AFFIDAVIT_LOG_LEVEL ?? 'info')
  }
}

/** Where keys and remembered heads are kept when no folder is named: outside every workspace. */
export function defaultStateFolder(env: NodeJS.ProcessEnv = process.env): string {
  if (process.platform === 'win32') return join(env.APPDATA ?? join(homedir(), 'AppData', 'Roaming'), 'affidavit')
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'affidavit')
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'affidavit')
}
