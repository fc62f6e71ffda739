// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core'
import type { ReactNode } from 'react'

interface DialogButtonsProps {
  readonly onCancel: () => void
  /** What the way out says. */
  readonly cancel?: string
  /** What cannot be undone begins with the focus on the way out. */
  readonly final?: true
  /** What stands before them. */
  readonly beside?: ReactNode
  /** The button of what the dialog is for. */
  readonly children: ReactNode
}

/** The foot of every dialog: at its right end the way out, then what it is for. */
export const DialogButtons = ({ onCancel, cancel = 'Cancel', final, beside, children }: DialogButtonsProps) => (
  <div className="row gap-8">
    <span className="grow">{beside}</span>
    <Button variant="default" data-autofocus={final} onClick={onCancel}>
      {cancel}
    </Button>
    {children}
  </div>
)
