// SPDX-License-Identifier: Apache-2.0
import type { Leaf } from '../../shared/evidence/leaf.ts'

/** Whether a leaf is a record of its own: one call to a model. */
export const isRecord = (leaf: Pick<Leaf, 'type' | 'span_role'>): boolean => leaf.type.startsWith('llm.') && leaf.span_role === 'inference'
