// SPDX-License-Identifier: Apache-2.0
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { errorBody, refusals } from './errors.ts'
import type { HttpLimits } from './limits.ts'

/** A server with the time-outs and limits of this program. */
export function bareServer(listener: RequestListener, limits: HttpLimits): Server {
  const newest = new WeakMap<Socket, ServerResponse>()
  const server = createServer(
    {
      // The guard answers a missing Host itself. Bodies have their own time-outs: an NDJSON stream may go on for days.
      requireHostHeader: false,
      headersTimeout: limits.headersMs,
      requestTimeout: 0,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: limits.checkMs,
      maxHeaderSize: 16_384
    },
    (request, response) => {
      newest.set(request.socket, response)
      listener(request, response)
    }
  )
  server.maxConnections = limits.connections
  server.on('clientError', (error, socket) => onClientError(error, socket as Socket, newest.get(socket as Socket)))
  return server
}

/** Emitted on a request whose body is not framed as HTTP: nothing more of it can be read, but it can still be answered. */
export const MALFORMED_BODY = 'affidavit.malformed'

/**
 * Requests that are not HTTP, or whose head is too slow or too large, never become a request: answered on the bare socket, unless an answer
 * is under way on it. That one is ended by whoever is at it, and the connection with it.
 */
function onClientError(error: NodeJS.ErrnoException, socket: Socket, last: ServerResponse | undefined): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy()
    return
  }
  if (last !== undefined && !(last.req.complete && last.writableEnded)) {
    if (!last.req.complete && last.req.emit(MALFORMED_BODY)) {
      last.shouldKeepAlive = false
      last.once('finish', () => socket.destroySoon())
      return
    }
    // A second head would stand within the answer.
    if (last.headersSent || last.socket === null) {
      socket.destroy()
      return
    }
    if (last.req.complete) {
      last.shouldKeepAlive = false
      return
    }
  }
  const [status, failure] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? ['408 Request Timeout', refusals.slowHead]
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? ['431 Request Header Fields Too Large', refusals.largeHead]
        : ['400 Bad Request', refusals.malformedRequest]
  const body = errorBody(failure)
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`
  )
}
