// SPDX-License-Identifier: Apache-2.0
import { type UseQueryResult, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import type { OperationInput, OperationName, OperationOutput, TopicEvent, TopicName } from '../../shared/contract/contract.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import type { Job } from '../../shared/contract/workspace.ts'
import { call, onTopic } from './bridge.ts'

/** Reads through an operation. Changing the input cancels the running call. */
export function useOperation<N extends OperationName>(
  op: N,
  input: OperationInput<N>,
  options: { readonly enabled?: boolean; readonly refetchMs?: number; readonly keep?: boolean } = {}
): UseQueryResult<OperationOutput<N>, Error> {
  return useQuery<OperationOutput<N>, Error>({
    queryKey: [op, input],
    queryFn: ({ signal }) => call(op, input, signal),
    enabled: options.enabled ?? true,
    ...(options.refetchMs === undefined ? {} : { refetchInterval: options.refetchMs }),
    ...(options.keep ? { placeholderData: (before: OperationOutput<N> | undefined) => before as never } : {})
  })
}

/** Changes something through an operation; afterwards the named reads are run again. */
export function useAction<N extends OperationName>(op: N, refreshes: readonly OperationName[] = []) {
  const client = useQueryClient()
  return useMutation<OperationOutput<N>, Error, OperationInput<N>>({
    mutationFn: (input) => call(op, input),
    onSuccess: () => {
      for (const name of refreshes) void client.invalidateQueries({ queryKey: [name] })
    }
  })
}

/** As useAction, for what takes so long that somebody may want to cancel it: `cancel` ends the call under way. */
export function useCancellable<N extends OperationName>(op: N, refreshes: readonly OperationName[] = []) {
  const running = useRef<AbortController | null>(null)
  const refresh = useRefresh()
  const action = useMutation<OperationOutput<N>, Error, OperationInput<N>>({
    mutationFn: (input) => {
      running.current = new AbortController()
      return call(op, input, running.current.signal)
    },
    onSuccess: () => refresh(...refreshes)
  })
  return { action, cancel: () => running.current?.abort() }
}

/** Ends the call of a read that is under way; it is read again when it is asked to. */
export function useCancelRead(): <N extends OperationName>(op: N, input: OperationInput<N>) => void {
  const client = useQueryClient()
  return useCallback((op, input) => void client.cancelQueries({ queryKey: [op, input], exact: true }), [client])
}

/** Calls the listener for each event of a topic while the component is mounted. */
export function useTopic<T extends TopicName>(topic: T, listener: (event: TopicEvent<T>) => void): void {
  const latest = useRef(listener)
  latest.current = listener
  useEffect(() => onTopic(topic, (event) => latest.current(event)), [topic])
}

/** Runs reads again, for example after an event. */
export function useRefresh(): (...names: OperationName[]) => void {
  const client = useQueryClient()
  return useCallback(
    (...names) => {
      for (const name of names) void client.invalidateQueries({ queryKey: [name] })
    },
    [client]
  )
}

/** Follows a job until it ends; then the named reads are run again. */
export function useJob(id: string | null, refreshes: readonly OperationName[] = []): Job | null {
  const [job, setJob] = useState<Job | null>(null)
  const refresh = useRefresh()
  const ended = useRef(() => {})
  ended.current = () => refresh(...refreshes)
  useEffect(() => {
    setJob(null)
    if (id === null) return
    let live = true
    const keep = (next: Job) => {
      if (!live) return
      // A late reply must not set a finished job running again.
      setJob((before) => (before?.id === next.id && before.state !== 'running' ? before : next))
      if (next.state !== 'running') ended.current()
    }
    const off = onTopic('jobs', (event) => {
      if (event.id === id) keep(event)
    })
    call('jobs.get', { id }).then(keep, () => {})
    return () => {
      live = false
      off()
    }
  }, [id])
  return job
}

/** What to show of a failure: the engine's sentence, or a plain one. */
export const messageOf = (error: unknown): string =>
  error instanceof AffidavitError ? error.message : 'This did not work for a reason of its own.'

/** A message as a sentence of its own. */
export const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`

/** What to show of a failure, as a sentence of its own. */
export const sentenceOf = (error: unknown): string => sentence(messageOf(error))

/** The stable code of a failure. */
export const codeOf = (error: unknown): string => (error instanceof AffidavitError ? error.code : 'internal')
