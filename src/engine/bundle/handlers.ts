// SPDX-License-Identifier: Apache-2.0
import { basename } from 'node:path'
import type { ParsedInput } from '../../shared/contract/contract.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { ExportRow, VerifyReport } from '../../shared/contract/exports.ts'
import { type JsonValue, jcs } from '../../shared/evidence/jcs.ts'
import { formatVkey, publicKeyPem, verifyCheckpoint } from '../../shared/evidence/note.ts'
import { allowedSignersLine } from '../../shared/evidence/sshsig.ts'
import type { FilterExpression } from '../../shared/filter/filter.ts'
import { formatFilter } from '../../shared/filter/format.ts'
import { filterOf } from '../catalog/handlers.ts'
import { ed25519Verify, sha256 } from '../crypto.ts'
import type { Caller, Handlers } from '../handlers.ts'
import type { JobControl, Jobs } from '../jobs/jobs.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { CheckpointRow } from '../ledger/store.ts'
import type { Projector } from '../threads/projector.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'
import type { Identity } from '../workspace/identity.ts'
import { ageEncrypter } from './encrypt.ts'
import { offerPrinter, type Print } from './printer.ts'

export interface BundleDeps {
  readonly pool: ReaderPool
  readonly projector: Projector
  readonly jobs: Jobs
  readonly identity: Identity
  readonly size: () => number
  readonly checkpoint: () => Promise<CheckpointRow | null>
  /** Has the newest checkpoint timestamped where an authority is set; the size of the anchored tree, which holds everything committed before. */
  readonly anchored: () => Promise<number | undefined>
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
  /** Folder in which seen heads are remembered. */
  readonly state: string
  readonly appVersion: string
  readonly sample: boolean
  /** Prints a page as PDF; null where nothing here can. */
  readonly print: Print | null
}

type Written = ExportRow & { readonly path: string }

/** Bytes of a bundle per leaf beside its payload: leaf line, proof, headers of the zip. Measured on the LLMDrift records. */
const OVERHEAD = 1_400
const PATIENCE_MS = 5_000
const ATTEMPTS = 3
const WITHHELD_REASON = 'withheld by choice of the exporter'

/** Runs again what an erasure or a disposal came into. */
async function attempted<T>(work: () => Promise<T>): Promise<T> {
  for (let left = ATTEMPTS; ; left--) {
    try {
      return await work()
    } catch (error) {
      if (left === 1 || !(error instanceof AffidavitError && error.code === 'conflict')) throw error
    }
  }
}

