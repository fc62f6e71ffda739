// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path'
import { AffidavitError } from '../shared/contract/errors.ts'
import type { CliEnvironment } from './config.ts'
import { EngineChild } from './engine-child.ts'
import { waitForJob } from './jobs.ts'
import { EXIT, print } from './output.ts'
import { configFor, type WorkspaceOptions, withEngine } from './workspace-commands.ts'

/** Makes a backup of a workspace into a folder; with `test`, restores it into a temporary folder at once. */
export const backup = (
  options: WorkspaceOptions & { readonly to: string; readonly test: boolean },
  environment: CliEnvironment
): Promise<number> =>
  withEngine(options, environment, async (engine) => {
    const { job_id } = await engine.call('backup.start', { folder: resolve(options.to) })
    await waitForJob(engine, job_id)
    const made = await engine.call('backup.result', { job_id })
    if (options.json) print(JSON.stringify(made))
    else print(`${made.path} · ${made.size} leaves · ${made.bytes} bytes · the root matches the checkpoint of size ${made.checkpoint_size}`)
    return options.test ? drill(engine, made.path, options.json) : EXIT.done
  })

async function drill(engine: EngineChild, path: string, json: boolean | undefined): Promise<number> {
  const { job_id } = await engine.call('backup.drill', { path: resolve(path) })
  await waitForJob(engine, job_id)
  const report = await engine.call('backup.report', { job_id })
  if (json) print(JSON.stringify(report))
  else {
    for (const check of report.checks) print(`${check.holds ? 'holds' : 'FAILS'}  ${check.text}`)
    print(`test restore of ${report.backup.path}: ${report.verdict}, ${report.seconds.toFixed(1)} s`)
  }
  return report.verdict === 'matches' ? EXIT.done : EXIT.negative
}

interface RestoreOptions extends WorkspaceOptions {
  readonly from: string
  readonly test: boolean
  readonly acceptLoss: boolean
}

/** Restores a backup to a new folder, or, with `test`, into a temporary one to see whether it could be. */
export async function restore(options: RestoreOptions, environment: CliEnvironment): Promise<number> {
  if (options.test) return withEngine(options, environment, (engine) => drill(engine, options.from, options.json))
  const engine = await EngineChild.start({
    ...configFor(options, environment, false),
    restore: { from: resolve(options.from), acceptLoss: options.acceptLoss }
  })
  try {
    const status = await engine.call('workspace.status', {})
    if (status.problem) throw new AffidavitError('workspace_damaged', status.problem.message)
    const { restores } = await engine.call('backup.overview', {})
    const [done] = restores
    if (options.json) print(JSON.stringify({ workspace: status.path, restore: done ?? null }))
    else
      print(
        `${status.path} · ${done?.size ?? 0} leaves of the backup of ${done?.made ?? ''} · verified and recorded as leaf ${done?.seq ?? 0}`
      )
    return EXIT.done
  } finally {
    await engine.stop()
  }
}
