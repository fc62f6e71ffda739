// SPDX-License-Identifier: Apache-2.0
import { jcs } from '../../shared/evidence/jcs.ts'

interface Content {
  readonly name: string
  readonly data: Uint8Array
}

/** The event without the moment it arrived: the one field that differs when the same thing is sent twice. */
function withoutArrival(data: Uint8Array): string {
  const event = JSON.parse(Buffer.from(data).toString('utf8')) as Record<string, never>
  const { received_us: _, ...rest } = event
  return jcs(rest)
}

/** Whether two sets of parts hold the same content, arrival time aside (EVIDENCE, Dedup). */
export function sameContent(a: readonly Content[], b: readonly Content[]): boolean {
  if (a.length !== b.length) return false
  return a.every((part) => {
    const other = b.find((candidate) => candidate.name === part.name)
    if (other === undefined) return false
    if (part.name === 'event') return withoutArrival(part.data) === withoutArrival(other.data)
    return Buffer.from(part.data).equals(other.data)
  })
}
