// SPDX-License-Identifier: Apache-2.0
// A process of its own: the least a server can do with the same request (parse it, answer), as the yardstick beside the engine.
import { fastify } from 'fastify'

const app = fastify({ logger: false })
let taken = 0
app.post('/api/compliance/events', (_request, reply) => {
  taken++
  reply.header('content-type', 'application/json').send(`{"accepted":1,"duplicates":0,"rejected":[],"seq":${taken}}`)
})
process.stdout.write(`${await app.listen({ host: '127.0.0.1', port: 0 })}\n`)
process.on('disconnect', () => process.exit(0))
