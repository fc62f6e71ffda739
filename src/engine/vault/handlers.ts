// SPDX-License-Identifier: Apache-2.0

import { existsSync } from 'node:fs'
import { writeFileDurably } from '../../node/durable-file.ts'
import { notWritten } from '../../node/not-written.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { KeyProtectionChoice, KeyReport } from '../../shared/contract/keys.ts'
import { toBase64 } from '../../shared/evidence/bytes.ts'
import { signingKeyId } from '../../shared/evidence/key-chain.ts'
import { formatVkey } from '../../shared/evidence/note.ts'
import { sha256, sha256Hex } from '../crypto.ts'
import type { Handlers } from '../handlers.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import { savedDraft } from '../ledger/saved-draft.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import type { Identity } from '../workspace/identity.ts'
import { fingerprintsPage } from './fingerprints-page.ts'
import { type OsKeyStore, type Protector, protectionMessage, readPassphrase } from './key-file.ts'
import { keyReportHtml } from './key-report.ts'
import type { KeyHolder } from './keyring.ts'
import { SigningKeys } from './signing-keys.ts'
import { unlinkedKeys, unlinkedMessage } from './signing-record.ts'
import type { Vault } from './vault.ts'

export interface KeyHandlerDeps {
  readonly identity: Identity
  readonly holder: KeyHolder
  /** Of the workspace. */
  readonly name: string
  /** When the workspace was made: since then its first keys are in use. */
  readonly created: string
  readonly jobs: Jobs
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly ledgerSize: () => number
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  readonly checkpoint: () => Promise<unknown>
  readonly store: OsKeyStore | null
  /** Told to whoever starts the engine: its next start needs this passphrase; null: none. */
  readonly onPassphrase: (passphrase: string | null) => void
  /** null when the workspace is open read-only. */
  readonly vault: Vault | null
}

const PATIENCE_MS = 10_000
type Names = 'keys.report' | 'keys.save_report' | 'keys.page' | 'keys.rotate' | 'keys.revoke' | 'keys.protect'

/** The key report, the change and revocation of keys, and how they are protected. */
export function keyHandlers(deps: KeyHandlerDeps): {
  readonly handlers: Handlers<Names>
  readonly resume: () => Promise<void>
  readonly reconcile: () => Promise<void>
} {
  const { holder, jobs, vault, pool } = deps
  const signing = new SigningKeys(deps)
  const report = async (): Promise<KeyReport> => {
    await deps.projector.waitFor(deps.ledgerSize(), PATIENCE_MS)
    return reportOf(deps, await pool.run('keyHistory', {}))
  }
  const writable = (): Vault => {
    if (!vault) throw new AffidavitError('read_only', 'the workspace is open read-only: its keys stay as they are')
    return vault
  }
  return {
    resume: async () => {
      await vault?.resume()
      if (vault) await signing.resume()
    },
    reconcile: async () => {
      if (vault) await signing.reconcile(await pool.run('keyLeaves', {}))
    },
    handlers: {
      'keys.report': report,
      'keys.save_report': async ({ out, format, replace }, { actor }) => {
        if (!replace && existsSync(out))
          throw new AffidavitError('file_exists', 'the file exists already: choose another name or say that it may be replaced')
        const found = await report()
        const text = format === 'html' ? keyReportHtml(found, new Date().toISOString()) : `${JSON.stringify(found, null, 1)}\n`
        try {
          writeFileDurably(out, text)
        } catch (error) {
          throw notWritten(error)
        }
        await deps.append([savedDraft(actor, 'key_report', text)])
        return { path: out, bytes: Buffer.byteLength(text) }
      },
      'keys.page': async () => {
        const found = await report()
        const html = fingerprintsPage(found, deps.name, new Date().toISOString())
        const log = found.keys.find((key) => key.use === 'log' && key.state === 'in_use')?.fingerprint
        return { html, footer: `${found.origin}${log == null ? '' : `\nlog key: sha256 ${log}`}`, name: 'fingerprints' }
      },
      'keys.rotate': async ({ use }, { actor }) => {
        const open = writable()
        const job = jobs.start('rotate_key', titles[use], 'leaves', actor, async (control) => {
          if (use === 'key-encryption') await open.rewrapVault({ by: actor, progress: (done, total) => control.progress(done, total) })
          else await signing.rotate(use, actor)
        })
        return { job_id: job.id }
      },
      'keys.revoke': async ({ key_id, reason }, { actor }) => {
        writable()
        const known = (await report()).keys.find((key) => key.id === key_id)
        if (known?.revoked) throw new AffidavitError('conflict', `this key was revoked already, by leaf ${known.revoked.seq}`)
        await signing.revoke(key_id, reason, actor)
        return report()
      },
      'keys.protect': async (input, { actor }) => {
        writable()
        const from = holder.protection
        const by = protectorOf(input, deps.store)
        await holder.protect(by)
        deps.onPassphrase(by.protection === 'passphrase' ? by.passphrase : null)
        const data = { name: 'key_protection', from: JSON.stringify(from), to: JSON.stringify(by.protection) }
        await deps.append([{ type: 'setting.changed', actor, data, parts: [] }])
        return report()
      }
    }
  }
}

