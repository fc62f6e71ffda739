// SPDX-License-Identifier: Apache-2.0
// Everything a reader can be asked, by name. Types of arguments and results are inferred from here.

import { explainBundleFile } from '../../node/explain-bundle.ts'
import { type VerifyFileOptions, verifyBundleFile } from '../../node/verify-file.ts'
import { checkForeign, type ForeignFiles } from '../../node/verify-foreign.ts'
import type { PrivacySettings } from '../../shared/contract/privacy.ts'
import type { SortOrder } from '../../shared/contract/record.ts'
import type { HoldScope } from '../../shared/contract/retention.ts'
import { toBase64 } from '../../shared/evidence/bytes.ts'
import type { LeafType } from '../../shared/evidence/leaf-types.ts'
import { consistencyProof } from '../../shared/evidence/merkle.ts'
import type { FilterExpression } from '../../shared/filter/filter.ts'
import type { SeqRange } from '../../shared/policy/ranges.ts'
import { type ActivityFilter, activityCsv, activityPage } from '../activity/reading.ts'
import { listAnchors, settingBody, settingValue, widestAnchor, witnessedSize } from '../anchors/listings.ts'
import { outsideAnchor } from '../anchors/outside.ts'
import { backupHistory, standingBackups } from '../backup/history.ts'
import { type WriteKeyCopyInput, writeKeyCopy } from '../backup/key-copy.ts'
import { marksOf } from '../backup/leaf-marks.ts'
import { type LookAtBackups, lookAtBackups } from '../backup/look.ts'
import { readManifest } from '../backup/manifest.ts'
import { type RestoreInput, restoreBackup } from '../backup/restore.ts'
import { type WriteBackupInput, writeBackup } from '../backup/write-backup.ts'
import { foreignFileNames } from '../bundle/foreign-handlers.ts'
import { type LeafRange, measureLeaves, type Selection, selectLeaves } from '../bundle/selection.ts'
import { type WriteBundleInput, writeBundle } from '../bundle/write-bundle.ts'
import {
  type ApprovalFilter,
  leafData,
  leavesOfType,
  listApprovals,
  listExports,
  openExportIntents,
  statusCounts
} from '../catalog/listings.ts'
import { bodyOf } from '../catalog/project-event.ts'
import { recordDetail } from '../catalog/record-detail.ts'
import { recordLife } from '../catalog/record-life.ts'
import { newestRecords, queryRecords, recordsAfter } from '../catalog/record-query.ts'
import { locate, openResult, pageOf, type ResultSet } from '../catalog/results.ts'
import { dashboardOf, facetsOf, rangeStatistics } from '../catalog/statistics.ts'
import type { TokenBasis } from '../catalog/tally.ts'
import { countTables, listSeries, type WindowSelection } from '../catalog/windows.ts'
import { wrappersAmong } from '../catalog/wrappers.ts'
import { sha256 } from '../crypto.ts'
import { backtest, hoursOnRecord } from '../drift/backtest.ts'
import type { BacktestArgs } from '../drift/backtest-tracks.ts'
import { type CompareArgs, compareSelections } from '../drift/compare/compare.ts'
import { type TimelineArgs, timelineOf } from '../drift/compare/timeline.ts'
import { judgeLook, type LookArgs } from '../drift/gather.ts'
import { lastLook, latchedEpisodes, latestVerdicts, missingAlerts } from '../drift/history.ts'
import {
  type AlertFilter,
  alertCounts,
  alertsAfter,
  listAlerts,
  listBaselines,
  listWebhooks,
  openEpisodes,
  snoozes
} from '../drift/listings.ts'
import type { LookTrigger } from '../drift/look.ts'
import { anythingNew, dueSeries } from '../drift/plans.ts'
import { explainLook } from '../drift/receipts.ts'
import { type VerdictArgs, verdictOf } from '../drift/stored-verdict.ts'
import { type PinArgs, pinnedWindow } from '../drift/windows.ts'
import { completenessIn } from '../integrity/gaps.ts'
import { unfinishedRequests } from '../integrity/unfinished.ts'
import type { TreeState } from '../ledger/group-writer.ts'
import { type ProofInput, proveRecord, withAnchor } from '../ledger/proof.ts'
import { reread } from '../ledger/reread.ts'
import { nodeReader } from '../ledger/store.ts'
import { type VerifyWorkspaceInput, verifyWorkspace } from '../ledger/verify-workspace.ts'
import { failedSignIns, leavesOf, userLeaves } from '../people/reading.ts'
import { complianceFacts, type LiveFacts, lastVerified, verificationsOf } from '../policy/compliance/facts.ts'
import { processingOf } from '../policy/compliance/processing.ts'
import { disposalOf, disposedBy, listDisposals, previewDisposal } from '../policy/disposal-scope.ts'
import { countCovered, holdsOn, holdsOnIntent, listHolds } from '../policy/holds.ts'
import { lastProposal } from '../policy/proposals.ts'
import { keptOf, retentionView } from '../policy/retention-view.ts'
import { priceTable } from '../prices/listing.ts'
import { type AccessCopyInput, writeAccessCopy } from '../privacy/access-copy.ts'
import { certificateOf } from '../privacy/erasure/certificate.ts'
import { erasureScope, erasureState } from '../privacy/erasure/erase.ts'
import { needlesOf } from '../privacy/erasure/needles.ts'
import { type ScanInput, scanFiles } from '../privacy/erasure/scan.ts'
import { handedOut, recipientsOf } from '../privacy/handed-out.ts'
import { recipientsOfRequest } from '../privacy/recipients.ts'
import { readPrivacy } from '../privacy/settings.ts'
import { type FindSubject, findSubject, listRequests, subjectRecords } from '../privacy/subjects.ts'
import { type BuildReviewInput, buildReview } from '../review/build.ts'
import { bundleProof } from '../review/bundle-proof.ts'
import { drainWal } from '../sqlite/long-write.ts'
import { keyHistory } from '../vault/history.ts'
import { keyLeaves } from '../vault/signing-record.ts'
import { longTask, task } from './reader-context.ts'

