// SPDX-License-Identifier: Apache-2.0
// Small parts that every screen uses.
import { CopyButton, UnstyledButton } from '@mantine/core'
import {
  IconAlertOctagonFilled,
  IconAlertTriangleFilled,
  IconArchive,
  IconCheck,
  IconCircleCheckFilled,
  IconCircleDashed,
  IconCircleMinus,
  IconCopy,
  IconUserCheck
} from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { grouped, middle } from './format.ts'

/** Three meanings own a colour, always with a shape: holds, attention, broken. `pending` is a dashed circle, never amber. */
export type Meaning = 'holds' | 'attention' | 'broken' | 'pending' | 'none' | 'acknowledged' | 'resolved'

const shapes = {
  holds: IconCircleCheckFilled,
  attention: IconAlertTriangleFilled,
  broken: IconAlertOctagonFilled,
  pending: IconCircleDashed,
  none: IconCircleMinus,
  acknowledged: IconUserCheck,
  resolved: IconArchive
} as const

export const cx = (...names: readonly (string | false | null | undefined)[]): string => names.filter(Boolean).join(' ')

/** The shape of a state; decorative, because the word stands beside it. */
export function Mark({ is, size = 14 }: { readonly is: Meaning; readonly size?: number }) {
  const Shape = shapes[is]
  return <Shape size={size} className={`mark mark-${is}`} aria-hidden />
}

/** A state: shape and word. */
export const State = ({ is, children, size = 14 }: { readonly is: Meaning; readonly children: ReactNode; readonly size?: number }) => (
  <span className={`state state-${is}`}>
    <Mark is={is} size={size} />
    {children}
  </span>
)

/** For screen readers only. */
export const Hidden = ({ children }: { readonly children: ReactNode }) => <span className="hidden-text">{children}</span>

/** A hash or id: shortened in the middle, copied whole. */
export const Hash = ({
  value,
  label,
  head = 8,
  tail = 6
}: {
  readonly value: string
  readonly label: string
  readonly head?: number
  readonly tail?: number
}) => (
  <CopyButton value={value}>
    {({ copied, copy }) => (
      <UnstyledButton className="hash" onClick={copy} title={value}>
        <Hidden>Copy {label} </Hidden>
        <span>{middle(value, head, tail)}</span>
        {copied ? <IconCheck size={12} aria-hidden /> : <IconCopy size={12} aria-hidden />}
      </UnstyledButton>
    )}
  </CopyButton>
)

/** A whole fingerprint to read aloud: groups of four. */
export const Fingerprint = ({ value }: { readonly value: string }) => (
  <span className="mono anywhere" title={value}>
    {grouped(value)}
  </span>
)

/** A line to copy as it is. */
export const CodeLine = ({ text, label }: { readonly text: string; readonly label: string }) => (
  <div className="code-line">
    <code title={text}>{text}</code>
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <UnstyledButton className="code-copy" onClick={copy}>
          <Hidden>{label}: </Hidden>
          {copied ? 'Copied' : 'Copy'}
        </UnstyledButton>
      )}
    </CopyButton>
  </div>
)

interface PanelProps {
  readonly title?: string
  readonly sub?: ReactNode
  readonly right?: ReactNode
  readonly children: ReactNode
  readonly className?: string | undefined
  readonly flush?: boolean
  readonly level?: 2 | 3
}

/** A titled surface. Panels do not nest. */
export function Panel({ title, sub, right, children, className, flush = false, level = 2 }: PanelProps) {
  const Heading = `h${level}` as const
  return (
    <section className={cx('panel', className)} aria-label={title}>
      {title !== undefined && (
        <header className="panel-head">
          <Heading className="panel-title">{title}</Heading>
          {sub !== undefined && <span className="panel-sub">{sub}</span>}
          <span className="grow" />
          {right}
        </header>
      )}
      <div className={flush ? 'panel-flush' : 'panel-body'}>{children}</div>
    </section>
  )
}

/** Names and values, one pair a line. */
export const Facts = ({ rows, width = 128 }: { readonly rows: readonly (readonly [string, ReactNode])[]; readonly width?: number }) => (
  <dl className="facts" style={{ ['--facts-width' as string]: `${width}px` }}>
    {rows.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
)

/** A tiny line; gaps stay gaps. Decorative: the figure stands beside it. */
export function Spark({
  values,
  width = 96,
  height = 26
}: {
  readonly values: readonly (number | null)[]
  readonly width?: number
  readonly height?: number
}) {
  const most = Math.max(...values.map((value) => value ?? 0), Number.MIN_VALUE)
  let path = ''
  let pen = false
  for (const [i, value] of values.entries()) {
    if (value === null) {
      pen = false
      continue
    }
    const x = values.length < 2 ? 0 : (i / (values.length - 1)) * width
    const y = height - 2 - (value / most) * (height - 4)
    path += `${pen ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`
    pen = true
  }
  return (
    <svg className="spark" width={width} height={height} aria-hidden="true">
      <path d={path} />
    </svg>
  )
}

/** A remark with its meaning. */
export const Note = ({ is, children }: { readonly is: 'holds' | 'attention' | 'broken' | 'plain'; readonly children: ReactNode }) => (
  <div className={`note note-${is}`} role={is === 'broken' ? 'alert' : undefined}>
    {is !== 'plain' && <Mark is={is} size={15} />}
    <div className="grow">{children}</div>
  </div>
)
