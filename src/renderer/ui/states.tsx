// SPDX-License-Identifier: Apache-2.0
// The states of every list: empty, loading, error. (Full is a Note on top of the list it concerns.)
import { Button } from '@mantine/core'
import { type ReactNode, useEffect, useState } from 'react'
import { codeOf, sentenceOf } from '../client/hooks.ts'
import { Mark } from './parts.tsx'

/** Nothing here: what was looked for, and what to do. */
export const Empty = ({ title, children }: { readonly title: string; readonly children?: ReactNode }) => (
  <div className="list-state">
    <h2>{title}</h2>
    {children}
  </div>
)

/** A skeleton after 150 ms, words and Cancel after a second. */
export function Loading({ what, onCancel }: { readonly what: string; readonly onCancel?: (() => void) | undefined }) {
  const [stage, setStage] = useState(0)
  useEffect(() => {
    const first = setTimeout(() => setStage(1), 150)
    const second = setTimeout(() => setStage(2), 1000)
    return () => {
      clearTimeout(first)
      clearTimeout(second)
    }
  }, [])
  if (stage === 0) return <div className="grow" />
  return (
    <div className="list-state" aria-busy="true">
      <div className="skeletons" aria-hidden="true">
        {[72, 58, 66, 40].map((width) => (
          <div key={width} className="skeleton" style={{ width: `${width}%` }} />
        ))}
      </div>
      {stage === 2 && (
        <p role="status">
          {what}{' '}
          {onCancel && (
            <Button variant="default" size="compact-xs" onClick={onCancel}>
              Cancel
            </Button>
          )}
        </p>
      )}
    </div>
  )
}

/** A read that somebody may cancel, and read again after. */
export const Reading = (props: {
  readonly what: string
  /** Whether it is under way; it was cancelled when it is not. */
  readonly under: boolean
  readonly onCancel: () => void
  readonly onAgain: () => void
}) =>
  props.under ? (
    <Loading what={props.what} onCancel={props.onCancel} />
  ) : (
    <Empty title="Cancelled">
      <Button variant="default" onClick={props.onAgain}>
        Read again
      </Button>
    </Empty>
  )

/** What failed, what is safe, what to do. */
export const Failed = ({
  what,
  error,
  onRetry,
  children
}: {
  readonly what: string
  readonly error: unknown
  readonly onRetry?: (() => void) | undefined
  readonly children?: ReactNode
}) =>
  codeOf(error) === 'forbidden' ? (
    <Empty title="Not part of your role">
      <p>{sentenceOf(error)}</p>
    </Empty>
  ) : (
    <div className="list-state" role="alert">
      <h2>
        <Mark is="broken" size={16} /> {what}
      </h2>
      <p>{sentenceOf(error)}</p>
      {children}
      <p className="dim">
        Code <code>{codeOf(error)}</code>. Nothing that was recorded is affected.
      </p>
      {onRetry && (
        <Button variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  )
