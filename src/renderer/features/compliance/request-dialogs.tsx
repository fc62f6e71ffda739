// SPDX-License-Identifier: Apache-2.0
import { Button, Modal, Select, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { SubjectRequest } from '../../../shared/contract/requests.ts'
import { requestKinds } from '../../../shared/evidence/leaf-data.ts'
import { messageOf, useAction } from '../../client/hooks.ts'
import { Note } from '../../ui/parts.tsx'

export const kindNames: Readonly<Record<SubjectRequest['kind'], string>> = {
  access: 'Access',
  erasure: 'Erasure',
  restriction: 'Restriction',
  rectification: 'Rectification'
}

const today = (): string => new Date().toISOString().slice(0, 10)

interface AskProps {
  readonly request: SubjectRequest
  readonly what: 'extend' | 'close'
  readonly onClose: () => void
}

/** Extends or closes a request. */
export function Ask({ request, what, onClose }: AskProps) {
  const [text, setText] = useState('')
  const [outcome, setOutcome] = useState<'done' | 'refused' | 'withdrawn'>('done')
  const extend = useAction('requests.extend', ['requests.list'])
  const close = useAction('requests.close', ['requests.list'])
  const { isPending, error } = what === 'extend' ? extend : close
  return (
    <Modal opened onClose={onClose} title={what === 'extend' ? 'Extend by two months' : 'Close the request'}>
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          if (what === 'extend') extend.mutate({ id: request.id, reason: text }, { onSuccess: onClose })
          else close.mutate({ id: request.id, outcome, note: text }, { onSuccess: onClose })
        }}
      >
        {what === 'close' && (
          <Select
            label="Outcome"
            allowDeselect={false}
            data={[
              { value: 'done', label: 'Done' },
              { value: 'refused', label: 'Refused' },
              { value: 'withdrawn', label: 'Withdrawn' }
            ]}
            value={outcome}
            onChange={(value) => setOutcome((value ?? 'done') as typeof outcome)}
          />
        )}
        <Textarea
          label={what === 'extend' ? 'Reason' : 'Note'}
          description={
            what === 'extend'
              ? 'The subject is told of the extension and its reason within the first month.'
              : 'What was answered, or why not.'
          }
          value={text}
          maxLength={2000}
          autosize
          minRows={2}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        {error && <Note is="broken">{messageOf(error)}</Note>}
        <div className="row gap-8">
          <Button type="submit" loading={isPending} disabled={text.trim().length < 3}>
            {what === 'extend' ? 'Extend' : 'Close the request'}
          </Button>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </Modal>
  )
}

/** Enters a request. */
export function Enter({ onClose, onEntered }: { readonly onClose: () => void; readonly onEntered: (id: string) => void }) {
  const [kind, setKind] = useState<SubjectRequest['kind']>('access')
  const [reference, setReference] = useState('')
  const [received, setReceived] = useState(today)
  const enter = useAction('requests.open', ['requests.list'])
  return (
    <Modal opened onClose={onClose} title="Enter a request">
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          enter.mutate(
            { kind, reference, received },
            {
              onSuccess: ({ id }) => {
                onEntered(id)
                onClose()
              }
            }
          )
        }}
      >
        <Select
          label="Kind"
          allowDeselect={false}
          data={requestKinds.map((value) => ({ value, label: kindNames[value] }))}
          value={kind}
          onChange={(value) => setKind((value ?? 'access') as SubjectRequest['kind'])}
        />
        <TextInput
          label="Reference"
          description="The number of the case. The register does not name the person."
          value={reference}
          maxLength={120}
          onChange={(event) => setReference(event.currentTarget.value)}
        />
        <TextInput
          label="Received"
          description="Day of receipt, year-month-day: the clock starts here."
          value={received}
          maxLength={10}
          onChange={(event) => setReceived(event.currentTarget.value)}
        />
        {enter.isError && <Note is="broken">{messageOf(enter.error)}</Note>}
        <div className="row gap-8">
          <Button type="submit" loading={enter.isPending} disabled={reference.trim() === '' || !/^\d{4}-\d{2}-\d{2}$/.test(received)}>
            Enter
          </Button>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </Modal>
  )
}
