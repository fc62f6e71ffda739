// SPDX-License-Identifier: Apache-2.0
// The life of one record: every leaf that is about it, in the order of the log (SEC 17a-4(f)(2)(i)(A): who did what to it, and when).
import type { RecordLife } from '../../shared/contract/record.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import type { LeafType } from '../../shared/evidence/leaf-types.ts'
import { describe } from '../activity/describe.ts'
import { disposedBy } from '../policy/disposal-scope.ts'
import { holdsOver } from '../policy/holds.ts'
import { bundlesWith } from '../privacy/handed-out.ts'
import { type AnyDb, prepared } from '../sqlite/open.ts'
import type { ReaderContext } from '../threads/reader-context.ts'
import { bodyOf } from './project-event.ts'
import { BY_RESTORE } from './project-privacy.ts'
import { isoMs } from './rows.ts'

type LifeEvent = RecordLife['events'][number]

/** Reads that are listed: the newest. A record that is opened every day has thousands. */
const MOST_READS = 200

interface EventRow {
  readonly seq: number
  readonly time_us: number
  readonly type: LeafType
  readonly actor: string
  readonly data: string
}

const COLUMNS = 'seq, time_us, type, actor, data'
const captured: Partial<Record<LeafType, string>> = {
  'llm.request': 'request recorded',
  'llm.response': 'answer recorded',
  'llm.error': 'error recorded',
  'llm.aborted': 'end recorded: aborted',
  'llm.recorded': 'recorded',
  'recovered.incomplete': 'no end was recorded'
}

/** What the reader thread knows of a record; `restricted` is null where it is no record, or was disposed of. */
export interface FoundLife extends RecordLife {
  readonly restricted: boolean | null
}

/**
 * Every leaf about a record, oldest first; undefined when the leaf is no record and was none.
 * @param reads whether who viewed, unmasked or copied it is among them
 */
export function recordLife(context: ReaderContext, seq: number, reads: boolean): FoundLife | undefined {
  const record = prepared<[number], { request_seq: number | null; restricted: number }>(
    context.catalog,
    'SELECT request_seq, restricted FROM record WHERE seq = ?'
  ).get(seq)
  const disposal = disposedBy(context, seq)
  if (!record && disposal === null) return undefined
  const seen = reads ? readsOf(context, seq) : { events: [], earlier: 0 }
  const events = [
    ...capturesOf(context, record?.request_seq ?? null, seq),
    ...notesOn(context, seq),
    ...restrictionsOf(context, seq),
    ...holdEvents(context, seq),
    ...exportsOf(context, seq),
    ...erasureOf(context, seq),
    ...disposalOf(context, disposal),
    ...seen.events
  ]
  return {
    restricted: record ? record.restricted !== 0 : null,
    events: [...new Map(events.map((one) => [one.seq, one])).values()].sort((a, b) => a.seq - b.seq),
    reads,
    earlier_reads: seen.earlier
  }
}

const eventOf = ({ seq, time_us, type, actor }: EventRow, what: string, detail = ''): LifeEvent => ({
  seq,
  time: isoMs(time_us),
  type,
  actor,
  what,
  detail: detail.slice(0, 500)
})

/** In the words of the activity, with what a person wrote. */
function described({ payloads }: ReaderContext, row: EventRow): LifeEvent {
  const { what, detail } = describe(row.type, JSON.parse(row.data) as Record<string, unknown>, bodyOf(payloads, row.seq))
  return eventOf(row, what.replace(' a record', ''), detail)
}

/** Its own leaves, from the ledger: the request where the call was on record before it ended, and its end. */
function capturesOf({ ledger }: ReaderContext, request: number | null, seq: number): LifeEvent[] {
  const find = prepared<[number], Buffer>(ledger, 'SELECT bytes FROM leaf WHERE seq = ?').pluck()
  return [request, seq].flatMap((one) => {
    const bytes = one === null ? undefined : (find.get(one) as Buffer | undefined)
    if (one === null || !bytes) return []
    const { ts, type, actor, channel } = JSON.parse(bytes.toString('utf8')) as Leaf
    return [
      {
        seq: one,
        time: ts,
        type,
        actor: actor.ref,
        what: captured[type] ?? type,
        detail: channel === undefined ? '' : `way in: ${channel}`
      }
    ]
  })
}

/** Reviews, corrections and single verifications: their leaf names the record. */
const notesOn = (context: ReaderContext, seq: number): LifeEvent[] =>
  (['review.decided', 'record.corrected', 'verify.run'] as const).flatMap((type) =>
    prepared<[number], EventRow>(
      context.catalog,
      `SELECT ${COLUMNS} FROM event WHERE type = '${type}' AND json_extract(data, '$.record') = ? ORDER BY seq`
    )
      .all(seq)
      .map((row) => described(context, row))
  )

