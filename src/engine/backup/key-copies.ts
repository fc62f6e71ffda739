// SPDX-License-Identifier: Apache-2.0
import { constants, statSync } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BackupPlan } from '../../shared/contract/backup.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { Handlers } from '../handlers.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import type { Identity } from '../workspace/identity.ts'
import type { StandingBackup } from './history.ts'
import { KEYS_NAME } from './manifest.ts'
import { removedDraft } from './surplus.ts'

export interface KeyCopiesDeps {
  readonly pool: ReaderPool
  readonly identity: Identity
  readonly workspace: string
  readonly state: string
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  readonly plan: () => BackupPlan
  /** Every backup on record that is not removed. */
  readonly standing: () => Promise<readonly StandingBackup[]>
  readonly onFailed: (error: unknown) => void
  /** A change of the key that waited for the folder of the backups may go on. */
  readonly goOn: () => void
}

const SYSTEM = { ref: 'engine', kind: 'system' } as const

/**
 * Copies of the keys beside the backups (EVIDENCE, Erasure; ADR 17). Destroying a key-encryption key makes every earlier backup unreadable: so
 * the rewritten keys are copied and verified first. The folder of the plan is a promise: when the copy fails there, the old key stays and the
 * change goes on once the folder is there again, or another plan is set. Folders of backups made by hand get one if they are there.
 */
export class KeyCopies {
  readonly #deps: KeyCopiesDeps
  #waiting: string | null = null

  constructor(deps: KeyCopiesDeps) {
    this.#deps = deps
  }

  /** Why a change of the key waits before the old one is destroyed; null when none does. */
  get waiting(): string | null {
    return this.#waiting
  }

  readonly handlers: Handlers<'backup.key_change'> = {
    'backup.key_change': async () => {
      const backups = await this.#deps.standing()
      const { contents, folders: all } = await this.#look(backups.map((one) => one.path))
      const used = new Set(backups.filter((_, i) => contents[i] !== 'removed').map(({ path }) => dirname(path)))
      const planned = this.#deps.plan().folder
      const folders = all.filter(({ path }) => path === planned || used.has(path))
      const takes = new Set(folders.filter((one) => one.problem === null).map((one) => one.path))
      const opens = backups.filter((_, i) => contents[i] === 'opens' || contents[i] === 'newer_keys')
      // The keys of this log are not those of leaves that it does not hold.
      const closes = opens.filter(({ path, other }) => other || !takes.has(dirname(path)))
      return {
        folders: folders.map(({ path, problem }) => ({ path, problem, planned: path === planned })),
        closes: closes.map(({ path, time, size }) => ({ path, time, size })),
        not_connected: contents.filter((one) => one === 'not_connected').length
      }
    }
  }

  /** What can be said of the backups on record, in their order, and the copies of the keys there are. */
  async overview(paths: readonly string[]) {
    const { contents, folders } = await this.#look(paths)
    return { contents, copies: folders.flatMap(({ copy }) => (copy ? [copy] : [])) }
  }

  /**
   * Makes and verifies the copies; called when no block names the old key any more, before it is destroyed.
   * @throws AffidavitError file_unreadable, disk_full: the folder of the plan takes none; nothing may be destroyed
   */
  async beforeDestroy(): Promise<void> {
    const { pool, identity, state, append, plan, standing, onFailed } = this.#deps
    const planned = plan().folder
    const { id, key } = identity.kek
    const paths = (await standing()).map((one) => one.path)
    const { contents, folders } = await this.#look(paths)
    const used = new Set(paths.filter((_, i) => contents[i] !== 'removed').map((path) => dirname(path)))
    const there = folders.filter(({ path, problem }) => path === planned || (problem === null && used.has(path)))
    for (const { path: folder } of there) {
      const input = { target: folder, state, origin: identity.origin, kek: { id, key: Buffer.from(key).toString('base64') } }
      try {
        // On a thread of its own: a long verification or backup must not hold up an erasure.
        const copy = await pool.alone('writeKeyCopy', input)
        const data = { backup_id: copy.id, size: copy.size, kek_id: copy.kek_id, bytes: copy.bytes }
        await append([
          { type: 'backup.keys', actor: SYSTEM, data, parts: [bodyPart({ path: copy.path }).part] },
          ...copy.replaced.map((one) => removedDraft(one, 'key_copy'))
        ])
      } catch (error) {
        onFailed(error)
        if (folder !== planned) continue
        const code = error instanceof AffidavitError ? error.code : 'internal'
        this.#waiting = `No copy of the keys could be made in the folder of the backups, so the old key was not destroyed: the backups there would not open any more. It goes on once the folder can be written, or the plan names another or none (${code})`
        throw new AffidavitError(code, this.#waiting)
      }
    }
    this.#waiting = null
  }

  /** Lets a change go on that waited, when the folder of the plan is there again or another plan was set. */
  async tryAgain(): Promise<void> {
    const { folder } = this.#deps.plan()
    if (this.#waiting === null) return
    try {
      if (folder !== null) await access(folder, constants.W_OK)
      this.#deps.goOn()
    } catch {
      // Not there yet.
    }
  }

  #look(paths: readonly string[]) {
    const { pool, identity, workspace, state } = this.#deps
    const bytes = statSync(join(workspace, KEYS_NAME)).size
    const { folder } = this.#deps.plan()
    const folders = [...new Set([...(folder === null ? [] : [folder]), ...paths.map((path) => dirname(path))])]
    return pool.run('lookAtBackups', { paths, folders, origin: identity.origin, workspace, state, keks: [...identity.keks.keys()], bytes })
  }
}
