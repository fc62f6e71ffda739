// SPDX-License-Identifier: Apache-2.0
// What every screen may know: the last status of the workspace, the state of the engine process, facts about the desktop shell.
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
  const [status, setStatus] = useState<WorkspaceStatus | null>(null)
  const [engine, setEngine] = useState<ShellEngineState | null>(null)
  const [info, setInfo] = useState<ShellInfo | null>(null)
  useEffect(() => {
    const offs = [onTopic('status', setStatus), onShell('shell.engine', setEngine)]
    shell('shell.info', {}).then(setInfo, () => {})
    return () => {
      for (const off of offs) off()
    }
  }, [])
  return <Facts.Provider value={{ status, engine, info }}>{children}</Facts.Provider>
}
