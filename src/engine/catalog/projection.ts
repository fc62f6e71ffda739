// SPDX-License-Identifier: Apache-2.0
import type { CanonicalEvent, EventMessage } from '../../shared/event/canonical-event.ts'
import { messagesText } from '../../shared/event/canonical-event.ts'
import { parametersText } from '../../shared/event/parameters.ts'
import { scriptOf } from '../../shared/event/script.ts'
import type { Leaf } from '../../shared/evidence/leaf.ts'
import { isRemote, placeOf } from '../../shared/place/place.ts'
import { DEFAULT_CLASS } from '../../shared/policy/retention.ts'
import type { Detectors } from '../../shared/privacy/detect.ts'
import { Masker } from '../../shared/privacy/mask.ts'
import { sha256Hex } from '../crypto.ts'
import { isRecord, isWrapper } from '../ledger/is-record.ts'
import type { Refusals } from '../ledger/refusals.ts'
import type { WritableDb } from '../sqlite/open.ts'
import type { OpenPart } from '../vault/payload.ts'
import type { ContentSource } from '../vault/payload-reader.ts'
import { CellWriter } from './cells.ts'
import { FullText, type RecordTexts } from './full-text.ts'
import { addTo, bucketOf, encodeHistogram, type Histogram, mergeHistogram } from './histogram.ts'
import { parameterFingerprints } from './parameter-fingerprint.ts'
import { isOfDisposal, projectDisposal } from './project-disposal.ts'
import { type EventStatements, eventStatements, projectEvent } from './project-event.ts'
import { PrivacyProjection } from './project-privacy.ts'
import { projectRetention, type RetentionStatements, retentionStatements } from './project-retention.ts'

interface Minute {
  n: number
  error: number
  aborted: number
  incomplete: number
  input: number
  output: number
  readonly latency: Histogram
}

interface Series {
  n: number
  first: number
  last: number
  lastSeq: number
  readonly model: string
  readonly source: string
}

const PREVIEW = 160
/** Characters looked at for a preview: more than it holds, so that what is cut at its end was whole when it was masked. */
const PREVIEW_FROM = 600

/** Beginning of the last user message, white space folded; masked whatever the settings, so that the catalog holds no identifier in clear. */
function previewOf(messages: readonly EventMessage[] | undefined, detectors: Detectors): string {
  const last = messages?.findLast((message) => message.role === 'user') ?? messages?.at(-1)
  if (!last) return ''
  return new Masker(detectors)
    .text(messagesText([last]).slice(0, PREVIEW_FROM))
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, PREVIEW)
}

function decode(part: OpenPart | undefined): unknown {
  if (!part) return undefined
  const { buffer, byteOffset, byteLength } = part.data
  return JSON.parse(Buffer.from(buffer, byteOffset, byteLength).toString('utf8'))
}

/** A leaf as far as a projection needs it; undefined for bytes that this program did not write: verification names those. */
function readable(bytes: Buffer): Leaf | undefined {
  try {
    const leaf = JSON.parse(bytes.toString('utf8')) as Partial<Leaf> | null
    const whole = typeof leaf?.type === 'string' && typeof leaf.id === 'string' && typeof leaf.actor?.ref === 'string'
    return whole && Number.isFinite(Date.parse(leaf.ts ?? '')) ? (leaf as Leaf) : undefined
  } catch {
    return undefined
  }
}

/** Whether the content of a leaf is at fault: its JSON, its shape, or a value that a table refuses. */
const isOfContent = (error: unknown): boolean =>
  error instanceof SyntaxError ||
  error instanceof TypeError ||
  error instanceof RangeError ||
  (error instanceof Error && 'code' in error && /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG)/.test(String(error.code)))

/** What names the last leaf applied: another one in its place means another history. */
export const tipOf = (bytes: Buffer | undefined): string => (bytes === undefined ? '' : sha256Hex(bytes))

/** Applies committed leaves to the catalog, in seq order, one transaction a batch. The only code that writes records. */
export class Projection {
  readonly #db: WritableDb
  readonly #payloads: ContentSource
  readonly #insert
  readonly #events: EventStatements
  readonly #retention: RetentionStatements
  readonly #cells: CellWriter
  readonly #fullText: FullText
  readonly #privacy: PrivacyProjection
  readonly #minutes = new Map<number, Minute>()
  readonly #series = new Map<string, Series>()
  readonly #facets = new Map<string, number>()
  #records: number
  /** Number of the last record ever; the numbers of those disposed of are not given again. */
  #rid: number

