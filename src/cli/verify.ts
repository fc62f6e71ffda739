// SPDX-License-Identifier: Apache-2.0
import { removeLeftPlain } from '../node/age-file.ts'
import { AffidavitError } from '../shared/contract/errors.ts'
import type { BundleKey, VerifyReport } from '../shared/contract/exports.ts'
import { SAMPLE, whatToDo } from '../shared/evidence/verdict-words.ts'
import { passwordIn, warnIfShared } from './acting.ts'
import { EXIT, print } from './output.ts'
import { verifyApart } from './verify-apart.ts'

export interface VerifyOptions {
  readonly trust?: string
  readonly requireTrust: boolean
  /** False with --no-remember. */
  readonly remember: boolean
  readonly state?: string
  /** What opens an encrypted bundle: a file of age identities, or one with the passphrase on its first line. */
  readonly identity?: string
  readonly passphraseFile?: string
  readonly json?: boolean
}

const stateWord: Record<VerifyReport['steps'][number]['state'], string> = {
  pass: 'ok',
  fail: 'FAILED',
  not_checked: 'not checked here',
  absent: 'none'
}

function exitCode(report: VerifyReport, requireTrust: boolean): number {
  if (report.kind === 'valid') return EXIT.done
  if (report.kind === 'consistent' && !requireTrust) return EXIT.done
  return EXIT.negative
}

/** @throws AffidavitError file_unreadable, bad_request */
function keyOf({ identity, passphraseFile }: VerifyOptions): BundleKey | undefined {
  if (identity !== undefined && passphraseFile !== undefined)
    throw new AffidavitError('bad_request', 'an encrypted bundle is opened with --identity or --passphrase-file, not with both')
  if (identity !== undefined) {
    warnIfShared(identity)
    return { identity_file: identity }
  }
  return passphraseFile === undefined ? undefined : { passphrase: passwordIn(passphraseFile) }
}

/** One line per step, one verdict; exit 0, 0, 1 and 2 when the file cannot be read (EVIDENCE, Verdicts). */
export async function verifyFile(file: string, options: VerifyOptions, stateFolder: string): Promise<number> {
  const state = options.state ?? stateFolder
  const key = keyOf(options)
  removeLeftPlain(state)
  // Ctrl C ends the verification like any other failure, so that nothing plain is left of an encrypted bundle.
  const stop = new Int32Array(new SharedArrayBuffer(4))
  const end = () => {
    Atomics.store(stop, 0, 1)
  }
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
  const report = await verifyApart(file, {
    ...(options.trust === undefined ? {} : { trust: options.trust }),
    ...(options.remember ? { memory: state } : {}),
    ...(key === undefined ? {} : { key }),
    state,
    stop
  })
    .catch((error: unknown) => {
      throw error instanceof AffidavitError && error.code === 'key_needed'
        ? new AffidavitError(
            error.code,
            `${error.message}, with ${error.details?.lock === 'passphrase' ? '--passphrase-file' : '--identity'} FILE`
          )
        : error
    })
    .finally(() => {
      process.removeListener('SIGINT', end)
      process.removeListener('SIGTERM', end)
    })
  if (options.json) print(JSON.stringify(report))
  else {
    for (const step of report.steps) {
      print(`${step.number}  ${step.title}: ${stateWord[step.state]}${step.summary === '' ? '' : ` · ${step.summary}`}`)
      for (const reason of step.reasons.slice(0, 20))
        print(`   ${reason.code}${reason.subject === undefined ? '' : ` ${reason.subject}`}: ${reason.message}`)
      if (step.reasons.length > 20) print(`   and ${step.reasons.length - 20} more`)
    }
    if (report.memory.state !== 'off') print(`   ${report.memory.message}`)
    if (report.kind === 'invalid') for (const sentence of whatToDo) print(`   ${sentence}`)
    else for (const sentence of report.rests_on) print(`   ${sentence}`)
    if (report.bundle.sample) print(SAMPLE)
    print(report.verdict)
  }
  return exitCode(report, options.requireTrust)
}
