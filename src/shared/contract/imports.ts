// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod'
import { fileForms, importMapping, mappedFields } from './import-mapping.ts'
import { operation } from './operation.ts'

const count = z.int().min(0)
const path = z.string().min(1).max(4096)

/** `line`: the line on which a row begins; of a file without lines, the number of the row. `field`: of a mapping, the field that did not fit. */
export const lineError = z.object({ line: count, code: z.string(), message: z.string(), field: z.enum(mappedFields).optional() })
export type LineError = z.infer<typeof lineError>

export const importPreview = z.object({
  file: z.object({
    name: z.string(),
    bytes: count,
    form: z.enum(fileForms),
    /** Of one JSON text: the members that lead to the list of rows, such as `data` or `results.results`; null when the list is the text itself. */
    list: z.string().nullable()
  }),
  profile: z.string(),
  candidates: z.array(z.object({ profile: z.string(), title: z.string(), confidence: z.number().min(0).max(1) })),
  /** Says which unit each number of the file is in and what it becomes; a person confirms. */
  units: z.array(z.object({ column: z.string(), unit: z.string(), becomes: z.string() })),
  /** Columns or members whose times name no zone in the first rows, so that one is to be chosen; empty when all do. */
  zone_for: z.array(z.string()),
  rows: z.array(
    z.object({
      line: count,
      timestamp: z.string().nullable(),
      model: z.string().nullable(),
      source: z.string().nullable(),
      request: z.string(),
      response: z.string(),
      latency_ms: z.number().nullable(),
      input_tokens: count.nullable(),
      output_tokens: count.nullable(),
      status: z.string()
    })
  ),
  problems: z.array(lineError),
  /** Where the columns are mapped by hand; null for a known format. */
  mapping: z
    .object({
      used: importMapping,
      /** Whether it is a guess from names and values, and which parts of it are no more than likely. */
      guessed: z.boolean(),
      unsure: z.array(z.enum(mappedFields)),
      /** Columns of the file with the first value that stands there; at most 300. */
      columns: z.array(z.object({ from: z.string(), example: z.string() })),
      more_columns: count,
      /** What is wrong with each field, and in how many of the rows shown; 0 rows: with the mapping itself. */
      faults: z.array(z.object({ field: z.enum(mappedFields), message: z.string(), rows: count }))
    })
    .nullable()
})
export type ImportPreview = z.infer<typeof importPreview>

export const importResult = z.object({
  file_sha256: z.string(),
  accepted: count,
  duplicates: count,
  rejected: count,
  /** The first 1,000 rejected lines. */
  errors: z.array(lineError),
  /** Bytes that were added to the file after the import began; they were not read. */
  added_bytes: count,
  seconds: z.number(),
  started_seq: count
})
export type ImportResult = z.infer<typeof importResult>

export const importOperations = {
  'import.profiles': operation({
    summary: 'File formats that can be imported',
    input: z.strictObject({}),
    output: z.object({ profiles: z.array(z.object({ name: z.string(), title: z.string(), extensions: z.array(z.string()) })) }),
    access: 'read',
    leaves: []
  }),
  'import.preview': operation({
    summary: 'First rows of a file as they would be recorded; nothing is stored',
    input: z.strictObject({
      path,
      profile: z.string().max(64).optional(),
      zone: z.string().max(64).default('UTC'),
      source: z.string().max(128).optional(),
      /** For the profile `mapped`; without one, a mapping is guessed. */
      mapping: importMapping.optional()
    }),
    output: importPreview,
    access: 'read',
    leaves: []
  }),
  'import.start': operation({
    summary: 'Imports a file as a job; a second import of the same file adds nothing',
    input: z.strictObject({
      path,
      profile: z.string().max(64),
      zone: z.string().max(64).default('UTC'),
      source: z.string().max(128).optional(),
      /** What the profile `mapped` needs and no other takes; sealed with the leaf `import.started`. */
      mapping: importMapping.optional()
    }),
    output: z.object({ job_id: z.string() }),
    access: 'write',
    leaves: ['import.started', 'import.done', 'llm.recorded']
  }),
  'import.result': operation({
    summary: 'What an import did, line errors included; as far as it got while it runs',
    input: z.strictObject({ job_id: z.string().max(64) }),
    output: importResult,
    access: 'read',
    leaves: []
  }),
  'events.append': operation({
    summary: 'Records canonical events; answers once they are on disk',
    input: z.strictObject({ events: z.array(z.unknown()).min(1).max(10_000) }),
    output: z.object({ accepted: count, duplicates: count, rejected: z.array(lineError) }),
    access: 'write',
    leaves: ['llm.recorded']
  })
} as const
