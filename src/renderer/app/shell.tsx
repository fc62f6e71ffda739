// SPDX-License-Identifier: Apache-2.0
import { ActionIcon, Button, Tooltip, UnstyledButton, useComputedColorScheme } from '@mantine/core'
import { IconMoon, IconSearch, IconSun } from '@tabler/icons-react'
import { Link, useRouterState } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { shell } from '../client/bridge.ts'
import { useOperation } from '../client/hooks.ts'
import { useMay } from '../client/session.tsx'
import { counted, fingerprint, moment } from '../ui/format.ts'
import { Hidden, Mark } from '../ui/parts.tsx'
import { useEngineState, useShellInfo, useStatus } from './engine-state.tsx'
import { ReadOnlyBanner } from './go-on.tsx'
import { openPalette } from './palette.tsx'
import { PersonMenu } from './person-menu.tsx'
import { ReviewBanner } from './review-banner.tsx'
import { SampleBanner } from './sample-banner.tsx'
import { Seal } from './seal.tsx'
import { useSections } from './sections.ts'
import { StatusBar } from './status-bar.tsx'

/** Frame of every screen: sections, title with its tools, content, status bar. */
export function Shell({ children }: { readonly children: ReactNode }) {
  const info = useShellInfo()
  return (
    <div className={`app platform-${info?.platform ?? 'other'}`}>
      <Side />
      {children}
      <StatusBar />
    </div>
  )
}

function Side() {
  const status = useStatus()
  const sections = useSections()
  const path = useRouterState({ select: (state) => state.location.pathname })
  const open = status?.alerts.open ?? 0
  const { may } = useMay('approve')
  const asked = useOperation('approvals.list', { state: 'asked' }, { enabled: may, refetchMs: 15_000 })
  const waiting = asked.data?.approvals.length ?? 0
  return (
    <nav className="side" aria-label="Sections">
      <UnstyledButton
        className="workspace"
        onClick={() => void shell('shell.openWorkspace', {}).catch(() => {})}
        title={status?.path ?? ''}
      >
        <Seal />
        <span className="names">
          <span className="name clip">{status?.name ?? 'Affidavit'}</span>
          <br />
          <span className="kind nowrap">
            {status?.review ? (status.sample ? 'SAMPLE, REVIEW' : 'REVIEW') : status?.sample ? 'SAMPLE' : 'workspace'}
          </span>
          <Hidden>, open another workspace</Hidden>
        </span>
      </UnstyledButton>
      <div className="sections">
        {sections.map(({ to, name, Icon }) => (
          <Link key={to} to={to} aria-current={path.startsWith(to) ? 'page' : undefined} title={name}>
            <Icon size={17} stroke={1.6} aria-hidden />
            <span className="name">{name}</span>
            {to === '/drift' && open > 0 && (
              <span className="count state state-attention">
                <Mark is="attention" size={12} />
                {open}
                <Hidden> {open === 1 ? 'open alert' : 'open alerts'}</Hidden>
              </span>
            )}
            {to === '/compliance' && waiting > 0 && (
              <span className="count state state-attention">
                <Mark is="attention" size={12} />
                {waiting}
                <Hidden> {waiting === 1 ? 'approval waits' : 'approvals wait'} for a second person</Hidden>
              </span>
            )}
          </Link>
        ))}
      </div>
      <div className="side-bottom">
        {!status?.review && <PersonMenu />}
        {status && (
          <div className="side-foot">
            Instance {status.instance_id}
            <br />
            Log key {fingerprint(status.log_key)}
          </div>
        )}
      </div>
    </nav>
  )
}

/** Title bar and content of one screen. */
export function Screen({ title, tools, children }: { readonly title: string; readonly tools?: ReactNode; readonly children: ReactNode }) {
  const dark = useComputedColorScheme('light') === 'dark'
  const other = dark ? 'light' : 'dark'
  return (
    <>
      <section className="top" aria-label="Title and tools">
        <h1>{title}</h1>
        {tools}
        <span className="grow" />
        <UnstyledButton className="search-button" onClick={openPalette}>
          <IconSearch size={14} aria-hidden />
          <span className="clip">Search or run…</span>
          <span className="grow" />
          <span className="keycap">Ctrl K</span>
        </UnstyledButton>
        <Tooltip label={`Switch to ${other} theme`}>
          <ActionIcon
            aria-label={`Switch to ${other} theme`}
            size={28}
            onClick={() => void shell('shell.setTheme', { theme: other }).catch(() => {})}
          >
            {dark ? <IconSun size={16} stroke={1.6} /> : <IconMoon size={16} stroke={1.6} />}
          </ActionIcon>
        </Tooltip>
      </section>
      <main className="main" tabIndex={-1}>
        <Banner />
        {children}
      </main>
    </>
  )
}

/** Says what is wrong with the engine or the workspace, what is safe, and what to do. */
function Banner() {
  const engine = useEngineState()
  const status = useStatus()
  if (engine?.state === 'failed') {
    return (
      <div className="banner banner-broken" role="alert">
        <Mark is="broken" size={15} />
        <div className="grow">
          <b>The engine is not running.</b> {engine.message} Nothing that was recorded is affected; nothing is being recorded now.
        </div>
        <Button variant="default" size="compact-sm" onClick={() => void shell('shell.restartEngine', {}).catch(() => {})}>
          Start again
        </Button>
      </div>
    )
  }
  if (engine?.state === 'restarting') {
    return (
      <div className="banner banner-attention" role="status">
        <Mark is="attention" size={15} />
        <div>The engine ended and is being started again. What was acknowledged is on disk.</div>
      </div>
    )
  }
  if (status?.problem) return <ReadOnlyBanner status={status} problem={status.problem} />
  if (status?.failing) {
    const { since, leaves, disk_full } = status.failing
    return (
      <div className="banner banner-broken" role="alert">
        <Mark is="broken" size={15} />
        <div className="grow">
          <b>Nothing is being recorded since {moment(since)}</b>: {disk_full ? 'the disk is full' : 'the ledger cannot be written'}.{' '}
          {counted(leaves, 'entry', 'entries')} {leaves === 1 ? 'was' : 'were'} refused, and whoever sent {leaves === 1 ? 'it' : 'them'} was
          told. What was acknowledged is on disk. {disk_full ? 'Free some space' : 'See whether the folder can be written to'}: recording
          goes on by itself.
        </div>
      </div>
    )
  }
  if (status?.state === 'rebuilding') {
    return (
      <div className="banner banner-attention" role="status">
        <Mark is="pending" size={15} />
        <div>
          The catalog is being made anew from the ledger ({Math.round(100 * (status.projection.rebuilt ?? 0))} %). Lists are incomplete
          until it is done; recording goes on.
        </div>
      </div>
    )
  }
  if (status?.review) return <ReviewBanner review={status.review} sample={status.sample} />
  if (status?.sample) return <SampleBanner />
  return null
}
