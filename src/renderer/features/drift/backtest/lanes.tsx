// SPDX-License-Identifier: Apache-2.0
import { axisTime } from '../../../ui/format.ts'

export interface Lane {
  readonly name: string
  readonly tone: 'current' | 'reference' | 'record'
  readonly spans: readonly { readonly from: number; readonly to: number }[]
}

interface LanesProps {
  readonly from: number
  readonly to: number
  readonly lanes: readonly Lane[]
}

/** When episodes are, one line for each of what is compared. */
export function Lanes({ from, to, lanes }: LanesProps) {
  const whole = Math.max(1, to - from)
  const share = (time: number): number => Math.min(100, Math.max(0, (100 * (time - from)) / whole))
  const marks = [0, 0.25, 0.5, 0.75, 1].map((part) => new Date(from + part * whole).toISOString())
  const sentence = lanes.map(({ name, spans }) => `${name}: ${spans.length} episode${spans.length === 1 ? '' : 's'}`).join('; ')
  return (
    <div className="lanes" role="img" aria-label={`Episodes over time. ${sentence}.`}>
      {lanes.map(({ name, tone, spans }) => (
        <div key={name} className="lane">
          <span className="lane-name">{name}</span>
          <span className="lane-line">
            {spans.map((span, i) => (
              <i
                // Spans may be equal: several series at once.
                key={`${span.from} ${i}`}
                className={`lane-${tone}`}
                style={{ left: `min(${share(span.from)}%, 100% - 3px)`, width: `${share(span.to) - share(span.from)}%` }}
              />
            ))}
          </span>
        </div>
      ))}
      <div className="lane lane-axis">
        <span />
        <span className="lane-marks">
          {marks.map((mark, i) => (
            <span key={mark} style={i === 4 ? { right: 0 } : { left: `${25 * i}%` }}>
              {axisTime(mark, whole / 4, whole)}
            </span>
          ))}
        </span>
      </div>
    </div>
  )
}
