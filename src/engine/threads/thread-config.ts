// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'

/** What a thread of the engine is given: where the files are and the keys that open payloads. */
export interface ThreadConfig {
  readonly workspace: string
  readonly nativeBinding?: string
  /** Key-encryption keys by id, base64. */
  readonly keks: Readonly<Record<string, string>>
}

export const keksOf = (config: ThreadConfig): ReadonlyMap<string, Uint8Array> =>
  new Map(Object.entries(config.keks).map(([id, key]) => [id, Buffer.from(key, 'base64')]))

export const threadPaths = (config: ThreadConfig) => ({
  ledger: join(config.workspace, 'ledger.db'),
  keys: join(config.workspace, 'keys.db'),
  catalog: join(config.workspace, 'catalog.db')
})

/** The entry of a thread: in the sources when these run directly, else in the flat folder of the build. */
export const threadUrl = (name: 'projector-thread' | 'reader-thread'): URL =>
  new URL(import.meta.url.endsWith('.ts') ? `./${name}.ts` : `./${name}.js`, import.meta.url)
