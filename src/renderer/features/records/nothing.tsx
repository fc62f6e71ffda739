// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core'
import { useOperation } from '../../client/hooks.ts'
import { counted } from '../../ui/format.ts'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Empty } from '../../ui/states.tsx'

interface NothingProps {
  readonly query: string
  readonly total: number
  readonly onClear: () => void
  readonly onImport: () => void
}

/** No record, and none was disposed of: nothing came yet. */
function NothingKept({ onImport }: Pick<NothingProps, 'onImport'>) {
  const disposed = useOperation('disposal.list', {}).data?.disposals.length ?? 0
  return (
    <Empty title={disposed === 0 ? 'Nothing is on record yet' : 'No record is kept any more'}>
      <p>
        {disposed === 0
          ? 'Records appear here as they arrive over HTTP or from a file.'
          : 'What was on record was disposed of when its retention ended: Compliance, Retention and holds, lists what went and who approved it. New records appear here as they arrive.'}
      </p>
      <PermittedButton permission="record" onClick={onImport}>
        Import a file…
      </PermittedButton>
    </Empty>
  )
}

/** Why no row is shown. */
export const Nothing = ({ query, total, onClear, onImport }: NothingProps) =>
  query === '' ? (
    <NothingKept onImport={onImport} />
  ) : (
    <Empty title="No record matches">
      <p>
        Searched {counted(total, 'record')} for <code>{query}</code>. Whole words are matched, and all terms must hold.
      </p>
      <Button variant="default" onClick={onClear}>
        Show all records
      </Button>
    </Empty>
  )
