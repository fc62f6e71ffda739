// SPDX-License-Identifier: Apache-2.0
// Pick or drop → preview with units and zone → progress with cancel → report with the rejected lines.
import { Button, Modal } from '@mantine/core'
import { type DragEvent, useEffect, useState } from 'react'
import { pathOf, shell } from '../../client/bridge.ts'
import { useJob } from '../../client/hooks.ts'
import { Preview } from './import-preview.tsx'
import { Running } from './import-running.tsx'

interface ImportDialogProps {
  readonly opened: boolean
  /** A file dropped on the screen behind. */
  readonly file: string | null
  readonly onClose: () => void
}

export function ImportDialog({ opened, file, onClose }: ImportDialogProps) {
  const [path, setPath] = useState<string | null>(null)
  const [jobId, setJobId] = useState<string | null>(null)
  useEffect(() => {
    if (opened) setPath(file)
    else {
      setPath(null)
      setJobId(null)
    }
  }, [opened, file])
  const job = useJob(jobId)
  const running = job?.state === 'running'
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Import a file"
      size={960}
      closeOnClickOutside={!running}
      closeOnEscape={!running}
      closeButtonProps={{ 'aria-label': 'Close' }}
      transitionProps={{ duration: 0 }}
    >
      {jobId !== null ? (
        <Running jobId={jobId} onClose={onClose} />
      ) : path === null ? (
        <Choose onPath={setPath} />
      ) : (
        <Preview path={path} onOther={() => setPath(null)} onStarted={setJobId} />
      )}
    </Modal>
  )
}

function Choose({ onPath }: { readonly onPath: (path: string) => void }) {
  const pick = async () => {
    const { paths } = await shell('shell.pickFile', {
      title: 'Import a file',
      filters: [
        { name: 'CSV, JSON or Parquet', extensions: ['csv', 'tsv', 'jsonl', 'ndjson', 'json', 'parquet'] },
        { name: 'All files', extensions: ['*'] }
      ]
    })
    if (paths[0] !== undefined) onPath(paths[0])
  }
  const onDrop = (event: DragEvent) => {
    event.preventDefault()
    const dropped = event.dataTransfer.files[0]
    const path = dropped ? pathOf(dropped) : ''
    if (path !== '') onPath(path)
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is a second way to what the button does.
    <div className="drop-zone" onDragOver={(event) => event.preventDefault()} onDrop={onDrop}>
      <p>Drop a file here, or</p>
      <Button onClick={() => void pick()}>Choose a file…</Button>
      <p className="dim small">
        CSV, JSON lines, JSON or Parquet: exports of Langfuse, Phoenix, LiteLLM, Helicone, OpenAI batches, promptfoo and OpenTelemetry are
        known by their content; of any other file you say what each column means. Nothing is stored before the preview is confirmed.
      </p>
    </div>
  )
}
