// SPDX-License-Identifier: Apache-2.0
// The composition of the engine: opens a workspace, starts its threads and servers, and answers the contract.
import type { Logger } from 'pino'
import { AffidavitError } from '../shared/contract/errors.ts'
import type { EngineStart } from '../shared/contract/wire.ts'
import type { Settings, WorkspaceStatus } from '../shared/contract/workspace.ts'
import { activityHandlers } from './activity/handlers.ts'
import { ReadLog } from './activity/read-log.ts'
import { Anchors, NOT_ANCHORING } from './anchors/anchors.ts'
import { WitnessService } from './anchors/witness-service.ts'
import { registerErasure } from './backup/erasure-register.ts'
import { keksOfWorkspace, passphraseOf, recordRestore, restoreFirst } from './backup/finish-restore.ts'
import { Backups } from './backup/handlers.ts'
import { foreignHandlers } from './bundle/foreign-handlers.ts'
import { bundleHandlers } from './bundle/handlers.ts'
import type { Print } from './bundle/printer.ts'
import { reportHandlers } from './bundle/report-handlers.ts'
import { Clients } from './capture/clients/clients.ts'
import { readTokenFile } from './capture/clients/token-file.ts'
import { defaultLimits } from './capture/http/limits.ts'
import type { HttpServers } from './capture/http/servers.ts'
import { startServers } from './capture/http/servers.ts'
import { importHandlers } from './capture/imports/handlers.ts'
import { Ingest } from './capture/ingest.ts'
import { OwnPorts } from './capture/proxy/own-ports.ts'
import { RecordingProxy } from './capture/proxy/recording-proxy.ts'
import { readUpstreams, Upstreams } from './capture/proxy/upstreams.ts'
import { catalogHandlers } from './catalog/handlers.ts'
import { subjectSecret } from './catalog/subject-key.ts'
import type { EngineEnvironment } from './config.ts'
import { compareHandlers } from './drift/compare/handlers.ts'
import { driftEngine } from './drift/handlers.ts'
import { historyHandlers } from './drift/history-handlers.ts'
import { Announcer, noticesOf } from './drift/notices.ts'
import { LookSchedule } from './drift/schedule.ts'
import { SnoozeEnds } from './drift/snooze-ends.ts'
import { WebhookStore } from './drift/webhooks/store.ts'
import { Webhooks } from './drift/webhooks/webhooks.ts'
import { Feed } from './feed.ts'
import { type Clock, Heartbeats, jumpAtStart, systemClock } from './integrity/heartbeat.ts'
import { endUnfinished } from './integrity/unfinished.ts'
import { VerifySchedule } from './integrity/verify-schedule.ts'
import { Jobs } from './jobs/jobs.ts'
import { Checkpointer } from './ledger/checkpointer.ts'
import type { AppendResult, LeafDraft } from './ledger/draft.ts'
import { ledgerHandlers } from './ledger/handlers.ts'
import type { Ledger } from './ledger/ledger.ts'
import { lastCheckpoint, lastLeafTime } from './ledger/store.ts'
import { People } from './people/people.ts'
import { Verifiers } from './people/verifiers.ts'
import { Approvals } from './policy/approvals.ts'
import { complianceHandlers } from './policy/compliance/handlers.ts'
import { liveFacts } from './policy/compliance/live.ts'
import { Disposal, type DisposalHooks } from './policy/disposal.ts'
import { Proposals } from './policy/proposals.ts'
import { Retention } from './policy/retention.ts'
import { priceHandlers } from './prices/handlers.ts'
import { Erasures } from './privacy/erasure/erase.ts'
import { Privacy } from './privacy/handlers.ts'
import { Requests } from './privacy/requests.ts'
import { REVIEW, REVIEWING, reviewHandlers } from './review/handlers.ts'
import { openReview } from './review/open.ts'
import { bundleOf, isReview } from './review/review-file.ts'
import { Router } from './router.ts'
import { fillSample } from './sample/fill.ts'
import { Projector } from './threads/projector.ts'
import { ReaderPool } from './threads/reader-pool.ts'
import { keksOf, type ThreadConfig } from './threads/thread-config.ts'
import { keyHandlers } from './vault/handlers.ts'
import type { OsKeyStore } from './vault/keyring.ts'
import { Vault } from './vault/vault.ts'
import { choose } from './workspace/continue.ts'
import { workspaceHandlers } from './workspace/handlers.ts'
import { readSettings } from './workspace/settings.ts'
import { type LiveFigures, statusOf } from './workspace/status.ts'
import { type OpenWorkspace, openWorkspace } from './workspace/workspace.ts'

