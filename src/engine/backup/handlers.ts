// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { BackupInfo, BackupPlan, RestoreReport } from '../../shared/contract/backup.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { Job } from '../../shared/contract/workspace.ts'
import { toHex } from '../../shared/evidence/bytes.ts'
import { formatVkey } from '../../shared/evidence/note.ts'
import { type Clock, Elapsed } from '../clock.ts'
import { sha256 } from '../crypto.ts'
import type { Handlers } from '../handlers.ts'
import type { JobControl, Jobs } from '../jobs/jobs.ts'
import { bodyPart } from '../ledger/body-part.ts'
import type { Actor, AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { CheckpointRow } from '../ledger/store.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import { keyringPath } from '../vault/keyring.ts'
import type { Identity } from '../workspace/identity.ts'
import type { WorkspaceDescription } from '../workspace/paths.ts'
import { defaultPlan } from './history.ts'
import { KeyCopies } from './key-copies.ts'
import { backupsIn, isInside, requireTarget } from './manifest.ts'
import { removeSurplus } from './surplus.ts'

export interface BackupDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly jobs: Jobs
  readonly identity: Identity
  readonly workspace: string
  readonly state: string
  readonly description: WorkspaceDescription
  readonly appVersion: string
  readonly ledgerSize: () => number
  readonly checkpoint: () => Promise<CheckpointRow | null>
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** Key-encryption keys of another workspace whose keyring is in the state folder; base64 by id. */
  readonly keksOf: (workspaceId: string) => Promise<Readonly<Record<string, string>>>
  readonly clock: Clock
  readonly onFailed: (error: unknown) => void
  /** A change of the key that waited for the folder of the backups may go on. */
  readonly goOn: () => void
}

const SYSTEM = { ref: 'engine', kind: 'system' } as const
const PATIENCE_MS = 5_000
const TICK_MS = 60_000
const HOUR_MS = 3_600_000

type Operations =
  | 'backup.overview'
  | 'backup.key_change'
  | 'backup.set_plan'
  | 'backup.start'
  | 'backup.result'
  | 'backup.inspect'
  | 'backup.drill'
  | 'backup.restore'
  | 'backup.report'

/** Backups, by hand and on a schedule, and restores, as a test or for good (EVIDENCE, Files of a workspace). */
export class Backups {
  readonly #deps: BackupDeps
  #plan: BackupPlan = defaultPlan
  #last: Elapsed | undefined
  #timer: NodeJS.Timeout | undefined
  #failed: Elapsed | undefined
  readonly handlers: Handlers<Operations>
  readonly keyCopies: KeyCopies

