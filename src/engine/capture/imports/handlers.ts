// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path'
import { AffidavitError } from '../../../shared/contract/errors.ts'
import { type ImportMapping, MAPPED, mappedFields } from '../../../shared/contract/import-mapping.ts'
import type { ImportResult, LineError } from '../../../shared/contract/imports.ts'
import { normaliseIngest } from '../../../shared/event/ingest.ts'
import { mappedProfile } from '../../../shared/event/profiles/mapped.ts'
import type { ImportProfile } from '../../../shared/event/profiles/profile.ts'
import { isZone } from '../../../shared/event/profiles/zones.ts'
import type { Handlers } from '../../handlers.ts'
import type { JobControl, Jobs } from '../../jobs/jobs.ts'
import { bodyPart } from '../../ledger/body-part.ts'
import type { Actor, AppendResult, LeafDraft } from '../../ledger/draft.ts'
import type { IncomingEvent, Ingest, LineResult } from '../ingest.ts'
import { FileSpan, hashFile } from './file-span.ts'
import { previewImport } from './preview-import.ts'
import { importProfiles, noSuchProfile, profileNamed } from './profiles.ts'
import { fileSize, readImport } from './read-import.ts'

export interface ImportDeps {
  readonly jobs: Jobs
  /** null: the workspace is read-only. */
  readonly ingest: Ingest | null
  /** Why nothing is recorded, when `ingest` is null. */
  readonly notTaken: string
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
}

const MOST_ERRORS = 1_000
const BATCH = 500
/** Of the file: rows of megabytes go in smaller batches. */
const BATCH_BYTES = 1024 * 1024
const IN_FLIGHT = 4

interface Tally {
  accepted: number
  duplicates: number
  rejected: number
  readonly errors: LineError[]
}

const emptyTally = (): Tally => ({ accepted: 0, duplicates: 0, rejected: 0, errors: [] })

function reject(tally: Tally, error: LineError): void {
  tally.rejected++
  if (tally.errors.length < MOST_ERRORS) tally.errors.push(error)
}

function count(tally: Tally, results: readonly LineResult[]): void {
  for (const result of results) {
    if (result.kind === 'accepted') tally.accepted++
    else if (result.kind === 'duplicate') tally.duplicates++
    else reject(tally, { line: result.line, code: result.code, message: result.message })
  }
}

/** @throws AffidavitError bad_request: no such profile, or a mapping where none belongs, or one that names no model */
function profileOf(name: string, mapping: ImportMapping | undefined): ImportProfile {
  if (name !== MAPPED) {
    const profile = profileNamed(name)
    if (!profile) throw new AffidavitError('bad_request', noSuchProfile)
    if (mapping) throw new AffidavitError('bad_request', 'mapping: only the profile mapped takes one')
    return profile
  }
  if (!mapping) throw new AffidavitError('bad_request', 'mapping: the profile mapped needs one')
  if (!mapping.fields.model) throw new AffidavitError('bad_request', 'mapping: model: expected a column, or a fixed value')
  return mappedProfile(mapping)
}

function lineErrorOf({ line, code, message, field: named }: { line: number; code: string; message: string; field?: string }): LineError {
  const field = mappedFields.find((one) => one === named)
  return { line, code, message, ...(field === undefined ? {} : { field }) }
}

interface ImportRun {
  readonly path: string
  readonly profile: ImportProfile
  readonly mapping: ImportMapping | undefined
  readonly zone: string
  readonly source: string | undefined
  readonly actor: Actor
}

