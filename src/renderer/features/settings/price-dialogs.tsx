// SPDX-License-Identifier: Apache-2.0
import { Button, Modal, TextInput } from '@mantine/core'
import { useState } from 'react'
import type { PriceRow } from '../../../shared/contract/cost.ts'
import { MOST_AT_ONCE } from '../../../shared/contract/prices.ts'
import { type PriceList, readPriceList } from '../../../shared/price/csv.ts'
import { price as priceText, type TokenPrices, tokenKinds } from '../../../shared/price/price.ts'
import { sentenceOf, useAction } from '../../client/hooks.ts'
import { DialogButtons } from '../../ui/dialog-buttons.tsx'
import { count } from '../../ui/format.ts'
import { Note } from '../../ui/parts.tsx'

interface Done {
  readonly onClose: () => void
}

const fields = [
  ['input', 'Input', ''],
  ['output', 'Output', ''],
  ['cache_read', 'Cached input', 'as input'],
  ['cache_write', 'Written to the cache', 'as input'],
  ['reasoning', 'Reasoning', 'as output']
] as const

/** Larger files are no price lists. */
const MOST_BYTES = 1_000_000

const Reason = ({ value, onChange }: { readonly value: string; readonly onChange: (value: string) => void }) => (
  <TextInput
    label="Reason"
    description="Goes into the leaf of the change"
    required
    maxLength={500}
    value={value}
    onChange={(event) => onChange(event.currentTarget.value)}
  />
)

/** A new price, or other figures for one that is there. */
export function EditPrice({ price, onClose }: { readonly price: PriceRow | null } & Done) {
  const set = useAction('prices.set', ['prices.list', 'records.get'])
  const [model, setModel] = useState(price?.model ?? '')
  const [provider, setProvider] = useState(price?.provider ?? '')
  const [from, setFrom] = useState(price?.valid_from ?? new Date().toISOString().slice(0, 10))
  const [figures, setFigures] = useState<Readonly<Record<string, string | undefined>>>({ ...price?.prices })
  const [reason, setReason] = useState('')
  const of = (kind: string): string => (figures[kind] ?? '').trim()
  const wrong = tokenKinds.filter((kind) => of(kind) !== '' && !priceText.safeParse(of(kind)).success)
  const whole = model.trim() !== '' && of('input') !== '' && of('output') !== '' && wrong.length === 0
  const save = () => {
    const prices = Object.fromEntries(tokenKinds.flatMap((kind) => (of(kind) === '' ? [] : [[kind, of(kind)]]))) as TokenPrices
    set.mutate(
      { prices: [{ model: model.trim(), provider: provider.trim() || null, valid_from: from, prices }], reason },
      { onSuccess: onClose }
    )
  }
  return (
    <Modal opened onClose={onClose} title={price ? `Change the price of ${price.model}` : 'Add a price'}>
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          save()
        }}
      >
        <TextInput
          label="Model"
          description="A name, or a pattern in which * is anything; an exact name goes before a pattern"
          placeholder="gpt-4*"
          value={model}
          maxLength={128}
          disabled={price !== null}
          data-autofocus={price === null || undefined}
          onChange={(event) => setModel(event.currentTarget.value)}
          spellCheck={false}
        />
        <div className="settings-grid">
          <TextInput
            label="Provider"
            placeholder="any"
            value={provider}
            maxLength={64}
            disabled={price !== null}
            onChange={(event) => setProvider(event.currentTarget.value)}
            spellCheck={false}
          />
          <TextInput
            label="From, a day in UTC"
            placeholder="2026-01-31"
            value={from}
            maxLength={10}
            disabled={price !== null}
            onChange={(event) => setFrom(event.currentTarget.value)}
          />
          {fields.map(([kind, label, otherwise]) => (
            <TextInput
              key={kind}
              label={`${label}, USD per million`}
              placeholder={otherwise}
              inputMode="decimal"
              value={figures[kind] ?? ''}
              error={wrong.includes(kind) ? 'A figure with at most six decimals, such as 2.5' : undefined}
              onChange={(event) => {
                const { value } = event.currentTarget
                setFigures((now) => ({ ...now, [kind]: value }))
              }}
            />
          ))}
        </div>
        <p className="dim small">
          Records of that day and later have this cost from now on, also those already kept. A cost that came with a record stays.
        </p>
        <Reason value={reason} onChange={setReason} />
        {set.error && <Note is="broken">{sentenceOf(set.error)}</Note>}
        <DialogButtons onCancel={onClose}>
          <Button type="submit" loading={set.isPending} disabled={!whole || reason.trim().length < 3}>
            {price ? 'Change' : 'Add'}
          </Button>
        </DialogButtons>
      </form>
    </Modal>
  )
}

