// SPDX-License-Identifier: Apache-2.0
import { type ForeignFiles, foreignKindOf, foreignNeeds, isUnpackedBundle } from '../../node/verify-foreign.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { foreignFiles } from '../../shared/contract/foreign.ts'
import type { Handlers } from '../handlers.ts'
import type { AppendResult, LeafDraft } from '../ledger/draft.ts'
import type { ReaderPool } from '../threads/reader-pool.ts'

/** @throws AffidavitError not_this_format */
function refuseBundle(path: string): void {
  if (isUnpackedBundle(path))
    throw new AffidavitError(
      'not_this_format',
      'this is the folder of an unpacked bundle: choose its zip as a bundle, or run `affidavit verify FOLDER`'
    )
}

export interface ForeignDeps {
  readonly pool: ReaderPool
  readonly append: (drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>
}

/** How the files of a check are called in messages. */
export const foreignFileNames: Readonly<Record<keyof ForeignFiles, string>> = {
  of: 'the file that was proven or stamped',
  logKey: 'the key of the log',
  ca: 'the certificate of the authority',
  old: 'the earlier checkpoint',
  new: 'the later checkpoint'
}

/** Verification of what other programs made. */
export function foreignHandlers({ pool, append }: ForeignDeps): Handlers<'foreign.recognise' | 'foreign.verify'> {
  return {
    'foreign.recognise': async ({ path }) => {
      refuseBundle(path)
      let kind: ReturnType<typeof foreignKindOf>
      try {
        kind = foreignKindOf(path)
      } catch {
        throw new AffidavitError('file_unreadable', 'the file cannot be read')
      }
      const needs = kind === undefined ? [] : foreignFiles.filter((name) => foreignNeeds[kind].includes(name))
      return { kind: kind ?? null, needs }
    },
    'foreign.verify': async ({ path, log_key, ...files }, caller) => {
      refuseBundle(path)
      const report = await pool.alone('checkForeign', { path, files: { ...files, logKey: log_key } })
      if (!report) throw new AffidavitError('not_this_format', 'this is no checkpoint, proof, timestamp or bag')
      const data = { scope: 'foreign', verdict: report.verdict, size: 0, faults: report.faults.length }
      await append([{ type: 'verify.run', actor: caller.actor, data, parts: [] }])
      return {
        kind: report.kind,
        verdict: report.verdict,
        proven: [...report.proven],
        not_proven: [...report.not_proven],
        faults: report.faults.map((one) => ({ ...one }))
      }
    }
  }
}
