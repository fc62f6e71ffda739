// SPDX-License-Identifier: Apache-2.0
// verify.html: this script is the page and, started again from its own text, the worker that verifies. It asks no network for anything.
import './zod-jitless.ts'
import type { Answer, Work } from './messages.ts'
import { startPage } from './page.ts'
import { work } from './work.ts'

/** The part of a worker's scope that is used; the page's types do not have it. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<Work>) => void) | null
  postMessage(message: Answer): void
}

if (typeof document === 'undefined') {
  const scope = globalThis as unknown as WorkerScope
  scope.onmessage = (event) => {
    void work(event.data, (message) => scope.postMessage(message))
  }
} else {
  startPage(document.currentScript?.textContent ?? '')
}