export interface Engine {
  readonly router: Router
  readonly approvals: Approvals
  readonly erasures: Erasures
  readonly people: People
  readonly backups: Backups
  readonly proposals: Proposals
  status(): WorkspaceStatus
  /** Ends servers and jobs, signs, closes. */
  stop(reason: 'quit' | 'signal'): Promise<void>
}

export interface EngineDeps {
  readonly store: OsKeyStore | null
  /** Prints a page as PDF; absent where nothing can. */
  readonly print?: Print | undefined
  readonly log: Logger
  /** scrypt N of new password verifiers; tests take less than what a product needs. */
  readonly passwordCost?: number
  /** The machine's own by default; tests set it back and forward. */
  readonly clock?: Clock
  /** For tests of disposal. */
  readonly disposal?: DisposalHooks
}

const HEARTBEAT_MS = 60_000
const FIGURES_MS = 5_000
const DAY_MS = 86_400_000
const PATIENCE_MS = 5_000
const SAMPLE = 'this is a sample workspace: nothing is recorded in it; open a workspace of your own'
const SYSTEM = { ref: 'engine', kind: 'system' } as const

/**
 * Starts the engine on a workspace and, when asked for, its HTTP servers.
 * @throws AffidavitError workspace_locked, workspace_damaged, keys_unavailable
 */
export async function startEngine(config: EngineStart['config'], environment: EngineEnvironment, deps: EngineDeps): Promise<Engine> {
  await restoreFirst(config, environment, deps.store)
  if (config.sample) await fillSample(config, config.sample, environment, deps.store)
  const workspace = isReview(config.workspace)
    ? openReview(config.workspace, config.state)
    : await openWorkspace(config, environment, deps.store, deps.clock?.now)
  try {
    return await compose(workspace, config, environment, deps)
  } catch (error) {
    workspace.close()
    throw error
  }
}

const notServed = (binding: EngineStart['config']['compliance']): WorkspaceStatus['endpoints']['compliance'] => ({
  host: binding?.host ?? '127.0.0.1',
  port: binding?.port ?? 0,
  url: '',
  state: binding ? 'starting' : 'failed',
  message: binding ? null : 'not started for this command',
  suggested_port: null
})

