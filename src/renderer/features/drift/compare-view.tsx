// SPDX-License-Identifier: Apache-2.0
import { Button, Checkbox, Select, TextInput } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { type DriftFeature, driftFeatures } from '../../../shared/contract/drift.ts'
import type { DriftComparison } from '../../../shared/contract/drift-compare.ts'
import { useCancelRead, useOperation } from '../../client/hooks.ts'
import { count, counted, moment } from '../../ui/format.ts'
import { Hash, Panel, State } from '../../ui/parts.tsx'
import { Empty, Failed, Reading } from '../../ui/states.tsx'
import { AroundPanel } from './around-panel.tsx'
import {
  BesidePanel,
  CopyReceipt,
  comparisonReceipt,
  Distributions,
  featureName,
  HistogramPanel,
  NumberStrip,
  neededWords,
  Probability,
  SegmentsPanel,
  three
} from './comparison-parts.tsx'
import { TimelinePanel } from './timeline-panel.tsx'
import { timeless, windowOf, withWindow } from './windows.ts'

/** What is compared; part of the address, so that a comparison can be returned to. */
export interface CompareSearch {
  readonly a?: string | undefined
  readonly b?: string | undefined
  readonly feature?: DriftFeature | undefined
  readonly apart?: boolean | undefined
}

const words: Record<DriftFeature, string> = {
  latency: 'Latency',
  token_usage: 'Token usage',
  response_length: 'Response length',
  error_rate: 'Error rate'
}

/** Any two selections side by side: two models, two weeks, two filters. */
export function CompareView({ a = '', b = '', feature = 'latency', apart = false }: CompareSearch) {
  const navigate = useNavigate()
  const asked = a !== '' || b !== ''
  const show = (next: CompareSearch) =>
    void navigate({ to: '/drift', search: { view: 'compare', a, b, feature, apart, ...next }, replace: asked })
  const found = useOperation('drift.compare', { a, b, feature, apart }, { enabled: asked })
  const cancel = useCancelRead()
  const base = timeless(a)
  return (
    <div className="compare-view">
      <Form a={a} b={b} feature={feature} apart={apart} onShow={show} />
      {!asked ? (
        <Empty title="Nothing is compared yet">
          <p>A and B are filters in the language of the records view: two models, two weeks, two applications. A is the reference.</p>
        </Empty>
      ) : (
        <>
          {base !== undefined && base === timeless(b) && (
            <TimelinePanel
              level={2}
              query={base}
              feature={feature}
              windows={(whole) => ({ reference: windowOf(a, whole), current: windowOf(b, whole) })}
              onChange={({ reference, current }) =>
                show({ ...(reference ? { a: withWindow(a, reference) } : {}), ...(current ? { b: withWindow(b, current) } : {}) })
              }
            />
          )}
          {found.isError ? (
            <Failed what="These selections cannot be compared" error={found.error} onRetry={() => void found.refetch()} />
          ) : found.data ? (
            <Result found={found.data} />
          ) : (
            <Reading
              what="Reading both selections"
              under={found.fetchStatus !== 'idle'}
              onCancel={() => cancel('drift.compare', { a, b, feature, apart })}
              onAgain={() => void found.refetch()}
            />
          )}
        </>
      )}
    </div>
  )
}

interface FormProps {
  readonly a: string
  readonly b: string
  readonly feature: DriftFeature
  readonly apart: boolean
  readonly onShow: (next: CompareSearch) => void
}

