// SPDX-License-Identifier: Apache-2.0
import { skipToken, useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback } from 'react'

interface Draft<T> {
  readonly base: string
  readonly value: T
}

/**
 * What somebody typed and has not saved: it is there again after another view was looked at, and gone with the session. A draft of what was
 * saved otherwise meanwhile is dropped. `base`: what is saved; undefined while it is read.
 */
export function useDraft<T extends object>(name: string, base: object | undefined): readonly [T | null, (next: T | null) => void] {
  const client = useQueryClient()
  const { data } = useQuery<Draft<T> | null>({ queryKey: ['draft', name], queryFn: skipToken, gcTime: Number.POSITIVE_INFINITY })
  const now = JSON.stringify(base)
  const set = useCallback(
    (value: T | null) => {
      client.setQueryDefaults(['draft'], { gcTime: Number.POSITIVE_INFINITY })
      client.setQueryData<Draft<T> | null>(['draft', name], value === null || now === undefined ? null : { base: now, value })
    },
    [client, name, now]
  )
  return [data && data.base === now ? data.value : null, set]
}