async function compose(
  workspace: OpenWorkspace,
  config: EngineStart['config'],
  environment: EngineEnvironment,
  deps: EngineDeps
): Promise<Engine> {
  const { log, clock = systemClock } = deps
  const started = new Date()
  const { identity, ledger } = workspace
  const problem = workspace.start.problem
  /** Why nothing can be changed, where that is so. */
  const unwritten = problem?.message ?? (workspace.review ? REVIEW : null)
  if (problem) log.error({ event: 'workspace.read_only', code: problem.code })

  const threads: ThreadConfig = {
    workspace: workspace.paths.root,
    keks: keksOf(identity.keks),
    subjectSecret: subjectSecret(identity.dedupKey).toString('base64'),
    ...(environment.nativeBinding === undefined ? {} : { nativeBinding: environment.nativeBinding }),
    sparse: workspace.review !== null
  }
  const projector = await Projector.start(threads)
  const pool = await ReaderPool.start(threads)
  pool.onFault = (what, stack) => log.error({ event: what, stack })
  const jobs = new Jobs()
  const size = (): number => ledger?.size ?? workspace.size
  const append = async (drafts: readonly LeafDraft[]): Promise<readonly AppendResult[]> => (ledger ? ledger.append(drafts) : [])
  const reads = new ReadLog(append)
  const record = (draft: LeafDraft): Promise<number | null> => reads.record(draft)

  let outside: Anchors | undefined
  const vault = ledger
    ? new Vault({
        keys: workspace.keysDb,
        holder: workspace.keyHolder,
        identity,
        ledger,
        append,
        onKeks: (keks) => {
          projector.setKeks(keksOf(keks))
          pool.setKeks(keksOf(keks))
        },
        drain: () => pool.run('drainWal', { path: workspace.paths.keys }),
        beforeDestroy: () => backups.keyCopies.beforeDestroy()
      })
    : null
  const signing = ledger ? startSigning(workspace, ledger, pool, log, () => feed.statusChanged()) : null
  let endpoints: WorkspaceStatus['endpoints'] = {
    compliance: notServed(config.compliance),
    drift: notServed(config.drift),
    otlp: null
  }
  let { review } = workspace
  let past: WorkspaceStatus['last_day'] = { lost: 0, incomplete: 0, clock_jumps: 0, gaps: 0, longest_gap_ms: 0 }
  let figures: Pick<LiveFigures, 'alerts' | 'heartbeats' | 'verified'> = {
    verified: null,
    alerts: { open: 0, acknowledged: 0, oldest_open: null },
    heartbeats: { seen: 0, expected: 0 }
  }
  const status = (): WorkspaceStatus =>
    statusOf(workspace, config.appVersion, started, {
      endpoints,
      size: size(),
      records: projector.records,
      waiting: ledger?.waiting ?? 0,
      commit: ledger?.commitLatency ?? { p50_ms: null, p99_ms: null },
      checkpoint: signing ? signing.checkpointer.last : lastCheckpoint(workspace.ledgerDb),
      previousSize: signing?.previousSize ?? 0,
      consistent: signing?.checkpointer.consistent ?? false,
      secondCopySize: signing?.copySize,
      projected: projector.applied,
      rebuilt: projector.rebuilding,
      perSecond: feed.perSecond(),
      anchor: outside?.last ?? null,
      anchoring: outside?.state ?? NOT_ANCHORING,
      last_day: past,
      review,
      ...figures
    })
  const feed = new Feed({
    status,
    newest: (limit) => pool.run('newestRecords', { limit }),
    applied: () => ({ applied: projector.applied, records: projector.records })
  })
  jobs.onChange((job) => {
    feed.job(job)
    if (job.kind === 'verify_workspace' && job.state !== 'running')
      void refreshFigures().then(
        () => feed.statusChanged(),
        () => {}
      )
  })
  projector.onApplied = () => feed.applied()
  projector.advance(size())
  ledger?.onCommitted((now, leaves) => {
    projector.advance(now, leaves)
    signing?.checkpointer.touch()
  })

  const settingLeaves = await pool.run('leavesOfType', { type: 'setting.changed' })
  let settings: Settings = readSettings(workspace.ledgerDb, settingLeaves)
  const refreshFigures = async (): Promise<void> => {
    const since = Math.max(Date.now() - DAY_MS, Date.parse(workspace.description.created))
    const counts = await pool.run('statusCounts', { heartbeatsSinceMs: since })
    figures = {
      alerts: counts.alerts,
      verified: verification.last() ?? counts.verified,
      heartbeats: { seen: counts.heartbeats, expected: workspace.review ? 0 : Math.floor((Date.now() - since) / HEARTBEAT_MS) }
    }
  }
  const refreshPast = async (): Promise<void> => {
    const { lost, incomplete, clock_jumps, gaps } = await pool.run('completeness', { days: 1, nowUs: Date.now() * 1000 })
    const longest = Math.max(0, ...gaps.map((gap) => Date.parse(gap.to) - Date.parse(gap.from)))
    past = { lost, incomplete, clock_jumps, gaps: gaps.length, longest_gap_ms: longest }
  }
  if (ledger) {
    await recordRestore(workspace.paths.root, append)
    const jump = jumpAtStart(lastLeafTime(workspace.ledgerDb), clock.now())
    await append([...(jump ? [jump] : []), startedDraft(workspace)])
  }

  const secret = subjectSecret(identity.dedupKey)
  const requests = new Requests({ pool, projector, jobs, ledgerSize: size, append, secret, origin: identity.origin })
  const privacy = new Privacy({ pool, projector, ledgerSize: size, append })
  await privacy.start()
  /** Why nothing is recorded, where that is so. */
  const notTaken = unwritten ?? (workspace.description.sample ? SAMPLE : 'the workspace is open read-only')
  const capturing = ledger !== null && !workspace.description.sample
  const ingest =
    ledger && capturing
      ? new Ingest({
          ledger,
          classOf: (record) => retention.classOf(record),
          redact: (event) => privacy.redact(event),
          behind: () => ledger.size - projector.applied,
          caughtUp: (to, ms) => projector.waitFor(to, ms)
        })
      : null
  const proxy = new RecordingProxy({
    append: ledger ? (drafts) => ledger.append(drafts, true) : null,
    lose: (leaves) => ledger?.lose(leaves),
    classOf: (record) => retention.classOf(record),
    redact: (event) => privacy.redact(event),
    warn: (event, upstream) => log.warn({ event, upstream }),
    counted: (actor) => clients.counted(actor, 1)
  })
  let ownPorts: OwnPorts | undefined
  const upstreams: Upstreams = new Upstreams(
    {
      append: capturing ? append : () => Promise.reject(new AffidavitError('read_only', notTaken)),
      ownPorts: () => [...portsOf(endpoints), ...(ownPorts?.ports ?? [])],
      stateOf: ({ name }) => ({
        path_url: endpoints.compliance.state === 'listening' ? `${endpoints.compliance.url}/proxy/${name}` : null,
        own: ownPorts?.endpointOf(name) ?? null,
        calls: proxy.callsOf(name)
      }),
      changed: async () => ownPorts?.follow(upstreams.list)
    },
    readUpstreams(workspace.ledgerDb, settingLeaves)
  )
  const webhooks = new Webhooks({ pool, projector, ledgerSize: size, append, store: new WebhookStore(config.state, identity.origin) })
  const announcer = new Announcer((alerts) => {
    webhooks.wake()
    if (settings.notify_on_alert) for (const one of noticesOf(alerts)) feed.notice(one)
    void refreshFigures().catch(() => {})
  })
  const drift = driftEngine({
    pool,
    projector,
    ledgerSize: size,
    append,
    settings: () => settings,
    onAlert: (alert) => {
      feed.alert(alert)
      announcer.add(alert)
    },
    onSnoozed: (until) => snoozeEnds.snoozed(until),
    nextLook: () => schedule.nextLook
  })
  const snoozeEnds = new SnoozeEnds({
    pool,
    caughtUp: async () => (await projector.waitFor(size(), 2_000)) >= size(),
    end: (id) => drift.endSnooze(id, { actor: SYSTEM, via: 'ipc' }),
    onFailed: (error) => log.error({ event: 'snooze.failed', message: nameOf(error) })
  })
  const schedule = new LookSchedule({
    everyMinutes: () => settings.look_every_minutes,
    sinceLast: () => drift.sinceScheduledLook(),
    look: () => drift.scheduledLook({ actor: SYSTEM, via: 'ipc' }),
    byCount: () => drift.countLook({ actor: SYSTEM, via: 'ipc' }),
    onFailed: (error) => log.error({ event: 'look.failed', message: nameOf(error) })
  })
  if (ledger) {
    const failed = (error: unknown) => log.error({ event: 'look.unfinished', message: nameOf(error) })
    drift.finishLastLook({ actor: SYSTEM, via: 'ipc' }).catch(failed)
    snoozeEnds.start()
    // A single command looks when it is told to, not because an hour has passed.
    if (config.compliance || config.drift) webhooks.wake()
    if (config.compliance || config.drift) void schedule.start()
  }
  const people = await People.load({
    pool,
    append,
    verifiers: new Verifiers(
      { state: workspace.state, workspaceId: workspace.description.id, secret: identity.dedupKey },
      deps.passwordCost
    ),
    osAccount: environment.osAccount,
    lockAfterMinutes: () => settings.lock_after_minutes,
    only: workspace.review && { permissions: REVIEWING, why: REVIEW }
  })
  const given = ledger && environment.tokenFile !== undefined ? readTokenFile(environment.tokenFile) : []
  const clients = await Clients.load({ leaves: () => pool.run('clientLeaves', {}), append }, given)
  const approvals = new Approvals({
    people,
    pool,
    projector,
    ledgerSize: size,
    append,
    onFailed: (action, error) => log.error({ event: 'approval.not_done', action, message: nameOf(error) })
  })
  const retention = new Retention({ pool, projector, approvals, ledgerSize: size, append })
  await retention.start()
  const backups = new Backups({
    pool,
    projector,
    jobs,
    identity,
    workspace: workspace.paths.root,
    state: workspace.state,
    description: workspace.description,
    appVersion: config.appVersion,
    ledgerSize: size,
    checkpoint: () => checkpoint(),
    append,
    keksOf: (id) => keksOfWorkspace(workspace.state, id, deps.store, passphraseOf(config, environment)),
    onFailed: (error) => log.error({ event: 'backup.failed', message: nameOf(error) }),
    goOn: () => {
      const failed = (error: unknown) => log.error({ event: 'keys.unfinished', message: nameOf(error) })
      for (const work of [erasures.goOn(), disposal.resume(), keys.resume()]) work.catch(failed)
    }
  })
  if (ledger) await backups.start(config.compliance !== null || config.drift !== null)
  const disposal = new Disposal({
    ...retention.deps,
    ...deps.disposal,
    jobs,
    ledgerDb: workspace.ledgerDb,
    drain: () => pool.run('drainWal', { path: workspace.paths.ledger }),
    checkpoint: () => checkpoint(),
    register: (entry) => registerErasure(workspace.state, { v: 1, origin: identity.origin, ...entry, ranges: [...entry.ranges] }),
    destroyKeys: async (seqs) => {
      await vault?.rewrapVault({ dropSeqs: seqs })
    },
    onFailed: (error) => log.error({ event: 'disposal.not_done', message: nameOf(error) })
  })
  const proposals = new Proposals({
    ...retention.deps,
    everyHours: () => settings.propose_disposal_every_hours,
    now: () => deps.disposal?.now?.() ?? clock.now(),
    onFailed: (error) => log.error({ event: 'proposal.failed', message: nameOf(error) })
  })
  if (ledger && (config.compliance || config.drift)) proposals.start()
  const checkpoint = async () => (signing ? signing.checkpointer.now() : null)
  const verification = ledgerHandlers({
    pool,
    jobs,
    identity,
    bundle: workspace.review && bundleOf(workspace.paths.root),
    tree: () => ledger?.tree() ?? { size: size() },
    checkpoint,
    append
  })
  const keys = keyHandlers({
    identity,
    holder: workspace.keyHolder,
    created: workspace.description.created,
    jobs,
    pool,
    projector,
    ledgerSize: size,
    append,
    checkpoint,
    store: deps.store,
    vault
  })
  const witness = new WitnessService({
    pool,
    projector,
    ledgerSize: size,
    append,
    holder: workspace.keyHolder,
    vault,
    state: workspace.state,
    workspaceId: workspace.description.id
  })
  const anchors = new Anchors({
    witnesses: witness,
    pool,
    projector,
    ledgerSize: size,
    append,
    settings: () => settings,
    checkpoint,
    folder: workspace.paths.anchors,
    identity,
    name: workspace.description.name,
    lastCheckpoint: () => signing?.checkpointer.last ?? lastCheckpoint(workspace.ledgerDb),
    onChanged: () => feed.statusChanged(),
    onFailed: (error) => log.error({ event: 'anchors.failed', message: nameOf(error) })
  })
  outside = anchors
  if (ledger) anchors.start()
  const verifySchedule = new VerifySchedule({
    everyHours: () => settings.verify_every_hours,
    lastVerified: async () => {
      await projector.waitFor(size(), PATIENCE_MS)
      const us = await pool.run('lastVerified', {})
      return us === null ? null : us / 1000
    },
    verify: () => jobs.ended(verification.verifyAll(SYSTEM, true).id),
    onFailed: (error) => log.error({ event: 'verification.failed', message: nameOf(error) })
  })
  if (ledger && (config.compliance || config.drift)) verifySchedule.start()
  const compliance = complianceHandlers({
    pool,
    projector,
    ledgerSize: size,
    live: () => liveFacts(status(), settings, workspace.description.created),
    checkpoint,
    head: status,
    append,
    nextVerification: () => (ledger ? verifySchedule.next : null)
  })
  const erasures = new Erasures({
    pool,
    projector,
    jobs,
    approvals,
    requests,
    ledgerSize: size,
    append,
    vault,
    ledgerDb: workspace.ledgerDb,
    drain: () => pool.run('drainWal', { path: workspace.paths.ledger }),
    workspace: workspace.paths.root,
    state: workspace.state,
    origin: identity.origin
  })
  const router = new Router(
    {
      ...workspaceHandlers({
        goOn: (actor, reason) => choose(workspace.paths, workspace.start, workspace.size, actor, reason),
        jobs,
        status,
        settings: {
          get: () => settings,
          set: (next) => {
            settings = next
          }
        },
        append,
        rebuild: (progress) => projector.rebuild(size(), progress)
      }),
      ...catalogHandlers({ pool, projector, ledgerSize: size, record, privacy: () => privacy.settings, recentAlerts: drift.recentAlerts }),
      ...priceHandlers({ pool, projector, ledgerSize: size, append }),
      ...privacy.handlers,
      ...keys.handlers,
      ...requests.handlers,
      ...erasures.handlers,
      ...verification.handlers,
      ...compliance,
      ...anchors.handlers,
      ...witness.handlers,
      ...reportHandlers({ pool, verdict: drift.handlers['drift.verdict'], status }),
      ...importHandlers({ jobs, ingest, notTaken, append }),
      ...drift.handlers,
      ...historyHandlers({ pool, projector, jobs, ledgerSize: size, append, settings: () => settings }),
      ...webhooks.handlers,
      ...upstreams.handlers,
      ...clients.handlers,
      ...compareHandlers({ pool, projector, ledgerSize: size, settings: () => settings }),
      ...approvals.handlers,
      ...people.handlers,
      ...retention.handlers,
      ...activityHandlers({ pool, projector, ledgerSize: size, append, record }),
      ...disposal.handlers,
      ...foreignHandlers({ pool, append }),
      ...reviewHandlers({
        pool,
        jobs,
        append,
        state: workspace.state,
        open: review && { review, folder: workspace.paths.root },
        onVerdict: (next) => {
          review = next
          feed.statusChanged()
        }
      }),
      ...backups.handlers,
      ...bundleHandlers({
        pool,
        projector,
        jobs,
        identity,
        size,
        checkpoint,
        anchored: () => anchors.beforeExport(),
        state: workspace.state,
        append,
        appVersion: config.appVersion,
        sample: workspace.description.sample,
        print: deps.print ?? null
      })
    },
    { ...feed.sources, session: (push, caller) => people.follow(caller.session, push) },
    log,
    (op) => (workspace.review && op === 'records.unmask' ? null : unwritten),
    people
  )
  if (ledger) void disposal.resume().catch((error: unknown) => log.error({ event: 'disposal.failed', message: nameOf(error) }))
  if (ledger) void approvals.resume().catch((error: unknown) => log.error({ event: 'approvals.failed', message: nameOf(error) }))
  keys.resume().catch((error: unknown) => log.error({ event: 'keys.unfinished', message: nameOf(error) }))
  await refreshFigures()
  void refreshPast().catch(() => {})
  let stopped = false
  const heartbeats = ledger
    ? new Heartbeats({
        ledger,
        records: () => projector.records,
        clock,
        onFailed: (error) => log.error({ event: 'heartbeat.failed', message: nameOf(error) })
      })
    : undefined
  heartbeats?.start()
  if (ledger)
    void endUnfinished({ pool, projector, size: workspace.size, append, stopped: () => stopped }).catch((error: unknown) =>
      log.error({ event: 'recovery.failed', message: nameOf(error) })
    )
  const timers = [
    setInterval(() => void refreshFigures().catch(() => {}), FIGURES_MS),
    setInterval(() => void refreshPast().catch(() => {}), HEARTBEAT_MS)
  ]

  let servers: HttpServers | undefined
  if (config.compliance || config.drift) {
    servers = await startServers(
      {
        call: (op, input, caller) => router.call(op, input, caller),
        subscribe: (topic, input, push) => router.subscribe(topic, input, push, () => ({ actor: SYSTEM, via: 'http' })),
        ingest: {
          append: async (batch, origin) => {
            if (!ingest) throw new AffidavitError('read_only', notTaken)
            const results = await ingest.append(batch, origin)
            clients.counted(origin.actor, results.filter(({ kind }) => kind === 'accepted').length)
            return results
          }
        },
        witness: (body) => witness.answer(body),
        proxy: {
          find: (name) => upstreams.find(name),
          handle: (request, response, upstream, rest, caller) => proxy.handle(request, response, upstream, rest, caller)
        },
        streamOpened: (actor) => record({ type: 'search.run', actor, data: { matched: 0, of: 'stream' }, parts: [] }),
        recordsAfter: (seq, limit) => pool.run('recordsAfter', { seq, limit }),
        alertsAfter: (seq, limit) => pool.run('alertsAfter', { seq, limit }),
        status,
        log
      },
      {
        compliance: config.compliance,
        drift: config.drift,
        otlpPort: environment.otlpPort,
        workspace: workspace.paths.root,
        instanceId: identity.origin.slice(-16),
        version: config.appVersion,
        allowedHosts: config.allowedHosts ?? environment.allowedHosts,
        allowedOrigins: config.allowedOrigins,
        tokens: () => clients.tokens,
        onToken: (token) => clients.seen(token)
      }
    )
    endpoints = servers.endpoints
    if (config.compliance) {
      ownPorts = new OwnPorts({
        proxy,
        find: (name) => upstreams.find(name),
        host: config.compliance.host,
        limits: defaultLimits,
        tokens: () => clients.tokens,
        onToken: (token) => clients.seen(token),
        allowedHosts: config.allowedHosts ?? environment.allowedHosts,
        allowedOrigins: config.allowedOrigins ?? [],
        otherPorts: portsOf(endpoints)
      })
      await ownPorts.follow(upstreams.list)
    }
  }

  return {
    router,
    approvals,
    erasures,
    people,
    backups,
    proposals,
    status,
    stop: async (reason) => {
      stopped = true
      heartbeats?.stop()
      for (const timer of timers) clearInterval(timer)
      verifySchedule.stop()
      proposals.stop()
      anchors.stop()
      snoozeEnds.stop()
      await schedule.stop()
      webhooks.close()
      await ownPorts?.close()
      await servers?.close()
      await proxy.close()
      backups.stop()
      await disposal.close()
      await jobs.close()
      await people.close()
      if (ledger && signing) {
        await append([{ type: 'engine.stopped', actor: SYSTEM, data: { reason, leaves: ledger.size }, parts: [] }]).catch(() => {})
        await signing.checkpointer.now().catch((error: unknown) => log.error({ event: 'checkpoint.failed', name: nameOf(error) }))
        signing.checkpointer.stop()
        await ledger.close()
        try {
          workspace.saveHead(ledger.tree())
        } catch (error) {
          log.error({ event: 'head_copy.failed', message: nameOf(error) })
        }
      }
      feed.close()
      await projector.close()
      await pool.close()
      workspace.close()
      log.info({ event: 'engine.stopped', reason })
    }
  }
}

