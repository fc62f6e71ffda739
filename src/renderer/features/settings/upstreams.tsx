// SPDX-License-Identifier: Apache-2.0
import { Button, Modal, NumberInput, SegmentedControl, Select, TextInput } from '@mantine/core'
import { useState } from 'react'
import { type Upstream, type UpstreamState, upstreamKinds, upstreamModes } from '../../../shared/contract/proxy.ts'
import { sentenceOf, useAction, useOperation } from '../../client/hooks.ts'
import { DialogButtons } from '../../ui/dialog-buttons.tsx'
import { count } from '../../ui/format.ts'
import { Note, Panel, State } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Failed, Loading } from '../../ui/states.tsx'

const kindWords: Readonly<Record<Upstream['kind'], string>> = { ollama: 'Ollama', openai: 'OpenAI and compatible', anthropic: 'Anthropic' }
const modeWords: Readonly<Record<Upstream['mode'], string>> = { 'fail-open': 'pass calls on', 'fail-closed': 'refuse calls' }
const fresh: Upstream = { name: '', url: 'http://127.0.0.1:11434', kind: 'ollama', mode: 'fail-open', port: null, source: null }

/** Model servers whose calls are recorded on their way. */
export function Upstreams() {
  const query = useOperation('upstreams.list', {}, { refetchMs: 5_000 })
  const [editing, setEditing] = useState<{ readonly upstream: Upstream; readonly isNew: boolean } | null>(null)
  const [removing, setRemoving] = useState<UpstreamState | null>(null)
  const test = useAction('upstreams.test')
  if (query.isError)
    return (
      <Panel title="Upstreams">
        <Failed what="The upstreams cannot be read" error={query.error} onRetry={() => void query.refetch()} />
      </Panel>
    )
  if (!query.data)
    return (
      <Panel title="Upstreams">
        <Loading what="Reading upstreams" />
      </Panel>
    )
  const { upstreams } = query.data
  return (
    <Panel
      title="Upstreams"
      sub="model servers whose calls are recorded on their way"
      right={
        <PermittedButton
          permission="settings"
          size="compact-xs"
          variant="default"
          onClick={() => setEditing({ upstream: fresh, isNew: true })}
        >
          Add…
        </PermittedButton>
      }
    >
      <div className="column gap-12">
        {upstreams.length === 0 && (
          <p className="soft">None yet. Calls are passed on byte for byte, and recorded from the moment they arrive.</p>
        )}
        <ul className="plain-list spaced">
          {upstreams.map((one) => (
            <li key={one.name} className="row gap-12">
              <div className="grow">
                <div className="row">
                  <code>{one.name}</code>
                  <span className="dim small clip">
                    {kindWords[one.kind]} at {one.url}
                  </span>
                </div>
                <span className="dim small">
                  {one.path_url ?? 'the compliance port is closed'}
                  {one.own?.state === 'listening' && ` · ${one.own.url}`} · {count(one.calls.recorded)} recorded,{' '}
                  {count(one.calls.in_flight)} under way{one.calls.lost > 0 && `, ${count(one.calls.lost)} lost`}
                  {one.calls.unread > 0 && `, ${count(one.calls.unread)} passed unrecorded`} · when nothing can be recorded:{' '}
                  {modeWords[one.mode]}
                </span>
                {one.own?.state === 'failed' && <Note is="attention">{one.own.message}</Note>}
                {test.variables?.name === one.name && test.data && (
                  <div className="small">
                    {test.data.ok ? (
                      <State is="holds">
                        answered {test.data.status} in {Math.round(test.data.took_ms)} ms
                      </State>
                    ) : (
                      <State is="attention">{test.data.problem}</State>
                    )}
                  </div>
                )}
              </div>
              <PermittedButton
                permission="settings"
                size="compact-xs"
                variant="default"
                loading={test.isPending && test.variables?.name === one.name}
                onClick={() => test.mutate({ name: one.name })}
              >
                Test
              </PermittedButton>
              <PermittedButton
                permission="settings"
                size="compact-xs"
                variant="default"
                onClick={() => setEditing({ upstream: one, isNew: false })}
              >
                Change…
              </PermittedButton>
              <PermittedButton permission="settings" size="compact-xs" variant="default" onClick={() => setRemoving(one)}>
                Remove…
              </PermittedButton>
            </li>
          ))}
        </ul>
        {test.error && <Note is="broken">{sentenceOf(test.error)}</Note>}
      </div>
      {editing && <Edit {...editing} onClose={() => setEditing(null)} />}
      {removing && <Remove upstream={removing} onClose={() => setRemoving(null)} />}
    </Panel>
  )
}

