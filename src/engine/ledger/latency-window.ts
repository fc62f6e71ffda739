// SPDX-License-Identifier: Apache-2.0

/** The last N durations, for quantiles on screen. */
export class LatencyWindow {
  readonly #values: Float64Array
  #count = 0

  constructor(size: number) {
    this.#values = new Float64Array(size)
  }

  add(milliseconds: number): void {
    this.#values[this.#count % this.#values.length] = milliseconds
    this.#count++
  }

  /** Nearest-rank quantile, null without values. */
  quantile(q: number): number | null {
    const n = Math.min(this.#count, this.#values.length)
    if (n === 0) return null
    const sorted = this.#values.slice(0, n).sort()
    return sorted[Math.min(n - 1, Math.ceil(q * n) - 1)] ?? null
  }
}