const titles = {
  log: 'Changing the log key',
  export: 'Changing the export key',
  'key-encryption': 'Changing the key-encryption key'
} as const

function protectorOf(input: KeyProtectionChoice, store: OsKeyStore | null): Protector {
  switch (input.protection) {
    case 'passphrase':
      return { protection: 'passphrase', passphrase: 'passphrase' in input ? input.passphrase : readPassphrase(input.passphrase_file) }
    case 'safe-storage':
      if (!store) throw new AffidavitError('keys_unavailable', 'there is no key store of the operating system here')
      return { protection: 'safe-storage', store }
    case 'key-file':
      return { protection: 'key-file' }
  }
}

function reportOf({ identity, holder, created }: KeyHandlerDeps, history: KeyReport['history']): KeyReport {
  const { ring } = holder
  const revokedOf = (id: string) => {
    const found = history.find((event) => event.what === 'revoked' && event.key_id === id)
    return found ? { seq: found.seq, time: found.time, reason: found.reason } : null
  }
  const signing = (use: 'log' | 'export', publicKey: Uint8Array, added: string, retired: string | null): KeyReport['keys'][number] => {
    const id = signingKeyId(sha256, identity.origin, publicKey)
    const revoked = revokedOf(id)
    return {
      use,
      id,
      fingerprint: sha256Hex(publicKey),
      public_key: use === 'log' ? formatVkey(sha256, identity.origin, publicKey) : toBase64(publicKey),
      state: revoked ? 'revoked' : retired === null ? 'in_use' : 'retired',
      added,
      retired,
      revoked
    }
  }
  return {
    origin: identity.origin,
    protection: identity.protection,
    message: protectionMessage[identity.protection],
    unlinked:
      identity.protection === 'missing'
        ? null
        : unlinkedMessage(
            unlinkedKeys(
              identity,
              history.map(({ what, key_id }) => ({ type: `key.${what}`, data: { key_id } }))
            )
          ),
    keys: [
      signing('log', identity.log.publicKey, ring.log.since ?? created, null),
      ...(identity.protection === 'missing' ? [] : [signing('export', identity.export.publicKey, ring.export.since ?? created, null)]),
      ...ring.keks.map(({ id, since }) => ({
        use: 'key-encryption' as const,
        id,
        fingerprint: null,
        public_key: null,
        state: 'in_use' as const,
        added: since ?? created,
        retired: null,
        revoked: null
      })),
      ...ring.past.toReversed().map((past) => signing(past.use, Buffer.from(past.public_key, 'base64'), past.since ?? created, past.until))
    ],
    history
  }
}