function Edit({ upstream, isNew, onClose }: { readonly upstream: Upstream; readonly isNew: boolean; readonly onClose: () => void }) {
  const set = useAction('upstreams.set', ['upstreams.list'])
  const [now, setNow] = useState<Upstream>(() => {
    const { name, url, kind, mode, port, source } = upstream
    return { name, url, kind, mode, port, source }
  })
  const change = (part: Partial<Upstream>): void => setNow((before) => ({ ...before, ...part }))
  return (
    <Modal opened onClose={onClose} title={isNew ? 'Add an upstream' : `Change ${upstream.name}`}>
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          set.mutate({ ...now, url: now.url.trim() }, { onSuccess: onClose })
        }}
      >
        <TextInput
          label="Name"
          description="Clients are pointed at /proxy/NAME: small letters, digits and -"
          value={now.name}
          maxLength={32}
          disabled={!isNew}
          data-autofocus={isNew || undefined}
          onChange={(event) => change({ name: event.currentTarget.value })}
          spellCheck={false}
        />
        <Select
          label="Calls are read as"
          data={upstreamKinds.map((value) => ({ value, label: kindWords[value] }))}
          value={now.kind}
          allowDeselect={false}
          onChange={(value) => change({ kind: upstreamKinds.find((kind) => kind === value) ?? now.kind })}
        />
        <TextInput
          label="Address"
          description="http or https; a path in it comes before that of the call"
          value={now.url}
          maxLength={160}
          onChange={(event) => change({ url: event.currentTarget.value })}
          spellCheck={false}
        />
        <NumberInput
          label="Port of its own"
          description="For clients that take a host and nothing more; empty for none"
          value={now.port ?? ''}
          min={1}
          max={65_535}
          allowDecimal={false}
          onChange={(value) => change({ port: typeof value === 'number' ? value : null })}
        />
        <TextInput
          label="Source"
          description="The calling application where a call names none in x-affidavit-source"
          value={now.source ?? ''}
          maxLength={64}
          onChange={(event) => change({ source: event.currentTarget.value === '' ? null : event.currentTarget.value })}
          spellCheck={false}
        />
        <div>
          <span className="field-label">When nothing can be recorded</span>
          <SegmentedControl
            size="xs"
            fullWidth
            aria-label="When nothing can be recorded"
            value={now.mode}
            data={upstreamModes.map((value) => ({ value, label: modeWords[value] }))}
            onChange={(value) => change({ mode: upstreamModes.find((mode) => mode === value) ?? now.mode })}
          />
          <p className="dim small">
            {now.mode === 'fail-open'
              ? 'Calls go on; what could not be recorded is counted in the ledger.'
              : 'Each call is on disk before it is passed on; without that it is answered 503.'}
          </p>
        </div>
        {set.error && <Note is="broken">{sentenceOf(set.error)}</Note>}
        <DialogButtons onCancel={onClose}>
          <Button type="submit" loading={set.isPending} disabled={now.name === '' || now.url.trim() === ''}>
            {isNew ? 'Add' : 'Change'}
          </Button>
        </DialogButtons>
      </form>
    </Modal>
  )
}

function Remove({ upstream, onClose }: { readonly upstream: UpstreamState; readonly onClose: () => void }) {
  const remove = useAction('upstreams.remove', ['upstreams.list'])
  return (
    <Modal opened onClose={onClose} title={`Remove ${upstream.name}`}>
      <div className="column gap-12">
        <p>
          Clients that are pointed at it get an error from the next call on. Calls under way are finished and recorded; what is on record
          stays.
        </p>
        {remove.error && <Note is="broken">{sentenceOf(remove.error)}</Note>}
        <DialogButtons onCancel={onClose} cancel="Keep it" final>
          <Button loading={remove.isPending} onClick={() => remove.mutate({ name: upstream.name }, { onSuccess: onClose })}>
            Remove
          </Button>
        </DialogButtons>
      </div>
    </Modal>
  )
}
