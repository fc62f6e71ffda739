// SPDX-License-Identifier: Apache-2.0
import type { RecordDetail } from '../../../shared/contract/record.ts'
import { isRemote } from '../../../shared/place/place.ts'
import { Masked } from '../../ui/masked.tsx'

type Located = Pick<RecordDetail, 'place' | 'event'>

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null)

/** The address that a call was sent to, with its port. */
export function Address({ event }: Pick<Located, 'event'>) {
  const address = textOf(event.server_address)
  if (address === null) return null
  const port = typeof event.server_port === 'number' ? `:${event.server_port}` : ''
  return (
    <span className="mono">
      <Masked text={`${address.includes(':') && port !== '' ? `[${address}]` : address}${port}`} />
    </span>
  )
}

/** Where the model server says that it passed a call on to, and as which model; each where it says so. */
function Target({ event }: Pick<Located, 'event'>) {
  const [host, model] = [textOf(event.remote_host), textOf(event.remote_model)]
  return (
    <>
      {host !== null && (
        <>
          {' '}
          to <Masked text={host} />
        </>
      )}
      {model !== null && (
        <>
          {' '}
          as <Masked text={model} />
        </>
      )}
    </>
  )
}

/** Where a call was answered, and what that rests on. */
export function Place({ detail }: { readonly detail: Located }) {
  const address = <Address event={detail.event} />
  switch (detail.place) {
    case 'passed_on':
      return (
        <>
          passed on by the model server
          <Target event={detail.event} />
        </>
      )
    case 'loopback':
      return <>at {address}, a loopback address</>
    case 'private':
      return <>at {address}, in a private network</>
    case 'elsewhere':
      return <>at {address}, outside loopback and private networks</>
    case 'unknown':
      return <span className="dim">unknown: no server address is on record</span>
  }
}

/** A line of the head, for calls whose data left loopback and private networks alone. */
export function LeftMark({ detail }: { readonly detail: Located }) {
  if (isRemote(detail.place) !== true) return null
  return (
    <div className="clip">
      <b>Data left</b>
      {detail.place === 'passed_on' ? (
        <Target event={detail.event} />
      ) : (
        <>
          {' '}
          to <Address event={detail.event} />
        </>
      )}
    </div>
  )
}
