// SPDX-License-Identifier: Apache-2.0
import './sign-in.css'
import { Button, PasswordInput, TextInput } from '@mantine/core'
import { type FormEvent, type ReactNode, useState } from 'react'
import type { SessionState } from '../../shared/contract/people.ts'
import { sentenceOf, useAction } from '../client/hooks.ts'
import { useSession } from '../client/session.tsx'
import { Note } from '../ui/parts.tsx'
import { useEngineState, useStatus } from './engine-state.tsx'
import { Seal } from './seal.tsx'
import { StatusBar } from './status-bar.tsx'

/** Shows the app to whoever may see it, and asks for a person otherwise. What was on the screen is gone while it asks. */
export function SignInGate({ children }: { readonly children: ReactNode }) {
  const session = useSession()
  const engine = useEngineState()
  const asks = session !== null && (session.state === 'signed_out' || session.state === 'locked' || session.must_choose)
  // Without an engine there is nothing to sign in to; the frame of the app says what to do.
  if (!asks || engine?.state === 'failed') return children
  return (
    <div className="sign-in">
      <main>
        <div className="sign-in-card">{session.must_choose ? <ChoosePassword session={session} /> : <SignIn session={session} />}</div>
      </main>
      <StatusBar />
    </div>
  )
}

function Head({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <>
      <div className="sign-in-head">
        <Seal />
        <h1>{title}</h1>
      </div>
      <p className="soft">{children}</p>
    </>
  )
}

function SignIn({ session }: { readonly session: SessionState }) {
  const status = useStatus()
  const signIn = useAction('session.sign_in')
  const locked = session.state === 'locked'
  const [name, setName] = useState(locked ? (session.person?.name ?? '') : '')
  const [password, setPassword] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    signIn.mutate({ name, password }, { onSettled: () => setPassword('') })
  }
  return (
    <>
      <Head title={locked ? 'Locked' : 'Sign in'}>
        {locked ? `${session.person?.name ?? 'Somebody'} was signed in. ` : ''}
        {status ? `The workspace is ${status.name}. ` : ''}Recording goes on; sign-ins and failures are recorded.
      </Head>
      {session.os_account && (
        <Button variant="default" loading={signIn.isPending} onClick={() => signIn.mutate({ os_account: true })}>
          Continue as {session.os_account.name}, account {session.os_account.account}
        </Button>
      )}
      <form onSubmit={submit}>
        <TextInput
          label="Name"
          value={name}
          maxLength={100}
          autoFocus={!locked}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <PasswordInput
          label="Password"
          value={password}
          maxLength={1024}
          autoFocus={locked}
          autoComplete="off"
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        {signIn.isError && <Note is="broken">{sentenceOf(signIn.error)}</Note>}
        <Button type="submit" disabled={name.trim() === '' || password === ''} loading={signIn.isPending}>
          Sign in
        </Button>
      </form>
      <p className="dim small">A forgotten password is set anew by an administrator.</p>
    </>
  )
}

function ChoosePassword({ session }: { readonly session: SessionState }) {
  const signOut = useAction('session.sign_out')
  return (
    <>
      <Head title="Choose your own password">
        {session.person?.name}: the password you signed in with was set by somebody else. Choose one that only you know.
      </Head>
      <NewPassword />
      <Button variant="subtle" onClick={() => signOut.mutate({})}>
        Sign out
      </Button>
    </>
  )
}

/** The form for an own password. */
export function NewPassword({ onDone }: { readonly onDone?: () => void }) {
  const set = useAction('session.set_password')
  const [current, setCurrent] = useState('')
  const [password, setPassword] = useState('')
  const [again, setAgain] = useState('')
  const differs = again !== '' && again !== password
  return (
    <form
      className="column gap-12"
      onSubmit={(event) => {
        event.preventDefault()
        set.mutate({ current, password }, { onSuccess: () => onDone?.() })
      }}
    >
      <PasswordInput
        label="Present password"
        value={current}
        maxLength={1024}
        autoComplete="off"
        onChange={(event) => setCurrent(event.currentTarget.value)}
      />
      <PasswordInput
        label="New password"
        description="At least 12 characters"
        value={password}
        maxLength={1024}
        autoComplete="off"
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <PasswordInput
        label="New password again"
        value={again}
        maxLength={1024}
        autoComplete="off"
        error={differs ? 'Not the same' : null}
        onChange={(event) => setAgain(event.currentTarget.value)}
      />
      {set.isError && <Note is="broken">{sentenceOf(set.error)}</Note>}
      <Button type="submit" disabled={current === '' || password === '' || again !== password} loading={set.isPending}>
        Set password
      </Button>
    </form>
  )
}
