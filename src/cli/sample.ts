// SPDX-License-Identifier: Apache-2.0
import type { CliEnvironment } from './config.ts'
import { EngineChild } from './engine-child.ts'
import { EXIT, print, say } from './output.ts'
import { configFor, type WorkspaceOptions } from './workspace-commands.ts'

export interface SampleOptions extends WorkspaceOptions {
  /** Generated records instead of the sample's own, and no alerts. */
  readonly records?: number
  /** Where the week of the sample ends, ISO 8601 with a zone. */
  readonly now?: Date
}

const LOOK_MS = 100

/** Makes a sample workspace in a new folder and waits until its catalog is there. */
export async function sample(options: SampleOptions, environment: CliEnvironment): Promise<number> {
  say('making the sample')
  const engine = await EngineChild.start({
    ...configFor(options, environment, false),
    sample: { records: options.records ?? null, now: (options.now ?? new Date()).getTime() }
  })
  try {
    let status = await engine.call('workspace.status', {})
    while (status.projection.behind > 0) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      status = await engine.call('workspace.status', {})
    }
    const { records, size } = status.ledger
    const { open, acknowledged } = status.alerts
    const made = { workspace: status.path, records, leaves: size, alerts: open + acknowledged, unacknowledged: open }
    if (options.json) print(JSON.stringify(made))
    else print(`${made.workspace}: ${records} records, ${made.alerts} alerts (${open} not acknowledged), ${size} leaves, all marked SAMPLE`)
    return EXIT.done
  } finally {
    await engine.stop()
  }
}
