// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '../../node/durable-file.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { EngineStart } from '../../shared/contract/wire.ts'
import { acceptRestoredHead } from '../backup/finish-restore.ts'
import type { EngineEnvironment } from '../config.ts'
import { type HeadCopyFinding, HeadCopyKeeper, writeHeadCopy } from '../ledger/head-copy.ts'
import { Ledger } from '../ledger/ledger.ts'
import { ledgerMigrations } from '../ledger/migrations.ts'
import { leafCount } from '../ledger/store.ts'
import type { ReviewFile } from '../review/review-file.ts'
import { type Migration, migrate, openOfRecord, type WritableDb } from '../sqlite/open.ts'
import type { OsKeyStore } from '../vault/key-file.ts'
import { type KeyHolder, loadKeyring, missingKeyring } from '../vault/keyring.ts'
import { vaultMigrations } from '../vault/migrations.ts'
import { PayloadReader } from '../vault/payload-reader.ts'
import { acceptStart, choiceDraft, fits, forgetChoice, waitingChoice } from './continue.ts'
import { type Identity, identityOf } from './identity.ts'
import { keylessIdentity, rememberedOrigin, rememberLogKey } from './keyless.ts'
import {
  describeWorkspace,
  lockWorkspace,
  makeFolders,
  requireStateFolder,
  storageRefusal,
  type WorkspaceDescription,
  type WorkspacePaths,
  workspacePaths
} from './paths.ts'
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
  /** The bundle whose leaves these are; null in a workspace of its own. */
  readonly review: ReviewFile | null
  /** Leaves in the ledger at start. */
  readonly size: number
  /** Writes the copies outside the database: heads.json in the state folder, and the file of the last checkpoint. */
  saveHead(head: { readonly size: number; readonly root: Uint8Array }, note?: string): HeadCopyFinding | undefined
  close(): void
}

/** Opens a database of record at its newest schema. @throws AffidavitError workspace_damaged */
function openFile(path: string, name: string, migrations: readonly Migration[]): WritableDb {
  let db: WritableDb | undefined
  try {
    db = openOfRecord(path)
    migrate(db, migrations)
    return db
  } catch (error) {
    db?.close()
    const refused = storageRefusal(error, name)
    if (refused) throw refused
    const what = error instanceof Error ? error.message : 'unreadable'
    throw new AffidavitError(
      'workspace_damaged',
      `${name} cannot be opened (${what}): restore the folder from a backup; nothing was written to it`
    )
  }
}

interface Keys {
  readonly identity: Identity
  readonly holder: KeyHolder
  readonly created: boolean
  /** Why the keyring is not here; undefined when it is. */
  readonly missing?: string
}

/** Loads the keys. Without them a log that has leaves can still be read and verified. @throws AffidavitError keys_unavailable */
async function keysOf(place: Parameters<typeof loadKeyring>[0], paths: WorkspacePaths, mayCreate: boolean): Promise<Keys> {
  try {
    const { holder, created } = await loadKeyring(place, mayCreate)
    const identity = identityOf(holder)
    const named = rememberedOrigin(paths)
    if (named === undefined || named === identity.origin) return { identity, holder, created }
    const other = keylessIdentity(paths)
    if (other)
      return {
        identity: other,
        holder: missingKeyring(other.origin),
        created: false,
        missing: 'The key file is that of another log, not of this one.'
      }
    return { identity, holder, created }
  } catch (error) {
    // A passphrase that was not given is asked for again; a file that is gone, damaged or refused by the key store would end every start.
    if (!(error instanceof AffidavitError) || error.details?.keyring === undefined || mayCreate) throw error
    const identity = keylessIdentity(paths)
    if (!identity) throw error
    return {
      identity,
      holder: missingKeyring(identity.origin),
      created: false,
      missing: `${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`
    }
  }
}

/**
 * Opens or creates a workspace: lock, databases, keys, start checks, and what a person chose after a rollback.
 * @param now wall clock in milliseconds, for tests
 * @throws AffidavitError workspace_locked, workspace_damaged, not_writable, disk_full, keys_unavailable
 */
export async function openWorkspace(
  config: EngineStart['config'],
  environment: EngineEnvironment,
  store: OsKeyStore | null,
  now: () => number = Date.now
): Promise<OpenWorkspace> {
  const paths = workspacePaths(config.workspace)
  if (!existsSync(paths.ledger)) requireStateFolder(config.state)
  makeFolders(paths)
  const lock = lockWorkspace(paths)
  const opened: WritableDb[] = [lock]
  try {
    const description = describeWorkspace(paths, config.sample ? new Date(now()) : null)
    const ledgerDb = openFile(paths.ledger, 'ledger.db', ledgerMigrations)
    opened.push(ledgerDb)
    const keysDb = openFile(paths.keys, 'keys.db', vaultMigrations)
    opened.push(keysDb)
    const place = {
      state: config.state,
      workspaceId: description.id,
      store,
      passphraseFile: config.passphraseFile ?? environment.passphraseFile,
      passphrase: config.passphrase,
      withoutKeys: config.withoutKeys
    }
    const { identity, holder, created, missing } = await keysOf(place, paths, !existsSync(paths.head) && leafCount(ledgerDb) === 0)
    acceptRestoredHead(config.state, paths.root, identity.origin, ledgerDb)
    const input = {
      paths,
      state: config.state,
      ledger: ledgerDb,
      keys: keysDb,
      origin: identity.origin,
      logPublicKeys: identity.publicKeys('log'),
      keks: missing === undefined ? identity.keks : null,
      ...(missing === undefined ? {} : { keysMissing: missing }),
      keysMade: created
    }
    const found = checkStart(input)
    const waiting = waitingChoice(config.state, identity.origin)
    const choice = waiting && fits(waiting, found) ? waiting : undefined
    const start = found.problem && choice ? acceptStart(input, found) : found
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
            sample: description.sample,
            now
          })
    const copy = ledger && new HeadCopyKeeper(config.state, identity.origin)
    const saveHead: OpenWorkspace['saveHead'] = (head, note) => {
      // Where nothing is written, nothing is set aside either.
      const finding = copy ? copy.save(head) : writeHeadCopy(config.state, identity.origin, head)
      if (note !== undefined) writeFileDurably(join(paths.anchors, 'checkpoint'), note)
      return finding
    }
    if (ledger) {
      rememberLogKey(paths, identity)
      if (choice) {
        // Before the leaf: what a crash leaves from here on is a tree that extends what is remembered.
        saveHead(ledger.tree())
        await ledger.append([choiceDraft(choice)])
        saveHead(ledger.tree())
      }
    }
    if (waiting && missing === undefined) forgetChoice(config.state, identity.origin)
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
      review: null,
      size: leafCount(ledgerDb),
      saveHead,
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
