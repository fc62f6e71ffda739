// SPDX-License-Identifier: Apache-2.0
// records.parquet: the rows of records.csv with their types, in row groups, so that memory stays bounded.
import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer'

/** A column: whole numbers, real numbers, or text; any cell may be null. */
export interface ParquetColumn {
  readonly name: string
  readonly type: 'INT64' | 'DOUBLE' | 'STRING'
}

const GROUP = 10_000

const cell = (value: string | number | null | undefined, type: ParquetColumn['type']) =>
  value === null || value === undefined || (value === '' && type !== 'STRING') ? null : type === 'INT64' ? BigInt(value) : value

/** The file in chunks. The same rows give the same bytes. */
export function* parquetOf(columns: readonly ParquetColumn[], rows: Iterable<readonly (string | number | null)[]>): Generator<Buffer> {
  const columnsOf = (group: readonly (readonly (string | number | null)[])[]) =>
    columns.map(({ name, type }, at) => ({ name, type, nullable: true, data: group.map((row) => cell(row[at], type)) }))
  const writer = new ByteWriter()
  const parquet = new ParquetWriter({ writer, schema: schemaFromColumnData({ columnData: columnsOf([]) }), createdBy: 'Affidavit' })
  const taken = (): Buffer => {
    const bytes = Buffer.from(writer.getBytes())
    writer.index = 0
    return bytes
  }
  let group: (readonly (string | number | null)[])[] = []
  for (const row of rows) {
    group.push(row)
    if (group.length < GROUP) continue
    void parquet.write({ columnData: columnsOf(group), rowGroupSize: GROUP })
    group = []
    yield taken()
  }
  if (group.length > 0) void parquet.write({ columnData: columnsOf(group), rowGroupSize: GROUP })
  void parquet.finish()
  yield taken()
}
