// SPDX-License-Identifier: Apache-2.0
import type { CanonicalEvent } from '../canonical-event.ts'
import { anthropicReader, anthropicRequest } from './anthropic.ts'
import { ollamaReader, ollamaRequest } from './ollama.ts'
import { openaiReader, openaiRequest } from './openai-chat.ts'
import { responsesReader, responsesRequest } from './openai-responses.ts'
import type { DigestBase64, Json, WireApi, WireFields, WireReader } from './wire.ts'

const routes: readonly (readonly [ending: string, api: WireApi])[] = [
  ['/api/chat', 'ollama.chat'],
  ['/api/generate', 'ollama.generate'],
  ['/api/embed', 'ollama.embed'],
  ['/api/embeddings', 'ollama.embed'],
  ['/chat/completions', 'openai.chat'],
  ['/completions', 'openai.completions'],
  ['/responses', 'openai.responses'],
  ['/embeddings', 'openai.embeddings'],
  ['/v1/messages', 'anthropic.messages']
]

/** A path as servers read it before they look for its route: decoded, by some in any case (Express), without slashes at the end. */
function pathOf(target: string): string {
  const path = target.split('?', 1)[0] ?? ''
  try {
    return decodeURIComponent(path).toLowerCase().replace(/\/+$/, '')
  } catch {
    return path.toLowerCase()
  }
}

/** The interface behind a request target, by method and the end of its path; null when the call is none to a model and passes without a record. */
export function wireApi(method: string, target: string): WireApi | null {
  if (method !== 'POST') return null
  const path = pathOf(target)
  return routes.find(([ending]) => path.endsWith(ending))?.[1] ?? null
}

/** Ends of paths behind which no model answers: models are kept, described or unloaded there, and tokens counted. */
const noModel = [
  '/api/show',
  '/api/pull',
  '/api/push',
  '/api/create',
  '/api/copy',
  '/tokenize',
  '/detokenize',
  '/apply-template',
  '/messages/count_tokens',
  '/input_tokens'
] as const

/**
 * Whether a call may well be one to a model and passes without a record: a POST to anything that is neither read nor known to be something else, such as
 * speech, pictures, moderation, or an interface newer than this program.
 */
export function passesUnread(method: string, target: string): boolean {
  if (method !== 'POST' || wireApi(method, target) !== null) return false
  const path = pathOf(target)
  return !noModel.some((ending) => path.endsWith(ending)) && !/\/api\/blobs\/[^/]*$/.test(path)
}

/** The operation of an interface, by the names of the GenAI conventions. */
export function wireOperation(api: WireApi): CanonicalEvent['operation'] {
  switch (api) {
    case 'ollama.chat':
    case 'openai.chat':
    case 'openai.responses':
    case 'anthropic.messages':
      return 'chat'
    case 'ollama.generate':
    case 'openai.completions':
      return 'text_completion'
    case 'ollama.embed':
    case 'openai.embeddings':
      return 'embeddings'
  }
}

/** What a request body says of the call. */
export function wireRequest(api: WireApi, body: Json, digest: DigestBase64): WireFields {
  switch (api) {
    case 'ollama.chat':
    case 'ollama.generate':
    case 'ollama.embed':
      return ollamaRequest(body, digest, api === 'ollama.embed')
    case 'openai.chat':
    case 'openai.completions':
    case 'openai.embeddings':
      return openaiRequest(body, digest)
    case 'openai.responses':
      return responsesRequest(body, digest)
    case 'anthropic.messages':
      return anthropicRequest(body, digest)
  }
}

/** Reads the answer of an interface. @param stream whether it came as a stream of events or lines */
export function wireReader(api: WireApi, stream: boolean, digest: DigestBase64): WireReader {
  switch (api) {
    case 'ollama.chat':
    case 'ollama.generate':
    case 'ollama.embed':
      return ollamaReader(api === 'ollama.embed')
    case 'openai.chat':
    case 'openai.completions':
    case 'openai.embeddings':
      return openaiReader(stream, api === 'openai.embeddings')
    case 'openai.responses':
      return responsesReader(stream, digest)
    case 'anthropic.messages':
      return anthropicReader(stream, digest)
  }
}
