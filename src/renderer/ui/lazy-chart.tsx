// SPDX-License-Identifier: Apache-2.0
import { lazy, Suspense } from 'react'
import type { Tokens } from '../app/tokens.ts'

const Chart = lazy(async () => ({ default: (await import('./chart.tsx')).Chart }))

/** A chart whose code comes after the first paint. */
export const LazyChart = (props: { readonly option: (tokens: Tokens) => Record<string, unknown>; readonly label: string }) => (
  <Suspense fallback={<div className="chart waiting" role="img" aria-label={props.label} aria-busy="true" />}>
    <Chart {...props} />
  </Suspense>
)
