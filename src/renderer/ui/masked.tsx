// SPDX-License-Identifier: Apache-2.0
import { Fragment, type ReactNode } from 'react'
import { MASK } from '../../shared/privacy/mask.ts'

/** A text with its masks drawn as such: `IBAN 1` in a dashed frame. */
export function Masked({ text }: { readonly text: string }): ReactNode {
  const parts: ReactNode[] = []
  let from = 0
  for (const match of text.matchAll(MASK)) {
    const [whole, redacted, kind = '', number = ''] = match
    parts.push(<Fragment key={from}>{text.slice(from, match.index)}</Fragment>)
    parts.push(
      <span key={match.index} className="mask" title={redacted ? 'redacted before it was recorded: the value was not kept' : 'masked'}>
        {redacted && 'redacted '}
        {kind} {number}
      </span>
    )
    from = match.index + whole.length
  }
  return (
    <>
      {parts}
      {text.slice(from)}
    </>
  )
}
