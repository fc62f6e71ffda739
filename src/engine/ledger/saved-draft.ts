// SPDX-License-Identifier: Apache-2.0
import type { LeafData } from '../../shared/evidence/leaf-data.ts'
import { sha256Hex } from '../crypto.ts'
import { bodyPart } from './body-part.ts'
import type { Actor, LeafDraft } from './draft.ts'

type Kind = Extract<LeafData<'export.created'>, { readonly kind: string }>['kind']

/** The leaf of a report that somebody saved to a file: what it is and its digest; `more` goes into the body. */
export function savedDraft(actor: Actor, kind: Kind, content: string | Uint8Array, more?: Readonly<Record<string, string>>): LeafDraft {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content
  const data = { kind, file_sha256: sha256Hex(bytes), bytes: bytes.length }
  return { type: 'export.created', actor, data, parts: more === undefined ? [] : [bodyPart(more).part] }
}
