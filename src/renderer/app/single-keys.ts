// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useSyncExternalStore } from 'react'

const NAME = 'affidavit.single-keys'
const listeners = new Set<() => void>()

const enabled = (): boolean => localStorage.getItem(NAME) !== 'off'

/** Whether single letters are commands; a person can turn them off in Settings. */
export function useSingleKeysEnabled(): readonly [boolean, (on: boolean) => void] {
  const on = useSyncExternalStore((listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }, enabled)
  return [
    on,
    (next) => {
      localStorage.setItem(NAME, next ? 'on' : 'off')
      for (const listener of listeners) listener()
    }
  ]
}

const typing = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

/** Commands on single keys while a screen is shown: never while typing, and not behind a dialog or a menu. */
export function useSingleKeys(keys: Readonly<Record<string, () => void>>): void {
  const latest = useRef(keys)
  latest.current = keys
  useEffect(() => {
    // Asked before anybody hears of the key: the Escape that ends a dialog or a menu is not also one for the screen behind it.
    let behind = false
    const before = () => {
      behind = document.querySelector('[role=dialog], [role=menu]') !== null
    }
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return
      if (behind) return
      const isLetter = /^[a-z]$/i.test(event.key)
      if (isLetter && !enabled()) return
      const command = latest.current[event.key]
      if (!command) return
      event.preventDefault()
      command()
    }
    window.addEventListener('keydown', before, true)
    window.addEventListener('keydown', onKey)
    return () => {
      window.removeEventListener('keydown', before, true)
      window.removeEventListener('keydown', onKey)
    }
  }, [])
}
