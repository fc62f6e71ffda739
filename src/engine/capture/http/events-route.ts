// SPDX-License-Identifier: Apache-2.0
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Failure } from '../../../shared/contract/errors.ts'
import type { LineResult } from '../ingest.ts'
import { rawHeaders, requestOrigin, sendFailure, sendJson, sendTooSlow } from './answers.ts'
import { BodyReader, discardRest, MALFORMED, readBody } from './body.ts'
import type { HttpDependencies } from './dependencies.ts'
import { refusals } from './errors.ts'
import { bodyKind } from './guards.ts'
import { type ReadBytes, type ReadRecord, recordReader } from './incoming.ts'
import { failureOf, Intake, type RequestOrigin } from './intake.ts'
import { arrayElements, startsArray } from './json-array.ts'
import type { HttpLimits } from './limits.ts'
import { type Line, LineSplitter } from './line-splitter.ts'
import { ResultStream, Tally } from './results.ts'

type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** POST /api/compliance/events: one event, an array, or NDJSON; answered once everything taken is on disk. */
export function eventsRoute(deps: HttpDependencies, limits: HttpLimits): Handler {
  const append: Append = async (batch, origin) => deps.ingest.append(batch, origin)
  const read = recordReader(deps.ingest.large, limits.largeBytes)

  return async (request, reply) => {
    const origin = requestOrigin(request)
    if ('code' in origin) return refuse(request, reply, origin)
    if (bodyKind(request.headers) === 'ndjson') return takeLines(append, read, limits, origin, request, reply)
    const body = await readBody(request.raw, limits.bodyBytes, limits.bodyMs)
    switch (body) {
      case 'gone':
        return reply.hijack()
      case 'timeout':
        return sendTooSlow(request, reply)
      case 'too_large':
        return refuse(request, reply, refusals.tooLarge)
      default:
        return startsArray(body)
          ? takeArray(append, read, limits, origin, body, request, reply)
          : takeOne(append, read, limits, origin, body, request, reply)
    }
  }
}

type Append = HttpDependencies['ingest']['append']

/** A record of a body that stands or falls as a whole: what cannot be read is the failure of the request. Waits only for what is read elsewhere. */
function whole(reading: ReturnType<ReadBytes>): ReadRecord | Failure | Promise<ReadRecord | Failure> {
  const outcome = (read: ReadRecord | typeof MALFORMED): ReadRecord | Failure => (read === MALFORMED ? refusals.malformed : read)
  return reading instanceof Promise ? reading.then(outcome, failureOf) : outcome(reading)
}

async function takeOne(
  append: Append,
  readBytes: ReadBytes,
  limits: HttpLimits,
  origin: RequestOrigin,
  body: Buffer,
  request: FastifyRequest,
  reply: FastifyReply
) {
  const reading = whole(readBytes(1, body, origin))
  const read = reading instanceof Promise ? await reading : reading
  if (!('line' in read)) return sendFailure(reply, read)
  let result: LineResult | undefined
  if ('kind' in read) result = read
  else {
    try {
      result = (await append([read], { channel: 'http', actor: origin.actor }))[0]
    } catch (error) {
      return sendFailure(reply, failureOf(error))
    }
  }
  if (result === undefined) return sendFailure(reply, refusals.internal)
  if (result.kind === 'rejected' || wantsLines(request)) {
    const tally = new Tally(1)
    const sink = wantsLines(request) ? stream(reply, limits, tally) : tally
    sink.take([result])
    return answer(reply, tally, sink, null)
  }
  const [accepted, duplicates] = result.kind === 'accepted' ? [1, 0] : [0, 1]
  return sendJson(
    reply,
    200,
    `{"accepted":${accepted},"duplicates":${duplicates},"rejected":[],"rejected_total":0,"id":${JSON.stringify(result.id)},"seq":${result.seq}}`
  )
}

