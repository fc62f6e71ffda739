// SPDX-License-Identifier: Apache-2.0
// The one place from which this program calls out by itself: to an address that a person set.
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { AffidavitError } from '../../shared/contract/errors.ts'

export interface Question {
  readonly url: string
  readonly body: Uint8Array
  readonly contentType: string
  readonly mostBytes: number
  readonly withinMs: number
  readonly signal?: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: Buffer
}

const unreachable = (message: string): AffidavitError => new AffidavitError('unreachable', message)

/** An http or https address without credentials; undefined for anything else. */
export function anchorUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  return url && (url.protocol === 'https:' || url.protocol === 'http:') && url.username === '' && url.password === '' ? url : undefined
}

/**
 * Posts once. Redirects are not followed, the whole exchange has a time limit and the answer a size limit.
 * @throws AffidavitError unreachable: no answer, too slow, too large, cut short; bad_request: no such address
 */
export function ask(question: Question): Promise<Answer> {
  const url = anchorUrl(question.url)
  if (!url) return Promise.reject(new AffidavitError('bad_request', 'the address must be an http or https address without a password'))
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const request = send(
      url,
      {
        method: 'POST',
        agent: false,
        headers: { 'content-type': question.contentType, 'content-length': question.body.length, 'user-agent': 'affidavit', accept: '*/*' },
        maxHeaderSize: 8192
      },
      (response) => read(response)
    )
    const end = (error: AffidavitError) => {
      clearTimeout(timer)
      request.destroy()
      reject(error)
    }
    const timer = setTimeout(() => end(unreachable(`no whole answer within ${question.withinMs / 1000} s`)), question.withinMs)
    question.signal?.addEventListener('abort', () => end(new AffidavitError('cancelled', 'cancelled')), { once: true })
    const read = (response: IncomingMessage) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > question.mostBytes) end(unreachable(`the answer is larger than ${question.mostBytes} bytes`))
        else chunks.push(chunk)
      })
      response.on('error', () => end(unreachable('the answer was cut short')))
      response.on('aborted', () => end(unreachable('the answer was cut short')))
      response.on('end', () => {
        clearTimeout(timer)
        resolve({ status: response.statusCode ?? 0, contentType: response.headers['content-type'] ?? '', body: Buffer.concat(chunks) })
      })
    }
    request.on('error', (error: NodeJS.ErrnoException) =>
      end(unreachable(`the address does not answer (${error.code ?? 'no connection'})`))
    )
    request.end(question.body)
  })
}
