// SPDX-License-Identifier: Apache-2.0
import { Button, Modal, SegmentedControl, Textarea } from '@mantine/core'
import { IconPrinter } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { type KeyboardEvent, useState } from 'react'
import type { EvidenceLink, Requirement } from '../../../shared/contract/compliance.ts'
import { call, shell } from '../../client/bridge.ts'
import { sentenceOf, useAction, useOperation } from '../../client/hooks.ts'
import { usePrint } from '../../client/print.ts'
import { DialogButtons } from '../../ui/dialog-buttons.tsx'
import { count, moment } from '../../ui/format.ts'
import { Facts, Hash, Note, Panel } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Failed, Loading } from '../../ui/states.tsx'
import { Proves } from './proves.tsx'

const groups = [
  { value: 'all', label: 'All' },
  { value: 'sec', label: 'SEC and FINRA' },
  { value: 'gdpr', label: 'GDPR' },
  { value: 'ai_act', label: 'EU AI Act' },
  { value: 'other', label: 'Other' }
]

const states: Readonly<Record<Requirement['state'], string>> = { backed: 'backed', partly: 'partly', not: 'not', not_applicable: 'n/a' }

/** Coverage is neutral: full, half, empty pip, a dash. */
const Pip = ({ is }: { readonly is: Requirement['state'] }) => (
  <span className="pip-state">
    <span className={`pip pip-${is}`} aria-hidden />
    <span className={is === 'not_applicable' ? 'dim' : 'strong'}>{states[is]}</span>
  </span>
)

/** Where a piece of evidence is seen. */
function useEvidence(): (link: EvidenceLink) => void {
  const navigate = useNavigate()
  return ({ to, view, seq, query }) => {
    const search = {
      ...(view === undefined ? {} : { view }),
      ...(seq === undefined ? {} : { seq }),
      ...(query === undefined ? {} : { query })
    }
    void navigate({ to: `/${to}`, search } as never)
  }
}

/** Arrows, Home and End go from row to row. */
function moveRow(event: KeyboardEvent<HTMLElement>): void {
  const steps: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, Home: -1000, End: 1000 }
  const step = steps[event.key]
  if (step === undefined) return
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-evidence]')]
  const row = (event.target as HTMLElement).closest('tr')
  const now = links.findIndex((link) => link.closest('tr') === row)
  if (now < 0) return
  event.preventDefault()
  links[Math.max(0, Math.min(links.length - 1, now + step))]?.focus()
}

