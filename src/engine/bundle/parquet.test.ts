// SPDX-License-Identifier: Apache-2.0
import { parquetReadObjects } from 'hyparquet'
import { expect, it } from 'vitest'
import { parquetOf } from './parquet.ts'

const columns = [
  { name: 'seq', type: 'INT64' },
  { name: 'ms', type: 'DOUBLE' },
  { name: 'model', type: 'STRING' }
] as const

const read = async (bytes: Buffer) =>
  parquetReadObjects({ file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer })

it('reads back as written, across row groups, with nulls and hostile text', async () => {
  const rows = Array.from({ length: 25_001 }, (_, i) => [i, i % 3 === 0 ? null : i / 2, i === 7 ? '=cmd()\u0000"\n' : `m${i % 5}`] as const)
  const chunks = [...parquetOf(columns, rows)]
  expect(chunks).toHaveLength(3)
  const back = await read(Buffer.concat(chunks))
  expect(back).toHaveLength(25_001)
  expect(back[7]).toEqual({ seq: 7n, ms: 3.5, model: '=cmd()\u0000"\n' })
  expect(back[24_999]).toEqual({ seq: 24_999n, ms: null, model: 'm4' })
  expect(Buffer.concat([...parquetOf(columns, rows)]).equals(Buffer.concat(chunks))).toBe(true)
  expect(await read(Buffer.concat([...parquetOf(columns, [])]))).toEqual([])
})