/** The whole array is parsed before the first element is taken: a malformed body changes nothing. */
async function takeArray(
  append: Append,
  readBytes: ReadBytes,
  limits: HttpLimits,
  origin: RequestOrigin,
  body: Buffer,
  request: FastifyRequest,
  reply: FastifyReply
) {
  const values: { readonly read: ReadRecord; readonly bytes: number }[] = []
  let sliceStart = performance.now()
  for (const element of arrayElements(body)) {
    if (element === null) return sendFailure(reply, refusals.malformed)
    if (values.length === limits.arrayItems) return sendFailure(reply, refusals.tooManyItems)
    const reading = whole(readBytes(values.length + 1, element, origin))
    const read = reading instanceof Promise ? await reading : reading
    if (!('line' in read)) return sendFailure(reply, read)
    values.push({ read, bytes: element.length })
    if (performance.now() - sliceStart > limits.sliceMs) {
      await nextTurn()
      sliceStart = performance.now()
    }
  }
  const tally = new Tally(limits.rejectedListed)
  const sink = wantsLines(request) ? stream(reply, limits, tally) : tally
  const intake = new Intake(append, origin, limits, sink)
  for (const { read, bytes } of values) {
    if (intake.take(read, bytes)) await intake.settle()
    if (intake.failure !== null) break
  }
  await intake.finish()
  return answer(reply, tally, sink, intake.failure)
}

async function takeLines(
  append: Append,
  readBytes: ReadBytes,
  limits: HttpLimits,
  origin: RequestOrigin,
  request: FastifyRequest,
  reply: FastifyReply
) {
  const tally = new Tally(limits.rejectedListed)
  const sink = wantsLines(request) ? stream(reply, limits, tally) : tally
  const intake = new Intake(append, origin, limits, sink)
  const reader = new BodyReader(request.raw, limits.idleMs)
  const lines = new LineSplitter(limits.lineBytes)
  let failure: Failure | null = null
  while (failure === null) {
    const chunk = await reader.next()
    if (chunk === 'gone') {
      await intake.stop()
      return reply.hijack()
    }
    if (chunk === 'timeout' || chunk === 'too_large') {
      failure = refusals.slowBody
      break
    }
    // A line that the break cut off is no line, as when the client goes away.
    if (chunk === 'malformed') {
      failure = refusals.malformedRequest
      break
    }
    if (chunk === null) {
      const last = lines.end()
      if (last !== null) await takeLine(intake, readBytes, origin, last)
      break
    }
    for (const line of lines.push(chunk)) {
      const taking = takeLine(intake, readBytes, origin, line)
      if (!(typeof taking === 'boolean' ? taking : await taking)) continue
      await intake.settle()
      if (intake.failure !== null || reader.gone) break
    }
    if (!reader.gone) intake.idle()
    failure = intake.failure
    if (sink instanceof ResultStream && !(await sink.room())) {
      await intake.stop()
      request.raw.destroy()
      return reply.hijack()
    }
  }
  await intake.finish()
  reader.close()
  const ended = intake.failure ?? failure
  if (ended === refusals.slowBody && sink === tally) return sendTooSlow(request, reply, tally.summary())
  if (ended !== null) discardRest(request.raw)
  return answer(reply, tally, sink, ended)
}

/** True when {@link Intake.settle} must be awaited. */
function takeLine(intake: Intake, readBytes: ReadBytes, origin: RequestOrigin, { number, bytes }: Line): boolean | Promise<boolean> {
  if (bytes === null) return intake.refuse(number, 'line_too_long', 'The line is longer than 10 MiB.')
  const take = (read: ReadRecord | typeof MALFORMED): boolean =>
    read === MALFORMED ? intake.refuse(number, 'malformed_json', 'The line is not valid JSON in UTF-8.') : intake.take(read, bytes.length)
  const reading = readBytes(number, bytes, origin)
  return reading instanceof Promise ? reading.then(take, (error) => intake.fail(failureOf(error))) : take(reading)
}

const wantsLines = (request: FastifyRequest): boolean => request.headers.accept?.toLowerCase().includes('application/x-ndjson') ?? false

const stream = (reply: FastifyReply, limits: HttpLimits, tally: Tally): ResultStream =>
  new ResultStream(reply.raw, rawHeaders(reply), limits, tally)

function answer(reply: FastifyReply, tally: Tally, sink: Tally | ResultStream, failure: Failure | null): FastifyReply {
  if (sink instanceof ResultStream) {
    reply.hijack()
    sink.end(failure ?? (tally.anyGood ? null : refusals.noGoodRecord))
    return reply
  }
  if (failure !== null) return sendFailure(reply, failure, tally.summary())
  return tally.anyGood ? sendJson(reply, 200, JSON.stringify(tally.summary())) : sendFailure(reply, refusals.noGoodRecord, tally.summary())
}

function refuse(request: FastifyRequest, reply: FastifyReply, failure: Failure): FastifyReply {
  discardRest(request.raw)
  return sendFailure(reply, failure)
}
