// SPDX-License-Identifier: Apache-2.0
// What every screen may know: the last status of the workspace, the state of the engine process, facts about the desktop shell.
import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from 'react'
import type { ShellEngineState, ShellInfo } from '../../shared/contract/shell.ts'
import type { WorkspaceStatus } from '../../shared/contract/workspace.ts'
import { onShell, onTopic, shell } from '../client/bridge.ts'
import { withoutEngine } from './without-engine.ts'

interface EngineFacts {
  readonly status: WorkspaceStatus | null
  readonly engine: ShellEngineState | null
  readonly info: ShellInfo | null
  /** Counts the workspaces shown in this window, from 0. */
  readonly workspaces: number
}

const Facts = createContext<EngineFacts>({ status: null, engine: null, info: null, workspaces: 0 })

/** The last status of the workspace, pushed once a second; null before the first. */
export const useStatus = (): WorkspaceStatus | null => useContext(Facts).status
/** Changes when another workspace is shown, and not when the first status says which one it is. */
export const useWorkspaces = (): number => useContext(Facts).workspaces
/** State of the engine process as the shell sees it. */
export const useEngineState = (): ShellEngineState | null => useContext(Facts).engine
/** Versions and folders; null outside the desktop app. */
export const useShellInfo = (): ShellInfo | null => useContext(Facts).info

/** Runs when the engine serves again after it was away: for reads that no query keeps. */
export function useEngineBack(run: () => void): void {
  const state = useEngineState()?.state
  const latest = useRef(run)
  latest.current = run
  const away = useRef(false)
  useEffect(() => {
    if (state === 'restarting' || state === 'failed') away.current = true
    if (state !== 'running' || !away.current) return
    away.current = false
    latest.current()
  }, [state])
}

export function EngineFactsProvider({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient()
  const [status, setStatus] = useState<WorkspaceStatus | null>(null)
  const [engine, setEngine] = useState<ShellEngineState | null>(null)
  const [info, setInfo] = useState<ShellInfo | null>(null)
  const [workspaces, setWorkspaces] = useState(0)
  useEffect(() => {
    let shown = ''
    const take = (next: WorkspaceStatus) => {
      // What was read of one workspace is forgotten before another one is shown.
      if (shown !== '' && shown !== next.path) {
        queries.clear()
        setWorkspaces((count) => count + 1)
      }
      shown = next.path
      setStatus(next)
    }
    let was: ShellEngineState['state'] | null = null
    const follow = (next: ShellEngineState) => {
      // Another engine: what the one before said is asked again, such as what its end interrupted.
      if (next.state === 'running' && was !== null && was !== 'running') void queries.invalidateQueries()
      // What it said last is no longer so: its ports are closed.
      if (next.state === 'restarting' || next.state === 'failed') setStatus((last) => last && withoutEngine(last))
      was = next.state
      setEngine(next)
    }
    const offs = [onTopic('status', take), onShell('shell.engine', follow)]
    shell('shell.info', {}).then(setInfo, () => {})
    return () => {
      for (const off of offs) off()
    }
  }, [queries])
  return <Facts.Provider value={{ status, engine, info, workspaces }}>{children}</Facts.Provider>
}
