// SPDX-License-Identifier: Apache-2.0
import type { FileForm } from '../../contract/import-mapping.ts'

/** What a person chose for an import: the zone of times that carry none, and a source for all rows. */
export interface MapContext {
  readonly zone: string
  readonly source: string | undefined
}

/** One row as a body of the ingest, or why it is none. */
export type Mapped =
  | { readonly ok: true; readonly raw: Readonly<Record<string, unknown>> }
  | {
      readonly ok: false
      readonly code: string
      readonly message: string
      /** The mapped field that does not fit. */
      readonly field?: string
    }

interface ProfileBase {
  readonly name: string
  readonly title: string
  readonly extensions: readonly string[]
  /** The one form that it reads, where that is not found by the content. */
  readonly form?: FileForm
  /** Columns or members of a row whose times may name no zone, by whatever names the tool has for them. */
  readonly times: readonly string[]
  readonly units: readonly { readonly column: string; readonly unit: string; readonly becomes: string }[]
}

/** A CSV file: rows arrive as objects by column name. */
export interface CsvProfile extends ProfileBase {
  readonly format: 'csv'
  /** Between fields; a comma when absent. */
  readonly delimiter?: string
  readonly required: readonly string[]
  readonly map: (row: Readonly<Record<string, string>>, context: MapContext) => Mapped
}

/** A record of a file, or why it is none, with its place: its line, and its number among the records that begin in it, from 0. */
export type Collected =
  | { readonly line: number; readonly part: number; readonly row: unknown }
  | { readonly line: number; readonly part: number; readonly refused: Extract<Mapped, { readonly ok: false }> }

/** Makes records of lines that belong together, in the order in which they are whole. One for each reading of a file. */
export interface Collector {
  /** The records that are whole with this line; undefined for a line that is none of the format. */
  take(value: unknown, line: number): readonly Collected[] | undefined
  /** The records that are left at the end. */
  rest(): readonly Collected[]
}

/** JSON lines or one JSON text with a list of rows: they arrive as parsed JSON. */
export interface JsonProfile extends ProfileBase {
  readonly format: 'jsonl'
  /** The same rows also come as CSV, as objects of texts without the empty ones. */
  readonly csv?: true
  /** Confidence from the first lines. */
  readonly detect: (first: readonly unknown[]) => number
  /** Where a line holds several rows, or none: its rows; undefined for a line that is no such. */
  readonly split?: (line: unknown) => readonly unknown[] | undefined
  /** Where a record may stand in several lines; then there is no `split`. */
  readonly collect?: () => Collector
  readonly map: (row: unknown, context: MapContext) => Mapped
}

export type ImportProfile = CsvProfile | JsonProfile

/** The refusal of a value that does not fit its column; it never repeats the value. */
export const bad = (column: string, expected: string): Mapped => ({
  ok: false,
  code: 'wrong_type',
  message: `${column}: expected ${expected}`
})

export type Row = Readonly<Record<string, unknown>>
export const isObject = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A number of a CSV field: undefined when empty, null when it is none. */
export function numberOf(text: string | undefined): number | undefined | null {
  if (text === undefined || text.trim() === '') return undefined
  const value = Number(text)
  return Number.isFinite(value) ? value : null
}

/** Share of the first lines that are objects with all of these members, a little below 1 so that an exact header still wins. */
export const fitOf = (first: readonly unknown[], fits: (row: Row) => boolean): number =>
  first.length === 0 ? 0 : (0.95 * first.filter((row) => isObject(row) && fits(row)).length) / first.length
