// SPDX-License-Identifier: Apache-2.0
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { engineProcessEnv } from '../node/engine-memory.ts'

/** What the shell takes from its environment; the only place of main that reads it. */
export interface MainConfig {
  /** Named by the environment; null leaves the choice to what was remembered, or the default. */
  readonly workspace: string | null
  readonly defaultWorkspace: string
  readonly state: string
  readonly compliance: { readonly host: string; readonly port: number }
  readonly drift: { readonly host: string; readonly port: number }
  readonly allowedHosts: readonly string[]
  readonly passphraseFile: string | null
  /** Address of the development server; null in every build. */
  readonly devServer: string | null
}

export interface SystemFolders {
  readonly userData: string
  readonly appData: string
  readonly home: string
}

const port = (name: string, preset: number) =>
  z
    .string()
    .regex(/^\d{1,5}$/, `${name} is a port number`)
    .transform(Number)
    .pipe(z.number().max(65_535, `${name} is a port number`))
    .default(preset)

const schema = z.object({
  AFFIDAVIT_WORKSPACE: z.string().min(1).optional(),
  AFFIDAVIT_STATE: z.string().min(1).optional(),
  AFFIDAVIT_ALLOWED_HOSTS: z.string().default(''),
  AFFIDAVIT_PASSPHRASE_FILE: z.string().min(1).optional(),
  COMPLIANCE_API_HOST: z.string().min(1).default('127.0.0.1'),
  COMPLIANCE_API_PORT: port('COMPLIANCE_API_PORT', 5000),
  DRIFT_API_HOST: z.string().min(1).default('127.0.0.1'),
  DRIFT_API_PORT: port('DRIFT_API_PORT', 5001),
  ELECTRON_RENDERER_URL: z.url({ protocol: /^http$/, hostname: /^(localhost|127\.0\.0\.1)$/ }).optional(),
  XDG_STATE_HOME: z.string().optional()
})

/** The folder for keys and remembered heads: outside every workspace and the same for the app and the command line. */
function stateFolder(folders: SystemFolders, xdgStateHome: string | undefined, platform: NodeJS.Platform): string {
  if (platform === 'win32' || platform === 'darwin') return join(folders.appData, 'affidavit')
  return join(xdgStateHome || join(folders.home, '.local', 'state'), 'affidavit')
}

/**
 * Reads and checks the environment. Empty variables count as absent.
 * @throws z.ZodError naming the variable
 */
export function mainConfig(folders: SystemFolders, packaged: boolean, env: NodeJS.ProcessEnv = process.env): MainConfig {
  const parsed = schema.parse(Object.fromEntries(Object.entries(env).filter(([, value]) => value !== '')))
  return {
    workspace: parsed.AFFIDAVIT_WORKSPACE === undefined ? null : resolve(parsed.AFFIDAVIT_WORKSPACE),
    defaultWorkspace: join(folders.userData, 'workspaces', 'default'),
    state:
      parsed.AFFIDAVIT_STATE === undefined
        ? stateFolder(folders, parsed.XDG_STATE_HOME, process.platform)
        : resolve(parsed.AFFIDAVIT_STATE),
    compliance: { host: parsed.COMPLIANCE_API_HOST, port: parsed.COMPLIANCE_API_PORT },
    drift: { host: parsed.DRIFT_API_HOST, port: parsed.DRIFT_API_PORT },
    allowedHosts: parsed.AFFIDAVIT_ALLOWED_HOSTS.split(',')
      .map((host) => host.trim())
      .filter((host) => host !== ''),
    passphraseFile: parsed.AFFIDAVIT_PASSPHRASE_FILE ?? null,
    devServer: packaged ? null : (parsed.ELECTRON_RENDERER_URL ?? null)
  }
}

/** The environment of the engine's process. */
export const engineVariables = (): NodeJS.ProcessEnv => engineProcessEnv(process.env)
