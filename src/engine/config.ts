// SPDX-License-Identifier: Apache-2.0
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
