// SPDX-License-Identifier: Apache-2.0
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { syncFolder, writeFileDurably } from '../../../node/durable-file.ts'

/** Content of `endpoint.json`: where the servers of a running engine are. A server that does not listen is null. */
export const endpointFile = z.object({
  product: z.literal('affidavit'),
  version: z.string(),
  instance_id: z.string(),
  pid: z.int(),
  started: z.string(),
  compliance: z.object({ url: z.string() }).nullable(),
  drift: z.object({ url: z.string() }).nullable(),
  otlp: z.object({ url: z.string() }).nullable().default(null)
})
export type EndpointFile = z.infer<typeof endpointFile>

const pathIn = (workspace: string): string => join(workspace, 'endpoint.json')

/** Writes `endpoint.json` into the workspace folder: owner only, all of it or nothing. Throws when the folder cannot be written. */
export function writeEndpointFile(workspace: string, content: EndpointFile): void {
  writeFileDurably(pathIn(workspace), `${JSON.stringify(content, null, 2)}\n`, 0o600)
}

/** Removes `endpoint.json` when it is still the one of this instance. */
export function removeEndpointFile(workspace: string, instanceId: string): void {
  try {
    const found = endpointFile.safeParse(JSON.parse(readFileSync(pathIn(workspace), 'utf8')))
    if (!found.success || found.data.instance_id !== instanceId || found.data.pid !== process.pid) return
    rmSync(pathIn(workspace), { force: true })
    syncFolder(workspace)
  } catch {
    // Absent or not readable: nothing of this instance is left to remove.
  }
}
