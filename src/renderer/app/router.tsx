// SPDX-License-Identifier: Apache-2.0

import {
  createHashHistory,
  createRootRoute,
  createRoute,
  createRouter,
  Navigate,
  Outlet,
  redirect,
  useRouterState
} from '@tanstack/react-router'
import { z } from 'zod'
import { driftFeature } from '../../shared/contract/drift.ts'
import { Compliance } from '../features/compliance/compliance.tsx'
import { complianceViews } from '../features/compliance/views.tsx'
import { Dashboard } from '../features/dashboard/dashboard.tsx'
import { Drift } from '../features/drift/drift.tsx'
import { Exports } from '../features/exports/exports.tsx'
import { Records } from '../features/records/records.tsx'
import { Settings } from '../features/settings/settings.tsx'
import { settingsViews } from '../features/settings/views.tsx'
import { Failed } from '../ui/states.tsx'
import { useStatus, useWorkspaces } from './engine-state.tsx'
import { Keyboard } from './keyboard.tsx'
import { Palette } from './palette.tsx'
import { useSections } from './sections.ts'
import { Screen, Shell } from './shell.tsx'

/** Another workspace begins with nothing of the one before. */
function Workspace() {
  const status = useStatus()
  const sections = useSections()
  const at = useRouterState({ select: (state) => state.location.pathname })
  const workspaces = useWorkspaces()
  // What a review does not have, it does not show: its first screen is what it rests on.
  if (status?.review && !sections.some(({ to }) => at.startsWith(to))) return <Navigate to="/exports" />
  return <Outlet key={workspaces} />
}

const root = createRootRoute({
  component: () => (
    <Shell>
      <Keyboard />
      <Palette />
      <Workspace />
    </Shell>
  ),
  errorComponent: ({ error, reset }) => (
    <Screen title="Affidavit">
      <Failed what="This screen failed" error={error} onRetry={reset} />
    </Screen>
  )
})

const index = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/dashboard' })
  }
})

const optional = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined)

const dashboard = createRoute({ getParentRoute: () => root, path: '/dashboard', component: Dashboard })
const records = createRoute({
  getParentRoute: () => root,
  path: '/records',
  validateSearch: z.object({ query: optional(z.string()), seq: optional(z.int().min(0)), import: optional(z.boolean()) }),
  component: () => <Records {...records.useSearch()} />
})
const drift = createRoute({
  getParentRoute: () => root,
  path: '/drift',
  validateSearch: z.object({
    alert: optional(z.string()),
    view: optional(z.enum(['alerts', 'series', 'baselines', 'compare', 'backtest'])),
    model: optional(z.string()),
    source: optional(z.string()),
    run: optional(z.string().max(64)),
    a: optional(z.string()),
    b: optional(z.string()),
    feature: optional(driftFeature),
    apart: optional(z.boolean())
  }),
  component: () => <Drift {...drift.useSearch()} />
})
const exportsRoute = createRoute({
  getParentRoute: () => root,
  path: '/exports',
  validateSearch: z.object({
    view: optional(z.enum(['new', 'verify', 'history'])),
    file: optional(z.string().max(4096)),
    others: optional(z.int().min(1)),
    query: optional(z.string()),
    seq: optional(z.int().min(0))
  }),
  component: () => <Exports {...exportsRoute.useSearch()} />
})
const compliance = createRoute({
  getParentRoute: () => root,
  path: '/compliance',
  validateSearch: z.object({ view: optional(z.enum(complianceViews)) }),
  component: () => <Compliance {...compliance.useSearch()} />
})
const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  validateSearch: z.object({ view: optional(z.enum(settingsViews)) }),
  component: () => <Settings {...settings.useSearch()} />
})

export const router = createRouter({
  routeTree: root.addChildren([index, dashboard, records, drift, compliance, exportsRoute, settings]),
  history: createHashHistory(),
  defaultPreload: false
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