export function RemovePrice({ price, onClose }: { readonly price: PriceRow } & Done) {
  const remove = useAction('prices.remove', ['prices.list', 'records.get'])
  const [reason, setReason] = useState('')
  const { model, provider, valid_from } = price
  return (
    <Modal opened onClose={onClose} title={`Remove the price of ${model} from ${valid_from}`}>
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          remove.mutate({ model, provider, valid_from, reason }, { onSuccess: onClose })
        }}
      >
        <p>Records that had their cost from it take the next price that fits, or have none. The leaves that set and remove it stay.</p>
        <Reason value={reason} onChange={setReason} />
        {remove.error && <Note is="broken">{sentenceOf(remove.error)}</Note>}
        <DialogButtons onCancel={onClose} cancel="Keep it">
          <Button type="submit" loading={remove.isPending} disabled={reason.trim().length < 3}>
            Remove
          </Button>
        </DialogButtons>
      </form>
    </Modal>
  )
}

/** Many prices at once, from a CSV file; nothing is set before the list was seen. */
export function ImportPrices({ onClose }: Done) {
  const set = useAction('prices.set', ['prices.list', 'records.get'])
  const [list, setList] = useState<PriceList | null>(null)
  const [reason, setReason] = useState('')
  const read = async (file: File | undefined) => {
    if (!file) return
    const problem = (message: string): PriceList => ({ prices: [], problems: [{ line: 1, message }] })
    setList(file.size > MOST_BYTES ? problem('the file is no price list: it is larger than 1 MB') : readPriceList(await file.text()))
  }
  const most = list !== null && list.prices.length > MOST_AT_ONCE
  return (
    <Modal opened onClose={onClose} title="Import a list of prices">
      <form
        className="column gap-12"
        onSubmit={(event) => {
          event.preventDefault()
          if (list) set.mutate({ prices: [...list.prices], reason }, { onSuccess: onClose })
        }}
      >
        <p>
          A CSV file with the columns <code>model</code>, <code>provider</code>, <code>valid_from</code>, <code>input</code>,{' '}
          <code>output</code> and, where they differ, <code>cache_read</code>, <code>cache_write</code>, <code>reasoning</code>: US dollars
          per million tokens.
        </p>
        <input type="file" accept=".csv,text/csv" aria-label="Price list" onChange={(event) => void read(event.currentTarget.files?.[0])} />
        {list && list.problems.length > 0 && (
          <Note is="attention">
            {count(list.problems.length)} {list.problems.length === 1 ? 'line is' : 'lines are'} no price and left out:
            <ul>
              {list.problems.slice(0, 5).map(({ line, message }) => (
                <li key={line}>
                  line {count(line)}: {message}
                </li>
              ))}
            </ul>
          </Note>
        )}
        {list && list.prices.length > 0 && (
          <Note is={most ? 'attention' : 'plain'}>
            {count(list.prices.length)} {list.prices.length === 1 ? 'price' : 'prices'} read
            {most
              ? `; at most ${MOST_AT_ONCE} are taken at once`
              : '. One with the model, provider and day of another takes its place; those that are the same stay as they are.'}
          </Note>
        )}
        <Reason value={reason} onChange={setReason} />
        {set.error && <Note is="broken">{sentenceOf(set.error)}</Note>}
        <DialogButtons onCancel={onClose}>
          <Button
            type="submit"
            loading={set.isPending}
            disabled={list === null || list.prices.length === 0 || most || reason.trim().length < 3}
          >
            Set the prices
          </Button>
        </DialogButtons>
      </form>
    </Modal>
  )
}
