// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto'
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { z } from 'zod'
import { writeFileDurably } from '../../node/durable-file.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { openLock, type WritableDb } from '../sqlite/open.ts'

/** The files of a workspace (EVIDENCE, Files of a workspace). */
export interface WorkspacePaths {
  readonly root: string
  readonly ledger: string
  readonly keys: string
  readonly catalog: string
  readonly head: string
  readonly lock: string
  readonly endpoint: string
  readonly anchors: string
  /** Journals of exports that are not finished. */
  readonly exports: string
  readonly description: string
}

export function workspacePaths(folder: string): WorkspacePaths {
  const root = resolve(folder)
  return {
    root,
    ledger: join(root, 'ledger.db'),
    keys: join(root, 'keys.db'),
    catalog: join(root, 'catalog.db'),
    head: join(root, 'head'),
    lock: join(root, 'lock.db'),
    endpoint: join(root, 'endpoint.json'),
    anchors: join(root, 'anchors'),
    exports: join(root, 'exports'),
    description: join(root, 'workspace.json')
  }
}

const descriptionSchema = z.strictObject({
  v: z.literal(1),
  id: z.uuid(),
  name: z.string().min(1).max(200),
  created: z.iso.datetime(),
  sample: z.boolean()
})
export type WorkspaceDescription = z.infer<typeof descriptionSchema>

/**
 * Describes a new workspace as a sample, so that every leaf of it says so and nothing is recorded in it.
 * @param created when its log begins
 */
export function describeSample(paths: WorkspacePaths, created: Date): WorkspaceDescription {
  mkdirSync(paths.root, { recursive: true, mode: 0o700 })
  const description: WorkspaceDescription = { v: 1, id: randomUUID(), name: 'Sample', created: created.toISOString(), sample: true }
  writeFileDurably(paths.description, `${JSON.stringify(description, null, 1)}\n`)
  return description
}

/** What a file system that takes no more, or takes nothing, means at a start; undefined for any other failure. */
export function storageRefusal(error: unknown, what: string): AffidavitError | undefined {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'SQLITE_FULL' || code === 'ENOSPC')
    return new AffidavitError('disk_full', 'the disk is full: free some space and start again; nothing that was recorded is affected')
  if (['EACCES', 'EPERM', 'EROFS'].includes(code) || code.startsWith('SQLITE_READONLY') || code.startsWith('SQLITE_CANTOPEN'))
    return new AffidavitError(
      'not_writable',
      `${what} cannot be written: give this account the right to write to the folder, or copy the folder`
    )
  return undefined
}

const noFolder = ({ root }: WorkspacePaths): AffidavitError =>
  new AffidavitError('not_writable', `no folder can be made here: ${root}; choose another`)

/**
 * Makes the folder for keys and remembered heads, and sees that it can be written: before anything of a workspace, which without its keys
 * would be a folder that no start can use.
 * @throws AffidavitError not_writable, disk_full
 */
export function requireStateFolder(state: string): void {
  try {
    mkdirSync(state, { recursive: true, mode: 0o700 })
    accessSync(state, constants.W_OK)
  } catch (error) {
    const refused = storageRefusal(error, `the folder of keys and remembered heads, ${state},`)
    throw (
      refused ??
      new AffidavitError('not_writable', `no folder for keys and remembered heads can be made at ${state}; name another with --state`)
    )
  }
}

/** Makes the folders of a workspace, private to their owner. @throws AffidavitError not_writable, disk_full */
export function makeFolders(paths: WorkspacePaths): void {
  try {
    mkdirSync(paths.root, { recursive: true, mode: 0o700 })
    if (process.platform !== 'win32') chmodSync(paths.root, 0o700)
    mkdirSync(paths.anchors, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw storageRefusal(error, paths.root) ?? noFolder(paths)
  }
}

/**
 * Reads the description of a workspace, or writes that of a new one. Only for whoever holds its lock: of two that made it at once, one would
 * give it its keys and the other the id that they are found by.
 * @param sampleSince when the log of a new one begins that is a sample; null: it is none
 */
export function describeWorkspace(paths: WorkspacePaths, sampleSince: Date | null): WorkspaceDescription {
  if (!existsSync(paths.description)) {
    const fresh = {
      v: 1,
      id: randomUUID(),
      name: basename(paths.root) || 'workspace',
      created: new Date().toISOString(),
      sample: false
    } as const
    try {
      if (sampleSince) return describeSample(paths, sampleSince)
      writeFileDurably(paths.description, `${JSON.stringify(fresh, null, 1)}\n`)
    } catch (error) {
      throw storageRefusal(error, paths.root) ?? noFolder(paths)
    }
    return fresh
  }
  const parsed = descriptionSchema.safeParse(safeJson(readFileSync(paths.description, 'utf8')))
  if (!parsed.success) throw new AffidavitError('workspace_damaged', `not a workspace description: ${paths.description}`)
  return parsed.data
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * Takes the lock of a workspace for as long as the returned connection is open.
 * @throws AffidavitError workspace_locked: another engine works on it; disk_full, not_writable
 */
export function lockWorkspace(paths: WorkspacePaths): WritableDb {
  try {
    return openLock(paths.lock)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (!code.startsWith('SQLITE_BUSY')) throw storageRefusal(error, 'lock.db') ?? error
    throw new AffidavitError('workspace_locked', `another engine works on this workspace${holderOf(paths)}; close it or use another folder`)
  }
}

function holderOf(paths: WorkspacePaths): string {
  const known = z
    .looseObject({ pid: z.int() })
    .safeParse(existsSync(paths.endpoint) ? safeJson(readFileSync(paths.endpoint, 'utf8')) : undefined)
  return known.success ? ` (process ${known.data.pid}, see endpoint.json)` : ''
}
