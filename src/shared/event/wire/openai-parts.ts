// SPDX-License-Identifier: Apache-2.0
import type { MessagePart } from '../canonical-event.ts'
import { anyPart, beside, type DigestBase64, isObject, known, mediaPart, objectOf, partsOf, textOf, textPart } from './wire.ts'

const readOfText: ReadonlySet<string> = new Set(['type', 'text'])
const readOfRefusal: ReadonlySet<string> = new Set(['type', 'refusal'])
const readOfImage: ReadonlySet<string> = new Set(['type', 'image_url', 'url', 'file_id'])

/** Parts of a content that is a text or a list of typed parts: chat completions and, with types that begin with `input_` and `output_`, responses. */
export function contentParts(content: unknown, digest: DigestBase64): MessagePart[] {
  return partsOf(content, (raw) => {
    const text = textOf(raw.text)
    switch (raw.type) {
      case 'text':
      case 'input_text':
      case 'output_text':
        return beside(textPart(text ?? ''), raw, readOfText)
      case 'refusal':
        return beside({ type: 'refusal', content: textOf(raw.refusal) ?? '' }, raw, readOfRefusal)
      case 'image_url':
      case 'input_image': {
        const address = isObject(raw.image_url) ? textOf(raw.image_url.url) : textOf(raw.image_url)
        const image =
          address === undefined
            ? known({ type: 'file', modality: 'image', file_id: textOf(raw.file_id) })
            : mediaPart('image', address, undefined, digest)
        return beside(image, { ...raw, ...objectOf(raw.image_url) }, readOfImage)
      }
      case 'input_audio': {
        const audio = objectOf(raw.input_audio)
        return mediaPart('audio', textOf(audio.data) ?? '', `audio/${textOf(audio.format) ?? 'unknown'}`, digest)
      }
      case 'file':
      case 'input_file': {
        const file = isObject(raw.file) ? raw.file : raw
        const data = textOf(file.file_data)
        const name = textOf(file.filename)
        return data === undefined
          ? known({ type: 'file', file_id: textOf(file.file_id), uri: textOf(file.file_url), name })
          : { ...mediaPart('file', data, undefined, digest), ...known({ name }) }
      }
      default:
        return anyPart(raw)
    }
  })
}
