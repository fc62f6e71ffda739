// SPDX-License-Identifier: Apache-2.0
import { Modal } from '@mantine/core'
import { useState } from 'react'
import type { RecordDetail } from '../../../shared/contract/record.ts'
import { type CorrectionPlace, placeKey, recordedAt } from '../../../shared/event/correction.ts'
import { useOperation } from '../../client/hooks.ts'
import { CorrectDialog } from '../../ui/correct-dialog.tsx'
import { count, moment } from '../../ui/format.ts'
import { Masked } from '../../ui/masked.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { placeName } from '../../ui/record-places.ts'
import { Failed, Loading } from '../../ui/states.tsx'
import { Who } from '../../ui/who.tsx'
import { Proof } from './proof.tsx'

type Correction = RecordDetail['corrections'][number]

/** Who corrected when; the leaf leads to its proof. */
function By({ one }: { readonly one: Correction }) {
  const [open, setOpen] = useState(false)
  return (
    <>
      {moment(one.time)}, by <Who actor={one.by} />,{' '}
      <button type="button" className="link" onClick={() => setOpen(true)}>
        leaf {count(one.seq)}
      </button>
      {open && <ProofOf seq={one.seq} onClose={() => setOpen(false)} />}
    </>
  )
}

function ProofOf({ seq, onClose }: { readonly seq: number; readonly onClose: () => void }) {
  const proof = useOperation('records.proof', { seq })
  return (
    <Modal opened onClose={onClose} title={`Proof of the correction, leaf ${count(seq)}`} size="lg">
      {proof.isError ? (
        <Failed what="The proof could not be made" error={proof.error} onRetry={() => void proof.refetch()} />
      ) : proof.data ? (
        <Proof proof={proof.data} of="correction" />
      ) : (
        <Loading what="Reading and re-hashing" />
      )}
    </Modal>
  )
}

const Text = ({ text }: { readonly text: string }) => (
  <div className="beside-text">{text === '' ? <span className="dim">nothing</span> : <Masked text={text} />}</div>
)

/** A message with what should stand there: the original first, each correction of it beside. */
export function CorrectedText({ detail, place }: { readonly detail: RecordDetail; readonly place: CorrectionPlace }) {
  const key = placeKey(place)
  const stands = detail.corrections.flatMap((one) =>
    one.changes.filter((change) => placeKey(change.what) === key).map((change) => ({ one, now: change.now }))
  )
  return (
    <div className="beside">
      <div>
        <div className="beside-title">Original</div>
        <Text text={recordedAt(detail, place) ?? ''} />
      </div>
      {stands.map(({ one, now }) => (
        <div key={one.seq}>
          <div className="beside-title">Corrected</div>
          <Text text={now} />
          <div className="dim small">
            <By one={one} />
          </div>
        </div>
      ))}
    </div>
  )
}

/** Whether a correction says something of a place. */
export const isCorrected = ({ corrections }: RecordDetail, place: CorrectionPlace): boolean =>
  corrections.some((one) => one.changes.some((change) => placeKey(change.what) === placeKey(place)))

const gone: Readonly<Record<Exclude<Correction['content'], 'present'>, string>> = {
  erased: 'Its content was erased with that of the record.',
  withheld: 'Its content is withheld: the bundle names the reason.',
  missing: 'Its content cannot be opened.'
}

interface CorrectionsProps {
  readonly detail: RecordDetail
  readonly onUnmask: (detail: RecordDetail) => void
}

/** The corrections of a record, oldest first, and the way to add to them. */
export function Corrections({ detail, onUnmask }: CorrectionsProps) {
  const [correcting, setCorrecting] = useState(false)
  const { corrections } = detail
  return (
    <div className="column gap-8">
      <div className="row">
        <h3 className="panel-title">Corrections</h3>
        <span className="grow" />
        <PermittedButton
          permission="correct"
          variant="default"
          size="compact-sm"
          disabled={detail.payload !== 'present'}
          onClick={() => setCorrecting(true)}
        >
          Correct…
        </PermittedButton>
      </div>
      {corrections.length === 0 ? (
        <p className="dim small">Nothing in this record was corrected.</p>
      ) : (
        corrections.map((one) => (
          <div key={one.seq} className="column gap-8 correction">
            <div>
              <span className="dim small">
                <By one={one} />
              </span>
              <div>{one.content === 'present' ? <Masked text={one.reason} /> : <span className="dim">{gone[one.content]}</span>}</div>
            </div>
            {one.changes.map(({ what, now }) => (
              <div key={placeKey(what)}>
                <b className="small">{placeName(detail, what)}</b>
                <div className="beside">
                  <div>
                    <div className="beside-title">Original</div>
                    <Text text={recordedAt(detail, what) ?? ''} />
                  </div>
                  <div>
                    <div className="beside-title">Corrected</div>
                    <Text text={now} />
                  </div>
                </div>
              </div>
            ))}
          </div>
        ))
      )}
      {correcting && <CorrectDialog detail={detail} onUnmask={onUnmask} onClose={() => setCorrecting(false)} />}
    </div>
  )
}
