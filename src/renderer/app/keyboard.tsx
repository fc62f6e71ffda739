// SPDX-License-Identifier: Apache-2.0
import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { onShell } from '../client/bridge.ts'
import { openPalette } from './palette.tsx'
import { sections } from './sections.ts'

/** Ctrl/Cmd 1 to 6, and what the menu of the window asks for. */
export function Keyboard() {
  const navigate = useNavigate()
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return
      const section = sections[Number(event.key) - 1]
      if (!section) return
      event.preventDefault()
      void navigate({ to: section.to })
    }
    window.addEventListener('keydown', onKey)
    const off = onShell('shell.command', ({ command }) => {
      switch (command) {
        case 'palette':
          return openPalette()
        case 'import':
          return void navigate({ to: '/records', search: { import: true } })
        case 'export':
          return void navigate({ to: '/exports', search: { view: 'new' } })
        case 'verify':
          return void navigate({ to: '/exports', search: { view: 'verify' } })
        case 'compliance':
          return
        default:
          return void navigate({ to: `/${command}` })
      }
    })
    return () => {
      window.removeEventListener('keydown', onKey)
      off()
    }
  }, [navigate])
  return null
}