/** Imports of files, and events given directly; the same path as the HTTP ingest from the canonical event on. */
export function importHandlers(
  deps: ImportDeps
): Handlers<'import.profiles' | 'import.preview' | 'import.start' | 'import.result' | 'events.append'> {
  const { jobs } = deps
  const running = new Map<
    string,
    { readonly tally: Tally; readonly started: number; sha256: string; seq: number; added: number; seconds: number | null }
  >()
  const writer = (): Ingest => {
    if (!deps.ingest) throw new AffidavitError('read_only', deps.notTaken)
    return deps.ingest
  }

  const startLeaf = async (run: ImportRun, sha256: string, bytes: number): Promise<number> => {
    const { profile, zone, actor, mapping } = run
    const body = mapping && bodyPart(mapping)
    const data = { file_sha256: sha256, bytes, profile: profile.name, zone, ...(body ? { body_sha256: body.sha256 } : {}) }
    const [result] = await deps.append([{ type: 'import.started', actor, data, parts: body ? [body.part] : [] }])
    return result?.seq ?? 0
  }

  const runImport = async (run: ImportRun, state: NonNullable<ReturnType<typeof running.get>>, control: JobControl) => {
    const ingest = writer()
    const { tally } = state
    control.progress(0, fileSize(run.path))
    const { sha256, bytes: total } = await hashFile(run.path, control.signal)
    state.sha256 = sha256
    state.seq = await startLeaf(run, sha256, total)
    const span = new FileSpan(total)
    let changed: string | undefined
    let ended: 'complete' | 'cancelled' | 'failed' = 'failed'
    /** Batches on their way to the disk, oldest first: while one is committed, the next is read. */
    const waiting: Promise<void>[] = []
    try {
      let batch: IncomingEvent[] = []
      let readBefore = 0
      const flush = async () => {
        const events = batch
        batch = []
        const taken = ingest.append(events, { channel: 'file', actor: run.actor }).then((results) => count(tally, results))
        // Awaited below; until then it is nobody's failure.
        taken.catch(() => {})
        waiting.push(taken)
        if (waiting.length >= IN_FLIGHT) await waiting.shift()
      }
      const told = (read: number) =>
        control.progress(read, total, { accepted: tally.accepted, duplicates: tally.duplicates, rejected: tally.rejected })
      const context = { zone: run.zone, source: run.source }
      for await (const line of readImport(run.path, run.profile, context, control.signal, span)) {
        // File hash and line: a second import of the same file adds nothing (CAPTURE, Import).
        if (line.ok)
          batch.push({
            line: line.line,
            event: line.event,
            sourceKey: `${state.sha256}:${line.line}${line.part === 0 ? '' : `:${line.part}`}`
          })
        else reject(tally, lineErrorOf(line))
        if (batch.length >= BATCH || line.read - readBefore >= BATCH_BYTES) {
          if (batch.length > 0) await flush()
          readBefore = line.read
          told(line.read)
        }
        if (control.signal.aborted) throw new AffidavitError('cancelled', 'cancelled')
      }
      if (batch.length > 0) await flush()
      await Promise.all(waiting.splice(0))
      const read = await span.sha256(run.path, control.signal)
      if (read !== sha256) {
        changed = read
        throw new AffidavitError(
          'conflict',
          `the file changed while it was read: ${tally.accepted} of its rows are on record under the hash of what it was before, and the leaf import.done says so; import it again when nothing writes to it`
        )
      }
      state.added = Math.max(0, fileSize(run.path) - total)
      told(total)
      ended = 'complete'
    } catch (error) {
      if (control.signal.aborted) ended = 'cancelled'
      throw error
    } finally {
      // What is on its way will be on record: it belongs into the count.
      await Promise.allSettled(waiting)
      state.seconds = (performance.now() - state.started) / 1000
      const { accepted, duplicates, rejected } = tally
      await deps.append([
        {
          type: 'import.done',
          actor: run.actor,
          data: {
            file_sha256: state.sha256,
            started: state.seq,
            accepted,
            duplicates,
            rejected,
            ended,
            ...(changed === undefined ? {} : { read_sha256: changed })
          },
          parts: []
        }
      ])
    }
  }

  return {
    'import.profiles': async () => ({
      profiles: importProfiles.map((profile) => ({ name: profile.name, title: profile.title, extensions: [...profile.extensions] }))
    }),
    'import.preview': async ({ path, profile, zone, source, mapping }) => previewImport(path, { profile, zone, source, mapping }),
    'import.start': async (input, caller) => {
      writer()
      fileSize(input.path)
      const profile = profileOf(input.profile, input.mapping)
      if (!isZone(input.zone)) throw new AffidavitError('bad_request', 'zone: not a time zone this system knows')
      const state = { tally: emptyTally(), started: performance.now(), sha256: '', seq: 0, added: 0, seconds: null as number | null }
      const { path, zone, source, mapping } = input
      const run: ImportRun = { path, profile, zone, source, mapping, actor: caller.actor }
      const job = jobs.start('import', `Importing ${basename(input.path)}`, 'bytes', caller.actor, (control) =>
        runImport(run, state, control)
      )
      running.set(job.id, state)
      for (const id of running.keys()) {
        if (running.size <= 20) break
        running.delete(id)
      }
      return { job_id: job.id }
    },
    'import.result': async ({ job_id }): Promise<ImportResult> => {
      const state = running.get(job_id)
      if (!state) throw new AffidavitError('not_found', 'there is no such import')
      const { accepted, duplicates, rejected, errors } = state.tally
      const seconds = state.seconds ?? (performance.now() - state.started) / 1000
      return {
        file_sha256: state.sha256,
        accepted,
        duplicates,
        rejected,
        errors: [...errors].sort((a, b) => a.line - b.line),
        added_bytes: state.added,
        seconds,
        started_seq: state.seq
      }
    },
    'events.append': async ({ events }, caller) => {
      const tally = emptyTally()
      const receivedUs = Date.now() * 1000
      const good: IncomingEvent[] = []
      for (const [i, raw] of events.entries()) {
        const normal = normaliseIngest(raw, { receivedUs, channel: 'http', defaultSource: 'unknown' })
        if (normal.ok) good.push({ line: i + 1, event: normal.event, sourceKey: normal.sourceKey })
        else reject(tally, { line: i + 1, code: normal.code, message: normal.message })
      }
      if (good.length === 0)
        throw new AffidavitError('no_good_record', 'none of the records could be taken', { first: tally.errors[0]?.code ?? '' })
      count(tally, await writer().append(good, { channel: 'http', actor: caller.actor }))
      return { accepted: tally.accepted, duplicates: tally.duplicates, rejected: [...tally.errors].sort((a, b) => a.line - b.line) }
    }
  }
}
