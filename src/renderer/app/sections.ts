// SPDX-License-Identifier: Apache-2.0
import {
  IconChartLine,
  IconClipboardCheck,
  IconLayoutDashboard,
  IconListDetails,
  IconPackageExport,
  IconSettings
} from '@tabler/icons-react'

/** Sections in the order of the navigation and of Ctrl 1 to 6. */
export const sections = [
  { to: '/dashboard', name: 'Dashboard', Icon: IconLayoutDashboard },
  { to: '/records', name: 'Records', Icon: IconListDetails },
  { to: '/drift', name: 'Drift', Icon: IconChartLine },
  { to: '/compliance', name: 'Compliance', Icon: IconClipboardCheck },
  { to: '/exports', name: 'Exports', Icon: IconPackageExport },
  { to: '/settings', name: 'Settings', Icon: IconSettings }
] as const