  readonly #refused: Refusals
  readonly #fingerprint: (text: string) => string

  /** @param refused erasures and disposals that were refused after their intent, as far as they are known beforehand */
  constructor(db: WritableDb, payloads: ContentSource, leafOf: (seq: number) => Leaf | undefined, secret: Uint8Array, refused: Refusals) {
    this.#refused = refused
    this.#fingerprint = parameterFingerprints(secret)
    this.#db = db
    this.#payloads = payloads
    this.#events = eventStatements(db)
    this.#cells = new CellWriter(db)
    this.#fullText = new FullText(db)
    this.#privacy = new PrivacyProjection({
      db,
      payloads,
      leafOf,
      secret,
      cells: this.#cells,
      fullText: this.#fullText,
      refused,
      textsOf: (seq) => this.#textsOf(seq),
      settle: () => this.#settle()
    })
    this.#retention = retentionStatements(db)
    this.#records = db.prepare<[], number>('SELECT count(*) FROM record').pluck().get() ?? 0
    this.#rid = Number(db.prepare<[], string>("SELECT value FROM meta WHERE key = 'rid'").pluck().get() ?? 0)
    this.#insert = {
      record: db.prepare(`
INSERT INTO record (rid, seq, id, time_us, appended_us, channel, operation, provider, model, served, source, status, http_status, error_type,
  finish, latency_us, ttft_us, input_tokens, output_tokens, response_chars, script, conversation, preview, class, sample, remote, request_seq, params)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
      minute: db.prepare(`
INSERT INTO minute (minute, n, error, aborted, incomplete, input_tokens, output_tokens, latency)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (minute) DO UPDATE SET n = n + excluded.n, error = error + excluded.error, aborted = aborted + excluded.aborted,
  incomplete = incomplete + excluded.incomplete, input_tokens = input_tokens + excluded.input_tokens,
  output_tokens = output_tokens + excluded.output_tokens, latency = excluded.latency`),
      latency: db.prepare<[number], Buffer>('SELECT latency FROM minute WHERE minute = ?').pluck(),
      facet: db.prepare('INSERT INTO facet (kind, value, n) VALUES (?, ?, ?) ON CONFLICT (kind, value) DO UPDATE SET n = n + excluded.n'),
      series: db.prepare(`
INSERT INTO series (model, source, n, first_us, last_us, last_seq) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (model, source) DO UPDATE SET n = n + excluded.n, first_us = min(first_us, excluded.first_us),
  last_us = max(last_us, excluded.last_us), last_seq = max(last_seq, excluded.last_seq)`),
      open: db.prepare('INSERT INTO open_request (seq, time_us) VALUES (?, ?)'),
      ended: db.prepare('DELETE FROM open_request WHERE seq = ?'),
      meta: db.prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
    }
  }

  /** Records in the catalog. */
  get records(): number {
    return this.#records
  }

  /** Applies the leaves of one batch and the size they lead to; all or nothing. `gone`: tiles that begin in the batch and were disposed of. */
  apply(
    rows: readonly { readonly seq: number; readonly bytes: Buffer }[],
    size: number,
    gone: readonly { readonly seq: number; readonly records: number }[] = []
  ): void {
    try {
      this.#apply(rows, size, gone, (seq, leaf) => this.#leaf(seq, leaf))
    } catch (error) {
      if (!isOfContent(error)) throw error
      // Seldom, and dear: each leaf of the batch in a transaction of its own.
      const one = this.#db.transaction((seq: number, leaf: Leaf) => this.#leaf(seq, leaf))
      this.#apply(rows, size, gone, (seq, leaf) => this.#orNothing(() => one(seq, leaf)))
    }
  }

  #apply(
    rows: readonly { readonly seq: number; readonly bytes: Buffer }[],
    size: number,
    gone: readonly { readonly seq: number; readonly records: number }[],
    project: (seq: number, leaf: Leaf) => void
  ): void {
    const before = { records: this.#records, rid: this.#rid }
    try {
      this.#db.transaction(() => {
        let next = 0
        const skip = (seq: number) => {
          for (let tile = gone[next]; tile !== undefined && tile.seq < seq; tile = gone[++next]) this.#rid += tile.records
        }
        for (const row of rows) {
          skip(row.seq)
          const leaf = readable(row.bytes)
          if (leaf) project(row.seq, leaf)
        }
        skip(size)
        this.#settle()
        this.#insert.meta.run('rid', String(this.#rid))
        this.#insert.meta.run('applied', String(size))
        this.#insert.meta.run('tip', tipOf(rows.at(-1)?.bytes))
      })()
    } catch (error) {
      this.#records = before.records
      this.#rid = before.rid
      throw error
    } finally {
      this.#forget()
    }
  }

  /**
   * Applies one leaf or, when its content has no form that this program writes, nothing of it: the signer of a bundle under review is anybody,
   * and one leaf must not keep the others from being shown. What stops everything passes through.
   */
  #orNothing(project: () => void): void {
    const before = { records: this.#records, rid: this.#rid }
    try {
      project()
    } catch (error) {
      if (!isOfContent(error)) throw error
      this.#records = before.records
      this.#rid = before.rid
    }
  }

  #forget(): void {
    this.#minutes.clear()
    this.#series.clear()
    this.#cells.clear()
    this.#facets.clear()
  }

  #settle(): void {
    this.#writeAggregates()
    this.#forget()
  }

  /** The texts of a record as they stand in the full text; undefined when its payload is gone. */
  #textsOf(seq: number): RecordTexts | undefined {
    const payload = this.#payloads.open(seq)
    if (payload.state !== 'present') return undefined
    const text = (name: string): string => {
      const part = decode(payload.parts.find((one) => one.name === name)) as { readonly messages: readonly EventMessage[] } | undefined
      return messagesText(part?.messages)
    }
    return { request: text('request'), response: text('response') }
  }

  #leaf(seq: number, leaf: Leaf): void {
    if (leaf.type === 'llm.request') this.#insert.open.run(seq, leaf.start_us ?? Date.parse(leaf.ts) * 1000)
    else if (leaf.links) this.#insert.ended.run(leaf.links.request)
    const record = isRecord(leaf)
    if (record) this.#record(seq, leaf)
    if (!record || !leaf.type.startsWith('llm.')) {
      if (!leaf.type.startsWith('llm.')) {
        projectEvent(this.#events, this.#payloads, seq, leaf)
        this.#privacy.leaf(seq, leaf)
      }
      projectRetention(this.#retention, seq, leaf, isWrapper(leaf) ? this.#wrapper(seq) : undefined)
      if (isOfDisposal(leaf)) {
        this.#settle()
        this.#records -= projectDisposal(this.#db, this.#payloads, (record) => this.#textsOf(record), this.#refused, seq, leaf)
      }
    }
  }

  /** Notes whom a wrapper names; returns its conversation. */
  #wrapper(seq: number): string | undefined {
    const payload = this.#payloads.open(seq)
    if (payload.state !== 'present') return undefined
    const event = (decode(payload.parts.find((part) => part.name === 'event')) ?? {}) as Partial<CanonicalEvent>
    // Versions before this one kept what was asked and answered with those that came over HTTP.
    const { request = '', response = '' } = this.#textsOf(seq) ?? {}
    this.#privacy.record(seq, event, [request, response])
    return event.conversation_id
  }

  #record(seq: number, leaf: Leaf): void {
    const payload = this.#payloads.open(seq)
    const parts = new Map(payload.state === 'present' ? payload.parts.map((part) => [part.name, part]) : [])
    const event = (decode(parts.get('event')) ?? {}) as Partial<CanonicalEvent>
    const request = decode(parts.get('request')) as { readonly messages: readonly EventMessage[]; readonly tools?: unknown } | undefined
    const response = decode(parts.get('response')) as { readonly messages: readonly EventMessage[] } | undefined
    const appended = Date.parse(leaf.ts) * 1000
    const time = leaf.start_us ?? appended
    // After an erasure only what the leaf holds remains, in the live catalog as after a rebuild.
    const model = leaf.model?.requested === 'other' ? (event.request_model ?? 'other') : (leaf.model?.requested ?? 'unknown')
    const source = leaf.source === 'other' ? (event.source ?? 'other') : (leaf.source ?? 'unknown')
    const { metrics, status = 'incomplete' } = leaf
    const remote = isRemote(placeOf(event))
    const responseText = messagesText(response?.messages)
    const served = event.response_model ?? leaf.model?.served ?? null
    const finish = event.finish_reasons?.join(', ') ?? null
    const script = response === undefined ? null : scriptOf(responseText)
    this.#records++
    const rid = ++this.#rid
    this.#insert.record.run(
      rid,
      seq,
      leaf.id,
      time,
      appended,
      leaf.channel ?? 'unknown',
      leaf.operation ?? 'unknown',
      leaf.provider ?? 'unknown',
      model,
      served,
      source,
      status,
      event.http_status ?? null,
      event.error_type ?? null,
      finish,
      metrics?.latency_us ?? null,
      metrics?.ttft_us ?? null,
      metrics?.input_tokens ?? null,
      metrics?.output_tokens ?? null,
      event.response_chars ?? null,
      script,
      event.conversation_id ?? null,
      previewOf(request?.messages, this.#privacy.detectors),
      leaf.class ?? DEFAULT_CLASS,
      leaf.sample ? 1 : 0,
      remote === null ? null : Number(remote),
      leaf.links?.request ?? null,
      parametersText(event, request, this.#fingerprint)
    )
    const requestText = messagesText(request?.messages)
    this.#fullText.add(rid, { request: requestText, response: responseText })
    this.#privacy.record(seq, event, [requestText, responseText])
    this.#aggregate(seq, time, model, source, status, metrics)
    this.#cells.add(model, source, {
      seq,
      time,
      status,
      latency: metrics?.latency_us ?? null,
      input: metrics?.input_tokens ?? null,
      output: metrics?.output_tokens ?? null,
      chars: event.response_chars ?? null,
      finish,
      served,
      script
    })
  }

  #aggregate(seq: number, time: number, model: string, source: string, status: string, metrics: Leaf['metrics']): void {
    const at = Math.floor(time / 60_000_000)
    let minute = this.#minutes.get(at)
    if (!minute) {
      minute = { n: 0, error: 0, aborted: 0, incomplete: 0, input: 0, output: 0, latency: new Map() }
      this.#minutes.set(at, minute)
    }
    minute.n++
    if (status === 'error') minute.error++
    else if (status === 'aborted') minute.aborted++
    else if (status === 'incomplete') minute.incomplete++
    minute.input += metrics?.input_tokens ?? 0
    minute.output += metrics?.output_tokens ?? 0
    if (metrics?.latency_us !== undefined) addTo(minute.latency, bucketOf(metrics.latency_us), 1)
    const key = `${model}\u0000${source}`
    const series = this.#series.get(key)
    if (series) {
      series.n++
      series.first = Math.min(series.first, time)
      series.last = Math.max(series.last, time)
      series.lastSeq = seq
    } else this.#series.set(key, { n: 1, first: time, last: time, lastSeq: seq, model, source })
    for (const facet of [`model\u0000${model}`, `source\u0000${source}`, `status\u0000${status}`])
      this.#facets.set(facet, (this.#facets.get(facet) ?? 0) + 1)
  }

  #writeAggregates(): void {
    this.#cells.write()
    for (const [at, minute] of this.#minutes) {
      const known = this.#insert.latency.get(at)
      if (known) mergeHistogram(minute.latency, known)
      this.#insert.minute.run(
        at,
        minute.n,
        minute.error,
        minute.aborted,
        minute.incomplete,
        minute.input,
        minute.output,
        encodeHistogram(minute.latency)
      )
    }
    for (const { model, source, n, first, last, lastSeq } of this.#series.values())
      this.#insert.series.run(model, source, n, first, last, lastSeq)
    for (const [key, n] of this.#facets) {
      const [kind = '', value = ''] = key.split('\u0000')
      this.#insert.facet.run(kind, value, n)
    }
    this.#minutes.clear()
    this.#series.clear()
    this.#facets.clear()
  }
}
