// SPDX-License-Identifier: Apache-2.0
import { ActionIcon } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { type PointerEvent, useRef, useState } from 'react'
import type { Message, RecordDetail } from '../../../shared/contract/record.ts'
import { type CorrectionPlace, placeKey } from '../../../shared/event/correction.ts'
import { MASK } from '../../../shared/privacy/mask.ts'
import { useSingleKeys } from '../../app/single-keys.ts'
import { useOperation } from '../../client/hooks.ts'
import { count, duration, exactMoment } from '../../ui/format.ts'
import { Masked } from '../../ui/masked.tsx'
import { Facts, Hash, Note, State } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'
import { CorrectedText, isCorrected } from './corrections.tsx'
import { LeafLink } from './leaf-proof.tsx'
import { Life } from './life.tsx'
import { MaskedNote } from './masked-note.tsx'
import { Metadata } from './metadata.tsx'
import { LeftMark } from './place.tsx'
import { Proof } from './proof.tsx'

const tabs = ['Conversation', 'Metadata', 'Life', 'Proof'] as const
type Tab = (typeof tabs)[number]

export interface RecordPaneProps {
  readonly seq: number
  readonly onClose: () => void
  readonly onWidth: (width: number) => void
}

/** One record beside the grid: what was said, what is known of it, what proves it. */
export function RecordPane({ seq, onClose, onWidth }: RecordPaneProps) {
  const [tab, setTab] = useState<Tab>('Conversation')
  const pane = useRef<HTMLElement>(null)
  const detail = useOperation('records.get', { seq }, { keep: false })
  const proof = useOperation('records.proof', { seq })
  // Clear text lives here alone: it goes with the pane, or with the next record.
  const [unmasked, setUnmasked] = useState<RecordDetail | null>(null)
  const clear = unmasked?.row.seq === seq ? unmasked : null
  if (unmasked !== null && clear === null) setUnmasked(null)
  // Reviews and corrections may be newer than what was unmasked; what is newer is masked.
  const shownDetail =
    clear && detail.data
      ? {
          ...clear,
          reviews: detail.data.reviews,
          corrections: detail.data.corrections.map((one) => clear.corrections.find((known) => known.seq === one.seq) ?? one)
        }
      : detail.data
  const note = detail.data && (
    // As high as its notes: a column may shrink to nothing where the pane scrolls.
    <div className="column gap-8" style={{ minHeight: 'auto', flexShrink: 0 }}>
      {detail.data.row.restricted && (
        <Note is="attention">
          <b>Restricted (GDPR 18).</b> Kept, and otherwise left alone: it is in no search, export or figure, and shown to data protection
          alone.
        </Note>
      )}
      <MaskedNote detail={detail.data} unmasked={clear?.view_seq ?? null} onUnmask={setUnmasked} />
    </div>
  )
  const turn = (by: number) => setTab(tabs[(tabs.indexOf(tab) + by + tabs.length) % tabs.length] ?? 'Conversation')
  useSingleKeys({ '[': () => turn(-1), ']': () => turn(1) })
  const drag = (event: PointerEvent) => {
    if (event.buttons === 1 && pane.current) onWidth(pane.current.getBoundingClientRect().right - event.clientX)
  }
  return (
    <aside ref={pane} className="pane" aria-label={`Record, leaf ${count(seq)}`}>
      <div className="pane-handle" onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)} onPointerMove={drag} />
      <div className="pane-head">
        <div className="row">
          <h2 style={{ fontSize: 15, lineHeight: '20px', fontWeight: 600 }} className="num">
            Leaf {count(seq)}
          </h2>
          <ProofState verdict={proof.data?.verdict} />
          <span className="grow" />
          <ActionIcon aria-label="Close pane" onClick={onClose}>
            <IconX size={15} />
          </ActionIcon>
        </div>
        {detail.data && <Head detail={detail.data} />}
      </div>
      <div className="tabs" role="tablist" aria-label="Record">
        {tabs.map((name) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`tab-${name}`}
            aria-controls="record-panel"
            aria-selected={name === tab}
            tabIndex={name === tab ? 0 : -1}
            onClick={() => setTab(name)}
            onKeyDown={(event) => (event.key === 'ArrowRight' ? turn(1) : event.key === 'ArrowLeft' ? turn(-1) : undefined)}
          >
            {name}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard. */}
      <div className="pane-scroll" role="tabpanel" id="record-panel" aria-labelledby={`tab-${tab}`} tabIndex={0}>
        {tab === 'Proof' ? (
          proof.isError ? (
            <Failed what="The proof could not be made" error={proof.error} onRetry={() => void proof.refetch()} />
          ) : proof.data ? (
            <Proof key={seq} proof={proof.data} />
          ) : (
            <Loading what="Reading and re-hashing" />
          )
        ) : tab === 'Life' ? (
          <Life key={seq} seq={seq} />
        ) : detail.isError ? (
          <Failed what="This record cannot be read" error={detail.error} onRetry={() => void detail.refetch()} />
        ) : !shownDetail ? (
          <Loading what="Opening the record" />
        ) : tab === 'Conversation' ? (
          <>
            {note}
            <Conversation detail={shownDetail} view={detail.data?.view_seq ?? null} />
          </>
        ) : (
          <>
            {note}
            <Metadata detail={shownDetail} onUnmask={setUnmasked} />
          </>
        )}
      </div>
    </aside>
  )
}

