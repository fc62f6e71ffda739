// SPDX-License-Identifier: Apache-2.0
import { Button, Checkbox, Modal, NumberInput, Select, Textarea, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { OperationInput, OperationOutput } from '../../../shared/contract/contract.ts'
import { sentenceOf, useAction } from '../../client/hooks.ts'
import { DialogButtons } from '../../ui/dialog-buttons.tsx'
import { Note } from '../../ui/parts.tsx'

type Schedule = OperationOutput<'retention.get'>
type Rule = OperationInput<'retention.set'>['rules'][number]
type ClassRule = OperationInput<'retention.set'>['classes'][number]

const units = ['years', 'months', 'days'] as const
type Unit = (typeof units)[number]
const unitOf = (rule: Rule): Unit => units.find((unit) => rule.period[unit] > 0) ?? 'years'
const triggers = [
  { value: 'append', label: 'append' },
  { value: 'start', label: 'claimed start' },
  { value: 'account_closed', label: 'closing of the account' },
  { value: 'system_ended', label: 'end of life of the system' }
]

function withTrigger(rule: Rule, value: string): Rule {
  const { class: name, name: source, period } = rule
  if (value === 'append' || value === 'start') return { class: name, name: source, period, trigger: value }
  return { class: name, name: source, period, trigger: 'event', event: value as NonNullable<Rule['event']> }
}

const fresh: Rule = { class: 'default', name: '17a-4(b)(4)', trigger: 'append', period: { years: 3, months: 0, days: 0 } }

const noName = (typed: string): string | null => (typed.trim() === '' ? 'Name it' : null)

/** Edits the schedule: rules per class, and which records get which class. */
export function ScheduleDialog({ data, onClose }: { readonly data: Schedule; readonly onClose: () => void }) {
  const [rules, setRules] = useState<readonly Rule[]>(data.rules.length === 0 ? [fresh] : data.rules)
  const [classes, setClasses] = useState<readonly ClassRule[]>(data.classes)
  const [reason, setReason] = useState('')
  const [existing, setExisting] = useState(false)
  const save = useAction('retention.set', ['retention.get', 'disposal.preview', 'approvals.list', 'retention.of'])
  const unnamed = [...rules.flatMap((rule) => [rule.class, rule.name]), ...classes.map((rule) => rule.class)].some(
    (one) => one.trim() === ''
  )
  const change = (at: number, rule: Rule) => setRules(rules.map((one, i) => (i === at ? rule : one)))
  const assign = (at: number, rule: ClassRule) => setClasses(classes.map((one, i) => (i === at ? rule : one)))
  return (
    <Modal opened onClose={onClose} title="Schedule" size="xl">
      <div className="column gap-12">
        <p className="soft small">
          The longest rule of a class wins. Records of AI systems are kept at least {data.floor_days} days from append, whatever stands
          here. The class <code>log</code> is that of leaves that are no calls; with a rule for it, whole tiles can go.
        </p>
        <ul className="column gap-8">
          {rules.map((rule, i) => (
            <li className="rule-row" key={i}>
              <TextInput
                label="Class"
                value={rule.class}
                error={noName(rule.class)}
                onChange={(e) => change(i, { ...rule, class: e.currentTarget.value })}
              />
              <TextInput
                label="Rule"
                value={rule.name}
                error={noName(rule.name)}
                onChange={(e) => change(i, { ...rule, name: e.currentTarget.value })}
              />
              <NumberInput
                label="Period"
                min={1}
                max={1200}
                allowDecimal={false}
                value={rule.period[unitOf(rule)]}
                onChange={(n) => change(i, { ...rule, period: { years: 0, months: 0, days: 0, [unitOf(rule)]: Number(n) } })}
              />
              <Select
                label="Unit"
                data={[...units]}
                value={unitOf(rule)}
                allowDeselect={false}
                onChange={(unit) =>
                  change(i, { ...rule, period: { years: 0, months: 0, days: 0, [unit ?? 'years']: rule.period[unitOf(rule)] } })
                }
              />
              <Select
                label="Counted from"
                data={triggers}
                value={rule.trigger === 'event' ? (rule.event ?? 'account_closed') : rule.trigger}
                allowDeselect={false}
                onChange={(value) => change(i, withTrigger(rule, value ?? 'append'))}
              />
              <Button variant="default" aria-label={`Remove rule ${i + 1}`} onClick={() => setRules(rules.filter((_, at) => at !== i))}>
                Remove
              </Button>
            </li>
          ))}
        </ul>
        <Button
          variant="default"
          style={{ alignSelf: 'flex-start' }}
          onClick={() => setRules([...rules, { ...fresh, name: 'FINRA 4511', period: { years: 6, months: 0, days: 0 } }])}
        >
          Add a rule
        </Button>
        <ul className="column gap-8">
          {classes.map((rule, i) => (
            <li className="rule-row" key={i}>
              <TextInput
                label="Class"
                value={rule.class}
                error={noName(rule.class)}
                onChange={(e) => assign(i, { ...rule, class: e.currentTarget.value })}
              />
              <TextInput
                label="Source"
                placeholder="any"
                value={rule.source ?? ''}
                onChange={(e) => assign(i, { ...rule, source: e.currentTarget.value || undefined })}
              />
              <TextInput
                label="Model"
                placeholder="any"
                value={rule.model ?? ''}
                onChange={(e) => assign(i, { ...rule, model: e.currentTarget.value || undefined })}
              />
              <Button
                variant="default"
                aria-label={`Remove class rule ${i + 1}`}
                onClick={() => setClasses(classes.filter((_, at) => at !== i))}
              >
                Remove
              </Button>
            </li>
          ))}
        </ul>
        <Button
          variant="default"
          style={{ alignSelf: 'flex-start' }}
          onClick={() => setClasses([...classes, { class: 'advice', source: 'web-app' }])}
        >
          Add a class rule
        </Button>
        <Textarea label="Reason" value={reason} maxLength={2000} autosize minRows={2} onChange={(e) => setReason(e.currentTarget.value)} />
        <Checkbox
          label="Also shorten the retention of records already kept: takes a second person"
          checked={existing}
          onChange={(e) => setExisting(e.currentTarget.checked)}
        />
        {save.isError && <Note is="broken">{sentenceOf(save.error)}</Note>}
        <DialogButtons onCancel={onClose}>
          <Button
            loading={save.isPending}
            disabled={reason.trim() === '' || unnamed}
            onClick={() => save.mutate({ rules: [...rules], classes: [...classes], reason, existing }, { onSuccess: onClose })}
          >
            {existing ? 'Ask for it' : 'Set the schedule'}
          </Button>
        </DialogButtons>
      </div>
    </Modal>
  )
}
