// SPDX-License-Identifier: Apache-2.0
import { Button, NumberInput, TextInput } from '@mantine/core'
import { useState } from 'react'
import { shell } from '../../client/bridge.ts'
import { sentenceOf, useAction, useOperation } from '../../client/hooks.ts'
import { ageOf, count, counted, moment } from '../../ui/format.ts'
import { Facts, Hash, Note, Panel, State } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'

const kinds = { rfc3161: 'Timestamp', witness: 'Witness' } as const

/** What stands outside this machine for the log: timestamps, cosignatures, a page to print. */
export function Anchors() {
  const list = useOperation('anchors.list', {}, { refetchMs: 5_000 })
  const now = useAction('anchors.now', ['anchors.list'])
  const page = useAction('anchors.page')
  if (list.isError) {
    return (
      <Panel title="Anchors">
        <Failed what="The anchors cannot be listed" error={list.error} />
      </Panel>
    )
  }
  if (!list.data) {
    return (
      <Panel title="Anchors">
        <Loading what="Reading anchors" />
      </Panel>
    )
  }
  const { anchors, anchoring, authority } = list.data
  const print = async () => {
    const { html, footer, size } = await page.mutateAsync({})
    await shell('shell.savePdf', { html, footer, suggested_name: `checkpoint-${size}.pdf` })
  }
  const failed = now.error ?? page.error
  return (
    <>
      <Panel
        title="Anchors outside this machine"
        right={
          <span className="row">
            <Button variant="default" size="compact-sm" loading={page.isPending} onClick={() => void print().catch(() => {})}>
              Print the checkpoint…
            </Button>
            <Button size="compact-sm" disabled={anchoring.state === 'off'} loading={now.isPending} onClick={() => now.mutate({})}>
              Anchor now
            </Button>
          </span>
        }
      >
        <div className="column gap-12">
          {anchoring.state === 'off' && (
            <Note is="plain">
              Nobody outside is asked yet. Whoever holds the log key could sign another history; only something outside turns signed into
              evident.
            </Note>
          )}
          {anchoring.waiting_since !== null && (
            <Note is="attention">
              <b>Waiting since {moment(anchoring.waiting_since)}.</b> {anchoring.message}
              {anchoring.next !== null && ` Next attempt ${moment(anchoring.next)}.`}
            </Note>
          )}
          {failed && <Note is="broken">{sentenceOf(failed)}</Note>}
          {anchors.length === 0 ? (
            <p className="soft">No anchor yet.</p>
          ) : (
            anchors.slice(0, 20).map((anchor) => (
              <Facts
                key={anchor.seq}
                width={148}
                rows={[
                  [
                    kinds[anchor.kind],
                    <State key="s" is="holds">
                      up to leaf {count(anchor.size - 1)}, {ageOf(Date.now() - Date.parse(anchor.time))} old
                    </State>
                  ],
                  ['Said', moment(anchor.time)],
                  ['By', `${anchor.name || 'no name'}, ${anchor.url}`],
                  ['Certificate or key', <Hash key="h" value={anchor.authority} label="authority fingerprint" head={20} tail={12} />],
                  ['On record', `leaf ${count(anchor.seq)}`]
                ]}
              />
            ))
          )}
        </div>
      </Panel>
      <Authority key={`${authority.url} ${authority.every_minutes}`} authority={authority} />
      <Witnesses />
    </>
  )
}

interface AuthorityProps {
  readonly authority: {
    readonly url: string
    readonly every_minutes: number
    readonly certificates: readonly { readonly name: string; readonly fingerprint: string; readonly not_after: string }[]
  }
}