function Form({ a, b, feature, apart, onShow }: FormProps) {
  const [first, setFirst] = useState(a)
  const [second, setSecond] = useState(b)
  // A window that was dragged changes the filters too.
  useEffect(() => setFirst(a), [a])
  useEffect(() => setSecond(b), [b])
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onShow({ a: first.trim(), b: second.trim() })
  }
  return (
    <form className="compare-form" onSubmit={submit}>
      <TextInput
        label="A, reference"
        placeholder="model:gpt-4-0314"
        value={first}
        maxLength={4096}
        onChange={(event) => setFirst(event.currentTarget.value)}
      />
      <TextInput
        label="B, current"
        placeholder="model:gpt-4-0613"
        value={second}
        maxLength={4096}
        onChange={(event) => setSecond(event.currentTarget.value)}
      />
      <Select
        label="Feature"
        allowDeselect={false}
        data={driftFeatures.map((value) => ({ value, label: words[value] }))}
        value={feature}
        onChange={(value) => onShow({ feature: driftFeatures.find((one) => one === value) ?? 'latency' })}
      />
      <Checkbox label="Leave records of A out of B" checked={apart} onChange={(event) => onShow({ apart: event.currentTarget.checked })} />
      <Button type="submit" disabled={first.trim() === '' && second.trim() === ''}>
        Compare
      </Button>
    </form>
  )
}

const ruleWords = (own: DriftComparison['numbers'][number]): string =>
  own.state === 'collecting' ? 'too few to judge' : own.alarmed ? 'beyond the rule: would alarm without history' : 'within the rule'

function Result({ found }: { readonly found: DriftComparison }) {
  const navigate = useNavigate()
  const own = found.numbers.find((one) => one.feature === found.feature)
  if (!own) return null
  return (
    <>
      <div>
        <div className="row soft" style={{ fontSize: 12 }}>
          <State is={own.alarmed ? 'attention' : own.state === 'collecting' ? 'pending' : 'holds'} size={13}>
            {ruleWords(own)}
          </State>
          <span className="dim clip">compared on demand; nothing is judged, and that these filters were asked is on record</span>
        </div>
        <h2 className="headline">{found.headline}</h2>
        <p className="soft">{found.detail}</p>
      </div>
      <NumberStrip numbers={own} tests={found.settings.tests} names={['n, A', 'm, B', 'Min. effect']} />
      <Distributions plotted={{ ...found, numbers: own }} />
      <div className="pairs">
        <HistogramPanel found={found} names={['A', 'B']} />
        <Panel title="Both sides" flush level={3}>
          <table className="table">
            <thead>
              <tr>
                <th>Side</th>
                <th className="right">Records</th>
                <th>First, UTC</th>
                <th>Last, UTC</th>
                <th>Table</th>
              </tr>
            </thead>
            <tbody>
              {(['a', 'b'] as const).map((name) => {
                const side = found[name]
                return (
                  <tr key={name}>
                    <td className="strong">{name.toUpperCase()}</td>
                    <td className="right">
                      <button
                        type="button"
                        className="link"
                        onClick={() => void navigate({ to: '/records', search: { query: side.query } })}
                      >
                        {counted(side.records, 'record')}
                      </button>
                    </td>
                    <td className="num">{side.from === null ? '–' : moment(side.from).replace(' UTC', '')}</td>
                    <td className="num">{side.to === null ? '–' : moment(side.to).replace(' UTC', '')}</td>
                    <td>
                      <Hash value={side.table_sha256} label={`table hash of ${name.toUpperCase()}`} />
                    </td>
                  </tr>
                )
              })}
            </tbody>
          </table>
          {found.gap && <p className="soft panel-note">{neededWords(found)}</p>}
          <div className="row panel-note">
            <CopyReceipt receipt={comparisonReceipt(found)} />
            <span className="dim small">read up to leaf {count(found.at)}</span>
          </div>
        </Panel>
      </div>
      <Panel title="All features" sub="one family, without history" flush level={3}>
        <table className="table">
          <thead>
            <tr>
              <th>Feature</th>
              <th>In words</th>
              <th className="right">D</th>
              <th className="right">L</th>
              <th className="right">p</th>
            </tr>
          </thead>
          <tbody>
            {found.numbers.map((one) => (
              <tr key={one.feature}>
                <td className={one.alarmed ? 'strong' : ''}>{featureName(one.feature)}</td>
                <td>{one.sentence}</td>
                <td className="right">{three(one.d)}</td>
                <td className="right">{three(one.l)}</td>
                <td className="right">
                  <Probability value={one.p} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Panel>
      <AroundPanel found={found} names={['A', 'B']} />
      <SegmentsPanel found={found} sides="choices" />
      <BesidePanel found={found} sides="choices" />
    </>
  )
}
