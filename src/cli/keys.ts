// SPDX-License-Identifier: Apache-2.0
import type { KeyReport } from '../shared/contract/keys.ts'
import type { CliEnvironment } from './config.ts'
import { waitForJob } from './jobs.ts'
import { EXIT, print } from './output.ts'
import { type WorkspaceOptions, withEngine } from './workspace-commands.ts'

/** The keys that can be changed. */
export const changeableKeys = ['log', 'export', 'key-encryption'] as const

function printReport(report: KeyReport, json: boolean | undefined): number {
  if (json) print(JSON.stringify(report))
  else {
    print(`${report.origin} · ${report.message}`)
    for (const key of report.keys)
      print([key.use, key.id, key.state, `since ${key.added}`, ...(key.fingerprint ? [`SHA-256 ${key.fingerprint}`] : [])].join(' · '))
  }
  return report.protection === 'missing' ? EXIT.negative : EXIT.done
}

/** Keys in use and before, with the fingerprints to compare; 1 when the keyring is not here. */
export const reportKeys = (options: WorkspaceOptions, environment: CliEnvironment): Promise<number> =>
  withEngine(options, environment, async (engine) => printReport(await engine.call('keys.report', {}), options.json))

/** Replaces a key by a new one and reports what is in use then. */
export const rotateKey = (
  options: WorkspaceOptions & { readonly use: (typeof changeableKeys)[number] },
  environment: CliEnvironment
): Promise<number> =>
  withEngine(options, environment, async (engine) => {
    const { job_id } = await engine.call('keys.rotate', { use: options.use })
    await waitForJob(engine, job_id)
    return printReport(await engine.call('keys.report', {}), options.json)
  })
