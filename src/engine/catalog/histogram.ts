// SPDX-License-Identifier: Apache-2.0

/**
 * A log-linear histogram of durations in microseconds: 64 buckets per power of two, so a bucket's middle is within 0.8 % of its values.
 * Sparse, mergeable, and small as bytes. For screens; drift uses exact count tables.
 */
export type Histogram = Map<number, number>

const PER_OCTAVE = 64

/** Bucket of a value; values below 64 have a bucket of their own. */
export function bucketOf(value: number): number {
  if (value < PER_OCTAVE) return Math.max(0, Math.floor(value))
  const exponent = Math.floor(Math.log2(value))
  // log2 rounds at the top of an octave; one step of correction keeps the buckets exact.
  const octave = 2 ** exponent > value ? exponent - 1 : exponent
  return (octave - 5) * PER_OCTAVE + Math.floor((value / 2 ** octave - 1) * PER_OCTAVE)
}

/** Middle of a bucket. */
export function bucketValue(bucket: number): number {
  if (bucket < PER_OCTAVE) return bucket
  const octave = Math.floor(bucket / PER_OCTAVE) + 5
  return 2 ** octave * (1 + ((bucket % PER_OCTAVE) + 0.5) / PER_OCTAVE)
}

export function addTo(histogram: Histogram, bucket: number, count: number): void {
  histogram.set(bucket, (histogram.get(bucket) ?? 0) + count)
}

/** Pairs (bucket, count) as 32-bit little-endian numbers, in bucket order. */
export function encodeHistogram(histogram: Histogram): Buffer {
  const entries = [...histogram].sort(([a], [b]) => a - b)
  const out = Buffer.alloc(entries.length * 8)
  for (const [i, [bucket, count]] of entries.entries()) {
    out.writeUInt32LE(bucket, i * 8)
    out.writeUInt32LE(count, i * 8 + 4)
  }
  return out
}

/** Adds stored pairs to a histogram. */
export function mergeHistogram(into: Histogram, bytes: Buffer): void {
  for (let i = 0; i + 8 <= bytes.length; i += 8) addTo(into, bytes.readUInt32LE(i), bytes.readUInt32LE(i + 4))
}

/** Nearest-rank quantiles in microseconds; null without values. */
export function quantiles(histogram: Histogram, wanted: readonly number[]): (number | null)[] {
  const entries = [...histogram].sort(([a], [b]) => a - b)
  const total = entries.reduce((sum, [, count]) => sum + count, 0)
  return wanted.map((q) => {
    if (total === 0) return null
    const rank = Math.max(1, Math.ceil(q * total))
    let seen = 0
    for (const [bucket, count] of entries) {
      seen += count
      if (seen >= rank) return bucketValue(bucket)
    }
    return null
  })
}
