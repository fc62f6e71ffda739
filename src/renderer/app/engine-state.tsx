// SPDX-License-Identifier: Apache-2.0
// What every screen may know: the last status of the workspace, the state of the engine process, facts about the desktop shell.
import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import type { ShellEngineState, ShellInfo } from '../../shared/contract/shell.ts'
import type { WorkspaceStatus } from '../../shared/contract/workspace.ts'
import { onShell, onTopic, shell } from '../client/bridge.ts'

interface EngineFacts {
  readonly status: WorkspaceStatus | null
  readonly engine: ShellEngineState | null
  readonly info: ShellInfo | null
}

const Facts = createContext<EngineFacts>({ status: null, engine: null, info: null })

/** The last status of the workspace, pushed once a second; null before the first. */
export const useStatus = (): WorkspaceStatus | null => useContext(Facts).status
/** State of the engine process as the shell sees it. */
export const useEngineState = (): ShellEngineState | null => useContext(Facts).engine
/** Versions and folders; null outside the desktop app. */
export const useShellInfo = (): ShellInfo | null => useContext(Facts).info

export function EngineFactsProvider({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient()
  const [status, setStatus] = useState<WorkspaceStatus | null>(null)
  const [engine, setEngine] = useState<ShellEngineState | null>(null)
  const [info, setInfo] = useState<ShellInfo | null>(null)
  useEffect(() => {
    let shown = ''
    const take = (next: WorkspaceStatus) => {
      // What was read of one workspace is forgotten before another one is shown.
      if (shown !== '' && shown !== next.path) queries.clear()
      shown = next.path
      setStatus(next)
    }
    let was: ShellEngineState['state'] | null = null
    const follow = (next: ShellEngineState) => {
      // Another engine: what the one before said is asked again, such as what its end interrupted.
      if (next.state === 'running' && was !== null && was !== 'running') void queries.invalidateQueries()
      was = next.state
      setEngine(next)
    }
    const offs = [onTopic('status', take), onShell('shell.engine', follow)]
    shell('shell.info', {}).then(setInfo, () => {})
    return () => {
      for (const off of offs) off()
    }
  }, [queries])
  return <Facts.Provider value={{ status, engine, info }}>{children}</Facts.Provider>
}
