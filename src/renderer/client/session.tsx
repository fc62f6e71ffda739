// SPDX-License-Identifier: Apache-2.0
// Who works here, and what they may do. The engine decides; the page only does not offer what would be refused.
import { useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from 'react'
import type { SessionState } from '../../shared/contract/people.ts'
import { type Permission, whoMay } from '../../shared/contract/permissions.ts'
import { call, onTopic } from './bridge.ts'

const Current = createContext<SessionState | null>(null)

/** The session; null until the engine has said. */
export const useSession = (): SessionState | null => useContext(Current)

export interface May {
  readonly may: boolean
  /** Why not, for the control that is disabled; undefined when it may. */
  readonly why: string | undefined
}

/** Whether whoever is signed in may do something. Before the engine has said, nothing is disabled. */
export function useMay(permission: Permission): May {
  const session = useSession()
  if (session === null || session.permissions.includes(permission)) return { may: true, why: undefined }
  // Without people everything is allowed, except in a review.
  if (session.state === 'single') return { may: false, why: 'This is the review of a bundle: nothing in it can be changed.' }
  const why = whoMay(permission)
  return { may: false, why: `${why.charAt(0).toUpperCase()}${why.slice(1)}.` }
}

const TOUCH_MS = 20_000

/** Tells the engine that somebody is there, at most every twenty seconds. */
function useTouch(active: boolean): void {
  const last = useRef(0)
  const place = useRef('')
  useEffect(() => {
    if (!active) return
    const touch = (event: Event) => {
      // A pointer that rests moves too, when windows open and close below it: that is nobody's input.
      if (event instanceof PointerEvent && event.type === 'pointermove') {
        const here = `${event.screenX},${event.screenY}`
        if (here === place.current) return
        place.current = here
      }
      const now = performance.now()
      if (now - last.current < TOUCH_MS) return
      last.current = now
      call('session.touch', {}).catch(() => {})
    }
    const events = ['pointerdown', 'pointermove', 'keydown', 'wheel'] as const
    for (const event of events) window.addEventListener(event, touch, { passive: true, capture: true })
    return () => {
      for (const event of events) window.removeEventListener(event, touch, { capture: true })
    }
  }, [active])
}

/** Follows the session. What one person has read is forgotten before the next one sees the page. */
export function SessionProvider({ children }: { readonly children: ReactNode }) {
  const queries = useQueryClient()
  const [session, setSession] = useState<SessionState | null>(null)
  const who = useRef<string | null>(null)
  useEffect(
    () =>
      onTopic('session', (next) => {
        const now = next.state === 'signed_in' ? `${next.person?.ref ?? ''} ${next.person?.role ?? ''}` : next.state
        if (who.current !== null && who.current !== now) queries.clear()
        who.current = now
        setSession(next)
      }),
    [queries]
  )
  useTouch(session?.state === 'signed_in')
  return <Current.Provider value={session}>{children}</Current.Provider>
}