function Authority({ authority }: AuthorityProps) {
  const [url, setUrl] = useState(authority.url)
  const [every, setEvery] = useState(authority.every_minutes)
  const save = useAction('settings.set', ['settings.get', 'anchors.list'])
  const trust = useAction('anchors.trust_authority', ['anchors.list'])
  const pick = async () => {
    const { paths } = await shell('shell.pickFile', {
      title: 'Certificate of the authority',
      filters: [{ name: 'PEM', extensions: ['pem', 'crt', 'cer'] }]
    })
    if (paths[0] !== undefined) trust.mutate({ path: paths[0] })
  }
  const failed = save.error ?? trust.error
  return (
    <Panel title="Timestamp authority" sub="RFC 3161; each change is a leaf">
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          save.mutate({ tsa_url: url.trim(), tsa_every_minutes: every })
        }}
      >
        <div className="settings-grid">
          <TextInput label="Address" placeholder="https://" value={url} onChange={(event) => setUrl(event.currentTarget.value)} />
          <NumberInput
            label="At most every, minutes"
            description="While there are new leaves; 0 is only when told to and at exports"
            value={every}
            min={0}
            max={10_080}
            onChange={(value) => typeof value === 'number' && setEvery(value)}
          />
        </div>
        {authority.certificates.length === 0 ? (
          <Note is="plain">No certificate is trusted yet: import the root of the authority as a PEM file.</Note>
        ) : (
          authority.certificates.map((one) => (
            <Facts
              key={one.fingerprint}
              width={148}
              rows={[
                ['Trusted certificate', one.name || 'no name'],
                ['Fingerprint, SHA-256', <Hash key="f" value={one.fingerprint} label="certificate fingerprint" head={20} tail={12} />],
                ['Ends', moment(one.not_after)]
              ]}
            />
          ))
        )}
        {failed && <Note is="broken">{sentenceOf(failed)}</Note>}
        <div className="row">
          <Button variant="default" onClick={() => void pick()} loading={trust.isPending}>
            Import certificate…
          </Button>
          <span className="grow" />
          <Button type="submit" disabled={url.trim() === authority.url && every === authority.every_minutes} loading={save.isPending}>
            Save
          </Button>
        </div>
      </form>
    </Panel>
  )
}

function Witnesses() {
  const report = useOperation('witness.report', {})
  const configure = useAction('witness.configure', ['witness.report', 'anchors.list'])
  const [url, setUrl] = useState('')
  const [vkey, setVkey] = useState('')
  const [log, setLog] = useState('')
  if (!report.data) return null
  const { serve, key, logs, peers } = report.data
  return (
    <Panel title="Witnesses" sub="C2SP tlog-witness">
      <div className="column gap-12">
        <Facts
          width={148}
          rows={[
            ...peers.map((peer) => ['Asked', `${peer.name}, ${peer.url}`] as const),
            ['This workspace', serve ? 'answers as a witness at /witness/add-checkpoint' : 'is no witness'],
            ...(key === null
              ? []
              : [['Its witness key', <Hash key="k" value={key.vkey} label="witness key" head={28} tail={12} />] as const]),
            ...logs.map(
              (one) =>
                [
                  'Witnesses',
                  `${one.origin}, ${one.size === null ? 'nothing seen yet' : counted(one.size, 'leaf', 'leaves')}${one.refused === null ? '' : `; refused ${one.refused}`}`
                ] as const
            )
          ]}
        />
        <div className="settings-grid">
          <TextInput label="Witness to ask: address" value={url} onChange={(event) => setUrl(event.currentTarget.value)} />
          <TextInput label="Its verifier key" value={vkey} onChange={(event) => setVkey(event.currentTarget.value)} />
          <TextInput label="Log to witness: verifier key" value={log} onChange={(event) => setLog(event.currentTarget.value)} />
        </div>
        {configure.isError && <Note is="broken">{sentenceOf(configure.error)}</Note>}
        <div className="row">
          <Button
            variant="default"
            disabled={url === '' || vkey === ''}
            onClick={() => configure.mutate({ peers: [...peers.map(({ url, vkey }) => ({ url, vkey })), { url, vkey }] })}
          >
            Add the witness
          </Button>
          <Button
            variant="default"
            disabled={log === ''}
            onClick={() => configure.mutate({ serve: true, logs: [...logs.map((one) => one.vkey), log] })}
          >
            Witness this log
          </Button>
          {serve && (
            <Button variant="default" onClick={() => configure.mutate({ serve: false })}>
              Stop witnessing
            </Button>
          )}
        </div>
      </div>
    </Panel>
  )
}
