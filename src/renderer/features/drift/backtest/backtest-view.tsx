// SPDX-License-Identifier: Apache-2.0
import './backtest.css'
import { Button, Progress } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { type BacktestSettings, backtestSettings } from '../../../../shared/contract/drift-backtest.ts'
import type { Job } from '../../../../shared/contract/workspace.ts'
import { codeOf, messageOf, useAction, useJob, useOperation } from '../../../client/hooks.ts'
import { count } from '../../../ui/format.ts'
import { Note } from '../../../ui/parts.tsx'
import { Empty, Failed, Loading } from '../../../ui/states.tsx'
import { type Period, rangeOf } from './period.ts'
import { Result } from './result.tsx'
import { changedSettings } from './settings-words.ts'
import { TryForm } from './try-form.tsx'

/** What would have alarmed under these settings. `run` is the job shown, part of the address. */
export function BacktestView({ run }: { readonly run?: string | undefined }) {
  const navigate = useNavigate()
  const saved = useOperation('settings.get', {})
  const series = useOperation('drift.series', {}, { keep: true })
  const jobs = useOperation('jobs.list', {}, { enabled: run === undefined })
  const start = useAction('drift.backtest')
  const cancel = useAction('jobs.cancel')
  const [edited, setEdited] = useState<Partial<BacktestSettings>>({})
  const [period, setPeriod] = useState<Period>({ kind: 'all', from: '', to: '' })
  // Coming back shows the run under way, or the last one that ended well.
  const latest = jobs.data?.jobs.find((job) => job.kind === 'backtest' && (job.state === 'running' || job.state === 'done'))?.id
  const shown = run ?? latest ?? null
  const job = useJob(shown)
  const known = useOperation('jobs.get', { id: shown ?? '' }, { enabled: shown !== null })
  const result = useOperation('drift.backtest_result', { job_id: shown ?? '' }, { enabled: job?.state === 'done' })
  const tried = result.data?.proposed?.settings
  // The form shows what the result is of, until something else is tried.
  useEffect(() => {
    if (!tried || !result.data) return
    const names = changedSettings(result.data.present.settings, tried)
    setEdited(Object.fromEntries(names.map((name) => [name, tried[name]])))
  }, [tried])
  if (saved.isError) return <Failed what="The settings cannot be read" error={saved.error} onRetry={() => void saved.refetch()} />
  if (!saved.data) return <Loading what="Reading settings" />
  const present = backtestSettings.parse(saved.data)
  const newest = series.data?.series
    .map((one) => one.last)
    .sort()
    .at(-1)
  const begin = () => {
    const range = rangeOf(period, newest)
    if (range === null) return
    const settings = Object.fromEntries(changedSettings(present, edited).map((name) => [name, edited[name]]))
    start.mutate(
      { ...range, settings },
      { onSuccess: ({ job_id }) => void navigate({ to: '/drift', search: { view: 'backtest', run: job_id }, replace: run !== undefined }) }
    )
  }
  return (
    <div className="backtest">
      <TryForm
        present={present}
        edited={edited}
        onEdit={setEdited}
        period={period}
        onPeriod={setPeriod}
        running={start.isPending || job?.state === 'running'}
        onTry={begin}
      />
      <div className="backtest-result">
        {start.isError && <Refused code={codeOf(start.error)} message={messageOf(start.error)} />}
        {shown === null ? (
          start.isError ? null : (
            <Empty title="Nothing was tested yet">
              <p>
                A back-test goes through the stored hours as the schedule would have, with the settings as they are and beside them with
                those to try.
              </p>
            </Empty>
          )
        ) : known.isError && !job ? (
          <Empty title="This back-test is not kept any more">
            <p>Results are kept while the engine runs. That it was tested stays on record.</p>
          </Empty>
        ) : job?.state === 'running' ? (
          <Running
            job={job}
            cancelling={cancel.variables?.id === job.id && !cancel.isError}
            onCancel={() => cancel.mutate({ id: job.id })}
          />
        ) : job?.state === 'cancelled' ? (
          <Empty title="Cancelled">
            <p>
              The test ended {job.total === null ? 'before its first look' : `after ${count(job.done)} of ${count(job.total)} looks`}.
              Nothing of it is on record, and no setting was changed.
            </p>
          </Empty>
        ) : job?.state === 'failed' ? (
          <Refused code={job.error?.code ?? 'internal'} message={job.error?.message ?? ''} />
        ) : result.isError ? (
          <Failed what="This back-test cannot be shown" error={result.error} onRetry={() => void result.refetch()} />
        ) : result.data ? (
          <Result key={shown} result={result.data} now={present} />
        ) : (
          <Loading what="Reading the back-test" />
        )}
      </div>
    </div>
  )
}

/** Too little to test on is a state like any other; the rest is a failure. */
function Refused({ code, message }: { readonly code: string; readonly message: string }) {
  if (code === 'nothing_selected') {
    return (
      <Empty title="Nothing to test on">
        <p>
          {message.charAt(0).toUpperCase()}
          {message.slice(1)}.
        </p>
      </Empty>
    )
  }
  return (
    <Note is="broken">
      <b>The back-test did not end.</b> {message}
    </Note>
  )
}

interface RunningProps {
  readonly job: Job
  readonly cancelling: boolean
  readonly onCancel: () => void
}

function Running({ job, cancelling, onCancel }: RunningProps) {
  const share = job.total ? (100 * job.done) / job.total : 0
  return (
    <div className="list-state" aria-busy="true">
      <h2>Going through the history</h2>
      <Progress value={share} size="sm" w="100%" aria-label="Back-test" />
      <div className="row" style={{ width: '100%' }}>
        <span className="soft num" role="status">
          {job.total === null ? 'Reading the stored hours' : `${count(job.done)} of ${count(job.total)} looks`}
        </span>
        <span className="grow" />
        <Button variant="default" size="compact-sm" autoFocus loading={cancelling} onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </div>
  )
}
