// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { Job } from '../../shared/contract/workspace.ts'
import type { Actor } from '../ledger/draft.ts'

/** What running work reports and asks. */
export interface JobControl {
  readonly id: string
  readonly signal: AbortSignal
  /** Cheap to call often: listeners hear of it at most ten times a second. */
  progress(done: number, total?: number | null, counts?: Readonly<Record<string, number>>): void
}

interface Entry {
  job: Job
  readonly abort: AbortController
  /** Who it is for; undefined when nobody in particular. */
  readonly startedBy: Actor | undefined
  result: unknown
  notified: number
  timer: NodeJS.Timeout | undefined
}

/** Why work is ended that nobody cancelled: the engine stops. The `reason` of its signal. */
export const CLOSING = 'closing'

const KEPT = 100
const NOTIFY_MS = 100

/** Long work: progress, cancel, result. The last hundred are kept in memory; what they did is in the ledger. */
export class Jobs {
  readonly #entries = new Map<string, Entry>()
  readonly #listeners = new Set<(job: Job) => void>()

  onChange(listener: (job: Job) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Starts work and returns at once. A thrown AffidavitError `cancelled`, or any error after a cancel, ends it as cancelled. */
  start<R>(
    kind: Job['kind'],
    title: string,
    unit: Job['unit'],
    startedBy: Actor | undefined,
    run: (control: JobControl) => Promise<R>
  ): Job {
    const id = randomUUID()
    const abort = new AbortController()
    const job: Job = {
      id,
      kind,
      title,
      state: 'running',
      done: 0,
      total: null,
      unit,
      counts: {},
      started: new Date().toISOString(),
      ended: null,
      error: null
    }
    const entry: Entry = { job, abort, startedBy, result: undefined, notified: Number.NEGATIVE_INFINITY, timer: undefined }
    this.#entries.set(id, entry)
    this.#forgetOld()
    const control: JobControl = {
      id,
      signal: abort.signal,
      progress: (done, total, counts) => {
        entry.job = {
          ...entry.job,
          done,
          total: total === undefined ? entry.job.total : total,
          counts: counts ? { ...counts } : entry.job.counts
        }
        this.#soon(entry)
      }
    }
    run(control).then(
      (result) => {
        entry.result = result
        this.#end(entry, 'done', null)
      },
      (error: unknown) => {
        const cancelled = abort.signal.aborted
        const failure: Job['error'] =
          error instanceof AffidavitError
            ? { code: error.code, message: error.message }
            : { code: 'internal', message: 'the work failed for a reason of its own' }
        this.#end(entry, cancelled ? 'cancelled' : 'failed', cancelled ? null : failure)
      }
    )
    this.#notify(entry)
    return job
  }

  list(): Job[] {
    return [...this.#entries.values()].map((entry) => entry.job).reverse()
  }

  get(id: string): Job {
    return this.#entry(id).job
  }

  /** Who asked for it. @throws AffidavitError not_found */
  startedBy(id: string): Actor | undefined {
    return this.#entry(id).startedBy
  }

  /** @param by who ends it: the `reason` of the signal */
  cancel(id: string, by: Actor): Job {
    const entry = this.#entry(id)
    if (entry.job.state === 'running') entry.abort.abort(by)
    return entry.job
  }

  /**
   * The result of finished work of one kind.
   * @throws AffidavitError not_found: no such job of this kind; busy: still running; the job's own error when it failed
   */
  result<R>(id: string, kind: Job['kind']): R {
    const entry = this.#entry(id)
    if (entry.job.kind !== kind) throw new AffidavitError('not_found', 'there is no such job')
    if (entry.job.state === 'running') throw new AffidavitError('busy', 'the job is still running')
    if (entry.job.state === 'cancelled') throw new AffidavitError('cancelled', 'the job was cancelled')
    if (entry.job.error) throw new AffidavitError(entry.job.error.code, entry.job.error.message)
    return entry.result as R
  }

  /** Resolves when a job has ended, however it ended. @throws AffidavitError not_found */
  ended(id: string): Promise<Job> {
    const { job } = this.#entry(id)
    if (job.state !== 'running') return Promise.resolve(job)
    return new Promise((resolve) => {
      const off = this.onChange((changed) => {
        if (changed.id !== id || changed.state === 'running') return
        off()
        resolve(changed)
      })
    })
  }

  /** Cancels everything and waits until it has ended. */
  async close(): Promise<void> {
    for (const entry of this.#entries.values()) entry.abort.abort(CLOSING)
    const until = performance.now() + 5_000
    while (performance.now() < until && [...this.#entries.values()].some((entry) => entry.job.state === 'running')) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    this.#listeners.clear()
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id)
    if (!entry) throw new AffidavitError('not_found', 'there is no such job')
    return entry
  }

  #end(entry: Entry, state: Job['state'], error: Job['error']): void {
    entry.job = { ...entry.job, state, error, ended: new Date().toISOString() }
    this.#notify(entry)
  }

  #soon(entry: Entry): void {
    if (entry.timer) return
    entry.timer = setTimeout(() => this.#notify(entry), Math.max(0, entry.notified + NOTIFY_MS - performance.now()))
    entry.timer.unref()
  }

  #notify(entry: Entry): void {
    clearTimeout(entry.timer)
    entry.timer = undefined
    entry.notified = performance.now()
    for (const listener of this.#listeners) listener(entry.job)
  }

  #forgetOld(): void {
    for (const [id, entry] of this.#entries) {
      if (this.#entries.size <= KEPT) return
      if (entry.job.state !== 'running') this.#entries.delete(id)
    }
  }
}
