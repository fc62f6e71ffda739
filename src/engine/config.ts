// SPDX-License-Identifier: Apache-2.0
import { userInfo } from 'node:os'
import { z } from 'zod'

/** What the engine reads from its environment; the only place of the engine that does. */
export interface EngineEnvironment {
  readonly nativeBinding: string | undefined
  readonly passphraseFile: string | undefined
  /** File of tokens that clients have from the start, as containers mount secrets. */
  readonly tokenFile: string | undefined
  readonly allowedHosts: readonly string[]
  /** Origins of web pages on other sites that may ask and read answers. */
  readonly allowedOrigins: readonly string[]
  /** A further port that takes OTLP alone, usually 4318; null for none. */
  readonly otlpPort: number | null
  /** Account of the operating system that this process runs under: asked from the system, not from a variable. */
  readonly osAccount: string
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'silent'
}

const list = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

function accountName(): string {
  try {
    return userInfo().username
  } catch {
    // A container may run under a number that has no name.
    return `uid-${process.getuid?.() ?? 'unknown'}`
  }
}

const otlpPort = z.coerce.number().int().min(0).max(65_535).nullable().catch(null)

/** Reads and checks the engine's environment variables. */
export function engineEnvironment(env: NodeJS.ProcessEnv = process.env): EngineEnvironment {
  const level = z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).catch('info')
  return {
    nativeBinding: env.AFFIDAVIT_NATIVE_BINDING || undefined,
    passphraseFile: env.AFFIDAVIT_PASSPHRASE_FILE || undefined,
    tokenFile: env.AFFIDAVIT_TOKEN_FILE || undefined,
    allowedHosts: list(env.AFFIDAVIT_ALLOWED_HOSTS),
    allowedOrigins: list(env.AFFIDAVIT_ALLOWED_ORIGINS),
    otlpPort: otlpPort.parse(env.AFFIDAVIT_OTLP_PORT || null),
    osAccount: accountName(),
    logLevel: level.parse(env.AFFIDAVIT_LOG_LEVEL ?? 'info')
  }
}