  constructor(deps: BackupDeps) {
    this.#deps = deps
    this.keyCopies = new KeyCopies({ ...deps, plan: () => this.#plan, standing: () => this.#standing() })
    this.handlers = this.#operations()
  }

  /** Reads the plan; with `scheduled`, makes a backup whenever one is due. */
  async start(scheduled: boolean): Promise<void> {
    const history = await this.#history()
    this.#plan = history.plan
    this.#last = history.backups[0] && new Elapsed(this.#deps.clock, Date.parse(history.backups[0].time))
    if (!scheduled) return
    this.#timer = setInterval(() => {
      this.tick()
      void this.keyCopies.tryAgain()
    }, TICK_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** When the next one falls due; null when there is no plan. */
  get next(): Date | null {
    const dueIn = this.#dueIn()
    return dueIn === null ? null : new Date(this.#deps.clock.now() + dueIn)
  }

  #dueIn(): number | null {
    const { folder, every_hours } = this.#plan
    if (folder === null || every_hours === 0) return null
    const left = (since: Elapsed | undefined, ms: number): number => (since ? ms - since.ms : 0)
    return Math.max(0, left(this.#last, every_hours * HOUR_MS), left(this.#failed, HOUR_MS))
  }

  /** Starts the backup that is due; gives its job. */
  tick(): Job | null {
    const { folder } = this.#plan
    if (folder === null || this.#dueIn() !== 0) return null
    return this.#make(folder, SYSTEM, 'schedule')
  }

  async #history() {
    await this.#deps.projector.waitFor(this.#deps.ledgerSize(), PATIENCE_MS)
    return this.#deps.pool.run('backupHistory', {})
  }

  async #standing() {
    await this.#deps.projector.waitFor(this.#deps.ledgerSize(), PATIENCE_MS)
    return this.#deps.pool.run('standingBackups', {})
  }

  #make(folder: string, actor: Actor, trigger: 'person' | 'schedule'): Job {
    const { pool, jobs, identity, workspace, description, appVersion, append } = this.#deps
    const running = jobs.list().find((job) => job.kind === 'backup' && job.state === 'running')
    if (running) return running
    return jobs.start('backup', `Backup to ${basename(folder)}`, 'bytes', actor, async (control): Promise<BackupInfo> => {
      try {
        requireTarget(folder, workspace, this.#deps.state)
        const vkey = formatVkey(sha256, identity.origin, identity.log.publicKey)
        const input = {
          workspace,
          target: folder,
          workspaceId: description.id,
          name: description.name,
          origin: identity.origin,
          vkey,
          app: appVersion
        }
        await this.#deps.checkpoint()
        const info = await pool.run('writeBackup', input, progressOf(control))
        control.progress(1, 1)
        const data = {
          backup_id: info.id,
          size: info.size,
          checkpoint_size: info.checkpoint_size,
          root: toHex(Buffer.from(info.root, 'base64')),
          bytes: info.bytes,
          trigger
        }
        await append([{ type: 'backup.made', actor, data, parts: [bodyPart({ path: info.path }).part] }])
        this.#last = new Elapsed(this.#deps.clock)
        await removeSurplus(folder, identity.origin, this.#plan, append)
        return info
      } catch (error) {
        this.#failed = new Elapsed(this.#deps.clock)
        if (trigger === 'schedule') this.#deps.onFailed(error)
        throw error
      }
    })
  }

  #operations(): Handlers<Operations> {
    const { pool, jobs, identity, append } = this.#deps
    return {
      ...this.keyCopies.handlers,
      'backup.overview': async () => {
        const { backups, restores } = await this.#history()
        const keyring = keyringPath(this.#deps.state, this.#deps.description.id)
        const { contents, copies } = await this.keyCopies.overview(backups.map((one) => one.path))
        return {
          plan: this.#plan,
          next: this.next?.toISOString() ?? null,
          backups: backups.map((one, i) => ({ ...one, contents: contents[i] ?? 'closed' })),
          restores,
          keyring,
          key_copies: copies,
          waiting: this.keyCopies.waiting
        }
      },
      'backup.set_plan': async (plan, caller) => {
        if (plan.folder !== null) requireTarget(plan.folder, this.#deps.workspace, this.#deps.state)
        const before = (await this.#history()).set ? wordsOf(this.#plan) : null
        const data = { name: 'backup.plan', from: JSON.stringify(before), to: JSON.stringify(wordsOf(plan)) }
        const [written] = await append([{ type: 'setting.changed', actor: caller.actor, data, parts: [bodyPart(plan).part] }])
        if (!written) throw new AffidavitError('read_only', 'the workspace is open read-only')
        this.#plan = plan
        this.#failed = undefined
        void this.keyCopies.tryAgain()
        return plan
      },
      'backup.start': async ({ folder }, caller) => {
        requireTarget(folder, this.#deps.workspace, this.#deps.state)
        return { job_id: this.#make(folder, caller.actor, 'person').id }
      },
      'backup.result': async ({ job_id }) => jobs.result<BackupInfo>(job_id, 'backup'),
      'backup.inspect': async ({ path }) => ({ backups: backupsIn(path) }),
      'backup.drill': async ({ path }, caller) => {
        const [info] = backupsIn(path)
        if (!info) throw new AffidavitError('not_found', 'there is no backup in this folder')
        const own = info.origin === identity.origin
        const job = jobs.start('restore', 'Test restore', 'bytes', caller.actor, async (control): Promise<RestoreReport> => {
          const temporary = mkdtempSync(join(tmpdir(), 'affidavit-drill-'))
          try {
            const keks = own ? identityKeks(identity) : await this.#deps.keksOf(await pool.run('backupWorkspace', { path: info.path }))
            const input = {
              kind: 'drill',
              path: info.path,
              to: join(temporary, 'workspace'),
              state: this.#deps.state,
              keks,
              acceptLoss: false,
              by: { actor: caller.actor, origin: identity.origin }
            } as const
            const report = await pool.run('restoreBackup', { ...input, live: own ? this.#deps.workspace : null }, progressOf(control))
            await append([
              { type: 'restore.done', actor: caller.actor, data: restoreData(report), parts: [bodyPart({ checks: report.checks }).part] }
            ])
            return report
          } catch (error) {
            // That a backup cannot be restored is what a test is for: it goes on record as well.
            if (own && error instanceof AffidavitError && (error.code === 'workspace_damaged' || error.code === 'keys_unavailable'))
              await append([
                {
                  type: 'restore.done',
                  actor: caller.actor,
                  data: { ...restoreData({ kind: 'drill', backup: info, verdict: 'damaged', reapplied: 0, missing_after: 0 }) },
                  parts: [bodyPart({ checks: [{ text: error.message, holds: false }] }).part]
                }
              ])
            throw error
          } finally {
            rmSync(temporary, { recursive: true, force: true })
          }
        })
        return { job_id: job.id }
      },
      'backup.restore': async ({ path, to, accept_loss }, caller) => {
        const [info] = backupsIn(path)
        if (!info) throw new AffidavitError('not_found', 'there is no backup in this folder')
        if (info.origin === identity.origin)
          throw new AffidavitError(
            'conflict',
            'This backup is of the workspace that is open: two folders that go on with one log would be a fork. Make a test restore, or close this workspace and run affidavit restore'
          )
        if (isInside(to, this.#deps.workspace))
          throw new AffidavitError('bad_request', 'the new folder lies in the open workspace: choose another')
        const restore = async (control: JobControl): Promise<RestoreReport> => {
          const keks = await this.#deps.keksOf(await pool.run('backupWorkspace', { path: info.path }))
          const input = {
            kind: 'restore',
            path: info.path,
            to,
            state: this.#deps.state,
            keks,
            live: null,
            acceptLoss: accept_loss,
            by: { actor: caller.actor, origin: identity.origin }
          } as const
          return pool.run('restoreBackup', input, progressOf(control))
        }
        return { job_id: jobs.start('restore', `Restoring to ${basename(to)}`, 'bytes', caller.actor, restore).id }
      },
      'backup.report': async ({ job_id }) => jobs.result<RestoreReport>(job_id, 'restore')
    }
  }
}

/** What a plan says, less the folder, which is in the body. */
const wordsOf = ({ folder, every_hours, keep, key_days }: BackupPlan): string =>
  folder === null || every_hours === 0 ? 'off' : `every ${every_hours} h, ${keep === 0 ? 'all' : keep} kept, keys ${key_days} days`

const progressOf = (control: JobControl) => ({
  signal: control.signal,
  onProgress: (p: { readonly done: number; readonly total: number }) => control.progress(p.done, p.total)
})

const identityKeks = (identity: Identity): Record<string, string> =>
  Object.fromEntries([...identity.keks].map(([id, key]) => [id, Buffer.from(key).toString('base64')]))

const restoreData = (
  report: Pick<RestoreReport, 'kind' | 'verdict' | 'reapplied' | 'missing_after'> & {
    readonly backup: Pick<BackupInfo, 'id' | 'made' | 'size' | 'root'>
  }
) => ({
  kind: report.kind,
  backup_id: report.backup.id,
  made: report.backup.made,
  size: report.backup.size,
  root: toHex(Buffer.from(report.backup.root, 'base64')),
  verdict: report.verdict,
  missing: report.missing_after,
  reapplied: report.reapplied
})
