// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'

/** Fields of a record that a column may be mapped to, in the order in which they are asked for. */
export const mappedFields = [
  'time',
  'model',
  'prompt',
  'response',
  'latency',
  'ttft',
  'input_tokens',
  'output_tokens',
  'status',
  'error',
  'source',
  'provider',
  'user_id',
  'conversation_id',
  'cost',
  'id'
] as const
export type MappedField = (typeof mappedFields)[number]

/** `text`: year first; `text_mdy` and `text_dmy`: such as 07/24/2023, 21:00:50; the others count from 1970. */
export const timeUnits = ['text', 'text_mdy', 'text_dmy', 's', 'ms', 'us', 'ns'] as const
export type TimeUnit = (typeof timeUnits)[number]
export const durationUnits = ['s', 'ms', 'us', 'ns'] as const
export type DurationUnit = (typeof durationUnits)[number]

const wellFormed = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .refine((text) => text.isWellFormed(), 'text that is no valid Unicode')

/** Forms of files: CSV, JSON lines, one JSON text with a list of rows, and Parquet. */
export const fileForms = ['csv', 'jsonl', 'json', 'parquet'] as const
export type FileForm = (typeof fileForms)[number]

/** The name of a column or of a member; with a slash in front, a path into a JSON row (RFC 6901). */
const from = wellFormed(512)
const column = z.strictObject({ from })
const columnOrValue = z.union([column, z.strictObject({ value: wellFormed(256) })])
const duration = z.strictObject({ from, unit: z.enum(durationUnits) })

/** What each column of a file means: the fields of a record, each from a column, and three of them from a fixed value instead. */
export const importMapping = z.strictObject({
  version: z.literal(1),
  form: z.enum(fileForms),
  /** Between the fields of a CSV file; a comma when absent. */
  delimiter: z.enum([',', ';', '\t', '|']).optional(),
  fields: z.strictObject({
    time: z.strictObject({ from, unit: z.enum(timeUnits) }).optional(),
    model: columnOrValue.optional(),
    prompt: column.optional(),
    response: column.optional(),
    latency: duration.optional(),
    ttft: duration.optional(),
    input_tokens: column.optional(),
    output_tokens: column.optional(),
    status: column.optional(),
    error: column.optional(),
    source: columnOrValue.optional(),
    provider: columnOrValue.optional(),
    user_id: column.optional(),
    conversation_id: column.optional(),
    cost: column.optional(),
    id: column.optional()
  }),
  /** Columns without a field: kept as attributes, or left out. */
  others: z.enum(['keep', 'drop'])
})
export type ImportMapping = z.infer<typeof importMapping>

/** The name of the profile that reads a file by a mapping. */
export const MAPPED = 'mapped'
