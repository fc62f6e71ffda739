// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { AffidavitError } from '../shared/contract/errors.ts'
import { type ImportMapping, importMapping, MAPPED } from '../shared/contract/import-mapping.ts'
import type { CliEnvironment } from './config.ts'
import type { EngineChild } from './engine-child.ts'
import { waitForJob } from './jobs.ts'
import { EXIT, print, say } from './output.ts'
import { type WorkspaceOptions, withEngine } from './workspace-commands.ts'

export interface ImportOptions extends WorkspaceOptions {
  readonly profile?: string
  readonly map?: string
  readonly printMapping?: boolean
  readonly zone: string
  readonly source?: string
}

/** @throws AffidavitError file_unreadable, malformed_json, bad_request with the place in the mapping */
function mappingIn(path: string): ImportMapping {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw new AffidavitError('file_unreadable', 'the file of the mapping cannot be read')
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new AffidavitError('malformed_json', 'the file of the mapping is not JSON')
  }
  const parsed = importMapping.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new AffidavitError('bad_request', `mapping: ${issue?.path.join('.') || 'the whole'}: ${issue?.message ?? 'not a mapping'}`)
}

/** The profile that knows a file, where the caller names none. */
async function profileFor(engine: EngineChild, path: string, zone: string): Promise<string> {
  const { profile } = await engine.call('import.preview', { path, zone })
  if (profile === MAPPED)
    throw new AffidavitError(
      'not_this_format',
      'no profile knows this file: print a guessed mapping with --print-mapping and give it with --map'
    )
  return profile
}

/** Imports files one after another; 1 when a line was rejected. With `printMapping`: what each column is guessed to mean, nothing imported. */
export function importFiles(files: readonly string[], options: ImportOptions, environment: CliEnvironment): Promise<number> {
  const mapping = options.map === undefined ? undefined : mappingIn(options.map)
  const { zone } = options
  return withEngine(options, environment, async (engine) => {
    let rejected = 0
    for (const file of files) {
      const path = resolve(file)
      if (options.printMapping) {
        const guess = (await engine.call('import.preview', { path, profile: MAPPED, zone })).mapping
        print(JSON.stringify(guess?.used, null, 2))
        for (const field of guess?.unsure ?? []) say(`${file}: ${field}: only likely, look at it`)
        for (const { message } of guess?.faults ?? []) say(`${file}: ${message}`)
        continue
      }
      const profile = mapping ? MAPPED : (options.profile ?? (await profileFor(engine, path, zone)))
      const { job_id } = await engine.call('import.start', {
        path,
        profile,
        zone,
        ...(mapping === undefined ? {} : { mapping }),
        ...(options.source === undefined ? {} : { source: options.source })
      })
      await waitForJob(engine, job_id)
      const result = await engine.call('import.result', { job_id })
      rejected += result.rejected
      if (options.json) print(JSON.stringify({ file, ...result }))
      else {
        print(
          `${file}: ${result.accepted} accepted, ${result.duplicates} duplicates, ${result.rejected} rejected in ${result.seconds.toFixed(1)} s`
        )
        for (const error of result.errors) say(`${file}:${error.line}: ${error.code}: ${error.message}`)
      }
    }
    return rejected > 0 ? EXIT.negative : EXIT.done
  })
}
