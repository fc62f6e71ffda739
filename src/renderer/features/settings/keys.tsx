// SPDX-License-Identifier: Apache-2.0
import { useOperation } from '../../client/hooks.ts'
import { fingerprint, moment } from '../../ui/format.ts'
import { Facts, Hash, Note, Panel } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'

export function Keys() {
  const keys = useOperation('keys.report', {})
  if (keys.isError) {
    return (
      <Panel title="Keys">
        <Failed what="The keys cannot be listed" error={keys.error} />
      </Panel>
    )
  }
  if (!keys.data) {
    return (
      <Panel title="Keys">
        <Loading what="Reading keys" />
      </Panel>
    )
  }
  const names = { log: 'Log key', export: 'Export key', 'key-encryption': 'Key-encryption key', witness: 'Witness key' } as const
  return (
    <Panel title="Keys" sub={keys.data.origin}>
      <div className="column gap-12">
        <Note is={keys.data.protection === 'key-file' ? 'attention' : 'holds'}>
          <b>{keys.data.message.charAt(0).toUpperCase() + keys.data.message.slice(1)}.</b>{' '}
          {keys.data.protection === 'key-file' &&
            'Whoever can read the files of this account can read them. A key store of the operating system, or a passphrase file for servers, protects them better.'}
        </Note>
        {keys.data.keys.map((key) => (
          <Facts
            key={key.use}
            width={132}
            rows={[
              [
                names[key.use],
                <span key="i" className="mono">
                  {key.fingerprint === null ? key.id : fingerprint(key.fingerprint)}
                </span>
              ],
              ...(key.fingerprint === null
                ? []
                : [
                    [
                      'Fingerprint, SHA-256',
                      <Hash key="f" value={key.fingerprint} label={`${names[key.use]} fingerprint`} head={20} tail={12} />
                    ] as const
                  ]),
              ...(key.public_key === null
                ? []
                : [
                    [
                      'Public key',
                      <Hash key="p" value={key.public_key} label={`${names[key.use]} public key`} head={20} tail={12} />
                    ] as const
                  ]),
              ['In use since', moment(key.added)]
            ]}
          />
        ))}
        <p className="dim small">Compare fingerprints by phone or on paper. A bundle’s own copy of the keys proves nothing by itself.</p>
      </div>
    </Panel>
  )
}
