// SPDX-License-Identifier: Apache-2.0
// A reader thread that writes a bundle asks for its printed report; whoever can print answers.
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { AffidavitError, type Failure } from '../../shared/contract/errors.ts'

/** A self-contained page, and what stands at the foot of each printed page. */
export interface PrintRequest {
  readonly html: string
  readonly footer: string
}

/** Prints a page as PDF: main under Electron, a started Electron for the command line. */
export type Print = (request: PrintRequest) => Promise<Uint8Array>

type Answer = { readonly ok: true; readonly pdf: Uint8Array } | { readonly ok: false; readonly failure: Failure }

/** Opens a way to `print` for one thread. Close it when the work has ended. */
export function offerPrinter(print: Print): { readonly port: MessagePort; readonly close: () => void } {
  const { port1, port2 } = new MessageChannel()
  port1.on('message', (request: PrintRequest) => {
    print(request).then(
      (pdf) => port1.postMessage({ ok: true, pdf } satisfies Answer),
      (error: unknown) =>
        port1.postMessage({
          ok: false,
          failure: error instanceof AffidavitError ? error.toFailure() : { code: 'internal', message: 'the report could not be printed' }
        } satisfies Answer)
    )
  })
  return { port: port2, close: () => port1.close() }
}

const LOOK_MS = 50

/**
 * Asks for one PDF. `cancelled` is looked at while waiting: a port that was closed before this call says nothing.
 * @throws AffidavitError whatever the printing side says; cancelled
 */
export function askPrinter(port: MessagePort, request: PrintRequest, cancelled: () => boolean): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const timer = setInterval(() => {
      if (cancelled()) end(() => reject(new AffidavitError('cancelled', 'cancelled')))
    }, LOOK_MS)
    const end = (settle: () => void) => {
      clearInterval(timer)
      port.close()
      settle()
    }
    port.once('message', (answer: Answer) =>
      end(() => (answer.ok ? resolve(answer.pdf) : reject(new AffidavitError(answer.failure.code, answer.failure.message))))
    )
    port.postMessage(request)
  })
}
