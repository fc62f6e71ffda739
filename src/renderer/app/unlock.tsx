// SPDX-License-Identifier: Apache-2.0
import './sign-in.css'
import { Button, PasswordInput } from '@mantine/core'
import { type FormEvent, type ReactNode, useEffect, useState } from 'react'
import { shell } from '../client/bridge.ts'
import { Note } from '../ui/parts.tsx'
import { useEngineState, useShellInfo } from './engine-state.tsx'
import { Seal } from './seal.tsx'

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

/** Asks for the passphrase of the keys when the engine cannot start without it; shows the app otherwise. */
export function UnlockGate({ children }: { readonly children: ReactNode }) {
  const engine = useEngineState()
  const info = useShellInfo()
  const [passphrase, setPassphrase] = useState('')
  /** Between an answer and what came of it. */
  const [waiting, setWaiting] = useState(false)
  const asks = engine?.state === 'failed' ? engine.asks : null
  const settled = engine?.state === 'running' || engine?.state === 'failed'
  useEffect(() => {
    if (settled) setWaiting(false)
  }, [settled])
  if (asks === null && !waiting) return children
  const answer = (given: string | null) => {
    setPassphrase('')
    setWaiting(true)
    shell('shell.unlock', { passphrase: given }).catch(() => setWaiting(false))
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    answer(passphrase)
  }
  return (
    <div className="sign-in">
      <main>
        <div className="sign-in-card">
          <div className="sign-in-head">
            <Seal />
            <h1>Passphrase</h1>
          </div>
          <p className="soft">
            The keys of this workspace are protected by a passphrase. Nothing is recorded before it is given.
            {info !== null && (
              <>
                {' '}
                <code>{info.workspace}</code>
              </>
            )}
          </p>
          <form onSubmit={submit}>
            <PasswordInput
              label="Passphrase"
              value={passphrase}
              maxLength={1024}
              autoComplete="off"
              data-autofocus
              autoFocus
              disabled={waiting}
              onChange={(event) => setPassphrase(event.currentTarget.value)}
            />
            {asks === 'another_passphrase' && !waiting && (
              <Note is="broken">{sentence(engine?.message ?? 'this passphrase does not open the keys')}</Note>
            )}
            <Button type="submit" loading={waiting} disabled={passphrase === ''}>
              Open
            </Button>
            <Button variant="default" disabled={waiting} onClick={() => answer(null)}>
              Without it: read-only, contents closed
            </Button>
          </form>
        </div>
      </main>
    </div>
  )
}
