// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto'
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { addressOf, webhookUrl } from './target.ts'

/** How one attempt ended. */
export interface Attempt {
  readonly ok: boolean
  /** HTTP status; null when no answer came. */
  readonly status: number | null
  readonly problem: string | null
}

const TIMEOUT_MS = 10_000

/**
 * The signature of a delivery: HMAC-SHA256 over `time.body` under the webhook's secret, in hex. A receiver computes it again from the
 * header's time and the bytes it got, and refuses times that are more than a few minutes off.
 * @param time whole seconds since 1970 UTC
 */
export const signatureOf = (secret: string, time: number, body: string): string =>
  createHmac('sha256', secret).update(`${time}.${body}`, 'utf8').digest('hex')

/** Posts one event, once. A redirect is a failure: it is never followed. Never throws. */
export async function send(
  address: string,
  secret: string,
  event: { readonly id: string; readonly type: string },
  body: string
): Promise<Attempt> {
  try {
    const url = webhookUrl(address)
    const target = await addressOf(url)
    const time = Math.floor(Date.now() / 1000)
    const request = url.protocol === 'https:' ? tlsRequest : plainRequest
    return await new Promise<Attempt>((resolve) => {
      const fail = (problem: string): void => resolve({ ok: false, status: null, problem })
      const out = request(
        url,
        {
          method: 'POST',
          agent: false,
          signal: AbortSignal.timeout(TIMEOUT_MS),
          lookup: (_host, options, done) => (options.all ? done(null, [target]) : done(null, target.address, target.family)),
          headers: {
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
            'user-agent': 'affidavit',
            'affidavit-event': event.type,
            'affidavit-delivery': event.id,
            'affidavit-signature': `t=${time},v1=${signatureOf(secret, time, body)}`
          }
        },
        (response) => {
          // What a receiver says beside its status is never read.
          response.destroy()
          const status = response.statusCode ?? 0
          const ok = status >= 200 && status < 300
          const problem = ok
            ? null
            : status >= 300 && status < 400
              ? 'it answered with a redirect, which is not followed'
              : `it answered ${status}`
          resolve({ ok, status, problem })
        }
      )
      out.on('error', (error: NodeJS.ErrnoException) =>
        fail(error.name === 'TimeoutError' || error.name === 'AbortError' ? 'no answer within 10 s' : (error.code ?? 'no connection'))
      )
      out.end(body)
    })
  } catch (error) {
    return { ok: false, status: null, problem: error instanceof Error && 'code' in error ? error.message : 'no connection' }
  }
}
