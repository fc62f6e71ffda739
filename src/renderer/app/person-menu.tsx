// SPDX-License-Identifier: Apache-2.0
import { Menu, Modal, UnstyledButton } from '@mantine/core'
import { IconLock, IconLogout, IconPassword, IconUser, IconUsersPlus } from '@tabler/icons-react'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { roleNames } from '../../shared/contract/permissions.ts'
import { useAction } from '../client/hooks.ts'
import { useSession } from '../client/session.tsx'
import { NewPassword } from './sign-in.tsx'

/** Who works here: lock, sign out, change the password. Says plainly when nobody is set up. */
export function PersonMenu() {
  const session = useSession()
  const navigate = useNavigate()
  const signOut = useAction('session.sign_out')
  const [choosing, setChoosing] = useState(false)
  if (!session) return null
  if (session.state === 'single') {
    return (
      <UnstyledButton
        className="person-button"
        title="No people are set up: everything is recorded as done by “local”"
        onClick={() => void navigate({ to: '/settings', search: { view: 'people' } })}
      >
        <IconUsersPlus size={17} stroke={1.6} aria-hidden />
        <span className="names">
          <span className="name">local</span>
          <br />
          <span className="kind">no people set up</span>
        </span>
      </UnstyledButton>
    )
  }
  const { person } = session
  if (!person) return null
  return (
    <>
      <Menu position="right-end" width={220} transitionProps={{ duration: 0 }}>
        <Menu.Target>
          <UnstyledButton className="person-button" title={`${person.name}, ${roleNames[person.role]}`}>
            <IconUser size={17} stroke={1.6} aria-hidden />
            <span className="names">
              <span className="name clip">{person.name}</span>
              <br />
              <span className="kind">{roleNames[person.role]}</span>
            </span>
          </UnstyledButton>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item leftSection={<IconLock size={15} aria-hidden />} onClick={() => signOut.mutate({ lock: true })}>
            Lock
          </Menu.Item>
          {person.password !== 'none' && (
            <Menu.Item leftSection={<IconPassword size={15} aria-hidden />} onClick={() => setChoosing(true)}>
              Change password…
            </Menu.Item>
          )}
          <Menu.Item leftSection={<IconLogout size={15} aria-hidden />} onClick={() => signOut.mutate({})}>
            Sign out
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Modal opened={choosing} onClose={() => setChoosing(false)} title="Change your password">
        <NewPassword onDone={() => setChoosing(false)} />
      </Modal>
    </>
  )
}
