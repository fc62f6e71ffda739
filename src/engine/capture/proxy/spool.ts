// SPDX-License-Identifier: Apache-2.0
import { type AppendResult, type LeafDraft, UnconfirmedError } from '../../ledger/draft.ts'

export interface SpoolParts {
  /** Appends leaves, on disk when it resolves; what could not be written is kept here and not lost yet. Null: there is no writer. */
  readonly append: ((drafts: readonly LeafDraft[]) => Promise<readonly AppendResult[]>) | null
  /** Leaves that are given up: they are counted in `logging.failed` as soon as anything can be written. */
  readonly lose: (leaves: number) => void
  readonly capBytes?: number | undefined
  readonly retryMs?: number | undefined
}

const CAP_BYTES = 64 * 1024 * 1024
/** What may wait for the writer before long calls are read: little enough that no group of leaves holds the thread for long. */
const ROOM_BYTES = 4 * 1024 * 1024
const RETRY_MS = 1_000
/**
 * Leaves are handed over together after this time: a commit holds the thread for as long as the disk takes, three syncs, and the first bytes of other
 * answers with it. A process that dies loses what is younger.
 */
const GATHER_MS = 25
const MOST_TOGETHER = 256
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
 * conditions everything goes to the writer a moment later, several leaves together.
 */
export class Spool {
  readonly #parts: SpoolParts
  /** Leaves that are not on disk yet, in order. */
  readonly #waiting: Waiting[] = []
  #bytes = 0
  #failing = false
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> | undefined
  #closed = false
  #onRoom: (() => void)[] = []

  constructor(parts: SpoolParts) {
    this.#parts = parts
  }

  /** Bytes that are not on disk yet. */
  get waitingBytes(): number {
    return this.#bytes
  }

  /** Whether the store failed and has not been written since. */
  get failing(): boolean {
    return this.#failing
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
      this.#waiting.push({ draft, bytes, resolve })
      this.#soon()
    })
  }

  /** Resolves when the writer has kept up, or when it fails and there is no point in waiting for it. */
  room(): Promise<void> {
    return this.#isRoom() ? Promise.resolve() : new Promise((resolve) => this.#onRoom.push(resolve))
  }

  /** Tries what waits once more; what then still cannot be written is lost. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#writing
    do await this.#write()
    while (this.#waiting.length > 0 && !this.#failing)
    for (const waiting of this.#waiting.splice(0)) this.#done(waiting, null)
  }

  #isRoom(): boolean {
    return this.#closed || this.#failing || this.#bytes <= ROOM_BYTES
  }

  #done(waiting: Waiting, seq: number | null): void {
    this.#bytes -= waiting.bytes
    if (seq === null) this.#parts.lose(1)
    waiting.resolve(seq)
  }

  /** Has what waits written: now when it is much, else in a moment; after a failure when it is time to try again. */
  #soon(): void {
    if (this.#writing || this.#closed) return
    const much = this.#waiting.length >= MOST_TOGETHER || this.#bytes > ROOM_BYTES
    if (much && !this.#failing) this.#start()
    else this.#timer ??= setTimeout(() => this.#start(), this.#failing ? (this.#parts.retryMs ?? RETRY_MS) : GATHER_MS)
  }

  #start(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined
      if (this.#waiting.length > 0) this.#soon()
    })
  }

  async #write(): Promise<void> {
    const together = this.#waiting.slice(0, this.#howMany())
    try {
      const results = await this.#append(together.map(({ draft }) => draft))
      this.#failing = false
      this.#waiting.splice(0, together.length)
      for (const [i, waiting] of together.entries()) this.#done(waiting, results[i]?.seq ?? null)
    } catch {
      this.#failing = true
    }
    if (this.#isRoom()) for (const resolve of this.#onRoom.splice(0)) resolve()
  }

  /** What is on disk is not written again, whatever became of the mark beside it. */
  async #append(drafts: readonly LeafDraft[]): Promise<readonly AppendResult[]> {
    try {
      return (await this.#parts.append?.(drafts)) ?? []
    } catch (error) {
      if (error instanceof UnconfirmedError) return error.results
      throw error
    }
  }

  /** Leaves that are written at once: so many that no commit holds the thread for long. */
  #howMany(): number {
    let bytes = 0
    const past = this.#waiting.findIndex((one) => {
      bytes += one.bytes
      return bytes > ROOM_BYTES
    })
    return Math.min(MOST_TOGETHER, past < 0 ? this.#waiting.length : Math.max(1, past))
  }
}
