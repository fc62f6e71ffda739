// SPDX-License-Identifier: Apache-2.0
// The only way out of the page: the contract over the preload bridge.
import type { z } from 'zod'
import {
  type OperationInput,
  type OperationName,
  type OperationOutput,
  operations,
  type TopicEvent,
  type TopicName,
  topics
} from '../../shared/contract/contract.ts'
import { AffidavitError } from '../../shared/contract/errors.ts'
import {
  type ShellBridge,
  type ShellOperationInput,
  type ShellOperationName,
  type ShellOperationOutput,
  type ShellTopicEvent,
  type ShellTopicName,
  shellOperations,
  shellTopics
} from '../../shared/contract/shell.ts'

declare global {
  interface Window {
    readonly affidavit: ShellBridge
  }
}

async function send(op: string, output: z.ZodType, input: unknown, signal: AbortSignal | undefined): Promise<unknown> {
  if (signal?.aborted) throw new AffidavitError('cancelled', 'cancelled')
  const reply = await window.affidavit.call(op, input, (cancel) => signal?.addEventListener('abort', cancel, { once: true }))
  if (!reply.ok) throw new AffidavitError(reply.error.code, reply.error.message, reply.error.details)
  return output.parse(reply.value)
}

/** Calls the engine. @throws AffidavitError with the engine's code */
export const call = <N extends OperationName>(op: N, input: OperationInput<N>, signal?: AbortSignal): Promise<OperationOutput<N>> =>
  send(op, operations[op].output, input, signal) as Promise<OperationOutput<N>>

/** Calls the desktop shell. @throws AffidavitError */
export const shell = <N extends ShellOperationName>(op: N, input: ShellOperationInput<N>): Promise<ShellOperationOutput<N>> =>
  send(op, shellOperations[op].output, input, undefined) as Promise<ShellOperationOutput<N>>

/** Subscribes to what the engine pushes; events that do not fit the contract are dropped. Returns the off function. */
export const onTopic = <T extends TopicName>(topic: T, listener: (event: TopicEvent<T>) => void): (() => void) =>
  window.affidavit.subscribe(topic, {}, (event) => {
    const parsed = topics[topic].event.safeParse(event)
    if (parsed.success) listener(parsed.data as TopicEvent<T>)
  })

/** Subscribes to what the desktop shell pushes. */
export const onShell = <T extends ShellTopicName>(topic: T, listener: (event: ShellTopicEvent<T>) => void): (() => void) =>
  window.affidavit.subscribe(topic, {}, (event) => {
    const parsed = shellTopics[topic].event.safeParse(event)
    if (parsed.success) listener(parsed.data as ShellTopicEvent<T>)
  })

/** Path of a dropped or chosen file; empty for a file made by script. */
export const pathOf = (file: File): string => window.affidavit.pathForFile(file)
