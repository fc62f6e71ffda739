// SPDX-License-Identifier: Apache-2.0
import type { Leaf } from '../../shared/evidence/leaf.ts'

/** Leaves that end a call, each with all of it; `llm.request` says that one is open. */
const endings: ReadonlySet<Leaf['type']> = new Set(['llm.recorded', 'llm.response', 'llm.error', 'llm.aborted', 'recovered.incomplete'])

/** Whether a leaf is a record: one call to a model that has ended. */
export const isRecord = (leaf: Pick<Leaf, 'type' | 'span_role'>): boolean => endings.has(leaf.type) && leaf.span_role === 'inference'

/** Whether a leaf is a wrapper: the span of a program around calls, no record of its own, and with a content that may name a person. */
export const isWrapper = (leaf: Pick<Leaf, 'type' | 'span_role'>): boolean => endings.has(leaf.type) && leaf.span_role === 'wrapper'
