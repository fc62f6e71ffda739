// SPDX-License-Identifier: Apache-2.0
import type { AppendResult, LeafDraft } from '../../ledger/draft.ts'

export interface SpoolParts {
  /** Appends one leaf, on disk when it resolves; a leaf that could not be written is kept here and not lost yet. Null: there is no writer. */
  readonly append: ((drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>) | null
  /** Leaves that are given up: they are counted in `logging.failed` as soon as anything can be written. */
  readonly lose: (leaves: number) => void
  readonly capBytes?: number | undefined
  readonly retryMs?: number | undefined
}

const CAP_BYTES = 64 * 1024 * 1024
const RETRY_MS = 1_000
/** What a leaf takes besides its content. */
const OVERHEAD = 1_024

interface Waiting {
  readonly draft: LeafDraft
  readonly bytes: number
  readonly resolve: (seq: number | null) => void
}

const bytesOf = (draft: LeafDraft): number => draft.parts.reduce((sum, part) => sum + part.data.length, OVERHEAD)

/**
 * Keeps leaves that the store cannot take, in memory and in order, and tries again; past its limit they are lost and counted. Under normal
 * conditions everything goes straight to the writer.
 */
export class Spool {
  readonly #parts: SpoolParts
  readonly #held: Waiting[] = []
  #bytes = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(parts: SpoolParts) {
    this.#parts = parts
  }

  /** Bytes that are not on disk yet. */
  get waitingBytes(): number {
    return this.#bytes
  }

  /** Whether the store failed and has not been written since. */
  get failing(): boolean {
    return this.#held.length > 0
  }

  /** The seq of the leaf once it is on disk; null when it is lost. Never rejects. */
  submit(draft: LeafDraft): Promise<number | null> {
    const bytes = bytesOf(draft)
    if (this.#closed || this.#parts.append === null || this.#bytes + bytes > (this.#parts.capBytes ?? CAP_BYTES)) {
      this.#parts.lose(1)
      return Promise.resolve(null)
    }
    this.#bytes += bytes
    return new Promise((resolve) => {
      const waiting = { draft, bytes, resolve }
      if (this.#held.length > 0) this.#held.push(waiting)
      else void this.#write(waiting)
    })
  }

  /** Tries what is kept once more; what then still cannot be written is lost. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#retry()
    for (const waiting of this.#held.splice(0)) this.#done(waiting, null)
  }

  #done(waiting: Waiting, seq: number | null): void {
    this.#bytes -= waiting.bytes
    if (seq === null) this.#parts.lose(1)
    waiting.resolve(seq)
  }

  async #write(waiting: Waiting): Promise<void> {
    try {
      const [result] = (await this.#parts.append?.([waiting.draft])) ?? []
      this.#done(waiting, result?.seq ?? null)
    } catch {
      this.#held.push(waiting)
      this.#later()
    }
  }

  #later(): void {
    if (this.#timer || this.#closed) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#retry()
    }, this.#parts.retryMs ?? RETRY_MS)
  }

  async #retry(): Promise<void> {
    for (let first = this.#held[0]; first !== undefined; first = this.#held[0]) {
      try {
        const [result] = (await this.#parts.append?.([first.draft])) ?? []
        this.#held.shift()
        this.#done(first, result?.seq ?? null)
      } catch {
        this.#later()
        return
      }
    }
  }
}
