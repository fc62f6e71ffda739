// SPDX-License-Identifier: Apache-2.0
import { Fragment, type ReactNode } from 'react'
import { MASK } from '../../shared/privacy/mask.ts'
import { piecesOf } from './unseen.ts'

/**
 * A text from outside: what cannot be seen in it has a sign, and turns nothing beside it (an isolate ends what begins in it). The sign is
 * no part of the text: what is copied is what was recorded.
 */
const Shown = ({ text }: { readonly text: string }): ReactNode =>
  piecesOf(text).map((piece) =>
    'sign' in piece ? (
      <bdi key={piece.at} className="unseen" data-sign={piece.sign} title={piece.title}>
        {piece.text}
      </bdi>
    ) : (
      <Fragment key={piece.at}>{piece.text}</Fragment>
    )
  )

/** A text from outside with its masks drawn as such: `IBAN 1` in a dashed frame. */
export function Masked({ text }: { readonly text: string }): ReactNode {
  const parts: ReactNode[] = []
  let from = 0
  for (const match of text.matchAll(MASK)) {
    const [whole, redacted, kind = '', number = ''] = match
    parts.push(<Shown key={from} text={text.slice(from, match.index)} />)
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
      <Shown text={text.slice(from)} />
    </>
  )
}
