// SPDX-License-Identifier: Apache-2.0
import { Button, Modal, Textarea } from '@mantine/core'
import { useState } from 'react'
import type { WorkspaceStatus } from '../../shared/contract/workspace.ts'
import { shell } from '../client/bridge.ts'
import { sentenceOf, useAction } from '../client/hooks.ts'
import { DialogButtons } from '../ui/dialog-buttons.tsx'
import { count } from '../ui/format.ts'
import { Mark, Note } from '../ui/parts.tsx'
import { PermittedButton } from '../ui/permitted-button.tsx'

type Problem = NonNullable<WorkspaceStatus['problem']>

/** Leaves that a signed checkpoint fits, and those after it. */
function trustOf({ trusted_size }: Problem, size: number): string {
  if (trusted_size === null || trusted_size === 0) return 'No signed checkpoint vouches for what is here.'
  const rest = size - trusted_size
  const after = rest > 0 ? ` Leaves after that, ${count(rest)}, are not signed.` : ''
  return `Leaves 0 to ${count(trusted_size - 1)} fit a signed checkpoint and stay provable.${after}`
}

/** Why the workspace is read-only, and the way on from it where there is one. */
export function ReadOnlyBanner({ status, problem }: { readonly status: WorkspaceStatus; readonly problem: Problem }) {
  const [asking, setAsking] = useState(false)
  const [first] = problem.findings
  return (
    <div className="banner banner-broken" role="alert">
      <Mark is="broken" size={15} />
      <div className="grow">
        <b>Open read-only: {problem.code.replaceAll('_', ' ')}.</b>{' '}
        {problem.can_continue && first ? `${first.message} ${trustOf(problem, status.ledger.size)}` : problem.message} Nothing is recorded
        now; reads are answered without a record.
      </div>
      {problem.can_continue && (
        <Button variant="default" size="compact-sm" onClick={() => setAsking(true)}>
          Continue…
        </Button>
      )}
      {asking && <GoOn status={status} problem={problem} onClose={() => setAsking(false)} />}
    </div>
  )
}

/** Asks for the reason why work goes on from a workspace as it was found, and says what that means. */
function GoOn({ status, problem, onClose }: { readonly status: WorkspaceStatus; readonly problem: Problem; readonly onClose: () => void }) {
  const [reason, setReason] = useState('')
  const [restarting, setRestarting] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const choose = useAction('workspace.continue')
  const restart = () => {
    setRestarting(true)
    shell('shell.restartEngine', {}).then(onClose, (error: unknown) => {
      setRestarting(false)
      setFailed(error)
    })
  }
  const error = choose.error ?? failed
  return (
    <Modal
      opened
      onClose={onClose}
      title="Continue from what is here"
      size="lg"
      closeButtonProps={{ 'aria-label': 'Close' }}
      transitionProps={{ duration: 0 }}
    >
      <div className="column gap-12">
        <section aria-label="Found" className="column gap-4">
          <b>Found</b>
          <ul className="found-list">
            {problem.findings.map((one) => (
              <li key={one.message}>{one.message}</li>
            ))}
          </ul>
        </section>
        <section aria-label="What it means" className="column gap-4">
          <b>What it means</b>
          <ul className="found-list">
            <li>
              What is missing stays missing: recording goes on after leaf {count(Math.max(0, status.ledger.size - 1))}. If a backup or an
              untouched copy of the folder exists, close the app and restore that instead.
            </li>
            <li>{trustOf(problem, status.ledger.size)}</li>
            <li>
              Checkpoints, anchors and bundles made from the missing leaves no longer fit this log, and show to anyone who holds one that it
              was cut.
            </li>
            <li>
              The first new leaf is <code>rollback.detected</code>: this problem, both sizes, who continued, the findings and the reason
              below. It cannot be taken back.
            </li>
          </ul>
        </section>
        <Textarea
          label="Reason"
          placeholder="What happened to the folder, who decided, where the copy is kept"
          value={reason}
          maxLength={1000}
          minRows={2}
          autosize
          data-autofocus
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        {error !== null && <Note is="broken">{sentenceOf(error)}</Note>}
        <DialogButtons onCancel={onClose} cancel="Stay read-only">
          <PermittedButton
            permission="maintain"
            disabled={reason.trim().length < 3}
            loading={choose.isPending || restarting}
            onClick={() => choose.mutate({ code: problem.code, reason: reason.trim() }, { onSuccess: restart })}
          >
            Record and continue
          </PermittedButton>
        </DialogButtons>
      </div>
    </Modal>
  )
}
