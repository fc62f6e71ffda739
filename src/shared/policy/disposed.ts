// SPDX-License-Identifier: Apache-2.0

/** By which intents leaves were disposed of, each named once. */
export function disposedOfBy(intents: readonly number[]): string {
  const all = [...new Set(intents)].sort((a, b) => a - b).map((seq) => seq.toLocaleString('en-US'))
  return `disposed of by ${all.length === 1 ? 'leaf' : 'leaves'} ${all.join(', ')}`
}
