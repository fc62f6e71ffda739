// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react'
import type { OperationOutput } from '../../../shared/contract/contract.ts'
import type { RecordDetail } from '../../../shared/contract/record.ts'
import type { SubjectRequest } from '../../../shared/contract/requests.ts'
import { messageOf, useOperation } from '../../client/hooks.ts'
import { CorrectDialog } from '../../ui/correct-dialog.tsx'
import { count } from '../../ui/format.ts'
import { Masked } from '../../ui/masked.tsx'
import { Note, State } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'

interface RectifyProps {
  readonly request: SubjectRequest
  readonly seqs: readonly number[]
  readonly found: OperationOutput<'subjects.find'>
}

/** Corrections of the records that were found, one by one, each on record with the request (GDPR 16). */
export function Rectify({ request, seqs, found }: RectifyProps) {
  const [correcting, setCorrecting] = useState<number | null>(null)
  const [corrected, setCorrected] = useState<ReadonlyMap<number, number>>(new Map())
  const chosen = found.records.filter((one) => !one.wrapper && seqs.includes(one.row.seq))
  return (
    <div className="column gap-8">
      <p className="soft small">
        A record is never changed: what should stand there goes on record beside it, with this request. Close the request when all is
        corrected.
      </p>
      <ul className="rectify" aria-label="Records to correct">
        {chosen.map(({ row }) => {
          const leaf = corrected.get(row.seq)
          return (
            <li key={row.seq}>
              <span className="num">Leaf {count(row.seq)}</span>
              <span className="clip">{row.restricted ? <span className="dim">restricted</span> : <Masked text={row.preview} />}</span>
              {leaf === undefined ? <span /> : <State is="holds">corrected, leaf {count(leaf)}</State>}
              <PermittedButton permission="correct" variant="default" size="compact-sm" onClick={() => setCorrecting(row.seq)}>
                Correct…
              </PermittedButton>
            </li>
          )
        })}
      </ul>
      {correcting !== null && (
        <CorrectRecord
          seq={correcting}
          requestId={request.id}
          onCorrected={(leaf) => setCorrected((before) => new Map([...before, [correcting, leaf]]))}
          onClose={() => setCorrecting(null)}
        />
      )}
    </div>
  )
}

interface CorrectRecordProps {
  readonly seq: number
  readonly requestId: string
  readonly onCorrected: (leaf: number) => void
  readonly onClose: () => void
}

/** The dialog on a record that is not open yet. */
function CorrectRecord({ seq, ...props }: CorrectRecordProps) {
  const detail = useOperation('records.get', { seq }, { keep: false })
  const [clear, setClear] = useState<RecordDetail | null>(null)
  if (detail.isError) return <Note is="broken">This record cannot be read: {messageOf(detail.error)}</Note>
  return detail.data ? <CorrectDialog detail={clear ?? detail.data} onUnmask={setClear} {...props} /> : null
}
