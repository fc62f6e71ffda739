// SPDX-License-Identifier: Apache-2.0
import { Button, Checkbox, Modal, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { Client } from '../../../shared/contract/clients.ts'
import { clientScopes } from '../../../shared/evidence/leaf-data.ts'
import { sentenceOf, useAction, useOperation } from '../../client/hooks.ts'
import { useMay } from '../../client/session.tsx'
import { DialogButtons } from '../../ui/dialog-buttons.tsx'
import { counted, moment } from '../../ui/format.ts'
import { CodeLine, Note, Panel, State } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Failed, Loading } from '../../ui/states.tsx'
import { Who } from '../../ui/who.tsx'

type Scope = (typeof clientScopes)[number]
const scopeWords: Readonly<Record<Scope, string>> = { ingest: 'send records', read: 'search and read', write: 'answer alerts' }

/** Programs that identify themselves: their tokens, what they may do, and what came from them. */
export function Clients() {
  const query = useOperation('clients.list', {}, { refetchMs: 5_000 })
  const [revoking, setRevoking] = useState<Client | null>(null)
  if (query.isError)
    return (
      <Panel title="Clients">
        <Failed what="The clients cannot be read" error={query.error} onRetry={() => void query.refetch()} />
      </Panel>
    )
  if (!query.data)
    return (
      <Panel title="Clients">
        <Loading what="Reading clients" />
      </Panel>
    )
  const { clients } = query.data
  return (
    <Panel title="Clients" sub="programs that identify themselves by a token">
      <div className="column gap-12">
        {clients.length === 0 ? (
          <p className="soft">
            No client has a token. Programs on this machine need none; a server that other machines reach takes only requests with one.
          </p>
        ) : (
          <ul className="plain-list spaced">
            {clients.map((one) => (
              <li key={one.id} className="row gap-12">
                <div className="grow">
                  <div className="row">
                    <code className="clip">{one.name}</code>
                    {one.revoked === null ? (
                      <span className="dim small">may {one.scopes.map((scope) => scopeWords[scope]).join(', ')}</span>
                    ) : (
                      <State is="none">revoked {moment(one.revoked)}</State>
                    )}
                  </div>
                  <span className="dim small">
                    added {moment(one.added)} by <Who actor={one.actor} /> · {counted(one.used.requests, 'request')} and{' '}
                    {counted(one.used.records, 'record')}
                    {one.used.unread > 0 && `, ${counted(one.used.unread, 'call')} passed unrecorded,`} since the engine started
                    {one.used.last === null ? '' : ` · last ${moment(one.used.last)}`}
                  </span>
                </div>
                {one.revoked === null && (
                  <PermittedButton permission="keys" size="compact-xs" variant="default" onClick={() => setRevoking(one)}>
                    Revoke…
                  </PermittedButton>
                )}
              </li>
            ))}
          </ul>
        )}
        <AddClient />
      </div>
      {revoking && <Revoke client={revoking} onClose={() => setRevoking(null)} />}
    </Panel>
  )
}

function AddClient() {
  const add = useAction('clients.add', ['clients.list'])
  const { may, why } = useMay('keys')
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState<readonly Scope[]>(['ingest'])
  return (
    <form
      className="column gap-8"
      onSubmit={(event) => {
        event.preventDefault()
        add.mutate({ name: name.trim(), scopes: [...scopes] }, { onSuccess: () => setName('') })
      }}
    >
      <div className="row gap-12" style={{ alignItems: 'flex-end' }}>
        <TextInput
          className="grow"
          label="New client"
          description="Its name is the source of records that name none: letters, digits and . _ : / -"
          placeholder="web-app"
          value={name}
          maxLength={64}
          onChange={(event) => setName(event.currentTarget.value)}
          spellCheck={false}
        />
        <Button
          type="submit"
          variant="default"
          loading={add.isPending}
          disabled={!may || name.trim() === '' || scopes.length === 0}
          title={may ? undefined : why}
        >
          Make a token
        </Button>
      </div>
      <fieldset className="row gap-16 bare">
        <legend className="hidden-text">What the client may do</legend>
        {clientScopes.map((scope) => (
          <Checkbox
            key={scope}
            size="xs"
            label={scopeWords[scope]}
            checked={scopes.includes(scope)}
            onChange={(event) => {
              const on = event.currentTarget.checked
              setScopes((now) => clientScopes.filter((one) => (one === scope ? on : now.includes(one))))
            }}
          />
        ))}
      </fieldset>
      {add.data && (
        <Note is="attention">
          <div className="column gap-8">
            <span>
              Token of <code>{add.data.client.name}</code>, shown this once: only its digest is kept.
            </span>
            <CodeLine text={add.data.token} label="Copy the token" />
            <span>
              Sent as <span className="mono">Authorization: Bearer …</span>; with calls that are passed on as{' '}
              <span className="mono">x-affidavit-token: …</span>, since their <span className="mono">Authorization</span> is for the model
              server
            </span>
          </div>
        </Note>
      )}
      {add.error && <Note is="broken">{sentenceOf(add.error)}</Note>}
    </form>
  )
}

function Revoke({ client, onClose }: { readonly client: Client; readonly onClose: () => void }) {
  const revoke = useAction('clients.revoke', ['clients.list'])
  return (
    <Modal opened onClose={onClose} title={`Revoke the token of ${client.name}`}>
      <div className="column gap-12">
        <p>Requests with it are refused from the next one on. This cannot be undone: the client then needs a new token.</p>
        {revoke.error && <Note is="broken">{sentenceOf(revoke.error)}</Note>}
        <DialogButtons onCancel={onClose} cancel="Keep it">
          <Button loading={revoke.isPending} onClick={() => revoke.mutate({ id: client.id }, { onSuccess: onClose })}>
            Revoke
          </Button>
        </DialogButtons>
      </div>
    </Modal>
  )
}
