// SPDX-License-Identifier: Apache-2.0
// A process of its own: posts single events as fast as the server answers; one JSON line with what came of it.
import autocannon from 'autocannon'
import { benchEvent } from './http-event.ts'

const [url = '', connections = '32', seconds = '10'] = process.argv.slice(2)
const result = await autocannon({
  url: `${url}/api/compliance/events`,
  connections: Number(connections),
  duration: Number(seconds),
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  // The load generator puts a new id into every request.
  body: benchEvent('bench-[<id>]'),
  idReplacement: true
})
process.stdout.write(
  `${JSON.stringify({
    perSecond: result.requests.total / result.duration,
    total: result.requests.total,
    p50: result.latency.p50,
    p99: result.latency.p99,
    failed: result.errors + result.timeouts + result.non2xx
  })}\n`
)
