// SPDX-License-Identifier: Apache-2.0
import './trusted-types.ts'
import './zod-jitless.ts'
import '@fontsource-variable/inter/wght.css'
import '@fontsource/ibm-plex-mono/latin-400.css'
import './mantine.css'
import './base.css'
import './shell.css'
import '../ui/grid.css'
import { MantineProvider } from '@mantine/core'
import { Notifications } from '@mantine/notifications'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { setNonce } from 'get-nonce'
import { StrictMode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { onShell } from '../client/bridge.ts'
import { SessionProvider } from '../client/session.tsx'
import { nameCutTexts } from './cut-texts.ts'
import { EngineFactsProvider } from './engine-state.tsx'
import { keepFocus } from './focus-keeper.ts'
import { router } from './router.tsx'
import { SignInGate } from './sign-in.tsx'
import { cssVariables, theme } from './theme.ts'
import { UnlockGate } from './unlock.tsx'

const nonce = document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce
// The scroll lock behind dialogs writes a style of its own and knows nothing of Mantine's nonce.
if (nonce) setNonce(nonce)

const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: false, refetchOnWindowFocus: false, staleTime: 1_000, networkMode: 'always' },
    mutations: { networkMode: 'always' }
  }
})

function App() {
  const [scheme, setScheme] = useState<'light' | 'dark'>(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')
  useEffect(() => onShell('shell.theme', ({ dark }) => setScheme(dark ? 'dark' : 'light')), [])
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={cssVariables}
      forceColorScheme={scheme}
      {...(nonce ? { getStyleNonce: () => nonce } : {})}
    >
      <QueryClientProvider client={queries}>
        <Notifications position="top-right" />
        <EngineFactsProvider>
          <SessionProvider>
            <UnlockGate>
              <SignInGate>
                <RouterProvider router={router} />
              </SignInGate>
            </UnlockGate>
          </SessionProvider>
        </EngineFactsProvider>
      </QueryClientProvider>
    </MantineProvider>
  )
}

keepFocus()
nameCutTexts()

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>
  )
}
