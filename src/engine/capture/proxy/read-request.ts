// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from 'node:buffer'
import type { Upstream } from '../../../shared/contract/proxy.ts'
import type { CanonicalEvent, MessagePart } from '../../../shared/event/canonical-event.ts'
import { wireRequest } from '../../../shared/event/wire/routes.ts'
import {
  asGoReads,
  type DigestBase64,
  isObject,
  known,
  namesTwice,
  parseJson,
  textPart,
  type WireApi,
  type WireFields
} from '../../../shared/event/wire/wire.ts'
import { isWellFormed } from '../../../shared/evidence/jcs.ts'
import { betweenSteps } from '../time-slice.ts'
import { type Copied, decodeCopy } from './bounded-copy.ts'

const MODEL = /"model"\s*:\s*"([^"\\]{1,200})"/

/** Fields of a request, and whether its content is kept. */
export type RequestFields = WireFields & Pick<CanonicalEvent, 'content_state'>

/** The text of a piece of a body; a sign that is cut in two at an end is left out. */
function textOfPiece(bytes: Buffer, isEnd: boolean): string {
  let from = 0
  while (isEnd && from < 3 && ((bytes[from] ?? 0) & 0xc0) === 0x80) from++
  return new TextDecoder().decode(bytes.subarray(from), { stream: !isEnd })
}

/**
 * What a request asks. A body that is not read stands there as it was sent: one that is no JSON object, that names a member twice, that holds half of a
 * surrogate pair or is not UTF-8, or of which only a part was kept; then also its length and its SHA-256.
 * @param whole whether all of it has arrived
 */
export async function readRequest(
  { head, tail, truncated, bytes, sha256 }: Copied,
  {
    api,
    upstream,
    encoding,
    whole
  }: { readonly api: WireApi; readonly upstream: Upstream; readonly encoding: string | undefined; readonly whole: boolean },
  digest: DigestBase64
): Promise<RequestFields> {
  const decoded = await decodeCopy(head, encoding)
  const cut = truncated || !whole || decoded === null || decoded.truncated
  const all = cut ? '' : decoded.bytes.toString('utf8')
  const step = betweenSteps(all.length)
  const parsed = cut ? undefined : parseJson(all)
  await step()
  const { body, twice } = !isObject(parsed)
    ? { body: undefined, twice: false }
    : upstream.kind === 'ollama'
      ? asGoReads(parsed)
      : { body: parsed, twice: false }
  const readAs = body === undefined ? {} : wireRequest(api, body, digest)
  await step()
  const asText = !cut && isUtf8(decoded.bytes) && isWellFormed(body)
  if (body !== undefined && asText && !twice && !namesTwice(all, parsed)) return { ...readAs, content_state: 'kept' }
  const whatItWas = { request_bytes: bytes, request_sha256: sha256() }
  // With a coding that nothing here unpacks, or that it does not have.
  if (decoded === null || decoded.bytes.length === 0)
    return { ...(bytes === 0 ? {} : { attributes: whatItWas }), content_state: cut && decoded?.broken === false ? 'truncated' : 'withheld' }
  const parts: MessagePart[] = [textPart(cut ? textOfPiece(decoded.bytes, false) : all)]
  if (tail !== null && decoded.bytes === head)
    parts.push({ type: 'omitted', bytes: bytes - head.length - tail.length }, textPart(textOfPiece(tail, true)))
  return known({
    ...readAs,
    request_model: readAs.request_model ?? MODEL.exec(parts[0]?.content ?? '')?.[1],
    input_messages: [{ role: 'user', parts }],
    tools: undefined,
    attributes: { request_form: 'as sent, not read', ...whatItWas },
    content_state: cut || !isUtf8(decoded.bytes) ? ('truncated' as const) : ('kept' as const)
  })
}