export const readerTasks = {
  selectLeaves: longTask(
    (context, args: { readonly filter: FilterExpression; readonly at: number | undefined; readonly range: LeafRange | undefined }) =>
      selectLeaves(context, args.filter, args.at, args.range)
  ),
  measureLeaves: longTask((context, args: { readonly selection: Selection; readonly withhold: readonly string[] }) =>
    measureLeaves(context, args.selection, args.withhold)
  ),
  writeBundle: longTask((context, args: WriteBundleInput, control) => writeBundle(context, args, control)),
  reread: task(({ ledger }, args: { readonly from: TreeState; readonly toSize: number }) => reread(ledger, args.from, args.toSize)),
  prove: task(async (context, args: ProofInput) => {
    const brought = args.bundle === undefined ? undefined : await bundleProof(args.bundle, args.seq)
    const proof = proveRecord(context.ledger, context.payloads, args, brought)
    return proof && withAnchor(proof, await outsideAnchor(context, args.seq))
  }),
  verifyBundle: longTask(
    (_context, args: { readonly path: string } & Pick<VerifyFileOptions, 'trust' | 'memory' | 'key' | 'state'>, control) =>
      verifyBundleFile(args.path, { ...args, cancelled: control.cancelled, onProgress: control.progress })
  ),
  buildReview: longTask((_context, args: BuildReviewInput, control) => buildReview(args, control)),
  checkForeign: longTask((_context, args: { readonly path: string; readonly files: ForeignFiles }) =>
    checkForeign(args.path, args.files, (name) => foreignFileNames[name])
  ),
  explainBundle: longTask((_context, args: { readonly path: string }) => explainBundleFile(args.path)),
  verifyWorkspace: longTask((context, args: VerifyWorkspaceInput, control) => verifyWorkspace(context, args, control)),
  openResult: task(({ catalog }, args: { readonly filter: FilterExpression; readonly sort: SortOrder; readonly seesRestricted: boolean }) =>
    openResult(catalog, args.filter, args.sort, args.seesRestricted)
  ),
  pageOf: task(({ catalog, ledger }, args: { readonly set: ResultSet; readonly offset: number; readonly limit: number }) =>
    pageOf(catalog, ledger, args.set, args.offset, args.limit)
  ),
  locate: task(({ catalog }, args: { readonly set: ResultSet; readonly seq: number }) => locate(catalog, args.set, args.seq)),
  queryRecords: task(
    (
      { catalog, ledger },
      args: {
        readonly filter: FilterExpression
        readonly limit: number
        readonly cursor: string | undefined
        readonly seesRestricted: boolean
      }
    ) => queryRecords(catalog, ledger, args.filter, args.limit, args.cursor, args.seesRestricted)
  ),
  recordsAfter: task(({ catalog, ledger }, args: { readonly seq: number; readonly limit: number }) =>
    recordsAfter(catalog, ledger, args.seq, args.limit)
  ),
  newestRecords: task(({ catalog, ledger }, args: { readonly limit: number }) => newestRecords(catalog, ledger, args.limit)),
  recordDetail: task(({ catalog, ledger, payloads }, args: { readonly seq: number; readonly privacy: PrivacySettings | null }) =>
    recordDetail(catalog, ledger, payloads, args.seq, args.privacy)
  ),
  recordLife: longTask((context, args: { readonly seq: number; readonly reads: boolean }) => recordLife(context, args.seq, args.reads)),
  wrappersAmong: task(({ catalog }, args: { readonly seqs: readonly number[] }) => wrappersAmong(catalog, args.seqs)),
  findSubject: longTask((context, args: FindSubject) => findSubject(context, args)),
  subjectRecords: longTask((context, args: { readonly seqs: readonly number[] }) => subjectRecords(context, args.seqs)),
  requests: task((context, args: { readonly id: string | undefined; readonly today: string }) =>
    listRequests(context, args.id, args.today)
  ),
  writeAccessCopy: longTask((context, args: AccessCopyInput, control) => writeAccessCopy(context, args, control)),
  erasureState: task((context, args: { readonly id: string }) => erasureState(context, args.id)),
  erasureRecipients: longTask((context, args: { readonly changed: ReadonlyMap<number, number> }) =>
    recipientsOf(context, args.changed, handedOut(context))
  ),
  recipientsOfRequest: longTask((context, args: { readonly request: string }) => recipientsOfRequest(context, args.request)),
  erasureScope: task((context, args: { readonly id: string; readonly seqs: readonly number[] }) =>
    erasureScope(context, args.id, args.seqs)
  ),
  erasureNeedles: longTask((context, args: { readonly seqs: readonly number[] }) => needlesOf(context, args.seqs)),
  erasureCertificate: task(
    (context, args: { readonly id: string; readonly origin: string }) => certificateOf(context, args.id, args.origin) ?? null
  ),
  leafMarks: longTask(({ ledger }, args: { readonly intent: number; readonly ranges: readonly SeqRange[] }) => marksOf(ledger, args)),
  scanFiles: longTask((context, args: ScanInput, control) => scanFiles(context, args, control)),
  privacySettings: task((context, _: Record<string, never>) => readPrivacy(context)),
  rangeStatistics: task(({ catalog }, args: { readonly from: number | undefined; readonly to: number | undefined }) =>
    rangeStatistics(catalog, args.from, args.to)
  ),
  dashboard: task(
    ({ catalog, ledger }, args: { readonly from: number | undefined; readonly to: number | undefined; readonly bins: number }) =>
      dashboardOf(catalog, ledger, args)
  ),
  facets: task(({ catalog }, _: Record<string, never>) => facetsOf(catalog)),
  statusCounts: task(({ catalog }, args: { readonly heartbeatsSinceMs: number }) => statusCounts(catalog, args.heartbeatsSinceMs)),
  leavesOfType: longTask(({ catalog, ledger }, args: { readonly type: LeafType }) => leavesOfType(catalog, ledger, args.type)),
  activityPage: longTask(
    (context, args: { readonly filter: ActivityFilter; readonly before: number | undefined; readonly limit: number }) =>
      activityPage(context, args.filter, args.before, args.limit)
  ),
  activityCsv: longTask((context, args: { readonly filter: ActivityFilter; readonly out: string }, control) =>
    activityCsv(context, args, control)
  ),
  clientLeaves: longTask((context, _: Record<string, never>) => leavesOf(context, ['client.added', 'client.revoked'])),
  userLeaves: longTask((context, _: Record<string, never>) => userLeaves(context)),
  failedSignIns: longTask((context, _: Record<string, never>) => failedSignIns(context)),
  keyLeaves: task((context, _: Record<string, never>) => keyLeaves(context)),
  keyHistory: task((context, _: Record<string, never>) => keyHistory(context)),
  anchors: task(({ catalog }, args: { readonly limit: number }) => listAnchors(catalog, args.limit)),
  widestAnchor: task(({ catalog }, _: Record<string, never>) => widestAnchor(catalog)),
  settingValue: task(({ catalog }, args: { readonly name: string }) => settingValue(catalog, args.name)),
  settingBody: task((context, args: { readonly name: string }) => settingBody(context, args.name)),
  witnessedSize: task(({ catalog }, args: { readonly authority: string }) => witnessedSize(catalog, args.authority)),
  consistency: task(({ ledger }, args: { readonly from: number; readonly to: number }) =>
    consistencyProof(sha256, args.from, args.to, nodeReader(ledger)).map(toBase64)
  ),
  approvals: task(({ catalog, payloads }, args: ApprovalFilter) => listApprovals(catalog, payloads, args)),
  complianceFacts: longTask((context, live: LiveFacts) => complianceFacts(context, live)),
  completeness: longTask(({ catalog }, args: { readonly days: number; readonly nowUs: number }) =>
    completenessIn(catalog, { fromUs: args.nowUs - args.days * 86_400_000_000, toUs: args.nowUs })
  ),
  unfinishedRequests: task((context, args: { readonly below: number; readonly limit: number }) =>
    unfinishedRequests(context, args.below, args.limit)
  ),
  verifications: task(({ catalog }, args: { readonly limit: number }) => verificationsOf(catalog, args.limit)),
  lastVerified: task(({ catalog }, _: Record<string, never>) => lastVerified(catalog)),
  processing: longTask((context, live: LiveFacts) => processingOf(context, live)),
  holdsOnIntent: longTask((context, args: { readonly seqs: readonly number[]; readonly since: number }) =>
    holdsOnIntent(context, args.seqs, args.since)
  ),
  leafBody: task(({ payloads }, args: { readonly seq: number }) => bodyOf(payloads, args.seq)),
  openExportIntents: task(({ catalog, payloads }, _: Record<string, never>) => openExportIntents(catalog, payloads)),
  exports: task(({ catalog, payloads }, _: Record<string, never>) => listExports(catalog, payloads)),
  countTables: longTask(({ catalog }, args: { readonly selection: WindowSelection; readonly basis?: TokenBasis }) =>
    countTables(catalog, args.selection, args.basis)
  ),
  pinnedWindow: longTask((context, args: PinArgs) => pinnedWindow(context, args)),
  leafData: task(({ ledger }, args: { readonly seq: number }) => leafData(ledger, args.seq)),
  alerts: task(({ catalog, payloads }, args: AlertFilter) => listAlerts(catalog, payloads, args)),
  alertsAfter: task(({ catalog, payloads }, args: { readonly seq: number; readonly limit: number }) =>
    alertsAfter(catalog, payloads, args.seq, args.limit)
  ),
  alertCounts: task(({ catalog }, _: Record<string, never>) => alertCounts(catalog)),
  baselines: task(({ catalog }, _: Record<string, never>) => listBaselines(catalog)),
  snoozes: task(({ catalog }, args: { readonly nowUs: number }) => snoozes(catalog, args.nowUs)),
  webhooks: task(({ catalog }, _: Record<string, never>) => listWebhooks(catalog)),
  openEpisodes: task(({ catalog }, _: Record<string, never>) => openEpisodes(catalog)),
  judgeLook: longTask((context, args: LookArgs, control) => judgeLook(context, args, control)),
  driftVerdict: longTask((context, args: VerdictArgs) => verdictOf(context, args)),
  compareSelections: longTask(({ catalog }, args: CompareArgs, control) => compareSelections(catalog, args, control.cancelled)),
  driftTimeline: longTask(({ catalog }, args: TimelineArgs, control) => timelineOf(catalog, args, control.cancelled)),
  missingAlerts: task((context, args: { readonly cooldownUs: number }) => missingAlerts(context, args.cooldownUs)),
  latchedEpisodes: task(({ catalog }, args: { readonly nowUs: number; readonly cooldownUs: number }) =>
    latchedEpisodes(catalog, args.nowUs, args.cooldownUs)
  ),
  backtest: longTask((context, args: BacktestArgs, control) => backtest(context, args, control)),
  hoursOnRecord: task((context, _: Record<string, never>) => hoursOnRecord(context)),
  explainLook: longTask((context, args: { readonly look: number | undefined }) => explainLook(context, args.look)),
  anythingNew: task((context, args: Parameters<typeof anythingNew>[1]) => anythingNew(context, args)),
  dueSeries: longTask((context, args: Parameters<typeof dueSeries>[1]) => dueSeries(context, args)),
  lastLook: task(({ catalog }, args: { readonly trigger?: LookTrigger }) => lastLook(catalog, args.trigger)),
  latestVerdicts: task(({ catalog }, _: Record<string, never>) => latestVerdicts(catalog)),
  writeBackup: longTask((context, args: WriteBackupInput, control) => writeBackup(context, args, control)),
  restoreBackup: longTask((_context, args: RestoreInput, control) => restoreBackup(args, control)),
  drainWal: task((_context, args: { readonly path: string }) => drainWal(args.path)),
  writeKeyCopy: longTask((context, args: WriteKeyCopyInput) => writeKeyCopy(context, args)),
  lookAtBackups: longTask((_context, args: LookAtBackups) => lookAtBackups(args)),
  backupHistory: task((context, _: Record<string, never>) => backupHistory(context)),
  standingBackups: task((context, _: Record<string, never>) => standingBackups(context)),
  backupWorkspace: task((_context, args: { readonly path: string }) => readManifest(args.path).workspace_id),
  lastProposal: task((context, _: Record<string, never>) => lastProposal(context)),
  previewDisposal: longTask((context, args: { readonly nowUs: number }) => previewDisposal(context, args.nowUs)),
  disposalOf: longTask(
    (
      context,
      args: { readonly nowUs: number; readonly only?: { readonly ranges: readonly SeqRange[]; readonly tiles: readonly number[] } }
    ) => disposalOf(context, args.nowUs, args.only)
  ),
  disposals: task((context, _: Record<string, never>) => listDisposals(context)),
  disposedBy: task((context, args: { readonly seq: number }) => disposedBy(context, args.seq)),
  holds: longTask((context, _: Record<string, never>) => listHolds(context)),
  holdsOn: longTask((context, args: { readonly seqs: readonly number[] }) => holdsOn(context, args.seqs)),
  countCovered: longTask((context, args: { readonly scope: HoldScope }) => countCovered(context, args.scope)),
  retentionView: longTask((context, _: Record<string, never>) => retentionView(context)),
  keptOf: task((context, args: { readonly seqs: readonly number[] }) => keptOf(context, args.seqs)),
  prices: task(({ catalog }, _: Record<string, never>) => priceTable(catalog)),
  series: task(({ catalog }, _: Record<string, never>) => listSeries(catalog))
} as const

export type ReaderTasks = typeof readerTasks
export type ReaderTaskName = keyof ReaderTasks
