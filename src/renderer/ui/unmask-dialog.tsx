// SPDX-License-Identifier: Apache-2.0
import type { RecordDetail } from '../../shared/contract/record.ts'
import { useAction } from '../client/hooks.ts'
import { count } from './format.ts'
import { ReasonDialog } from './reason-dialog.tsx'

interface UnmaskProps {
  readonly seq: number
  readonly onClose: () => void
  readonly onUnmask: (detail: RecordDetail) => void
}

/** Asks why a record is to be shown without masks, and gets it when that is on record. */
export function UnmaskDialog({ seq, onClose, onUnmask }: UnmaskProps) {
  const unmask = useAction('records.unmask')
  return (
    <ReasonDialog
      title={`Unmask leaf ${count(seq)}`}
      description="Name the case or complaint, not the person."
      least={3}
      most={500}
      submit="Unmask"
      act={unmask}
      onSubmit={(reason) =>
        unmask.mutate(
          { seq, reason },
          {
            onSuccess: (detail) => {
              onUnmask(detail)
              onClose()
            }
          }
        )
      }
      onClose={onClose}
    >
      <p>One record is shown without masks until its pane is closed. The reason is recorded before anything is shown.</p>
    </ReasonDialog>
  )
}
