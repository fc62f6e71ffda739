// SPDX-License-Identifier: Apache-2.0
import { Button, Checkbox, Textarea, TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { OperationInput, OperationOutput } from '../../../shared/contract/contract.ts'
import type { SubjectRequest } from '../../../shared/contract/requests.ts'
import { filterOfSeqs } from '../../../shared/filter/chosen.ts'
import { sentenceOf, useAction } from '../../client/hooks.ts'
import { count, moment } from '../../ui/format.ts'
import { Masked } from '../../ui/masked.tsx'
import { Note, Panel, State } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Act } from './subject-acts.tsx'

type Found = OperationOutput<'subjects.find'>

/** The search for a subject's records, the choice among them, and what the request asks for. */
export function SubjectScope({ request }: { readonly request: SubjectRequest }) {
  const [identifiers, setIdentifiers] = useState('')
  const [query, setQuery] = useState('')
  const [left, setLeft] = useState<ReadonlySet<number>>(new Set())
  const find = useAction('subjects.find')
  const input = (): OperationInput<'subjects.find'> => ({
    identifiers: identifiers
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
    query
  })
  const seqs = find.data?.seqs.filter((seq) => !left.has(seq)) ?? []
  return (
    <Panel title="Records of the subject" sub="identifiers are looked for and forgotten">
      <form
        className="subject-form"
        onSubmit={(event) => {
          event.preventDefault()
          setLeft(new Set())
          find.mutate(input())
        }}
      >
        <Textarea
          label="Identifiers"
          description="User id, e-mail, telephone, account number: one a line."
          value={identifiers}
          autosize
          minRows={2}
          maxRows={6}
          onChange={(event) => setIdentifiers(event.currentTarget.value)}
        />
        <TextInput
          label="Words or filter"
          description="For what has no form, such as a name."
          value={query}
          maxLength={4096}
          onChange={(event) => setQuery(event.currentTarget.value)}
        />
        <Button type="submit" loading={find.isPending} disabled={identifiers.trim() === '' && query.trim() === ''}>
          Find records
        </Button>
      </form>
      {find.isError && <Note is="broken">{sentenceOf(find.error)}</Note>}
      {find.data && <Chosen found={find.data} left={left} onLeft={setLeft} />}
      {find.data && find.data.seqs.length > 0 && (
        <div className="column gap-8">
          <Act request={request} seqs={seqs} found={find.data} />
          <Bundle seqs={seqs.filter((seq) => !find.data.wrappers.includes(seq))} />
        </div>
      )}
    </Panel>
  )
}

/** The same records as a signed bundle, named by their leaves: identifiers of the subject go into no filter. */
function Bundle({ seqs }: { readonly seqs: readonly number[] }) {
  const navigate = useNavigate()
  const query = filterOfSeqs(seqs)
  return (
    <div className="row gap-8">
      <PermittedButton
        permission="export"
        variant="default"
        size="compact-sm"
        disabled={query === null}
        onClick={() => query !== null && void navigate({ to: '/exports', search: { view: 'new', query } })}
      >
        Export as a signed bundle…
      </PermittedButton>
      <span className="dim small">
        {query === null && seqs.length > 0
          ? 'More leaves than one filter can name: export a period.'
          : 'With proofs. The filter names leaves, not the person.'}
      </span>
    </div>
  )
}

interface ChosenProps {
  readonly found: Found
  readonly left: ReadonlySet<number>
  readonly onLeft: (left: ReadonlySet<number>) => void
}

function Chosen({ found, left, onLeft }: ChosenProps) {
  const navigate = useNavigate()
  if (found.seqs.length === 0) return <p className="soft">No record names this subject. Erased records are not found again.</p>
  const toggle = (seq: number, on: boolean) => {
    const next = new Set(left)
    if (on) next.delete(seq)
    else next.add(seq)
    onLeft(next)
  }
  return (
    <div className="subject-records">
      <table className="table">
        <thead>
          <tr>
            <th>
              <span className="hidden-text">Taken</span>
            </th>
            <th className="right">Leaf</th>
            <th>Time, UTC</th>
            <th>Request</th>
            <th>Class</th>
            <th>Kept until</th>
            <th>Hold</th>
          </tr>
        </thead>
        <tbody>
          {found.records.map(({ row, wrapper, class: name, kept_until, kept_text, holds }) => (
            <tr key={row.seq}>
              <td>
                <Checkbox
                  aria-label={`Take leaf ${count(row.seq)}`}
                  checked={!left.has(row.seq)}
                  onChange={(event) => toggle(row.seq, event.currentTarget.checked)}
                />
              </td>
              <td className="right num">
                {wrapper ? (
                  count(row.seq)
                ) : (
                  <button
                    type="button"
                    className="link"
                    onClick={() =>
                      void navigate({ to: '/records', search: { query: row.restricted ? 'restricted:yes' : '', seq: row.seq } })
                    }
                  >
                    {count(row.seq)}
                  </button>
                )}
              </td>
              <td className="num">{moment(row.timestamp).replace(' UTC', '')}</td>
              <td className="subject-preview">
                {wrapper && <span className="dim">span around calls, {row.operation} </span>}
                {row.restricted ? <span className="dim">restricted</span> : <Masked text={row.preview} />}
              </td>
              <td>{name}</td>
              <td className="num" title={kept_text}>
                {kept_until === null ? '–' : kept_until.slice(0, 10)}
              </td>
              <td>
                {holds.length === 0 ? (
                  <span className="dim">none</span>
                ) : (
                  <State is="attention">{holds.map((hold) => hold.matter).join(', ')}</State>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {found.seqs.length > found.records.length && (
        <p className="dim small">{count(found.seqs.length - found.records.length)} more are taken without being listed.</p>
      )}
      {found.more > 0 && <Note is="attention">{count(found.more)} further records do not fit in one request: enter another for them.</Note>}
    </div>
  )
}
