// SPDX-License-Identifier: Apache-2.0
import { notifications } from '@mantine/notifications'
import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { onShell, pathOf, shell } from '../client/bridge.ts'
import { openPalette } from './palette.tsx'
import { useSections } from './sections.ts'

const BUNDLE = /\.(affidavit|zip|age)$/i

/** Ctrl/Cmd 1 to 6, a bundle that is dropped on the window, and what the menu of the window asks for. */
export function Keyboard() {
  const navigate = useNavigate()
  const sections = useSections()
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return
      const section = sections[Number(event.key) - 1]
      if (!section) return
      event.preventDefault()
      void navigate({ to: section.to })
    }
    const verify = (file: string, others = 0) =>
      void navigate({ to: '/exports', search: { view: 'verify', file, ...(others === 0 ? {} : { others }) } })
    // Opened from the system: it may have been asked for before the page was there.
    const take = () =>
      void shell('shell.takeFile', {}).then(
        ({ path }) => path !== null && verify(path),
        () => {}
      )
    take()
    const onDragOver = (event: DragEvent) => event.preventDefault()
    const onDrop = (event: DragEvent) => {
      if (event.defaultPrevented) return
      event.preventDefault()
      const files = [...(event.dataTransfer?.files ?? [])]
      const bundle = files.find((file) => BUNDLE.test(file.name))
      const path = bundle ? pathOf(bundle) : ''
      if (path !== '') verify(path, files.length - 1)
      else if (files.length > 0)
        notifications.show({ message: 'Only bundles are opened by dropping them: files that end in .zip, .affidavit or .age.' })
    }
    window.addEventListener('dragover', onDragOver)
    window.addEventListener('drop', onDrop)
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
        case 'file':
          return take()
        default:
          return void navigate({ to: `/${command}` })
      }
    })
    return () => {
      window.removeEventListener('keydown', onKey)
      window.removeEventListener('dragover', onDragOver)
      window.removeEventListener('drop', onDrop)
      off()
    }
  }, [navigate, sections])
  return null
}
