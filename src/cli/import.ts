// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { AffidavitError } from '../shared/contract/errors.ts'
import { type ImportMapping, importMapping, MAPPED } from '../shared/contract/import-mapping.ts'
import type { ImportPreview } from '../shared/contract/imports.ts'
import { inputProblem } from '../shared/contract/input-problem.ts'
import type { CliEnvironment } from './config.ts'
import { EngineChild } from './engine-child.ts'
import { waitForJob } from './jobs.ts'
import { EXIT, print, say } from './output.ts'
import { configFor, holdsWorkspace, type WorkspaceOptions, withEngine } from './workspace-commands.ts'

export interface ImportOptions extends WorkspaceOptions {
  readonly profile?: string
  readonly map?: string
  readonly printMapping?: boolean
  readonly zone?: string
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
  throw new AffidavitError('bad_request', `mapping: ${inputProblem(parsed.error)}`)
}

/** What was found of a file that a person may have to set right: where its rows are, and times that name no zone. */
function sayFound(file: string, { file: { list }, zone_for }: ImportPreview, zone: string | undefined): void {
  if (list !== null) say(`${file}: the rows are those of ${list}`)
  if (zone_for.length > 0 && zone === undefined) say(`${file}: ${zone_for.join(', ')}: without a zone, taken as UTC; --zone names another`)
}

/** Imports files one after another; 1 when a line was rejected. With `printMapping`: what each column is guessed to mean, nothing imported. */
export function importFiles(files: readonly string[], options: ImportOptions, environment: CliEnvironment): Promise<number> {
  const mapping = options.map === undefined ? undefined : mappingIn(options.map)
  const { zone = 'UTC' } = options
  const work = async (engine: EngineChild): Promise<number> => {
    let rejected = 0
    for (const file of files) {
      const path = resolve(file)
      if (options.printMapping) {
        const preview = await naming(file, engine.call('import.preview', { path, profile: MAPPED, zone }))
        const guess = preview.mapping
        print(JSON.stringify(guess?.used, null, 2))
        for (const field of guess?.unsure ?? []) say(`${file}: ${field}: only likely, look at it`)
        for (const { message } of guess?.faults ?? []) say(`${file}: ${message}`)
        sayFound(file, preview, options.zone)
        continue
      }
      const named = mapping ? { profile: MAPPED, mapping } : options.profile === undefined ? {} : { profile: options.profile }
      const preview = await naming(file, engine.call('import.preview', { path, zone, ...named }))
      const { profile } = preview
      if (profile === MAPPED && !mapping)
        throw new AffidavitError(
          'not_this_format',
          `${file}: no profile knows this file: print a guessed mapping with --print-mapping and give it with --map`
        )
      sayFound(file, preview, options.zone)
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
        const more = result.rejected - result.errors.length
        if (more > 0) say(`${file}: and ${more} more rejected`)
        if (result.added_bytes > 0) say(`${file}: ${result.added_bytes} bytes were added after the import began and were not read`)
      }
    }
    return rejected > 0 ? EXIT.negative : EXIT.done
  }
  return options.printMapping && !holdsWorkspace(options.workspace)
    ? inPassing(environment, work)
    : withEngine(options, environment, work, { makes: true })
}

/** What needs no record of anything, in a workspace that is gone afterwards. */
async function inPassing(environment: CliEnvironment, work: (engine: EngineChild) => Promise<number>): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'affidavit-import-'))
  try {
    const engine = await EngineChild.start(
      configFor({ workspace: join(folder, 'workspace'), state: join(folder, 'state') }, environment, false)
    )
    try {
      return await work(engine)
    } finally {
      await engine.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Says which of several files was refused. */
async function naming<T>(file: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw error instanceof AffidavitError ? new AffidavitError(error.code, `${file}: ${error.message}`, error.details) : error
  }
}
