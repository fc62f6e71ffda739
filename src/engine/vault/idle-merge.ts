// SPDX-License-Identifier: Apache-2.0
import type { Ledger } from '../ledger/ledger.ts'
import type { Vault } from './vault.ts'

const EVERY_MS = 10 * 60_000
/** Without a commit for so long, nobody waits. */
const QUIET_MS = 20_000

/** Merges small key blocks now and then, while nothing is recorded. Gives what ends it. */
export function mergeWhenIdle(vault: Vault, ledger: Ledger, onFailed: (error: unknown) => void): () => void {
  let committed = performance.now()
  const off = ledger.onCommitted(() => {
    committed = performance.now()
  })
  const timer = setInterval(() => {
    if (performance.now() - committed >= QUIET_MS) vault.merge(() => ledger.waiting === 0).catch(onFailed)
  }, EVERY_MS)
  timer.unref()
  return () => {
    clearInterval(timer)
    off()
  }
}
