// SPDX-License-Identifier: Apache-2.0
import { checkForeign, type ForeignFiles, foreignVerdicts } from '../node/verify-foreign.ts'
import { EXIT, print } from './output.ts'

export interface ForeignOptions extends ForeignFiles {
  readonly requireTrust: boolean
  readonly json?: boolean
}

const names: Readonly<Record<keyof ForeignFiles, string>> = { of: '--of', logKey: '--log-key', ca: '--ca', old: '--old', new: '--new' }

/** Checks evidence of other programs and says what it shows. Undefined: the file is none of it, and is tried as a bundle. */
export async function verifyForeign(file: string, options: ForeignOptions): Promise<number | undefined> {
  const report = await checkForeign(file, options, (name) => names[name])
  if (!report) return undefined
  if (options.json) print(JSON.stringify(report))
  else {
    for (const line of report.proven) print(`shown      ${line}`)
    for (const line of report.not_proven) print(`not shown  ${line}`)
    for (const one of report.faults.slice(0, 20))
      print(`   ${one.code}${one.subject === undefined ? '' : ` ${one.subject}`}: ${one.message}`)
    if (report.faults.length > 20) print(`   and ${report.faults.length - 20} more`)
    print(`${report.kind.replace('_', ' ')}: ${foreignVerdicts[report.verdict]}`)
  }
  if (report.verdict === 'not_checked') return EXIT.usage
  return report.verdict === 'holds' || (report.verdict === 'no_fault' && !options.requireTrust) ? EXIT.done : EXIT.negative
}
