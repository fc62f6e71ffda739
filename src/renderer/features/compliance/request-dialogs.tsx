// SPDX-License-Identifier: Apache-2.0
import { Button, Modal, Select, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { SubjectRequest } from '../../../shared/contract/requests.ts'
import { requestKinds } from '../../../shared/evidence/leaf-data.ts'
import { sentenceOf, useAction } from '../../client/hooks.ts'
import { DialogButtons } from '../../ui/dialog-buttons.tsx'
import { isDay } from '../../ui/format.ts'
import { Note } from '../../ui/parts.tsx'
import { ReasonDialog } from '../../ui/reason-dialog.tsx'

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
  const [outcome, setOutcome] = useState<'done' | 'refused' | 'withdrawn'>('done')
  const extend = useAction('requests.extend', ['requests.list'])
  const close = useAction('requests.close', ['requests.list'])
  if (what === 'extend')
    return (
      <ReasonDialog
        title="Extend by two months"
        description="The subject is told of the extension and its reason within the first month."
        least={3}
        submit="Extend"
        act={extend}
        onSubmit={(reason) => extend.mutate({ id: request.id, reason }, { onSuccess: onClose })}
        onClose={onClose}
      />
    )
  return (
    <ReasonDialog
      title="Close the request"
      label="Note"
      description="What was answered, or why not."
      least={3}
      submit="Close the request"
      act={close}
      onSubmit={(note) => close.mutate({ id: request.id, outcome, note }, { onSuccess: onClose })}
      onClose={onClose}
    >
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
    </ReasonDialog>
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
          error={received.length === 10 && !isDay(received) ? 'No day of the calendar' : null}
          onChange={(event) => setReceived(event.currentTarget.value)}
        />
        {enter.isError && <Note is="broken">{sentenceOf(enter.error)}</Note>}
        <DialogButtons onCancel={onClose}>
          <Button type="submit" loading={enter.isPending} disabled={reference.trim() === '' || !isDay(received)}>
            Enter
          </Button>
        </DialogButtons>
      </form>
    </Modal>
  )
}
