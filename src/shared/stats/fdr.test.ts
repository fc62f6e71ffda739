// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { falseDiscovery } from './fdr.ts'

// The 15 p-values of Benjamini and Hochberg, JRSS B 57 (1995), section 4.2.
const published = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528, 0.759, 1]

describe('false discovery rate', () => {
  it('rejects the four hypotheses of the published example', () => {
    const result = falseDiscovery(published, 0.05)
    expect(result.rejections).toBe(4)
    expect(result.threshold).toBeCloseTo((4 * 0.05) / 15, 15)
  })

  it('adjusts as SciPy 1.17 does', () => {
    const bh = [
      0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.06385714285714286, 0.06385714285714286, 0.0645, 0.0765, 0.486, 0.5811818181818181,
      0.714875, 0.7532307692307693, 0.8132142857142857, 1
    ]
    const by = [
      0.004977343489843491, 0.009954686979686982, 0.03152317543567544, 0.11821190788378289, 0.20008920829170831, 0.21189262285333718,
      0.21189262285333718, 0.2140257700632701, 0.25384451798201807, 1, 1, 1, 1, 1, 1
    ]
    falseDiscovery(published, 0.05).q.forEach((q, i) => {
      expect(q).toBeCloseTo(bh[i] ?? -1, 13)
    })
    falseDiscovery(published, 0.05, 'BY').q.forEach((q, i) => {
      expect(q).toBeCloseTo(by[i] ?? -1, 13)
    })
  })

  it('the threshold, q and the number of rejections say the same, in any order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0.001, 0.002, 0.01)), { maxLength: 30 }),
        fc.constantFrom('BH' as const, 'BY' as const),
        fc.double({ min: 0.001, max: 0.5, noNaN: true }),
        (p, procedure, level) => {
          const { q, threshold, rejections } = falseDiscovery(p, level, procedure)
          expect(p.filter((x) => x <= threshold).length).toBe(rejections)
          p.forEach((x, i) => {
            const adjusted = q[i] ?? -1
            if (Math.abs(adjusted - level) > 1e-12) expect(adjusted <= level).toBe(x <= threshold)
            expect(adjusted).toBeGreaterThanOrEqual(Math.min(1, x) * (1 - 1e-12))
          })
          const reversed = falseDiscovery([...p].reverse(), level, procedure)
          expect([...reversed.q].reverse()).toEqual(q)
        }
      )
    )
  })

  it('has edges', () => {
    expect(falseDiscovery([], 0.05)).toEqual({ q: [], threshold: 0.05, rejections: 0 })
    expect(falseDiscovery([0.04], 0.05)).toEqual({ q: [0.04], threshold: 0.05, rejections: 1 })
    expect(() => falseDiscovery([Number.NaN], 0.05)).toThrow(expect.objectContaining({ code: 'stats.bad_argument' }))
    expect(() => falseDiscovery([0.5], 2)).toThrow(expect.objectContaining({ code: 'stats.bad_argument' }))
  })
})
