// SPDX-License-Identifier: Apache-2.0
import type { VerifyReport } from '../shared/contract/exports.ts'
import { SAMPLE, whatToDo } from '../shared/evidence/verdict-words.ts'
import { EXIT, print } from './output.ts'
import { verifyApart } from './verify-apart.ts'

export interface VerifyOptions {
  readonly trust?: string
  readonly requireTrust: boolean
  /** False with --no-remember. */
  readonly remember: boolean
  readonly state?: string
  readonly json?: boolean
}

const state: Record<VerifyReport['steps'][number]['state'], string> = {
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

/** One line per step, one verdict; exit 0, 0, 1 and 2 when the file cannot be read (EVIDENCE, Verdicts). */
export async function verifyFile(file: string, options: VerifyOptions, stateFolder: string): Promise<number> {
  const report = await verifyApart(file, {
    ...(options.trust === undefined ? {} : { trust: options.trust }),
    ...(options.remember ? { memory: options.state ?? stateFolder } : {})
  })
  if (options.json) print(JSON.stringify(report))
  else {
    for (const step of report.steps) {
      print(`${step.number}  ${step.title}: ${state[step.state]}${step.summary === '' ? '' : ` · ${step.summary}`}`)
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
