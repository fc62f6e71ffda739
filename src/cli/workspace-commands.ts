// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { AffidavitError } from '../shared/contract/errors.ts'
import type { EngineStart } from '../shared/contract/wire.ts'
import { type ActingOptions, actFor, requirePerson } from './acting.ts'
import { type CliEnvironment, requirePorts } from './config.ts'
import { EngineChild, type Print } from './engine-child.ts'
import { waitForJob } from './jobs.ts'
import { EXIT, outputClosed, print, printed, say } from './output.ts'

export interface WorkspaceOptions extends ActingOptions {
  readonly workspace: string
  readonly state?: string
  readonly json?: boolean
}

/** As package.json has it, which lies two folders above both the sources and the built file. */
export const { version: APP_VERSION } = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package.json'), 'utf8')) as {
  readonly version: string
}

/** The engine's start for a command. */
export function configFor(options: WorkspaceOptions, environment: CliEnvironment, servers: boolean): EngineStart['config'] {
  return {
    workspace: resolve(options.workspace),
    state: resolve(options.state ?? environment.state),
    compliance: servers ? environment.compliance : null,
    drift: servers ? environment.drift : null,
    appVersion: APP_VERSION,
    keyProtection: 'file',
    ...(environment.passphraseFile === undefined ? {} : { passphraseFile: environment.passphraseFile }),
    allowedHosts: environment.allowedHosts
  }
}

/** Whether a folder holds a workspace, or what is left of one. */
export const holdsWorkspace = (folder: string): boolean =>
  ['workspace.json', 'ledger.db', 'keys.db', 'head'].some((name) => existsSync(join(folder, name)))

/** @throws AffidavitError not_found: a mistyped folder must not become an empty workspace that is then found intact */
function requireWorkspace(folder: string, makes: boolean): void {
  if (holdsWorkspace(folder)) return
  if (!makes) throw new AffidavitError('not_found', `there is no workspace in ${resolve(folder)}: serve or import makes one`)
  say(`a new workspace is made in ${resolve(folder)}`)
}

/**
 * Runs work on a workspace with an engine of its own and closes it afterwards.
 * @param makes whether the command may begin a new workspace
 */
export async function withEngine(
  options: WorkspaceOptions,
  environment: CliEnvironment,
  work: (engine: EngineChild) => Promise<number>,
  { printer, makes = false }: { readonly printer?: Print | undefined; readonly makes?: boolean } = {}
): Promise<number> {
  requireWorkspace(options.workspace, makes)
  const engine = await EngineChild.start(configFor(options, environment, false), printer)
  try {
    const status = await engine.call('workspace.status', {})
    if (status.problem) say(`${status.problem.code}: ${status.problem.message}`)
    await requirePerson(engine, options)
    return await work(engine)
  } finally {
    await engine.stop()
  }
}

/** Both HTTP servers until SIGINT or SIGTERM. */
export async function serve(options: WorkspaceOptions, environment: CliEnvironment): Promise<number> {
  requirePorts(environment)
  const engine = await EngineChild.start(configFor(options, environment, true))
  try {
    if (!(await actFor(engine, options))) say('nobody is signed in: programs are served and recorded, nothing else')
  } catch (error) {
    await engine.stop()
    throw error
  }
  const status = await engine.call('workspace.status', {})
  const { compliance, drift } = status.endpoints
  if (options.json)
    print(JSON.stringify({ endpoints: status.endpoints, origin: status.origin, state: status.state, problem: status.problem }))
  else {
    for (const [name, endpoint] of [
      ['Compliance', compliance],
      ['Drift', drift]
    ] as const) {
      print(endpoint.state === 'listening' ? `${name} ${endpoint.url}` : `${name} not listening: ${endpoint.message ?? ''}`)
    }
    print(`Workspace ${status.path} · ${status.ledger.size} leaves · ${status.keys.message}`)
  }
  if (status.problem) say(`${status.problem.code}: ${status.problem.message}`)
  if (compliance.state !== 'listening' && drift.state !== 'listening') {
    await engine.stop()
    return EXIT.usage
  }
  const stop = () => void engine.stop()
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return engine.exited
}

/** Records that match a filter, one JSON object a line, newest leaf first. */
export function query(text: string, options: WorkspaceOptions & { readonly limit: number }, environment: CliEnvironment): Promise<number> {
  return withEngine(options, environment, async (engine) => {
    const result = await engine.call('records.open', { query: text })
    const wanted = Math.min(result.count, options.limit)
    for (let offset = 0; offset < wanted && !outputClosed(); offset += 200) {
      const page = await engine.call('records.page', { handle: result.handle, offset, limit: Math.min(200, wanted - offset) })
      for (const row of page.rows) print(JSON.stringify(row))
      await printed()
    }
    if (!outputClosed()) say(`${wanted} of ${result.count} matching records, ${result.total} on record`)
    return EXIT.done
  })
}

/** Re-hashes a whole workspace; 1 when it is damaged. */
export function verifyWorkspace(options: WorkspaceOptions, environment: CliEnvironment): Promise<number> {
  return withEngine(options, environment, async (engine) => {
    const status = await engine.call('workspace.status', {})
    const { job_id } = await engine.call('verify.workspace', {})
    await waitForJob(engine, job_id)
    const report = await engine.call('verify.workspace_report', { job_id })
    const intact = report.verdict === 'intact' && status.problem === null
    if (options.json) print(JSON.stringify({ ...report, problem: status.problem }))
    else {
      const { checked } = report
      print(
        `leaves ${checked.leaves} · nodes ${checked.nodes} · payloads ${checked.payloads} · keys ${checked.keys} · checkpoints ${checked.checkpoints}`
      )
      for (const { leaf, payloads } of report.erasures) print(`payloads ${payloads} · erased by leaf ${leaf}`)
      for (const fault of report.faults) print(`${fault.code}: ${fault.message}`)
      print(intact ? `intact up to leaf ${report.size - 1}` : 'damaged')
    }
    return intact ? EXIT.done : EXIT.negative
  })
}

/** Makes the catalog anew from the ledger. */
export function rebuild(options: WorkspaceOptions, environment: CliEnvironment): Promise<number> {
  return withEngine(options, environment, async (engine) => {
    const { job_id } = await engine.call('workspace.rebuild', {})
    const job = await waitForJob(engine, job_id)
    if (options.json) print(JSON.stringify({ leaves: job.done }))
    else print(`catalog rebuilt from ${job.done} leaves`)
    return EXIT.done
  })
}
