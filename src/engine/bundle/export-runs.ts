// SPDX-License-Identifier: Apache-2.0
// Exports from the wish to the bundle: on record before the first byte is written, carried on with after an end of the program (ADR 20).
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { AffidavitError, type ErrorCode } from '../../shared/contract/errors.ts'
import type { ExportRow } from '../../shared/contract/exports.ts'
import { type JsonValue, jcs } from '../../shared/evidence/jcs.ts'
import { formatVkey, publicKeyPem, verifyCheckpoint } from '../../shared/evidence/note.ts'
import { allowedSignersLine } from '../../shared/evidence/sshsig.ts'
import { formatFilter } from '../../shared/filter/format.ts'
import { filterOf } from '../catalog/handlers.ts'
import { ed25519Verify, sha256 } from '../crypto.ts'
import type { Caller, Handlers } from '../handlers.ts'
import { CLOSING, type JobControl } from '../jobs/jobs.ts'
import { type AgeTarget, ageEncrypter } from './encrypt.ts'
import { forget, readJournal, type WrittenBundle } from './export-journal.ts'
import { bodyPartOf, type ExportRequest, filesOf, interruptedOf, requestOf, selectionDigest, targetOf } from './export-request.ts'
import type { BundleDeps } from './handlers.ts'
import { offerPrinter } from './printer.ts'
import { leavesOf, type Selection, within } from './selection.ts'
import { removePartial } from './write-bundle.ts'

export type ExportRunOperation = 'export.start' | 'export.result' | 'export.interrupted' | 'export.resume' | 'export.discard'

type Written = ExportRow & { readonly path: string }

/** An export on record. */
interface Run {
  readonly id: string
  /** Leaf of its intent. */
  readonly intent: number
  readonly request: ExportRequest
  readonly selection: Selection
  readonly target: AgeTarget | null
  /** Who asked for it first; stands in the bundle. */
  readonly requestedBy: string
  readonly resumed: boolean
}

const ATTEMPTS = 3
const WITHHELD_REASON = 'withheld by choice of the exporter'
/** What no later run can do better. */
const hopeless: ReadonlySet<ErrorCode> = new Set(['conflict', 'payload_missing', 'workspace_damaged', 'bad_request', 'too_large'])

/** Runs again what an erasure, a disposal or a restriction came into. */
async function attempted<T>(work: () => Promise<T>): Promise<T> {
  for (let left = ATTEMPTS; ; left--) {
    try {
      return await work()
    } catch (error) {
      if (left === 1 || !(error instanceof AffidavitError && error.code === 'conflict')) throw error
    }
  }
}

