// SPDX-License-Identifier: Apache-2.0
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { DriftAlert } from '../../../shared/contract/drift.ts'
import { call } from '../../client/bridge.ts'

const PAGE = 100

/** Alerts of one state, newest first, a page at a time. */
export interface AlertGroup {
  readonly state: DriftAlert['state']
  readonly alerts: readonly DriftAlert[]
  readonly more: boolean
  readonly loading: boolean
  readonly onMore: () => void
}

function useGroup(state: DriftAlert['state']) {
  const query = useInfiniteQuery({
    // Under the name of the operation: what refreshes it refreshes these too.
    queryKey: ['drift.alerts', 'pages', state],
    queryFn: ({ pageParam, signal }) =>
      call('drift.alerts', { state, limit: PAGE, ...(pageParam === '' ? {} : { cursor: pageParam }) }, signal),
    initialPageParam: '',
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData
  })
  const group: AlertGroup = {
    state,
    alerts: query.data?.pages.flatMap((page) => page.alerts) ?? [],
    more: query.hasNextPage,
    loading: query.isFetchingNextPage,
    onMore: () => void query.fetchNextPage()
  }
  return { query, group }
}

/**
 * All alerts, each state by itself: an open one must not hide behind two hundred newer ones that were answered.
 * @param wanted the alert of the address: older pages are read until it is there
 */
export function useAlertPages(wanted: string | undefined) {
  const states = [useGroup('open'), useGroup('acknowledged'), useGroup('resolved')]
  const groups = states.map((one) => one.group)
  const failed = states.find((one) => one.query.isError)
  const ready = states.every((one) => one.query.data !== undefined)
  const found = wanted === undefined || groups.some((group) => group.alerts.some((alert) => alert.id === wanted))
  const next = found || !ready || groups.some((group) => group.loading) ? undefined : groups.find((group) => group.more)
  useEffect(() => next?.onMore(), [next?.state, next?.alerts.length])
  return {
    groups,
    ready: ready && (found || next === undefined),
    error: failed?.query.error ?? null,
    refetch: () => {
      for (const { query } of states) void query.refetch()
    }
  }
}