/** Who saw it: views and unmaskings, and copies of a subject's data that held it. */
function readsOf(context: ReaderContext, seq: number): { readonly events: readonly LifeEvent[]; readonly earlier: number } {
  const READ = "FROM event WHERE type IN ('record.viewed', 'payload.unmasked') AND json_extract(data, '$.seq') = ?"
  const all = prepared<[number], number>(context.catalog, `SELECT count(*) ${READ}`).pluck().get(seq) as number | undefined
  const newest = prepared<[number, number], EventRow>(context.catalog, `SELECT ${COLUMNS} ${READ} ORDER BY seq DESC LIMIT ?`).all(
    seq,
    MOST_READS
  )
  const copies = namedIn(context, 'subject.exported', seq)
  return {
    events: [...newest.map((row) => described(context, row)), ...copies.map((row) => eventOf(row, 'in a copy of the subject’s data'))],
    earlier: Math.max(0, (all ?? 0) - newest.length)
  }
}

/** Leaves of a type whose body lists the record. There are few of these, and no index of them exists that an erasure would have to find. */
const namedIn = ({ catalog, payloads }: ReaderContext, type: LeafType, seq: number): EventRow[] =>
  prepared<[string], EventRow>(catalog, `SELECT ${COLUMNS} FROM event WHERE type = ? ORDER BY seq`)
    .all(type)
    .filter((row) => {
      const { seqs } = bodyOf(payloads, row.seq)
      return Array.isArray(seqs) && seqs.includes(seq)
    })

const isOn = ({ data }: EventRow): boolean => (JSON.parse(data) as LeafData<'restrict.set'>).on

/** Why is known to data protection, in the request; here only that. */
const restrictionsOf = (context: ReaderContext, seq: number): LifeEvent[] =>
  namedIn(context, 'restrict.set', seq).map((row) => eventOf(row, isOn(row) ? RESTRICTED : 'restriction lifted'))

const RESTRICTED = 'restricted (GDPR 18)'

function holdEvents(context: ReaderContext, seq: number): LifeEvent[] {
  const find = prepared<[number], EventRow>(context.catalog, `SELECT ${COLUMNS} FROM event WHERE seq = ?`)
  return holdsOver(context, seq).flatMap(({ placed, released, matter }) =>
    [placed, released].flatMap((leaf) => {
      const row = leaf === null ? undefined : find.get(leaf)
      return row ? [eventOf(row, leaf === placed ? 'put on hold' : 'hold released', matter)] : []
    })
  )
}

/** Bundles that held it. */
function exportsOf(context: ReaderContext, seq: number): LifeEvent[] {
  const find = prepared<[number], EventRow>(context.catalog, `SELECT ${COLUMNS} FROM event WHERE seq = ?`)
  return bundlesWith(context, seq).flatMap(({ export_seq }) => {
    const row = find.get(export_seq)
    const { recipient, purpose } = bodyOf(context.payloads, export_seq)
    return row ? [eventOf(row, 'exported', [recipient, purpose].filter((one) => typeof one === 'string' && one !== '').join(' · '))] : []
  })
}

interface Erased {
  readonly intent: number
  readonly done_seq: number | null
}

const erasedBy = ({ catalog }: { readonly catalog: AnyDb }, seq: number): Erased | undefined =>
  prepared<[number], Erased>(
    catalog,
    `SELECT d.intent, iif(d.erasure = '${BY_RESTORE}', d.intent, e.done_seq) AS done_seq FROM erased d LEFT JOIN erasure e ON e.id = d.erasure WHERE d.seq = ?`
  ).get(seq)

function erasureOf(context: ReaderContext, seq: number): LifeEvent[] {
  const find = prepared<[number], EventRow>(context.catalog, `SELECT ${COLUMNS} FROM event WHERE seq = ?`)
  const erased = erasedBy(context, seq)
  const steps = [
    [erased?.intent, 'erasure begun: its content is destroyed from here on'],
    [erased?.done_seq, erased?.done_seq === erased?.intent ? 'content erased or disposed of, again by a restore' : 'content erased']
  ] as const
  return [
    ...steps.flatMap(([leaf, what]) => {
      const row = leaf == null ? undefined : find.get(leaf)
      return row ? [eventOf(row, what)] : []
    }),
    ...namedIn(context, 'erasure.refused', seq).map((row) => eventOf(row, 'erasure refused'))
  ]
}

function disposalOf(context: ReaderContext, intent: number | null): LifeEvent[] {
  if (intent === null) return []
  return prepared<[number, number], EventRow>(
    context.catalog,
    `SELECT ${COLUMNS} FROM event WHERE seq = ? OR (type = 'disposal.done' AND json_extract(data, '$.intent') = ?) ORDER BY seq`
  )
    .all(intent, intent)
    .map((row) => eventOf(row, row.type === 'disposal.done' ? 'disposed of' : 'disposal begun, after its retention'))
}

/** The leaves that say that the content of a record was erased; null where it was not. */
export function erasureLeaves(catalog: AnyDb, seq: number): { readonly intent: number; readonly done: number | null } | null {
  const erased = erasedBy({ catalog }, seq)
  return erased ? { intent: erased.intent, done: erased.done_seq } : null
}
