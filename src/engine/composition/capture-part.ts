// SPDX-License-Identifier: Apache-2.0
import type { ServerResponse } from 'node:http'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { WorkspaceStatus } from '../../shared/contract/workspace.ts'
import type { CanonicalEvent } from '../../shared/event/canonical-event.ts'
import type { ClassOf } from '../capture/call-draft.ts'
import { Clients } from '../capture/clients/clients.ts'
import { LiveRequests } from '../capture/clients/live-requests.ts'
import { readTokenFile } from '../capture/clients/token-file.ts'
import type { HttpToken } from '../capture/http/dependencies.ts'
import { defaultLimits } from '../capture/http/limits.ts'
import { type HttpServers, startServers } from '../capture/http/servers.ts'
import { importHandlers } from '../capture/imports/handlers.ts'
import { Ingest } from '../capture/ingest.ts'
import type { Large } from '../capture/large/tasks.ts'
import { OwnPorts } from '../capture/proxy/own-ports.ts'
import { RecordingProxy } from '../capture/proxy/recording-proxy.ts'
import { readUpstreams, Upstreams } from '../capture/proxy/upstreams.ts'
import type { Retention } from '../policy/retention.ts'
import type { Privacy } from '../privacy/handlers.ts'
import type { Router } from '../router.ts'
import { Drafter } from '../threads/drafter.ts'
import { type Core, SYSTEM } from './core.ts'
import type { LiveStatus } from './live-status.ts'

const SAMPLE = 'this is a sample workspace: nothing is recorded in it; open a workspace of your own'

const portsOf = ({ compliance, drift, otlp }: WorkspaceStatus['endpoints']): number[] => [
  compliance.port,
  drift.port,
  ...(otlp ? [otlp.port] : [])
]

export interface CaptureNeeds {
  readonly live: LiveStatus
  readonly privacy: Privacy
  readonly retention: Retention
}

/** Every way in: imports, ingest over HTTP, the recording proxy, and the clients that may use them. */
export async function capturePart(core: Core, { live, privacy, retention }: CaptureNeeds) {
  const { append, config, environment, jobs, log, pool, projector, workspace } = core
  const { ledger } = workspace
  const sample = workspace.description.sample
  /** Why nothing is recorded, where that is so. */
  const notTaken = core.unwritten ?? (sample ? SAMPLE : 'the workspace is open read-only')
  const capturing = ledger !== null && !sample
  const classOf: ClassOf = (record) => retention.classOf(record)
  const redact = (event: CanonicalEvent): CanonicalEvent => privacy.redact(event)
  const drafter = new Drafter(core.failed('drafter.failed'))
  const large: Large = {
    run: (task, args) => drafter.run(task, args),
    rules: () => ({ privacy: privacy.settings, classes: retention.classes })
  }
  const ingest =
    ledger && capturing
      ? new Ingest({
          ledger,
          classOf,
          redact,
          behind: () => ledger.size - projector.applied,
          caughtUp: (to, ms) => projector.waitFor(to, ms)
        })
      : null
  const given = ledger && environment.tokenFile !== undefined ? readTokenFile(environment.tokenFile) : null
  const requests = new LiveRequests()
  const clients = await Clients.load({ leaves: () => pool.run('clientLeaves', {}), append, revoked: (token) => requests.end(token) }, given)
  const proxy = new RecordingProxy({
    append: ledger ? (drafts) => ledger.append(drafts, true) : null,
    lose: (leaves) => ledger?.lose(leaves),
    classOf,
    redact,
    warn: (event, upstream) => log.warn({ event, upstream }),
    counted: (actor) => clients.counted(actor, 1),
    unread: (actor) => clients.passed(actor),
    cutOff: (response) => requests.wasCut(response)
  })
  live.unread = () => proxy.unread
  let servers: HttpServers | undefined
  let ownPorts: OwnPorts | undefined
  const upstreams: Upstreams = new Upstreams(
    {
      append: capturing ? append : () => Promise.reject(new AffidavitError('read_only', notTaken)),
      ownPorts: () => [...portsOf(live.endpoints), ...(ownPorts?.ports ?? [])],
      stateOf: ({ name }) => ({
        path_url: live.endpoints.compliance.state === 'listening' ? `${live.endpoints.compliance.url}/proxy/${name}` : null,
        own: ownPorts?.endpointOf(name) ?? null,
        calls: proxy.callsOf(name)
      }),
      changed: async () => ownPorts?.follow(upstreams.list)
    },
    readUpstreams(workspace.ledgerDb, core.settingLeaves)
  )
  const guards = {
    tokens: () => clients.tokens,
    onToken: (token: HttpToken, response: ServerResponse) => {
      clients.seen(token)
      requests.add(token, response)
    },
    allowedHosts: config.allowedHosts ?? environment.allowedHosts
  }
  return {
    clients,
    handlers: { ...importHandlers({ jobs, ingest, notTaken, append }), ...upstreams.handlers, ...clients.handlers },
    /** Opens the ports that the configuration names. */
    serve: async (router: Router, witness: Parameters<typeof startServers>[0]['witness']) => {
      if (!core.serving) return
      servers = await startServers(
        {
          call: (op, input, caller) => router.call(op, input, caller),
          subscribe: (topic, input, push) => router.subscribe(topic, input, push, () => ({ actor: SYSTEM, via: 'http' })),
          ingest: {
            append: async (batch, origin) => {
              if (!ingest) throw new AffidavitError('read_only', notTaken)
              const results = await ingest.append(batch, origin)
              const records = results.filter(({ kind }, i) => kind === 'accepted' && batch[i]?.call !== 'opens')
              clients.counted(origin.actor, records.length)
              return results
            },
            large
          },
          witness,
          proxy: {
            find: (name) => upstreams.find(name),
            handle: (request, response, upstream, rest, caller) => proxy.handle(request, response, upstream, rest, caller)
          },
          streamOpened: (actor) => core.record({ type: 'search.run', actor, data: { matched: 0, of: 'stream' }, parts: [] }),
          recordsAfter: (seq, limit) => pool.run('recordsAfter', { seq, limit }),
          alertsAfter: (seq, limit) => pool.run('alertsAfter', { seq, limit }),
          status: live.now,
          log
        },
        {
          ...guards,
          compliance: config.compliance,
          drift: config.drift,
          otlpPort: environment.otlpPort,
          workspace: workspace.paths.root,
          instanceId: workspace.identity.origin.slice(-16),
          version: config.appVersion,
          allowedOrigins: environment.allowedOrigins
        }
      )
      live.endpoints = servers.endpoints
      if (!config.compliance) return
      ownPorts = new OwnPorts({
        ...guards,
        proxy,
        find: (name) => upstreams.find(name),
        host: config.compliance.host,
        limits: defaultLimits,
        allowedOrigins: environment.allowedOrigins,
        otherPorts: portsOf(live.endpoints)
      })
      await ownPorts.follow(upstreams.list)
    },
    stop: async () => {
      await ownPorts?.close()
      await servers?.close()
      await proxy.close()
      await drafter.close()
    }
  }
}
