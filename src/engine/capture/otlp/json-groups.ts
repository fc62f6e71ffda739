// SPDX-License-Identifier: Apache-2.0
import { jsonEncoding } from '../../../shared/event/otlp/json.ts'
import { type Encoding, type Group, MOST_AROUND, MOST_ITEMS, OtlpError, type Signal } from '../../../shared/event/otlp/message.ts'
import { MALFORMED, parseJson } from '../http/body.ts'
import type { TimeSlice } from '../time-slice.ts'
import { type Cut, cutElements } from './json-cut.ts'

async function cut(bytes: Buffer, path: string, slice: TimeSlice): Promise<Cut> {
  const cutting = cutElements(bytes, path, MOST_ITEMS)
  for (;;) {
    const next = cutting.next()
    if (next.done) {
      if (next.value.around.length > MOST_AROUND || next.value.elements.length > MOST_ITEMS)
        throw new OtlpError('too much around the items, or too many of them')
      return next.value
    }
    if (slice.over) await slice.pause()
  }
}

function parse(bytes: unknown): unknown {
  const value = Buffer.isBuffer(bytes) ? parseJson(bytes) : MALFORMED
  if (value === MALFORMED) throw new OtlpError('not JSON in UTF-8')
  return value
}

/** Items are the bytes of their JSON. */
export const jsonItems: Pick<Encoding<never>, 'span' | 'log'> = {
  span: (item) => jsonEncoding.span(parse(item)),
  log: (item) => jsonEncoding.log(parse(item))
}

/**
 * The parts of a large JSON body, which is never parsed in one piece: its resources are cut out of it, and their spans or log records out of each.
 * @throws OtlpError
 */
export async function jsonGroups(bytes: Buffer, signal: Signal, slice: TimeSlice): Promise<readonly Group[]> {
  const { around, elements } = await cut(bytes, '{[', slice)
  const body = parse(around)
  const name = signal === 'traces' ? 'resourceSpans' : 'resourceLogs'
  const groups: Group[] = []
  const entries: unknown = typeof body === 'object' && body !== null ? (body as Readonly<Record<string, unknown>>)[name] : undefined
  // What is no object, or a list of other members, is refused or passed over as in a small body.
  if (!Array.isArray(entries)) return jsonEncoding.groups(body, signal)
  for (const entry of entries as readonly number[]) {
    const one = await cut(elements[entry] ?? Buffer.alloc(0), '{[{[', slice)
    for (const { resource, items } of jsonEncoding.groups({ [name]: [parse(one.around)] }, signal))
      groups.push({ resource, items: items.map((item) => one.elements[Number(item)]) })
    if (slice.over) await slice.pause()
  }
  return groups
}