/** Preview, writing and verification of bundles. */
export function bundleHandlers(
  deps: BundleDeps
): Handlers<'export.preview' | 'export.start' | 'export.result' | 'verify.file' | 'verify.report'> {
  const { pool, projector, jobs, identity } = deps
  /** Everything committed so far in the catalog and under a checkpoint. */
  const settle = async (at: number | undefined): Promise<void> => {
    if (at === undefined) await deps.checkpoint()
    await projector.waitFor(deps.size(), PATIENCE_MS)
  }
  /** Selects and writes once. */
  const write = async (
    input: ParsedInput<'export.start'>,
    filter: FilterExpression,
    query: string,
    caller: Caller,
    control: JobControl
  ) => {
    const { print } = deps
    const at = input.at ?? (await deps.anchored())
    await settle(at)
    const selection = await pool.run('selectLeaves', { filter, at })
    if (!selection || selection.records.length === 0)
      throw new AffidavitError(
        'nothing_selected',
        selection?.restricted
          ? 'the filter selects restricted records only, and these are not exported'
          : 'the filter selects no record: nothing to export'
      )
    const { note } = selection.checkpoint
    const signer =
      identity.publicKeys('log').find((key) => verifyCheckpoint(sha256, ed25519Verify, note, formatVkey(sha256, identity.origin, key))) ??
      identity.log.publicKey
    const printer = input.pdf && print !== null ? offerPrinter(print) : null
    const writing = pool.run(
      'writeBundle',
      {
        printer: printer?.port ?? null,
        encrypt: input.encrypt ?? null,
        parquet: input.parquet,
        withholdPersonal: input.withhold_personal,
        withholdReason: input.withhold_reason ?? WITHHELD_REASON,
        selection,
        recordsInScope: selection.records.length + selection.restricted,
        out: input.out,
        replace: input.replace,
        query,
        recipient: input.recipient,
        purpose: input.purpose,
        requestedBy: caller.actor.ref,
        withhold: input.withhold,
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
    const written = await writing.finally(() => printer?.close())
    return { written, size: selection.checkpoint.size }
  }
  return {
    'export.preview': async ({ query, at, withhold }) => {
      const filter = filterOf(query)
      await settle(at)
      const selection = await pool.run('selectLeaves', { filter, at })
      if (!selection) throw new AffidavitError('nothing_selected', 'no checkpoint covers a tree of this size')
      const scope = await pool.run('measureLeaves', { seqs: Uint32Array.from([...selection.records, ...selection.requests]), withhold })
      const { records, requests, alerts, keys } = selection
      const leaves = records.length + requests.length + alerts.length + keys.length
      return {
        query: formatFilter(filter),
        size: selection.checkpoint.size,
        records: selection.records.length,
        leaves,
        restricted: selection.restricted,
        erased: scope.erased,
        withheld_parts: scope.withheld,
        from: selection.from,
        to: selection.to,
        estimated_bytes: Math.round(scope.bytes * 0.45 + leaves * OVERHEAD + 40_000)
      }
    },
    'export.start': async (input, caller) => {
      const filter = filterOf(input.query)
      const query = formatFilter(filter)
      if (input.pdf && deps.print === null)
        throw new AffidavitError('engine_unavailable', 'nothing here can print: leave the PDF out, or export from the desktop app')
      if (input.encrypt) ageEncrypter(input.encrypt)
      const asked = performance.now()
      const job = jobs.start('export', `Writing ${basename(input.out)}`, 'leaves', async (control): Promise<Written> => {
        const { written, size } = await attempted(() => write(input, filter, query, caller, control))
        control.progress(written.leaves * 2, written.leaves * 2)
        const body = { query, recipient: input.recipient, purpose: input.purpose, file: basename(input.out) }
        const sealedFor = input.encrypt && { encrypted_for: 'recipient' in input.encrypt ? input.encrypt.recipient : 'passphrase' }
        const figures = {
          bytes: written.bytes,
          bundle_sha256: written.sha256,
          tag_manifest_sha256: written.tagManifestSha256,
          size,
          records: written.records,
          leaves: written.leaves,
          withheld: written.withheld,
          duration_ms: Math.round(performance.now() - asked),
          ...(written.encryptedSha256 === null ? {} : { encrypted_sha256: written.encryptedSha256 })
        }
        const [leaf] = await deps.append([
          {
            type: 'export.created',
            actor: caller.actor,
            data: figures,
            parts: [{ name: 'body', media: 'application/json', data: Buffer.from(jcs({ ...body, ...sealedFor } as JsonValue), 'utf8') }]
          }
        ])
        return {
          ...body,
          ...figures,
          encrypted_sha256: written.encryptedSha256,
          seq: leaf?.seq ?? 0,
          time: new Date().toISOString(),
          actor: caller.actor.ref,
          path: input.out
        }
      })
      return { job_id: job.id }
    },
    'export.result': async ({ job_id }) => jobs.result<Written>(job_id, 'export'),
    'verify.file': async ({ path, trust }, caller) => {
      const job = jobs.start('verify_file', `Verifying ${basename(path)}`, 'bytes', async (control): Promise<VerifyReport> => {
        const report = await pool.alone(
          'verifyBundle',
          { path, memory: deps.state, ...(trust === undefined ? {} : { trust }) },
          { signal: control.signal, onProgress: (p) => control.progress(p.done, p.total) }
        )
        const faults = report.steps.reduce((sum, step) => sum + step.reasons.length, 0)
        await deps.append([
          {
            type: 'verify.run',
            actor: caller.actor,
            data: { scope: 'bundle', verdict: report.kind, size: report.bundle.size ?? 0, faults },
            parts: []
          }
        ])
        return report
      })
      return { job_id: job.id }
    },
    'verify.report': async ({ job_id }) => jobs.result<VerifyReport>(job_id, 'verify_file')
  }
}
