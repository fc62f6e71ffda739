// SPDX-License-Identifier: Apache-2.0
import { Button, Checkbox, Modal, Select, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { Hold, HoldScope } from '../../../shared/contract/retention.ts'
import { spansAmong } from '../../../shared/privacy/spans.ts'
import { messageOf, sentenceOf, useAction, useOperation } from '../../client/hooks.ts'
import { DialogButtons } from '../../ui/dialog-buttons.tsx'
import { count, counted, moment } from '../../ui/format.ts'
import { Note, Panel, State } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { ReasonDialog } from '../../ui/reason-dialog.tsx'
import { Empty, Failed, Loading } from '../../ui/states.tsx'

function scopeText(scope: HoldScope): string {
  switch (scope.kind) {
    case 'filter':
      return scope.query
    case 'seqs':
      return scope.seqs.length === 1 ? `leaf ${count(scope.seqs[0] ?? 0)}` : `${count(scope.seqs.length)} leaves`
    case 'subject':
      return `subject ${scope.subject}`
    case 'time':
      return `from ${moment(scope.from)}${scope.to === undefined ? '' : ` to ${moment(scope.to)}`}`
  }
}

/** Legal holds: what may be neither disposed of nor erased. */
export function HoldsPanel() {
  const query = useOperation('holds.list', {})
  const [placing, setPlacing] = useState(false)
  const [releasing, setReleasing] = useState<Hold | null>(null)
  if (query.isError) return <Failed what="The holds cannot be read" error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data) return <Loading what="Reading holds" />
  const { holds } = query.data
  return (
    <Panel
      title="Legal holds"
      sub="what they cover is neither disposed of nor erased; times UTC"
      flush
      right={
        <PermittedButton permission="policy" size="compact-sm" onClick={() => setPlacing(true)}>
          Place a hold…
        </PermittedButton>
      }
    >
      {holds.length === 0 ? (
        <Empty title="No hold">
          <p>A hold keeps records for a matter, whatever their retention says. One person places it, two release it.</p>
        </Empty>
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th className="right">Leaf</th>
              <th>Placed</th>
              <th>Matter</th>
              <th>Covers</th>
              <th>Later records</th>
              <th className="right">Records</th>
              <th>State</th>
              <th>
                <span className="hidden-text">Release</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {holds.map((hold) => (
              <tr key={hold.id}>
                <td className="right dim">{count(hold.seq)}</td>
                <td className="num">{moment(hold.placed).replace(' UTC', '')}</td>
                <td className="wrap-cell">{hold.matter}</td>
                <td className="wrap-cell">{scopeText(hold.scope)}</td>
                <td>{hold.future ? 'held too' : 'not held'}</td>
                <td className="right" title={spansAmong(hold.wrappers).slice(2)}>
                  {count(hold.records)}
                </td>
                <td>
                  {hold.state === 'held' && <State is="holds">held</State>}
                  {hold.state === 'release_asked' && <State is="attention">release waits for a second person</State>}
                  {hold.state === 'released' && <State is="none">released</State>}
                </td>
                <td className="right">
                  {hold.state === 'held' && (
                    <PermittedButton permission="policy" size="compact-sm" variant="default" onClick={() => setReleasing(hold)}>
                      Release…
                    </PermittedButton>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {placing && <PlaceHold onClose={() => setPlacing(false)} />}
      {releasing && <ReleaseHold hold={releasing} onClose={() => setReleasing(null)} />}
    </Panel>
  )
}

const kinds = [
  { value: 'filter', label: 'Records a filter matches' },
  { value: 'subject', label: 'Records of a subject' },
  { value: 'time', label: 'Records of a time range' },
  { value: 'seqs', label: 'Single leaves' }
]
const hints = {
  filter: ['Filter', 'source:web-app model:gpt-4'],
  subject: ['Subject', 'client-7'],
  time: ['From and to, UTC', '2026-01-01 2026-03-31'],
  seqs: ['Leaf numbers', '120 121 340']
} as const

/** What is typed, as a scope; null while it is none. */
function scopeOf(kind: HoldScope['kind'], text: string): HoldScope | null {
  const words = text
    .trim()
    .split(/[\s,]+/)
    .filter(Boolean)
  if (words.length === 0) return null
  switch (kind) {
    case 'filter':
      return { kind, query: text.trim() }
    case 'subject':
      return { kind, subject: text.trim() }
    case 'seqs': {
      const seqs = words.map(Number)
      return seqs.every((seq) => Number.isSafeInteger(seq) && seq >= 0) ? { kind, seqs } : null
    }
    case 'time': {
      const [from = '', to] = words
      const iso = (word: string) => (/^\d{4}-\d{2}-\d{2}$/.test(word) && !Number.isNaN(Date.parse(word)) ? `${word}T00:00:00Z` : null)
      const start = iso(from)
      const end = to === undefined ? undefined : iso(to)
      return start === null || end === null ? null : { kind, from: start, ...(end === undefined ? {} : { to: end }) }
    }
  }
}

function PlaceHold({ onClose }: { readonly onClose: () => void }) {
  const [matter, setMatter] = useState('')
  const [reason, setReason] = useState('')
  const [kind, setKind] = useState<HoldScope['kind']>('filter')
  const [text, setText] = useState('')
  const [future, setFuture] = useState(true)
  const scope = scopeOf(kind, text)
  const preview = useOperation('holds.preview', { scope: scope ?? { kind: 'seqs', seqs: [0] } }, { enabled: scope !== null, keep: true })
  const place = useAction('holds.place', ['holds.list', 'disposal.preview', 'retention.of'])
  const [label, hint] = hints[kind]
  return (
    <Modal opened onClose={onClose} title="Place a hold" size="lg">
      <div className="column gap-12">
        <TextInput label="Matter" value={matter} maxLength={200} data-autofocus onChange={(e) => setMatter(e.currentTarget.value)} />
        <Textarea label="Reason" value={reason} maxLength={2000} autosize minRows={2} onChange={(e) => setReason(e.currentTarget.value)} />
        <Select label="Covers" data={kinds} value={kind} allowDeselect={false} onChange={(one) => setKind(one as typeof kind)} />
        <TextInput
          label={label}
          placeholder={hint}
          value={text}
          maxLength={4096}
          error={scope !== null && preview.isError ? messageOf(preview.error) : undefined}
          onChange={(e) => setText(e.currentTarget.value)}
        />
        <Checkbox label="Also what arrives later and matches" checked={future} onChange={(e) => setFuture(e.currentTarget.checked)} />
        <Note is="plain">
          {scope !== null && preview.data && !preview.isError ? (
            <>
              <b>
                {counted(preview.data.records, 'record')} now{spansAmong(preview.data.wrappers)}.
              </b>{' '}
              They stay, whatever their retention or an erasure says, until two people release the hold.
            </>
          ) : (
            'What the hold covers is counted here before it is placed.'
          )}
        </Note>
        {place.isError && <Note is="broken">{sentenceOf(place.error)}</Note>}
        <DialogButtons onCancel={onClose}>
          <Button
            loading={place.isPending}
            disabled={scope === null || preview.isError || matter.trim() === '' || reason.trim() === ''}
            onClick={() => scope && place.mutate({ matter, reason, scope, future }, { onSuccess: onClose })}
          >
            Place the hold
          </Button>
        </DialogButtons>
      </div>
    </Modal>
  )
}

function ReleaseHold({ hold, onClose }: { readonly hold: Hold; readonly onClose: () => void }) {
  const release = useAction('holds.release', ['holds.list', 'approvals.list'])
  return (
    <ReasonDialog
      title={`Release the hold ${hold.matter}`}
      submit="Ask for the release"
      act={release}
      onSubmit={(reason) => release.mutate({ id: hold.id, reason }, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>
        {counted(hold.records, 'record')}
        {spansAmong(hold.wrappers)} {hold.records === 1 ? 'is' : 'are'} held. Once a second person approves, those past their retention can
        be disposed of, and requests for erasure that cover them can be carried out.
      </p>
    </ReasonDialog>
  )
}