const portsOf = ({ compliance, drift, otlp }: WorkspaceStatus['endpoints']): number[] => [
  compliance.port,
  drift.port,
  ...(otlp ? [otlp.port] : [])
]

const nameOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown')

const startedDraft = (workspace: OpenWorkspace): LeafDraft => ({
  type: 'engine.started',
  actor: SYSTEM,
  data: {
    instance: workspace.identity.origin.slice(-16),
    keys: workspace.identity.protection,
    size: workspace.size,
    recovered: workspace.start.recovered
  },
  parts: []
})

/** Checkpoints with their copies outside the database. */
function startSigning(workspace: OpenWorkspace, ledger: Ledger, pool: ReaderPool, log: Logger, changed: () => void) {
  const state = {
    previousSize: 0,
    copySize: workspace.start.secondCopy === 'none' ? undefined : (workspace.start.checkpoint?.size as number | undefined),
    checkpointer: undefined as unknown as Checkpointer
  }
  let lastSize = workspace.start.checkpoint?.size ?? 0
  state.checkpointer = new Checkpointer({
    ledger,
    origin: workspace.identity.origin,
    key: () => workspace.identity.log,
    reread: (from, toSize) => pool.run('reread', { from, toSize }),
    verified: workspace.start.verified,
    last: workspace.start.checkpoint,
    onSigned: (row, tree) => {
      state.previousSize = lastSize
      lastSize = row.size
      try {
        workspace.saveHead(tree, row.note)
        state.copySize = tree.size
      } catch (error) {
        log.error({ event: 'head_copy.failed', message: nameOf(error) })
      }
      changed()
    },
    onFailed: (error) => log.error({ event: 'checkpoint.failed', name: nameOf(error) })
  })
  return state
}
