// SPDX-License-Identifier: Apache-2.0
// An encrypted bundle asks for what opens it: its passphrase, or the identity that it was encrypted to.
import { Button, PasswordInput } from '@mantine/core'
import { useState } from 'react'
import type { BundleKey } from '../../../shared/contract/exports.ts'
import { shell } from '../../client/bridge.ts'
import { Note, Panel } from '../../ui/parts.tsx'

export type Lock = 'passphrase' | 'identity'

/** Asks, and hands over what was typed or the file that was chosen; nothing of it is kept here. */
export function LockedBundle({
  name,
  lock,
  problem,
  onKey
}: {
  readonly name: string
  readonly lock: Lock
  /** Why the last one did not open it. */
  readonly problem: string | null
  readonly onKey: (key: BundleKey) => void
}) {
  const [secret, setSecret] = useState('')
  const pick = async () => {
    const { paths } = await shell('shell.pickFile', { title: 'Choose a file of age identities' })
    if (paths[0] !== undefined) onKey({ identity_file: paths[0] })
  }
  return (
    <Panel title="This bundle is encrypted" sub={name}>
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          onKey(lock === 'passphrase' ? { passphrase: secret } : { identity: secret.trim() })
        }}
      >
        <p className="soft" style={{ maxWidth: '72ch' }}>
          {lock === 'passphrase'
            ? 'It opens with the passphrase that its sender chose and gives to you by another way than the file.'
            : 'It opens with the secret half of the age key that its sender was given: the identity, or the file with it.'}{' '}
          What you give is used to open this file and kept nowhere; the plain form goes when it is closed.
        </p>
        <PasswordInput
          maw={560}
          label={lock === 'passphrase' ? 'Passphrase' : 'Identity'}
          placeholder={lock === 'passphrase' ? undefined : 'AGE-SECRET-KEY-1…'}
          value={secret}
          maxLength={lock === 'passphrase' ? 1024 : 8192}
          spellCheck={false}
          autoFocus
          onChange={(event) => setSecret(event.currentTarget.value)}
        />
        {problem !== null && <Note is="broken">{problem}</Note>}
        <div className="row">
          <Button type="submit" disabled={secret.trim() === ''}>
            Open and verify
          </Button>
          {lock === 'identity' && (
            <Button variant="default" onClick={() => void pick()}>
              Identity file…
            </Button>
          )}
        </div>
      </form>
    </Panel>
  )
}
