// SPDX-License-Identifier: Apache-2.0
import { Button, TextInput } from '@mantine/core'
import { useState } from 'react'
import { sentenceOf, useAction, useOperation } from '../../client/hooks.ts'
import { Note, Panel, State } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'
import { deliveryState, deliveryWords } from './webhook-words.ts'

/** Where alerts are posted to, and how the deliveries go. */
export function Webhooks() {
  const query = useOperation('webhooks.list', {}, { refetchMs: 5_000 })
  const add = useAction('webhooks.set', ['webhooks.list'])
  const remove = useAction('webhooks.remove', ['webhooks.list'])
  const test = useAction('webhooks.test', ['webhooks.list'])
  const [url, setUrl] = useState('')
  const error = add.error ?? remove.error ?? test.error
  if (query.isError)
    return (
      <Panel title="Webhooks">
        <Failed what="The webhooks cannot be read" error={query.error} onRetry={() => void query.refetch()} />
      </Panel>
    )
  if (!query.data)
    return (
      <Panel title="Webhooks">
        <Loading what="Reading webhooks" />
      </Panel>
    )
  return (
    <Panel title="Webhooks" sub="alerts as they open and change, signed">
      <div className="column gap-12">
        {query.data.webhooks.map((hook) => {
          const [is, word] = deliveryState(hook.delivery)
          return (
            <div key={hook.id} className="column gap-8">
              <div className="row">
                <code className="clip grow">{hook.url}</code>
                <State is={is}>{word}</State>
                <Button
                  size="compact-xs"
                  variant="default"
                  loading={test.isPending && test.variables?.id === hook.id}
                  onClick={() => test.mutate({ id: hook.id })}
                >
                  Test
                </Button>
                <Button size="compact-xs" variant="default" onClick={() => remove.mutate({ id: hook.id })}>
                  Remove
                </Button>
              </div>
              <p className="soft small">{deliveryWords(hook.delivery)}</p>
            </div>
          )
        })}
        <form
          className="row gap-12"
          style={{ alignItems: 'flex-end' }}
          onSubmit={(event) => {
            event.preventDefault()
            add.mutate({ url: url.trim() }, { onSuccess: () => setUrl('') })
          }}
        >
          <TextInput
            className="grow"
            label="Address"
            description="https, or http on this machine; redirects are not followed"
            placeholder="https://alerts.example/hook"
            value={url}
            onChange={(event) => setUrl(event.currentTarget.value)}
            spellCheck={false}
          />
          <Button type="submit" variant="default" disabled={url.trim() === ''} loading={add.isPending}>
            Add
          </Button>
        </form>
        {add.data?.secret && (
          <Note is="attention">
            Secret of this webhook, shown this once: <code>{add.data.secret}</code>
          </Note>
        )}
        {error && <Note is="broken">{sentenceOf(error)}</Note>}
        <p className="dim small">
          Each post carries <span className="mono">affidavit-signature: t=…,v1=…</span>, the HMAC-SHA256 of time and body under the secret.
          Names of series and figures are posted; notes, prompts and answers never are.
        </p>
      </div>
    </Panel>
  )
}
