// SPDX-License-Identifier: Apache-2.0
// A process of its own: answers like Ollama, at once, in three lines.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const line = (content: string, more: object): string =>
  `${JSON.stringify({ model: 'bench', message: { role: 'assistant', content }, ...more })}\n`
const lines = [
  line('The answer ', { done: false }),
  line('is 42.', { done: false }),
  line('', { done: true, done_reason: 'stop', prompt_eval_count: 9, eval_count: 5, eval_duration: 1_000_000 })
]
const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    for (const one of lines) response.write(one)
    response.end()
  })
})
server.listen(0, '127.0.0.1', () => process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }))
process.on('disconnect', () => process.exit(0))