/** Starting, carrying on with and giving up exports. `settle` waits until what was committed is in the catalog. */
export function exportRuns(deps: BundleDeps, settle: (at: number | undefined) => Promise<void>): Handlers<ExportRunOperation> {
  const { pool, jobs, identity, journals } = deps
  const running = new Set<string>()

  const bundleOf = async (run: Run, control: JobControl): Promise<WrittenBundle> => {
    const { request, selection } = run
    const { print } = deps
    const signer =
      identity
        .publicKeys('log')
        .find((key) => verifyCheckpoint(sha256, ed25519Verify, selection.checkpoint.note, formatVkey(sha256, identity.origin, key))) ??
      identity.log.publicKey
    if (request.pdf && print === null)
      throw new AffidavitError('engine_unavailable', 'nothing here can print: export from the desktop app, or without the PDF')
    const printer = request.pdf && print !== null ? offerPrinter(print) : null
    // On a thread of its own: what is held or restricted meanwhile must not wait for its end.
    const writing = pool.alone(
      'writeBundle',
      {
        ...filesOf(run.id, request, journals),
        printer: printer?.port ?? null,
        encrypt: run.target,
        parquet: request.parquet,
        withholdPersonal: request.withhold_personal,
        withholdReason: request.withhold_reason ?? WITHHELD_REASON,
        selection,
        out: request.out,
        replace: request.replace,
        query: request.query,
        recipient: request.recipient,
        purpose: request.purpose,
        requestedBy: run.requestedBy,
        withhold: request.withhold,
        origin: identity.origin,
        logVkey: formatVkey(sha256, identity.origin, signer),
        logPem: publicKeyPem(signer),
        allowedSigners: allowedSignersLine(identity.origin, identity.export.publicKey),
        exportSeed: identity.exportSeed,
        appVersion: deps.appVersion,
        sample: deps.sample
      },
      {
        signal: control.signal,
        onProgress: (p) => control.progress(p.done, p.total),
        transfer: printer === null ? [] : [printer.port]
      }
    )
    return writing.finally(() => printer?.close())
  }

  /** Says on record that no bundle comes of it. */
  const cancelled = (run: Pick<Run, 'id' | 'intent'>, caller: Caller, reason: 'cancelled' | 'discarded' | 'failed', code?: ErrorCode) =>
    deps.append([
      {
        type: 'export.cancelled',
        actor: caller.actor,
        data: { export_id: run.id, intent: run.intent, reason, ...(code === undefined ? {} : { code }) },
        parts: []
      }
    ])

  const carryOut = async (run: Run, caller: Caller, control: JobControl, asked: number): Promise<Written> => {
    const { request } = run
    const files = filesOf(run.id, request, journals)
    running.add(run.id)
    try {
      const written = await bundleOf(run, control)
      control.progress(written.leaves * 2, written.leaves * 2)
      const { encrypt } = request
      const body = {
        query: request.query,
        ...(request.range === undefined ? {} : { range: request.range }),
        recipient: request.recipient,
        purpose: request.purpose,
        file: basename(request.out),
        ...(encrypt === 'none' ? {} : { encrypted_for: encrypt === 'passphrase' ? encrypt : encrypt.recipient })
      }
      const figures = {
        bytes: written.bytes,
        bundle_sha256: written.sha256,
        tag_manifest_sha256: written.tagManifestSha256,
        size: run.selection.checkpoint.size,
        records: written.records,
        leaves: written.leaves,
        withheld: written.withheld,
        // Of an export in two goes the time between them would be counted too.
        ...(run.resumed ? {} : { duration_ms: Math.round(performance.now() - asked) }),
        ...(written.encryptedSha256 === null ? {} : { encrypted_sha256: written.encryptedSha256 })
      }
      const part = { name: 'body', media: 'application/json', data: Buffer.from(jcs(body as JsonValue), 'utf8') } as const
      const data = { intent: run.intent, ...figures }
      const [leaf] = await deps.append([{ type: 'export.created', actor: caller.actor, data, parts: [part] }])
      forget(files.journal)
      return {
        ...figures,
        query: request.query,
        range: request.range ?? null,
        recipient: request.recipient,
        purpose: request.purpose,
        file: basename(request.out),
        duration_ms: figures.duration_ms ?? null,
        encrypted_sha256: written.encryptedSha256,
        seq: leaf?.seq ?? 0,
        time: new Date().toISOString(),
        actor: caller.actor.ref,
        path: request.out
      }
    } catch (error) {
      const code = error instanceof AffidavitError ? error.code : 'internal'
      const byHand = control.signal.aborted && control.signal.reason !== CLOSING
      // Where nothing is finished that is worth keeping, beginning anew is simpler than carrying on.
      const worth = run.resumed || readJournal(files.journal).points.length > 0
      if (byHand || (!control.signal.aborted && (hopeless.has(code) || !worth))) {
        removePartial(files)
        await cancelled(run, caller, byHand ? 'cancelled' : 'failed', byHand ? undefined : code)
      }
      throw error
    } finally {
      running.delete(run.id)
    }
  }

  const interrupted = async () => {
    await settle(0)
    const found = await pool.run('openExportIntents', {})
    return found.flatMap((one) => interruptedOf(one, journals) ?? []).filter(({ row }) => !running.has(row.id))
  }
  const interruptedBy = async (id: string) => {
    if (running.has(id)) throw new AffidavitError('busy', 'this export is being written')
    const found = (await interrupted()).find(({ row }) => row.id === id)
    if (!found) throw new AffidavitError('not_found', 'there is no such interrupted export')
    return found
  }

  return {
    'export.start': async (input, caller) => {
      const { range } = input
      const filter = within(filterOf(input.query), range)
      const request = requestOf(input, formatFilter(filter))
      if (input.pdf && deps.print === null)
        throw new AffidavitError('engine_unavailable', 'nothing here can print: leave the PDF out, or export from the desktop app')
      const target = input.encrypt ?? null
      if (target) ageEncrypter(target)
      const asked = performance.now()
      const job = jobs.start('export', `Writing ${basename(input.out)}`, 'leaves', caller.actor, (control) =>
        attempted(async () => {
          if (!input.replace && existsSync(input.out))
            throw new AffidavitError('file_exists', 'the file exists already: choose another name or say that it may be replaced')
          const at = input.at ?? (await deps.anchored())
          await settle(at)
          const selection = await pool.run('selectLeaves', { filter, at, range })
          if (selection.records.length === 0 && !selection.range)
            throw new AffidavitError(
              'nothing_selected',
              selection.restricted
                ? 'the filter selects restricted records only, and these are not exported'
                : 'the filter selects no record: nothing to export'
            )
          const { records, checkpoint } = selection
          const id = randomUUID()
          const data = {
            export_id: id,
            size: checkpoint.size,
            records: records.length,
            leaves: leavesOf(selection).length,
            selection_sha256: selectionDigest(selection)
          }
          const [leaf] = await deps.append([{ type: 'export.intent', actor: caller.actor, data, parts: [bodyPartOf(request, records)] }])
          const run = { id, intent: leaf?.seq ?? 0, request, selection, target, requestedBy: caller.actor.ref, resumed: false }
          return carryOut(run, caller, control, asked)
        })
      )
      return { job_id: job.id }
    },
    'export.result': async ({ job_id }) => jobs.result<Written>(job_id, 'export'),
    'export.interrupted': async () => ({ exports: (await interrupted()).map(({ row }) => row) }),
    'export.resume': async ({ id, passphrase }, caller) => {
      const { row, request, selection: digest } = await interruptedBy(id)
      const target = targetOf(request, passphrase)
      if (target === undefined)
        throw new AffidavitError('bad_request', 'the file is encrypted with a passphrase, which is not recorded: give it again')
      const asked = performance.now()
      running.add(id)
      const job = jobs.start('export', `Writing ${basename(request.out)}`, 'leaves', caller.actor, async (control) => {
        try {
          await settle(row.size)
          const selection = await pool.run('selectLeaves', {
            filter: filterOf(request.query),
            at: row.size,
            range: request.range
          })
          if (selection.checkpoint.size !== row.size || selectionDigest(selection) !== digest)
            throw new AffidavitError('conflict', 'what this export selects has changed since it began: discard it and export again')
          const run = { id, intent: row.seq, request, selection, target, requestedBy: row.actor, resumed: true }
          return await carryOut(run, caller, control, asked)
        } finally {
          running.delete(id)
        }
      })
      return { job_id: job.id }
    },
    'export.discard': async ({ id }, caller) => {
      const { row, request } = await interruptedBy(id)
      running.add(id)
      try {
        const files = filesOf(id, request, journals)
        let left: string | null = null
        try {
          removePartial(files)
          // What cannot be reached cannot be said to be gone.
          if (row.finished.bytes > 0 && !existsSync(dirname(row.path))) left = files.beside
        } catch {
          left = files.beside
        }
        await cancelled({ id, intent: row.seq }, caller, 'discarded')
        return { left }
      } finally {
        running.delete(id)
      }
    }
  }
}
