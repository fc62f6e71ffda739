// SPDX-License-Identifier: Apache-2.0
import { type Logger, pino } from 'pino'
import type { EngineEnvironment } from './config.ts'

/** Structured log on stderr with stable event names; never prompt or response text, never keys, never paths of imported files. */
export const engineLog = (level: EngineEnvironment['logLevel']): Logger =>
  pino(
    { name: 'affidavit-engine', level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true })
  )
