// SPDX-License-Identifier: Apache-2.0
import {
  IconChartLine,
  IconClipboardCheck,
  IconLayoutDashboard,
  IconListDetails,
  IconPackageExport,
  IconSettings
} from '@tabler/icons-react'
import { useStatus } from './engine-state.tsx'

/** Sections in the order of the navigation and of Ctrl 1 to 6. */
const all = [
  { to: '/dashboard', name: 'Dashboard', Icon: IconLayoutDashboard },
  { to: '/records', name: 'Records', Icon: IconListDetails },
  { to: '/drift', name: 'Drift', Icon: IconChartLine },
  { to: '/compliance', name: 'Compliance', Icon: IconClipboardCheck },
  { to: '/exports', name: 'Exports', Icon: IconPackageExport },
  { to: '/settings', name: 'Settings', Icon: IconSettings }
] as const

export type Section = Omit<(typeof all)[number], 'name'> & { readonly name: string }

/** What a review has: its records, its verdicts, and what they rest on. */
const reviewed: readonly Section[] = all.flatMap((one): Section[] =>
  one.to === '/exports' ? [{ ...one, name: 'Verification' }] : one.to === '/compliance' || one.to === '/settings' ? [] : [one]
)

/** The sections of the workspace or review that is shown. */
export const useSections = (): readonly Section[] => (useStatus()?.review ? reviewed : all)
