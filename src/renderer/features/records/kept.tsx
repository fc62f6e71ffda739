// SPDX-License-Identifier: Apache-2.0
import { messageOf, useOperation } from '../../client/hooks.ts'
import { count } from '../../ui/format.ts'
import { Facts } from '../../ui/parts.tsx'

/** Until when a record is kept, why, and what holds it. */
export function Kept({ seq }: { readonly seq: number }) {
  const query = useOperation('retention.of', { seqs: [seq] })
  const kept = query.data?.records[0]
  const text = query.isError ? messageOf(query.error) : (kept?.text ?? '…')
  return (
    <Facts
      width={132}
      rows={[
        ['Class', kept?.class ?? '…'],
        ['Retention', text],
        ...(kept && kept.holds.length > 0
          ? [['Held for', kept.holds.map((hold) => `${hold.matter} (leaf ${count(hold.seq)})`).join(', ')] as const]
          : [])
      ]}
    />
  )
}
