// SPDX-License-Identifier: Apache-2.0
import type { ReactNode } from 'react'
import { About } from './about.tsx'
import { Anchors } from './anchors.tsx'
import { Appearance } from './appearance.tsx'
import { Backup } from './backup.tsx'
import { Capture } from './capture.tsx'
import { DriftSettings } from './drift-settings.tsx'
import { Endpoints } from './endpoints.tsx'
import { Keys } from './keys.tsx'
import { PeopleSettings } from './people.tsx'
import { PrivacySettings } from './privacy-settings.tsx'
import { Webhooks } from './webhooks.tsx'

/** The views of this section in the order of their tabs. */
export const settingsViews = ['general', 'capture', 'people', 'keys', 'anchors', 'privacy', 'drift', 'backup'] as const
export type SettingsView = (typeof settingsViews)[number]

export const views: Readonly<Record<SettingsView, { readonly label: string; readonly show: () => ReactNode }>> = {
  general: {
    label: 'General',
    show: () => (
      <>
        <Endpoints />
        <Appearance />
        <About />
      </>
    )
  },
  capture: { label: 'Capture', show: () => <Capture /> },
  people: { label: 'People', show: () => <PeopleSettings /> },
  keys: { label: 'Keys', show: () => <Keys /> },
  anchors: { label: 'Anchors', show: () => <Anchors /> },
  privacy: { label: 'Privacy', show: () => <PrivacySettings /> },
  drift: {
    label: 'Drift',
    show: () => (
      <>
        <DriftSettings />
        <Webhooks />
      </>
    )
  },
  backup: { label: 'Backup', show: () => <Backup /> }
}
