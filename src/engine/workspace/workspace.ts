// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { EngineStart } from '../../shared/contract/wire.ts'
import type { EngineEnvironment } from '../config.ts'
import { writeFileDurably } from '../files.ts'
import { writeHeadCopy } from '../ledger/head.ts'
import { Ledger } from '../ledger/ledger.ts'
import { ledgerMigrations } from '../ledger/migrations.ts'
import { leafCount } from '../ledger/store.ts'
import { migrate, openOfRecord, type WritableDb } from '../sqlite/open.ts'
import { type KeyHolder, loadKeyring, type OsKeyStore } from '../vault/keyring.ts'
import { vaultMigrations } from '../vault/migrations.ts'
import { PayloadReader } from '../vault/payload-reader.ts'
import { type Identity, identityOf } from './identity.ts'
import { describeWorkspace, lockWorkspace, type WorkspaceDescription, type WorkspacePaths, workspacePaths } from './paths.ts'
import { checkStart, type StartState } from './startup.ts'

/** A workspace opened for its one writer, checked. `ledger` is null when it opened read-only; `start.problem` says why. */
export interface OpenWorkspace {
  readonly paths: WorkspacePaths
  readonly state: string
  readonly description: WorkspaceDescription
  readonly identity: Identity
  readonly keyHolder: KeyHolder
  readonly created: boolean
  readonly start: StartState
  readonly ledgerDb: WritableDb
  readonly keysDb: WritableDb
  readonly ledger: Ledger | null
  /** Leaves in the ledger at start. */
  readonly size: number
  /** Writes the copies outside the database: heads.json in the state folder, and the file of the last checkpoint. */
  saveHead(head: { readonly size: number; readonly root: Uint8Array }, note?: string): void
  close(): void
}

/**
 * Opens or creates a workspace: lock, databases, keys, start checks.
 * @throws AffidavitError workspace_locked, workspace_damaged, keys_unavailable
 */
export async function openWorkspace(
  config: EngineStart['config'],
  environment: EngineEnvironment,
  store: OsKeyStore | null
): Promise<OpenWorkspace> {
  const paths = workspacePaths(config.workspace)
  const description = describeWorkspace(paths)
  const lock = lockWorkspace(paths)
  const opened: WritableDb[] = [lock]
  try {
    const ledgerDb = openOfRecord(paths.ledger)
    opened.push(ledgerDb)
    migrate(ledgerDb, ledgerMigrations)
    const keysDb = openOfRecord(paths.keys)
    opened.push(keysDb)
    migrate(keysDb, vaultMigrations)
    const size = leafCount(ledgerDb)
    const place = {
      state: config.state,
      workspaceId: description.id,
      store,
      passphraseFile: config.passphraseFile ?? environment.passphraseFile
    }
    const { holder, created } = await loadKeyring(place, size === 0 && !existsSync(paths.head))
    const identity = identityOf(holder)
    const start = checkStart({
      paths,
      state: config.state,
      ledger: ledgerDb,
      keys: keysDb,
      origin: identity.origin,
      logPublicKeys: identity.publicKeys('log')
    })
    const ledger =
      start.problem || !start.head
        ? null
        : new Ledger({
            ledger: ledgerDb,
            keys: keysDb,
            head: start.head,
            range: start.range,
            nodes: start.nodes,
            kek: identity.kek,
            dedupKey: identity.dedupKey,
            payloads: new PayloadReader(ledgerDb, keysDb, { get: (id) => identity.keks.get(id) }),
            appVersion: config.appVersion,
            sample: description.sample
          })
    return {
      paths,
      state: config.state,
      description,
      identity,
      keyHolder: holder,
      created,
      start,
      ledgerDb,
      keysDb,
      ledger,
      size,
      saveHead: (head, note) => {
        writeHeadCopy(join(config.state, 'heads.json'), identity.origin, head)
        if (note !== undefined) writeFileDurably(join(paths.anchors, 'checkpoint'), note)
      },
      close: () => {
        start.head?.close()
        for (const db of opened.reverse()) db.close()
      }
    }
  } catch (error) {
    for (const db of opened.reverse()) db.close()
    throw error
  }
}
