// SPDX-License-Identifier: Apache-2.0
import { Button, Modal, Textarea } from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { sentenceOf } from '../client/hooks.ts'
import { DialogButtons } from './dialog-buttons.tsx'
import { Note } from './parts.tsx'

interface ReasonDialogProps {
  readonly title: string
  /** What the act leads to. */
  readonly children?: ReactNode
  /** What is asked for, and a hint. `Reason` when not given. */
  readonly label?: string
  readonly description?: string
  /** Fewest characters that say something. */
  readonly least?: number
  /** Most characters. */
  readonly most?: number
  /** What the button says. */
  readonly submit: string
  readonly act: { readonly isPending: boolean; readonly isError: boolean; readonly error: unknown }
  readonly onSubmit: (reason: string) => void
  readonly onClose: () => void
}

/** Asks for the reason of an act, which goes on record with it. */
export function ReasonDialog({ label = 'Reason', least = 1, most = 2000, ...props }: ReasonDialogProps) {
  const { title, children, description, submit, act, onSubmit, onClose } = props
  const [reason, setReason] = useState('')
  return (
    <Modal opened onClose={onClose} title={title}>
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          onSubmit(reason)
        }}
      >
        {children}
        <Textarea
          label={label}
          description={description}
          value={reason}
          maxLength={most}
          autosize
          minRows={2}
          data-autofocus
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {act.isError && <Note is="broken">{sentenceOf(act.error)}</Note>}
        <DialogButtons onCancel={onClose}>
          <Button type="submit" loading={act.isPending} disabled={reason.trim().length < least}>
            {submit}
          </Button>
        </DialogButtons>
      </form>
    </Modal>
  )
}
