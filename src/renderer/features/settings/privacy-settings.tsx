// SPDX-License-Identifier: Apache-2.0
import { ActionIcon, Button, SegmentedControl, Textarea, TextInput } from '@mantine/core'
import { IconPlus, IconTrash } from '@tabler/icons-react'
import { useState } from 'react'
import type { PrivacySettings as Values } from '../../../shared/contract/privacy.ts'
import { type Pack, packs } from '../../../shared/privacy/kinds.ts'
import { useDraft } from '../../client/draft.ts'
import { sentenceOf, useAction, useOperation } from '../../client/hooks.ts'
import { count } from '../../ui/format.ts'
import { Masked } from '../../ui/masked.tsx'
import { Note, Panel } from '../../ui/parts.tsx'
import { Failed, Loading } from '../../ui/states.tsx'

const names: Readonly<Record<Pack, { readonly label: string; readonly what: string }>> = {
  email: { label: 'E-mail addresses', what: 'local part and host name' },
  phone: { label: 'Telephone numbers', what: 'international form, and common national ones' },
  card: { label: 'Payment cards', what: 'ranges of the networks, check digit by Luhn' },
  iban: { label: 'IBAN', what: 'length by country, check digits modulo 97' },
  national_id: { label: 'National ids', what: 'US SSN, UK NINO, German tax id, French NIR' },
  secret: { label: 'Secrets and keys', what: 'published prefixes, private key blocks, JSON web tokens' },
  subject: { label: 'Subject fields', what: 'the user id, and the attributes named below' },
  own: { label: 'Own patterns', what: 'the patterns below' }
}

const modes = [
  { value: 'off', label: 'Off' },
  { value: 'mask', label: 'Mask' },
  { value: 'redact', label: 'Redact' }
]

export function PrivacySettings() {
  const saved = useOperation('privacy.get', {})
  const save = useAction('privacy.set', ['privacy.get'])
  const [edited, setEdited] = useDraft<Values>('privacy', saved.data)
  if (saved.isError)
    return (
      <Panel title="Privacy">
        <Failed what="The settings cannot be read" error={saved.error} />
      </Panel>
    )
  if (!saved.data)
    return (
      <Panel title="Privacy">
        <Loading what="Reading settings" />
      </Panel>
    )
  const values = edited ?? saved.data
  const changed = edited !== null && JSON.stringify(edited) !== JSON.stringify(saved.data)
  return (
    <>
      <Panel title="Personal data and secrets" sub="each change is a leaf">
        <form
          className="column gap-12"
          onSubmit={(event) => {
            event.preventDefault()
            save.mutate(values)
          }}
        >
          <p className="soft small">
            <b>Mask</b> hides a value wherever a person reads; showing it asks for a reason. <b>Redact</b> replaces it before the record is
            sealed: the value is then kept nowhere, and cannot be found or exported later. Forms are found, not meaning: a name has none.
          </p>
          <ul className="packs">
            {packs.map((pack) => (
              <li key={pack}>
                <div className="grow">
                  <div>{names[pack].label}</div>
                  <div className="dim small">{names[pack].what}</div>
                </div>
                <SegmentedControl
                  aria-label={names[pack].label}
                  data={modes}
                  value={values.packs[pack]}
                  onChange={(mode) => setEdited({ ...values, packs: { ...values.packs, [pack]: mode as Values['packs'][Pack] } })}
                />
              </li>
            ))}
          </ul>
          <TextInput
            label="Attributes that name the subject"
            description="Names of attributes, separated by commas. Records taken from then on are found by them."
            value={values.subject_attributes.join(', ')}
            onChange={(event) =>
              setEdited({
                ...values,
                subject_attributes: event.currentTarget.value.split(/, ?/).filter((name, i, all) => name !== '' || i === all.length - 1)
              })
            }
            onBlur={() => setEdited({ ...values, subject_attributes: values.subject_attributes.filter((name) => name.trim() !== '') })}
          />
          {save.isError && <Note is="broken">{sentenceOf(save.error)}</Note>}
          <div className="row">
            <span className="grow dim small right">{changed && 'Not saved yet'}</span>
            <Button variant="default" disabled={!changed} onClick={() => setEdited(null)}>
              Undo
            </Button>
            <Button type="submit" disabled={!changed} loading={save.isPending}>
              Save
            </Button>
          </div>
        </form>
      </Panel>
      <Panel title="Own patterns" sub="regular expressions without look-around and back references: they run in linear time">
        <OwnPatterns patterns={values.patterns} onChange={(patterns) => setEdited({ ...values, patterns: [...patterns] })} />
      </Panel>
    </>
  )
}

interface OwnPatternsProps {
  readonly patterns: Values['patterns']
  readonly onChange: (patterns: Values['patterns']) => void
}

function OwnPatterns({ patterns, onChange }: OwnPatternsProps) {
  const [text, setText] = useState('')
  const complete = patterns.filter((one) => /^[\p{L}\p{N}][\p{L}\p{N} _-]{0,23}$/u.test(one.name) && one.pattern !== '')
  const tried = useOperation('privacy.test', { text, patterns: complete }, { keep: true })
  const refusedOf = (index: number): string | undefined => {
    const one = patterns[index]
    const at = one ? complete.indexOf(one) : -1
    return at < 0 ? undefined : tried.data?.refused.find((refused) => refused.index === at)?.message
  }
  const set = (index: number, change: Partial<Values['patterns'][number]>) =>
    onChange(patterns.map((one, i) => (i === index ? { ...one, ...change } : one)))
  return (
    <div className="column gap-12">
      {patterns.map((one, index) => (
        <div key={index} className="own-pattern">
          <TextInput
            label="Word in the mask"
            value={one.name}
            maxLength={24}
            onChange={(event) => set(index, { name: event.currentTarget.value })}
          />
          <TextInput
            label="Pattern"
            className="mono-input"
            value={one.pattern}
            maxLength={200}
            error={refusedOf(index)}
            onChange={(event) => set(index, { pattern: event.currentTarget.value })}
          />
          <ActionIcon aria-label={`Remove the pattern ${one.name}`} onClick={() => onChange(patterns.filter((_, i) => i !== index))}>
            <IconTrash size={15} aria-hidden />
          </ActionIcon>
        </div>
      ))}
      <div className="row">
        <Button
          variant="default"
          size="compact-sm"
          leftSection={<IconPlus size={14} aria-hidden />}
          disabled={patterns.length >= 20}
          onClick={() => onChange([...patterns, { name: '', pattern: '', ignore_case: true }])}
        >
          Add a pattern
        </Button>
      </div>
      <Textarea
        label="Try it"
        description="What is typed here is looked at and forgotten."
        value={text}
        maxLength={20_000}
        autosize
        minRows={2}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      {text !== '' && tried.data && (
        <div className="column gap-4" aria-live="polite">
          <div className="dim small">{tried.data.found.length === 0 ? 'Nothing found' : `${count(tried.data.found.length)} found`}</div>
          <div className="try-result">
            <Masked text={tried.data.masked} />
          </div>
        </div>
      )}
      {tried.isError && <Note is="broken">{sentenceOf(tried.error)}</Note>}
    </div>
  )
}
