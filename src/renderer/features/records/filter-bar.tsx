// SPDX-License-Identifier: Apache-2.0
// Text and chips are the same expression: a chip is a term of the text.
import { Button, Menu, TextInput } from '@mantine/core'
import { IconFilter, IconPlus, IconX } from '@tabler/icons-react'
import { type ReactNode, type RefObject, useEffect, useId, useState } from 'react'
import type { FilterExpression } from '../../../shared/filter/filter.ts'
import { formatFilter } from '../../../shared/filter/format.ts'
import { parseFilter } from '../../../shared/filter/parse.ts'
import { sentence, useOperation } from '../../client/hooks.ts'
import { useMay } from '../../client/session.tsx'
import { count } from '../../ui/format.ts'
import { chipOf } from './chip.ts'

interface FilterBarProps {
  readonly query: string
  readonly onQuery: (text: string) => void
  readonly input: RefObject<HTMLInputElement | null>
}

const without = (filter: FilterExpression, index: number): string => formatFilter({ terms: filter.terms.filter((_, i) => i !== index) })

const HOUR = 3_600_000
const since = (ms: number): string =>
  `from:${new Date(Math.floor((Date.now() - ms) / 60_000) * 60_000).toISOString().replace(':00.000Z', 'Z')}`

/** Items of the menu under their heading, which names them to a reader of screens too. */
function Group({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  const id = useId()
  return (
    <div role="group" aria-labelledby={id}>
      <Menu.Label id={id}>{label}</Menu.Label>
      {children}
    </div>
  )
}

export function FilterBar({ query, onQuery, input }: FilterBarProps) {
  const [text, setText] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const facets = useOperation('records.facets', {}, { keep: true })
  const seesRestricted = useMay('privacy').may
  const parsed = parseFilter(query)
  const filter: FilterExpression = parsed.ok ? parsed.filter : { terms: [] }
  // Another filter from elsewhere clears what was being typed; one that is none stands in the box, to be put right.
  useEffect(() => {
    setText(parsed.ok ? '' : query)
    setProblem(null)
  }, [query])

  const add = (more: string) => {
    const next = parseFilter(more)
    if (!next.ok) {
      setProblem(next.problem.message)
      return
    }
    setText('')
    setProblem(null)
    onQuery(formatFilter({ terms: [...filter.terms, ...next.filter.terms] }))
  }
  const addIs = (field: string, value: string) => add(`${field}:"${value.replace(/(["\\])/g, '\\$1')}"`)
  const group = (label: string, field: string, values: readonly { readonly value: string; readonly count: number }[]) =>
    values.length > 0 && (
      <Group label={label}>
        {values.slice(0, 6).map((entry) => (
          <Menu.Item
            key={entry.value}
            onClick={() => addIs(field, entry.value)}
            rightSection={<span className="dim small num">{count(entry.count)}</span>}
          >
            {entry.value}
          </Menu.Item>
        ))}
      </Group>
    )
  return (
    <>
      <TextInput
        ref={input}
        aria-label="Filter records"
        w={280}
        pos="relative"
        leftSection={<IconFilter size={14} aria-hidden />}
        placeholder="Words, or field:value"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value)
          setProblem(null)
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && text.trim() !== '') add(text)
          else if (event.key === 'Enter' && text === '') onQuery(formatFilter(filter))
          else if (event.key === 'Backspace' && text === '' && filter.terms.length > 0) onQuery(without(filter, filter.terms.length - 1))
          else if (event.key === 'Escape') event.currentTarget.blur()
        }}
        rightSection={<span className="keycap">/</span>}
        classNames={{ error: 'filter-problem' }}
        errorProps={{ role: 'alert' }}
        error={problem === null ? !parsed.ok && text === query : sentence(problem)}
      />
      {filter.terms.map((term, i) => {
        const { lead, value, typed } = chipOf(term)
        return (
          <span className="chip" key={typed} title={typed}>
            <span className={lead.endsWith(':') ? 'field' : 'field apart'}>{lead}</span>
            <span className="clip">{value}</span>
            <button type="button" aria-label={`Remove filter ${typed}`} onClick={() => onQuery(without(filter, i))}>
              <IconX size={12} />
            </button>
          </span>
        )
      })}
      {/* Within the landmark that this stands in. */}
      <Menu position="bottom-start" width={260} shadow="none" portalProps={{ target: 'main' }}>
        <Menu.Target>
          <Button variant="default" size="compact-sm" leftSection={<IconPlus size={12} />} styles={{ root: { borderStyle: 'dashed' } }}>
            Filter
          </Button>
        </Menu.Target>
        <Menu.Dropdown mah={520} style={{ overflowY: 'auto' }}>
          <Group label="Time">
            <Menu.Item onClick={() => add(since(HOUR))}>Last hour</Menu.Item>
            <Menu.Item onClick={() => add(since(24 * HOUR))}>Last 24 hours</Menu.Item>
            <Menu.Item onClick={() => add(since(7 * 24 * HOUR))}>Last 7 days</Menu.Item>
          </Group>
          {group('Model', 'model', facets.data?.models ?? [])}
          {group('Source', 'source', facets.data?.sources ?? [])}
          {group('Status', 'status', facets.data?.statuses ?? [])}
          <Group label="Slow">
            <Menu.Item onClick={() => add('latency:>30s')}>Longer than 30 s</Menu.Item>
          </Group>
          <Group label="Where it was answered">
            <Menu.Item onClick={() => add('remote:yes')}>Outside private networks</Menu.Item>
            <Menu.Item onClick={() => add('remote:no')}>On loopback or in a private network</Menu.Item>
            <Menu.Item onClick={() => add('remote:unknown')}>Not on record</Menu.Item>
          </Group>
          <Group label="Human review">
            <Menu.Item onClick={() => add('review:escalated')}>Escalated</Menu.Item>
            <Menu.Item onClick={() => add('review:rejected')}>Rejected</Menu.Item>
            <Menu.Item onClick={() => add('review:accepted')}>Accepted</Menu.Item>
            <Menu.Item onClick={() => add('review:no')}>Not reviewed yet</Menu.Item>
          </Group>
          <Group label="Corrections">
            <Menu.Item onClick={() => add('corrected:yes')}>Corrected</Menu.Item>
          </Group>
          {seesRestricted && (
            <Group label="Data protection">
              <Menu.Item onClick={() => add('restricted:yes')}>Restricted records</Menu.Item>
            </Group>
          )}
        </Menu.Dropdown>
      </Menu>
    </>
  )
}
