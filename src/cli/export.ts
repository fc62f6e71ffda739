// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path'
import { AffidavitError } from '../shared/contract/errors.ts'
import type { InterruptedExport } from '../shared/contract/exports.ts'
import type { CliEnvironment } from './config.ts'
import type { EngineChild, Print } from './engine-child.ts'
import { waitForJob } from './jobs.ts'
import { EXIT, print, say } from './output.ts'
import { printCommand, printWith } from './print.ts'
import { type WorkspaceOptions, withEngine } from './workspace-commands.ts'

export interface ExportOptions extends WorkspaceOptions {
  readonly query: string
  readonly at?: number
  readonly range?: { readonly first: number; readonly last: number }
  readonly withhold: readonly ('request' | 'response' | 'error' | 'event')[]
  readonly recipient: string
  readonly purpose: string
  readonly out: string
  readonly replace: boolean
  readonly withholdPersonal: boolean
  readonly withholdReason?: string
  readonly pdf?: boolean
  readonly parquet?: boolean
  readonly encryptTo?: string
}

/** Whether an interrupted export is what these options ask for; without a tree size, its own is taken. */
function isSame(one: InterruptedExport, options: ExportOptions, query: string): boolean {
  const encrypt = one.encrypt === 'none' ? undefined : one.encrypt === 'passphrase' ? null : one.encrypt.recipient
  return (
    one.path === resolve(options.out) &&
    one.query === query &&
    one.recipient === options.recipient &&
    one.purpose === options.purpose &&
    one.withhold.join() === options.withhold.join() &&
    one.withhold_personal === options.withholdPersonal &&
    one.range?.first === options.range?.first &&
    one.range?.last === options.range?.last &&
    (one.withhold_reason ?? undefined) === options.withholdReason &&
    one.pdf === (options.pdf ?? false) &&
    one.parquet === (options.parquet ?? false) &&
    encrypt === options.encryptTo &&
    (options.at === undefined || one.size === options.at)
  )
}

/** Carries on with what the same command began before, else begins; the job. */
async function begin(engine: EngineChild, options: ExportOptions): Promise<string> {
  const range = options.range === undefined ? {} : { range: options.range }
  const { exports } = await engine.call('export.interrupted', {})
  const there = exports.filter((one) => one.path === resolve(options.out))
  if (there.length > 0) {
    const { query } = await engine.call('export.preview', { query: options.query, ...range })
    const same = there.find((one) => isSame(one, options, query))
    if (same) {
      say(`carrying on with the export of ${same.asked}, tree size ${same.size}`)
      return (await engine.call('export.resume', { id: same.id })).job_id
    }
    for (const { id } of there)
      say(`another export to this file is interrupted: affidavit exports --workspace ${options.workspace} --discard ${id}`)
  }
  const { job_id } = await engine.call('export.start', {
    query: options.query,
    ...range,
    withhold: [...options.withhold],
    withhold_personal: options.withholdPersonal,
    recipient: options.recipient,
    purpose: options.purpose,
    out: resolve(options.out),
    replace: options.replace,
    pdf: options.pdf ?? false,
    parquet: options.parquet ?? false,
    ...(options.withholdReason === undefined ? {} : { withhold_reason: options.withholdReason }),
    ...(options.encryptTo === undefined ? {} : { encrypt: { recipient: options.encryptTo } }),
    ...(options.at === undefined ? {} : { at: options.at })
  })
  return job_id
}

/** Writes a signed bundle. Ctrl C leaves what is finished; the same command carries on. */
export async function exportBundle(options: ExportOptions, environment: CliEnvironment): Promise<number> {
  // Before the engine starts: without a runtime nothing is written at all.
  const command = options.pdf ? printCommand(environment.printing) : null
  const printer: Print | undefined = command === null ? undefined : (page) => printWith(command, page)
  const work = async (engine: EngineChild): Promise<number> => {
    let ended = false
    const end = () => {
      ended = true
      void engine.stop()
    }
    process.once('SIGINT', end)
    process.once('SIGTERM', end)
    try {
      const job_id = await begin(engine, options)
      await waitForJob(engine, job_id, false)
      const result = await engine.call('export.result', { job_id })
      if (options.json) print(JSON.stringify(result))
      else
        print(
          `${result.path}: ${result.records} records, ${result.leaves} leaves, tree size ${result.size}, sha256 ${result.bundle_sha256}`
        )
      return EXIT.done
    } catch (error) {
      if (ended) throw new AffidavitError('cancelled', 'interrupted: the same command carries on with what is finished')
      throw error
    } finally {
      process.removeListener('SIGINT', end)
      process.removeListener('SIGTERM', end)
    }
  }
  return withEngine(options, environment, work, { printer })
}

/** Lists interrupted exports, or gives one up. */
export function interruptedExports(
  options: WorkspaceOptions & { readonly discard?: string },
  environment: CliEnvironment
): Promise<number> {
  return withEngine(options, environment, async (engine) => {
    if (options.discard !== undefined) {
      const { left } = await engine.call('export.discard', { id: options.discard })
      if (options.json) print(JSON.stringify({ discarded: options.discard, left }))
      else print(left === null ? 'discarded' : `discarded; ${left} could not be removed`)
      return EXIT.done
    }
    const { exports } = await engine.call('export.interrupted', {})
    if (options.json) print(JSON.stringify(exports))
    else
      for (const one of exports) {
        const { done, total } = one.finished
        print(`${one.id} ${one.asked} ${total === 0 ? 0 : Math.floor((100 * done) / total)} % ${one.path}`)
      }
    say(`${exports.length} interrupted`)
    return EXIT.done
  })
}
