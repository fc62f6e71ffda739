// SPDX-License-Identifier: Apache-2.0
import { utf8Decode } from './bytes.ts'

/** The erased leaf that a part `scope.N` names, `{"seq":N}`; undefined when it is no such text. */
export function erasedBy(data: Uint8Array): number | undefined {
  try {
    const { seq } = JSON.parse(utf8Decode(data)) as { seq?: unknown }
    return Number.isSafeInteger(seq) ? (seq as number) : undefined
  } catch {
    return undefined
  }
}
