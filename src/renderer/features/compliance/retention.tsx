// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react'
import type { OperationOutput } from '../../../shared/contract/contract.ts'
import { eventText, periodText } from '../../../shared/policy/retention.ts'
import { useOperation } from '../../client/hooks.ts'
import { count, day, moment } from '../../ui/format.ts'
import { Panel } from '../../ui/parts.tsx'
import { PermittedButton } from '../../ui/permitted-button.tsx'
import { Empty, Failed, Loading } from '../../ui/states.tsx'
import { Who } from '../../ui/who.tsx'
import { DisposalPanel } from './disposal-panel.tsx'
import { EventDialog } from './event-dialog.tsx'
import { HoldsPanel } from './holds-panel.tsx'
import { ScheduleDialog } from './schedule-dialog.tsx'

type Schedule = OperationOutput<'retention.get'>

/** How long records are kept, what holds them, and what is past its time. */
export function RetentionAndHolds() {
  return (
    <div className="compliance-page column gap-12">
      <DisposalPanel />
      <HoldsPanel />
      <SchedulePanel />
    </div>
  )
}

function SchedulePanel() {
  const query = useOperation('retention.get', {})
  const [dialog, setDialog] = useState<'schedule' | 'event' | null>(null)
  if (query.isError) return <Failed what="The schedule cannot be read" error={query.error} onRetry={() => void query.refetch()} />
  if (!query.data) return <Loading what="Reading the schedule" />
  const { data } = query
  const set = data.history[0]
  return (
    <>
      <Panel
        title="Schedule"
        sub={set ? `set ${moment(set.time)}, leaf ${count(set.seq)}: ${set.reason}` : 'none is set: everything is kept without end'}
        flush
        right={
          <span className="row">
            <PermittedButton permission="policy" variant="default" size="compact-sm" onClick={() => setDialog('event')}>
              Record an event…
            </PermittedButton>
            <PermittedButton permission="policy" size="compact-sm" onClick={() => setDialog('schedule')}>
              Edit the schedule…
            </PermittedButton>
          </span>
        }
      >
        {data.rules.length === 0 ? (
          <Empty title="No rule yet">
            <p>
              Each class of records has rules with a period, counted from append, from the claimed start or from an event. The longest one
              wins. Records of AI systems are kept at least {data.floor_days} days, and no rule lowers that.
            </p>
          </Empty>
        ) : (
          <Rules data={data} />
        )}
      </Panel>
      {data.classes_on_record.length > 0 && <OnRecord data={data} />}
      {data.events.length > 0 && <Events data={data} />}
      {data.history.length > 1 && <History data={data} />}
      {dialog === 'schedule' && <ScheduleDialog data={data} onClose={() => setDialog(null)} />}
      {dialog === 'event' && <EventDialog onClose={() => setDialog(null)} />}
    </>
  )
}

const fromText = (rule: Schedule['rules'][number]): string =>
  rule.trigger === 'append' ? 'append' : rule.trigger === 'start' ? 'claimed start' : eventText[rule.event ?? 'account_closed']

const givenTo = (data: Schedule, name: string): string => {
  if (name === 'log') return 'leaves that are no calls'
  const rules = data.classes.filter((rule) => rule.class === name)
  if (rules.length === 0) return name === 'default' ? 'everything no class rule names' : 'no class rule gives it'
  return rules
    .map((rule) =>
      [
        ...(rule.source === undefined ? [] : [`source ${rule.source}`]),
        ...(rule.model === undefined ? [] : [`model ${rule.model}`]),
        ...(rule.attribute === undefined ? [] : [`${rule.attribute.name} ${rule.attribute.value}`])
      ].join(' and ')
    )
    .join(', or ')
}

const Rules = ({ data }: { readonly data: Schedule }) => (
  <table className="table">
    <thead>
      <tr>
        <th>Class</th>
        <th>Given to</th>
        <th>Rule</th>
        <th>Period</th>
        <th>Counted from</th>
      </tr>
    </thead>
    <tbody>
      {data.rules.map((rule) => (
        <tr key={JSON.stringify(rule)}>
          <td className="wrap-cell">{rule.class}</td>
          <td className="wrap-cell dim">{givenTo(data, rule.class)}</td>
          <td className="wrap-cell">{rule.name}</td>
          <td className="num">{periodText(rule.period)}</td>
          <td>{fromText(rule)}</td>
        </tr>
      ))}
    </tbody>
  </table>
)

const OnRecord = ({ data }: { readonly data: Schedule }) => (
  <Panel title="Classes on record" sub="what the oldest record of each class is kept for" flush>
    <table className="table">
      <thead>
        <tr>
          <th>Class</th>
          <th className="right">Records</th>
          <th>Oldest, UTC</th>
          <th>Kept until</th>
          <th>Why</th>
        </tr>
      </thead>
      <tbody>
        {data.classes_on_record.map((one) => (
          <tr key={one.class}>
            <td className="wrap-cell">{one.class}</td>
            <td className="right">{count(one.records)}</td>
            <td className="num">{day(one.oldest)}</td>
            <td className="num">{one.due === null ? 'without end' : day(one.due)}</td>
            <td className="wrap-cell">{one.text}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Panel>
)

const Events = ({ data }: { readonly data: Schedule }) => (
  <Panel title="Events that periods count from" flush>
    <table className="table">
      <thead>
        <tr>
          <th className="right">Leaf</th>
          <th>What</th>
          <th>Of</th>
          <th>When, UTC</th>
          <th>Recorded by</th>
        </tr>
      </thead>
      <tbody>
        {data.events.map((one) => (
          <tr key={one.seq}>
            <td className="right dim">{count(one.seq)}</td>
            <td>{eventText[one.event]}</td>
            <td className="wrap-cell">
              {one.scope} {one.value}
            </td>
            <td className="num">{day(one.at)}</td>
            <td>
              <Who actor={one.actor} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </Panel>
)

const History = ({ data }: { readonly data: Schedule }) => (
  <Panel title="Earlier schedules" sub="a record keeps the longest of those in force since it was appended" flush>
    <table className="table">
      <thead>
        <tr>
          <th className="right">Leaf</th>
          <th>Set, UTC</th>
          <th>By</th>
          <th className="right">Rules</th>
          <th>For records kept before</th>
          <th>Reason</th>
        </tr>
      </thead>
      <tbody>
        {data.history.slice(1).map((one) => (
          <tr key={one.seq}>
            <td className="right dim">{count(one.seq)}</td>
            <td className="num">{moment(one.time).replace(' UTC', '')}</td>
            <td>
              <Who actor={one.actor} />
            </td>
            <td className="right">{count(one.rules)}</td>
            <td>{one.existing ? 'it alone, by two people' : 'lengthens only'}</td>
            <td className="wrap-cell">{one.reason}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Panel>
)