function ProofState({ verdict }: { readonly verdict: 'verified' | 'waiting' | 'failed' | undefined }) {
  switch (verdict) {
    case 'verified':
      return (
        <State is="holds" size={13}>
          verified
        </State>
      )
    case 'failed':
      return (
        <State is="broken" size={13}>
          does not verify
        </State>
      )
    default:
      return (
        <State is="pending" size={13}>
          {verdict === 'waiting' ? 'waits for checkpoint' : 'checking'}
        </State>
      )
  }
}

function Head({ detail }: { readonly detail: RecordDetail }) {
  const { row } = detail
  const tokens = [
    row.input_tokens === null ? null : `${count(row.input_tokens)} in`,
    row.output_tokens === null ? null : `${count(row.output_tokens)} out`
  ]
    .filter((part) => part !== null)
    .join(', ')
  return (
    <div className="soft num" style={{ fontSize: 12, lineHeight: '17px' }}>
      <div className="row wrap" style={{ columnGap: 12, rowGap: 0 }}>
        <span className="nowrap">{exactMoment(row.timestamp)}</span>
        <Hash value={row.id} label="record id" head={8} tail={4} />
      </div>
      <div className="clip">
        asked{' '}
        <b>
          <Masked text={row.model} />
        </b>
        {row.served_model !== null && (
          <>
            , served{' '}
            <b>
              <Masked text={row.served_model} />
            </b>
          </>
        )}
      </div>
      <div className="clip">
        <Masked text={row.source} /> ·{' '}
        {[
          row.processing_time_ms === null ? 'duration unknown' : duration(row.processing_time_ms),
          row.ttft_ms === null ? null : `first token ${duration(row.ttft_ms)}`,
          tokens === '' ? 'tokens unknown' : tokens
        ]
          .filter((part) => part !== null)
          .join(' · ')}
      </div>
      <LeftMark detail={detail} />
    </div>
  )
}

/** Of a text with masks the length is not known here. */
const lengthOf = (text: string): string =>
  text.search(MASK) >= 0 ? '' : `${count(text.length)} ${text.length === 1 ? 'character' : 'characters'}`

const textOf = (message: Message): string => message.parts.map((part) => part.content ?? `[${part.type}]`).join('\n')

/** @param view the leaf of having opened it; null where views are not recorded */
function Conversation({ detail, view }: { readonly detail: RecordDetail; readonly view: number | null }) {
  const { row } = detail
  if (detail.payload !== 'present') {
    return (
      <Note is={detail.payload === 'missing' ? 'broken' : 'plain'}>
        {detail.payload === 'erased' ? (
          <>
            The content was erased: its key no longer exists.{' '}
            {detail.erased_by && detail.erased_by.intent === detail.erased_by.done && (
              <>
                Carried out again by the restore in <LeafLink seq={detail.erased_by.intent} />.{' '}
              </>
            )}
            {detail.erased_by && detail.erased_by.intent !== detail.erased_by.done && (
              <>
                Begun in <LeafLink seq={detail.erased_by.intent} />
                {detail.erased_by.done === null ? ', not ended yet' : ', done in '}
                {detail.erased_by.done !== null && <LeafLink seq={detail.erased_by.done} />}.{' '}
              </>
            )}
            What the leaf says of the call remains, and the proof still holds.
          </>
        ) : (
          'The content cannot be opened: its key or its ciphertext is missing or was changed. The Proof tab says which.'
        )}
      </Note>
    )
  }
  const said: readonly { readonly message: Message; readonly note: string; readonly place: CorrectionPlace }[] = [
    ...detail.input_messages.map((message, index) => ({
      message,
      note: lengthOf(textOf(message)),
      place: { message: 'input' as const, index }
    })),
    ...detail.output_messages.map((message, index) => ({
      message,
      note: [row.served_model, row.output_tokens === null ? null : `${count(row.output_tokens)} tokens`, row.finish]
        .filter((part) => part !== null)
        .join(' · '),
      place: { message: 'output' as const, index }
    }))
  ]
  return (
    <>
      {detail.withheld.length > 0 && (
        <Note is="plain">
          <b>Withheld:</b> {detail.withheld.join(', ')}. The bundle names the reason; the leaf commits to{' '}
          {detail.withheld.length === 1 ? 'it' : 'them'} all the same.
        </Note>
      )}
      {said.length === 0 && detail.withheld.length === 0 && <p className="soft">No messages were recorded with this call.</p>}
      {said.map(({ message, note, place }) => (
        <div className="message" key={placeKey(place)}>
          <div className="who">
            <b>{message.role}</b>
            <span>{note}</span>
          </div>
          {isCorrected(detail, place) ? (
            <CorrectedText detail={detail} place={place} />
          ) : (
            <div className="text">
              <Masked text={textOf(message)} />
            </div>
          )}
        </div>
      ))}
      {detail.error !== null && (
        <div className="message">
          <div className="who">
            <b>error</b>
            <span>{row.error_type ?? ''}</span>
          </div>
          <div className="text">
            <Masked text={detail.error} />
          </div>
        </div>
      )}
      <div style={{ marginTop: 'auto', borderTop: '1px solid var(--a-line)', paddingTop: 8 }}>
        <Facts
          width={96}
          rows={[
            ['Viewed', view === null ? 'not recorded: nothing is written here' : `by you, now. This view is leaf ${count(view)}.`],
            ['Retention', detail.leaf.class ?? 'no class']
          ]}
        />
      </div>
    </>
  )
}