/** What the rules ask, row by row, with live evidence; beside it what the log proves and what it cannot. */
export function Requirements() {
  const report = useOperation('compliance.report', {}, { refetchMs: 30_000, keep: true })
  const [group, setGroup] = useState('all')
  const [marking, setMarking] = useState<Requirement | null>(null)
  const follow = useEvidence()
  const printing = usePrint()
  if (report.isError) return <Failed what="The requirements cannot be judged" error={report.error} onRetry={() => void report.refetch()} />
  if (!report.data) return <Loading what="Judging requirements" />
  const { requirements, statements, evaluated } = report.data
  const rows = requirements.filter((one) => group === 'all' || one.group === group)
  const counted = (state: Requirement['state']) => requirements.filter((one) => one.state === state).length
  const share = (state: Requirement['state']) => ({ flexGrow: counted(state) })
  return (
    <div className="compliance-two">
      <Panel
        title="Requirements"
        right={
          <div className="row">
            <SegmentedControl size="xs" aria-label="Rules" data={groups} value={group} onChange={setGroup} />
            <Button
              variant="default"
              size="compact-sm"
              leftSection={<IconPrinter size={14} aria-hidden />}
              loading={printing.busy}
              onClick={() => printing.print(() => call('compliance.page', {}))}
            >
              Print<span className="hidden-text"> with evidence</span>
            </Button>
          </div>
        }
        flush
      >
        <div className="coverage">
          {(['backed', 'partly', 'not', 'not_applicable'] as const).map((state) => (
            <span key={state}>
              <b>{counted(state)}</b> {state === 'not_applicable' ? 'not applicable' : states[state]}
            </span>
          ))}
          <span className="dim small clip grow">evaluated {moment(evaluated)}</span>
          <span className="coverage-bar" aria-hidden>
            <i className="full" style={share('backed')} />
            <i className="half" style={share('partly')} />
            <i className="empty" style={share('not')} />
            <i className="none" style={share('not_applicable')} />
          </span>
        </div>
        {printing.error !== null && <Note is="broken">{printing.error}</Note>}
        {printing.saved !== null && <Note is="holds">Saved: {printing.saved}</Note>}
        {/* biome-ignore lint/a11y/noStaticElementInteractions: the keys only move the focus between the links inside */}
        <div className="requirements" onKeyDown={moveRow}>
          <table className="table">
            <colgroup>
              <col className="col-source" />
              <col />
              <col className="col-state" />
              <col className="col-evidence" />
              <col className="col-note" />
            </colgroup>
            <thead>
              <tr>
                <th>Source</th>
                <th>What is asked</th>
                <th>State</th>
                <th>Evidence</th>
                <th>
                  <span className="hidden-text">Note</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((one) => (
                <tr key={one.id}>
                  <td className="soft source">
                    {one.source}
                    {one.see_rule && <span className="dim">, see rule</span>}
                  </td>
                  <td className="asked">
                    {one.asked}
                    {one.gap !== null && <div className="soft small">{one.gap}</div>}
                  </td>
                  <td>
                    <Pip is={one.state} />
                  </td>
                  <td>
                    <button
                      type="button"
                      data-evidence
                      className="link underlined clip"
                      title={one.evidence.label}
                      onClick={() => (one.evidence.link.view === 'requirements' ? setMarking(one) : follow(one.evidence.link))}
                    >
                      {one.evidence.label}
                    </button>
                  </td>
                  <td className="right">
                    <button type="button" className="link dim-link" onClick={() => setMarking(one)}>
                      Note…<span className="hidden-text"> on {one.source}</span>
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <p className="requirements-foot dim small">Not legal advice; your undertakings, policies and assessment are still needed.</p>
      </Panel>
      <Proves statements={statements} />
      {marking && <Mark requirement={marking} onClose={() => setMarking(null)} />}
    </div>
  )
}

function Noted({ note }: { readonly note: NonNullable<Requirement['note']> }) {
  return (
    <Facts
      width={88}
      rows={[
        ['Noted', `${moment(note.time)}, by ${note.by}, leaf ${count(note.seq)}`],
        ['State', note.applies ? 'applies' : 'does not apply'],
        ['Reason', note.reason],
        ['Document', note.document ?? 'none'],
        ...(note.document_sha256 === null
          ? []
          : [['SHA-256', <Hash key="d" value={note.document_sha256} label="document SHA-256" />] as const])
      ]}
    />
  )
}

/** Says why a requirement applies or not, or which document backs it. */
function Mark({ requirement, onClose }: { readonly requirement: Requirement; readonly onClose: () => void }) {
  const [applies, setApplies] = useState(requirement.state === 'not_applicable' ? 'no' : 'yes')
  const [reason, setReason] = useState('')
  const [document, setDocument] = useState<string | null>(null)
  const mark = useAction('compliance.mark', ['compliance.report'])
  const pick = async () => {
    const { paths } = await shell('shell.pickFile', { title: 'Document that backs this requirement' })
    if (paths[0] !== undefined) setDocument(paths[0])
  }
  const save = () =>
    mark.mutate(
      { id: requirement.id, applies: applies === 'yes', reason, ...(document === null ? {} : { document }) },
      { onSuccess: onClose }
    )
  return (
    <Modal opened onClose={onClose} title={requirement.source}>
      <div className="column gap-12">
        <p>{requirement.asked}</p>
        {requirement.note !== null && <Noted note={requirement.note} />}
        <SegmentedControl
          aria-label="Whether it applies"
          data={[
            { value: 'yes', label: 'Applies' },
            { value: 'no', label: 'Does not apply' }
          ]}
          value={applies}
          onChange={setApplies}
        />
        <Textarea
          label="Reason"
          description="Recorded with the name of whoever notes it"
          value={reason}
          maxLength={1000}
          autosize
          minRows={2}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <div className="row">
          <Button variant="default" size="compact-sm" onClick={() => void pick().catch(() => {})}>
            Choose document…
          </Button>
          <span className="soft small clip">{document ?? 'Its name and SHA-256 are recorded, not the file'}</span>
        </div>
        {mark.isError && <Note is="broken">{sentenceOf(mark.error)}</Note>}
        <DialogButtons onCancel={onClose}>
          <PermittedButton permission="compliance" disabled={reason.trim() === ''} loading={mark.isPending} onClick={save}>
            Note
          </PermittedButton>
        </DialogButtons>
      </div>
    </Modal>
  )
}
