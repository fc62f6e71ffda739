// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core'
import { IconEye, IconLock } from '@tabler/icons-react'
import { useState } from 'react'
import type { RecordDetail } from '../../../shared/contract/record.ts'
import { count } from '../../ui/format.ts'
import { Note } from '../../ui/parts.tsx'
import { UnmaskDialog } from '../../ui/unmask-dialog.tsx'

interface MaskedNoteProps {
  readonly detail: RecordDetail
  /** The leaf that recorded the unmasking; null while the record is masked. */
  readonly unmasked: number | null
  readonly onUnmask: (detail: RecordDetail) => void
}

/** Says how much is masked, and offers to show it for a reason. */
export function MaskedNote({ detail, unmasked, onUnmask }: MaskedNoteProps) {
  const [asking, setAsking] = useState(false)
  if (unmasked !== null)
    return (
      <Note is="attention">
        Shown without masks until this pane is closed. The reason is on record in leaf <span className="num">{count(unmasked)}</span>.
      </Note>
    )
  const { total } = detail.masked
  if (total === 0) return null
  return (
    <>
      <div className="note note-plain masked-note">
        <IconLock size={15} aria-hidden />
        <div className="grow">
          {total === 1 ? '1 span of personal data is masked.' : `${count(total)} spans of personal data are masked.`} Showing them asks for
          a reason and leaves a <code>payload.unmasked</code> leaf.
        </div>
        <Button variant="default" size="compact-sm" leftSection={<IconEye size={14} aria-hidden />} onClick={() => setAsking(true)}>
          Unmask…
        </Button>
      </div>
      {asking && <UnmaskDialog seq={detail.row.seq} onClose={() => setAsking(false)} onUnmask={onUnmask} />}
    </>
  )
}
