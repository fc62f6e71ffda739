// SPDX-License-Identifier: Apache-2.0
import type { KeyReport } from '../shared/contract/keys.ts'
import type { CliEnvironment } from './config.ts'
import { waitForJob } from './jobs.ts'
import { EXIT, print, say } from './output.ts'
import { type WorkspaceOptions, withEngine } from './workspace-commands.ts'

/** The keys that can be changed. */
export const changeableKeys = ['log', 'export', 'key-encryption'] as const

function printReport(report: KeyReport, json: boolean | undefined): number {
  if (json) print(JSON.stringify(report))
  else {
    print(`${report.origin} · ${report.message}`)
    if (report.unlinked !== null) print(report.unlinked)
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
    if (options.use === 'key-encryption') {
      const { folders, closes, not_connected } = await engine.call('backup.key_change', {})
      for (const { path, problem } of folders)
        say(problem === null ? `a copy of the keys goes to ${path}` : `no copy of the keys in ${path}: ${problem}`)
      for (const { path } of closes) say(`will no longer open: ${path}`)
      if (not_connected > 0)
        say(`${not_connected} backups are in folders that are not there: they open only with the copy of the keys beside them`)
    }
    const { job_id } = await engine.call('keys.rotate', { use: options.use })
    await waitForJob(engine, job_id)
    return printReport(await engine.call('keys.report', {}), options.json)
  })
