// SPDX-License-Identifier: Apache-2.0
import { homedir } from 'node:os'
import { join } from 'node:path'
import { engineProcessEnv } from '../node/engine-memory.ts'
import { AffidavitError } from '../shared/contract/errors.ts'

/** What the command line reads from its environment; the only place that does. Everything else is an argument. */
export interface CliEnvironment {
  readonly compliance: { readonly host: string; readonly port: number }
  readonly drift: { readonly host: string; readonly port: number }
  readonly passphraseFile: string | undefined
  readonly allowedHosts: readonly string[]
  readonly state: string
  /** What printing a PDF looks for: the desktop runtime, a display, the command path. */
  readonly printing: { readonly electron: string | undefined; readonly display: boolean; readonly path: string }
}

const port = (text: string | undefined, otherwise: number): number => (text ? (/^\d{1,5}$/.test(text) ? Number(text) : -1) : otherwise)

const list = (text: string | undefined): string[] =>
  (text ?? '')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')

function stateFolder(env: NodeJS.ProcessEnv): string {
  if (process.platform === 'win32') return join(env.APPDATA ?? join(homedir(), 'AppData', 'Roaming'), 'affidavit')
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'affidavit')
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'affidavit')
}

export function cliEnvironment(env: NodeJS.ProcessEnv = process.env): CliEnvironment {
  return {
    compliance: { host: env.COMPLIANCE_API_HOST || '127.0.0.1', port: port(env.COMPLIANCE_API_PORT, 5000) },
    drift: { host: env.DRIFT_API_HOST || '127.0.0.1', port: port(env.DRIFT_API_PORT, 5001) },
    passphraseFile: env.AFFIDAVIT_PASSPHRASE_FILE || undefined,
    allowedHosts: list(env.AFFIDAVIT_ALLOWED_HOSTS),
    state: env.AFFIDAVIT_STATE || stateFolder(env),
    printing: {
      electron:
        env.ELECTRON_EXEC_PATH || (env.ELECTRON_OVERRIDE_DIST_PATH && join(env.ELECTRON_OVERRIDE_DIST_PATH, 'electron')) || undefined,
      display: Boolean(env.DISPLAY || env.WAYLAND_DISPLAY),
      path: env.PATH ?? ''
    }
  }
}

/** @throws AffidavitError bad_request naming the variable that holds no port */
export function requirePorts({ compliance, drift }: CliEnvironment): void {
  for (const [name, { port }] of [
    ['COMPLIANCE_API_PORT', compliance],
    ['DRIFT_API_PORT', drift]
  ] as const) {
    if (port < 0 || port > 65_535) throw new AffidavitError('bad_request', `${name} is a port number, 0 to 65535`)
  }
}

/** The environment of the engine's process. A command that ends by itself shows only what went wrong, unless a level is set. */
export const engineVariables = (serves: boolean): NodeJS.ProcessEnv =>
  engineProcessEnv(serves ? process.env : { AFFIDAVIT_LOG_LEVEL: 'warn', ...process.env })
