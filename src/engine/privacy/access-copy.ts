// SPDX-License-Identifier: Apache-2.0
// The copy of a subject's data (GDPR 15(3), 20(1)): JSON for machines, one self-contained HTML page for people. Written on a reader thread.
import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { writeFileDurably } from '../../node/durable-file.ts'
import { notWritten } from '../../node/not-written.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import { footOfJson } from '../../shared/report/foot.ts'
import type { Print } from '../bundle/printer.ts'
import { recordDetail } from '../catalog/record-detail.ts'
import { wrappersAmong } from '../catalog/wrappers.ts'
import { statedOf } from '../policy/compliance/facts.ts'
import type { ReaderContext, ReaderControl } from '../threads/reader-context.ts'
import { copyFrame, recordSection } from './copy-page.ts'
import { handedOut, recipientsOf } from './handed-out.ts'

export interface AccessCopyInput {
  readonly seqs: readonly number[]
  /** Path of the JSON file; the page stands beside it as `.html`. */
  readonly out: string
  readonly replace: boolean
  readonly reference: string
  readonly received: string
  /** Day on which it is due. */
  readonly due: string
  readonly written: string
  readonly origin: string
}

export interface AccessCopy {
  readonly json: string
  readonly html: string
  readonly records: number
  readonly bytes: number
  readonly json_sha256: string
  readonly html_sha256: string
}

/** Where the page stands beside its JSON. */
const pageOf = (path: string): string => `${path.replace(/\.json$/i, '')}.html`

/** A file that is complete or not there: written beside its place, synced, renamed. */
class Output {
  readonly #path: string
  readonly #fd: number
  readonly #hash = createHash('sha256')
  bytes = 0

  constructor(path: string) {
    this.#path = path
    this.#fd = openSync(`${path}.part`, 'w', 0o600)
  }

  write(text: string): void {
    const bytes = Buffer.from(text, 'utf8')
    this.#hash.update(bytes)
    this.bytes += bytes.length
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#fd, bytes, at)
  }

  finish(): string {
    fsyncSync(this.#fd)
    closeSync(this.#fd)
    renameSync(`${this.#path}.part`, this.#path)
    return this.#hash.digest('hex')
  }

  abandon(): void {
    try {
      closeSync(this.#fd)
    } catch {
      // closed before
    }
    rmSync(`${this.#path}.part`, { force: true })
  }
}

/**
 * Writes both files, whole and unmasked.
 * @throws AffidavitError file_exists, file_unreadable, disk_full, payload_missing, cancelled; nothing is left behind then
 */
export function writeAccessCopy(context: ReaderContext, input: AccessCopyInput, control: ReaderControl): AccessCopy {
  const page = pageOf(input.out)
  if (!input.replace && [input.out, page].some((path) => existsSync(path)))
    throw new AffidavitError('file_exists', 'a file of this name is there already')
  const opened: Output[] = []
  try {
    const json = new Output(input.out)
    opened.push(json)
    const html = new Output(page)
    opened.push(html)
    const { reference, received, due, written, origin } = input
    const stated = statedOf(context)
    // Every bundle that held one, whatever became of the record since.
    const recipients = recipientsOf(context, new Map(input.seqs.map((seq) => [seq, Number.MAX_SAFE_INTEGER])), handedOut(context))
    const wrappers = wrappersAmong(context.catalog, input.seqs).length
    const head = {
      v: 1,
      what: 'copy of the data of a subject',
      reference,
      received,
      due,
      written,
      origin,
      stated,
      recipients: recipients.map(({ recipient, time, records }) => ({ recipient, time, records })),
      records_count: input.seqs.length,
      ...(wrappers === 0 ? {} : { wrappers_count: wrappers })
    }
    json.write(`${JSON.stringify(head).slice(0, -1)},"records":[\n`)
    const { before, after } = copyFrame({
      reference,
      received,
      due,
      written,
      origin,
      records: input.seqs.length,
      wrappers,
      stated,
      recipients
    })
    html.write(before)
    for (const [i, seq] of input.seqs.entries()) {
      if (control.cancelled()) throw new AffidavitError('cancelled', 'cancelled')
      control.progress(i, input.seqs.length)
      const detail = recordDetail(context.catalog, context.ledger, context.payloads, seq, null, true)
      if (!detail) throw new AffidavitError('not_found', `leaf ${seq} is no record`)
      if (detail.payload === 'missing')
        throw new AffidavitError('payload_missing', `the content of leaf ${seq} cannot be opened: verify the workspace first`)
      const { row, input_messages, output_messages, error, event, tools, payload, corrections } = detail
      json.write(
        `${i === 0 ? '' : ',\n'}${JSON.stringify({ seq, content: payload, record: { ...row, preview: undefined }, event, input_messages, output_messages, tools, error, corrections })}`
      )
      html.write(recordSection(detail))
    }
    json.write('\n]}\n')
    html.write(after)
    const bytes = json.bytes + html.bytes
    return { json: input.out, html: page, records: input.seqs.length, bytes, json_sha256: json.finish(), html_sha256: html.finish() }
  } catch (error) {
    for (const one of opened) one.abandon()
    throw notWritten(error)
  }
}

/** What one printed document may hold: a window of its own lays it out. */
const MOST_PRINTED = 32 * 1024 * 1024

/** Where the printed copy stands beside its JSON. */
const printedOf = (path: string): string => `${path.replace(/\.json$/i, '')}.pdf`

/** @throws AffidavitError engine_unavailable: nothing here prints; file_exists */
export function requirePrinter(print: Print | null, input: { readonly out: string; readonly replace: boolean }): Print {
  if (print === null)
    throw new AffidavitError('engine_unavailable', 'nothing here can print: leave the PDF out, or write the copy in the desktop app')
  if (!input.replace && existsSync(printedOf(input.out))) throw new AffidavitError('file_exists', 'a file of this name is there already')
  return print
}

/**
 * Prints the page of a copy beside it; its foot names the digest of the JSON. A copy whose page cannot be printed is removed whole.
 * @throws AffidavitError too_large, file_unreadable, and whatever the printing side says
 */
export async function printCopy(
  copy: AccessCopy,
  print: Print,
  origin: string
): Promise<{ readonly pdf: string; readonly bytes: number; readonly sha256: string }> {
  try {
    if (statSync(copy.html).size > MOST_PRINTED)
      throw new AffidavitError('too_large', 'the copy is too large to be printed as one document: write it without the PDF')
    const html = readFileSync(copy.html, 'utf8')
    const content = await print({ html, footer: footOfJson(origin, 'copy of data', copy.json_sha256) })
    const pdf = printedOf(copy.json)
    writeFileDurably(pdf, content)
    return { pdf, bytes: content.byteLength, sha256: createHash('sha256').update(content).digest('hex') }
  } catch (error) {
    for (const path of [copy.json, copy.html]) rmSync(path, { force: true })
    throw notWritten(error)
  }
}
