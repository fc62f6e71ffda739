// SPDX-License-Identifier: Apache-2.0
import { Button, type ButtonProps } from '@mantine/core'
import type { ComponentPropsWithoutRef } from 'react'
import type { Permission } from '../../shared/contract/permissions.ts'
import { useMay } from '../client/session.tsx'

/** A button that only some roles may use: disabled for the others, with who may as its hint. */
export function PermittedButton({
  permission,
  ...props
}: { readonly permission: Permission } & ButtonProps & Omit<ComponentPropsWithoutRef<'button'>, keyof ButtonProps>) {
  const { may, why } = useMay(permission)
  return <Button {...props} {...(may ? {} : { disabled: true, title: why })} />
}
