// SPDX-License-Identifier: Apache-2.0
// What judgements of requirements are made of.
import type { EvidenceLink, Requirement } from '../contract/compliance.ts'
import type { LeafType } from '../evidence/leaf-types.ts'
import { disposedOfBy } from './disposed.ts'
import type { ComplianceFacts, Seen } from './facts.ts'

/** How a row stands, what is missing, and what it rests on. */
export interface Judgement {
  readonly state: Exclude<Requirement['state'], 'not_applicable'>
  readonly gap: string | null
  readonly label: string
  readonly link: EvidenceLink
  /** Kinds of leaves that the evidence consists of. */
  readonly leaves: readonly LeafType[]
}

/** What a judgement shows. */
export type Evidence = Pick<Judgement, 'label' | 'link'> & { readonly leaves?: readonly LeafType[] }

const DAY_MS = 86_400_000
/** A whole number in words for people. */
export const number = (n: number): string => n.toLocaleString('en-US')
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
/** A day as `1 Mar 2026`, in UTC. */
export const day = (time: string): string =>
  `${Number(time.slice(8, 10))} ${months[Number(time.slice(5, 7)) - 1] ?? ''} ${time.slice(0, 4)}`
/** A number with its noun. */
export const plural = (n: number, one: string, many = `${one}s`): string => `${number(n)} ${n === 1 ? one : many}`
/** Whole days from one time to another. */
export const daysBetween = (from: string, to: string): number => Math.floor((Date.parse(to) - Date.parse(from)) / DAY_MS)

const as = (state: Judgement['state'], gap: string | null, { label, link, leaves = [] }: Evidence): Judgement => ({
  state,
  gap,
  label,
  link,
  leaves
})
/** A row that nothing backs, and why. */
export const not = (gap: string, evidence: Evidence): Judgement => as('not', gap, evidence)
/** A row of which something is missing, and what. */
export const partly = (gap: string, evidence: Evidence): Judgement => as('partly', gap, evidence)
/** Backed when nothing is missing, partly when something is. */
export const judged = (gaps: readonly (string | false)[], evidence: Evidence): Judgement => {
  const missing = gaps.filter((gap) => gap !== false)
  return missing.length === 0 ? as('backed', null, evidence) : partly(missing.join('. '), evidence)
}

/** How often a kind of leaf is on record. */
export const seen = (facts: ComplianceFacts, type: LeafType): Seen | undefined => facts.events[type]
/** How many leaves of these kinds are on record. */
export const countOf = (facts: ComplianceFacts, ...types: readonly LeafType[]): number =>
  types.reduce((sum, type) => sum + (facts.events[type]?.count ?? 0), 0)

/** Where evidence is seen. */
export const integrity: EvidenceLink = { to: 'compliance', view: 'integrity' }
export const records: EvidenceLink = { to: 'records' }
export const history: EvidenceLink = { to: 'exports', view: 'history' }
export const keysTab: EvidenceLink = { to: 'settings', view: 'keys' }
/** Why rows about records are not backed in an empty workspace. */
export const noRecord = 'No record has been taken yet'
/** The newest record. */
export const lifeOf = (facts: ComplianceFacts): EvidenceLink =>
  facts.records.newest === null ? records : { to: 'records', seq: facts.records.newest }

/** Events that could not be recorded. */
export const lossGap = ({ lost }: ComplianceFacts): string | false =>
  lost > 0 && `${plural(lost, 'event')} could not be recorded in 30 days; each failure is on record`
/** How stretches stand beside gaps whose leaves were disposed of; empty where none were. */
export const disposedBeside = ({ disposed }: Pick<ComplianceFacts, 'disposed'>): string =>
  disposed.length === 0 ? '' : `, ${plural(disposed.length, 'stretch', 'stretches')} ${disposedOfBy(disposed.flatMap(({ by }) => by))}`

/** Stretches without a sign of life that nobody ordered. */
export const unexplained = ({ gaps }: ComplianceFacts): number => gaps.filter((gap) => gap.reason !== 'stopped').length
