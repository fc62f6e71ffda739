// SPDX-License-Identifier: Apache-2.0
import { Button, Checkbox, Modal, PasswordInput, SegmentedControl } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { type KeyProtectionChoice, type KeyReport, SHORTEST_TYPED } from '../../../shared/contract/keys.ts'
import { useShellInfo } from '../../app/engine-state.tsx'
import { call } from '../../client/bridge.ts'
import { sentenceOf } from '../../client/hooks.ts'
import { DialogButtons } from '../../ui/dialog-buttons.tsx'
import { Note } from '../../ui/parts.tsx'
import { strengthOf, strengthWords } from '../../ui/passphrase-strength.ts'
import { PermittedButton } from '../../ui/permitted-button.tsx'

type Way = KeyProtectionChoice['protection']

const ways: readonly { readonly value: Way; readonly label: string }[] = [
  { value: 'safe-storage', label: 'Key store of the system' },
  { value: 'passphrase', label: 'Passphrase' },
  { value: 'key-file', label: 'Key file' }
]

const means: Readonly<Record<Way, string>> = {
  'safe-storage':
    'The keys open by themselves for this account of the operating system, and for no other. A copy of the key file opens nothing on another machine, nor after the account is gone.',
  passphrase:
    'The app asks for it at each start, and nothing is recorded before it is given. Without a window, a file named in AFFIDAVIT_PASSPHRASE_FILE holds it.',
  'key-file': 'The keys open by themselves at each start. Whoever can read the files of this account can read them.'
}

/** How the keys are protected, and the way to another protection. */
export function KeyProtection({ report }: { readonly report: KeyReport }) {
  const [changing, setChanging] = useState(false)
  const { protection, message } = report
  return (
    <>
      <Note is={protection === 'key-file' ? 'attention' : 'holds'}>
        <b>{message.charAt(0).toUpperCase() + message.slice(1)}.</b>{' '}
        {protection === 'key-file' &&
          'Whoever can read the files of this account can read them. A key store of the operating system, or a passphrase, protects them better.'}
        {protection === 'passphrase' && 'The app asks for it at each start.'}
      </Note>
      {protection !== 'missing' && (
        <div className="row">
          <PermittedButton permission="keys" variant="default" size="compact-sm" onClick={() => setChanging(true)}>
            Change how the keys are protected…
          </PermittedButton>
        </div>
      )}
      {changing && <Change now={protection} onDone={() => setChanging(false)} />}
    </>
  )
}

function Change({ now, onDone }: { readonly now: KeyReport['protection']; readonly onDone: () => void }) {
  const queries = useQueryClient()
  const hasStore = useShellInfo()?.key_protection === 'safe-storage'
  const [way, setWay] = useState<Way>(
    now === 'passphrase' ? 'passphrase' : hasStore && now !== 'safe-storage' ? 'safe-storage' : 'passphrase'
  )
  const [passphrase, setPassphrase] = useState('')
  const [again, setAgain] = useState('')
  const [kept, setKept] = useState(false)
  const [state, setState] = useState<{ readonly busy: boolean; readonly error: unknown }>({ busy: false, error: null })
  const short = passphrase !== '' && passphrase.length < SHORTEST_TYPED
  const complete = way === 'passphrase' ? passphrase.length >= SHORTEST_TYPED && again === passphrase && kept : way !== now
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    setState({ busy: true, error: null })
    try {
      // Not through the cache of mutations, which would keep what was typed.
      await call('keys.protect', way === 'passphrase' ? { protection: way, passphrase } : { protection: way })
      void queries.invalidateQueries({ queryKey: ['keys.report'] })
      onDone()
    } catch (error) {
      setState({ busy: false, error })
    }
  }
  return (
    <Modal opened onClose={onDone} title="How the keys are protected" size={520}>
      <form className="column gap-12" onSubmit={(event) => void submit(event)}>
        <SegmentedControl
          aria-label="Protection"
          fullWidth
          value={way}
          data={ways.map((one) => ({ ...one, disabled: one.value === 'safe-storage' && !hasStore }))}
          onChange={(value) => setWay(value as Way)}
        />
        <p className="soft">{means[way]}</p>
        {!hasStore && (
          <p className="dim small">This session of the operating system offers no key store that protects more than a file does.</p>
        )}
        {way === 'passphrase' && (
          <>
            <PasswordInput
              label={now === 'passphrase' ? 'New passphrase' : 'Passphrase'}
              description={`At least ${SHORTEST_TYPED} characters`}
              value={passphrase}
              maxLength={1024}
              autoComplete="off"
              data-autofocus
              error={short ? `${SHORTEST_TYPED - passphrase.length} more needed` : null}
              onChange={(event) => setPassphrase(event.currentTarget.value)}
            />
            {passphrase.length >= SHORTEST_TYPED && (
              <p className="small" role="status">
                {strengthWords[strengthOf(passphrase)]}
              </p>
            )}
            <PasswordInput
              label="The same again"
              value={again}
              maxLength={1024}
              autoComplete="off"
              error={again !== '' && again !== passphrase ? 'Not the same' : null}
              onChange={(event) => setAgain(event.currentTarget.value)}
            />
            <Note is="attention">
              <b>Without it nobody can read the contents; it cannot be recovered.</b> Not by an administrator, not from a backup. Leaves and
              proofs would still verify, and nothing more could be recorded in this workspace.
            </Note>
            <Checkbox
              checked={kept}
              label="It is kept where somebody else will find it when it is needed"
              onChange={(event) => setKept(event.currentTarget.checked)}
            />
          </>
        )}
        {way === now && way !== 'passphrase' && <p className="dim small">The keys are protected in this way already.</p>}
        <p className="dim small">
          The change is recorded; the passphrase is not. Copies of the key file made before stay protected as they were: destroy them.
        </p>
        {state.error !== null && <Note is="broken">{sentenceOf(state.error)}</Note>}
        <DialogButtons onCancel={onDone}>
          <Button type="submit" disabled={!complete} loading={state.busy}>
            Protect the keys in this way
          </Button>
        </DialogButtons>
      </form>
    </Modal>
  )
}
