// SPDX-License-Identifier: Apache-2.0
// What else is in the bundle, and whether its file is encrypted.
import { Checkbox, PasswordInput, SegmentedControl, TextInput } from '@mantine/core'
import { useEffect, useRef } from 'react'
import { Panel } from '../../ui/parts.tsx'
import { strengthOf, strengthWords } from '../../ui/passphrase-strength.ts'

type Sealing = 'none' | 'recipient' | 'passphrase'
const sealings = [
  { value: 'none', label: 'Not encrypted' },
  { value: 'recipient', label: 'Key of the recipient' },
  { value: 'passphrase', label: 'Passphrase' }
] as const satisfies readonly { readonly value: Sealing; readonly label: string }[]

const recipientForm = /^age1[02-9ac-hj-np-z]{58}$/
/** Shortest passphrase of an encrypted export. */
export const SHORTEST_PASSPHRASE = 12

export interface DeliveryChoice {
  readonly pdf: boolean
  readonly parquet: boolean
  readonly sealing: Sealing
  /** Key of the recipient, or passphrase. */
  readonly secret: string
}

export const plainDelivery: DeliveryChoice = { pdf: true, parquet: false, sealing: 'none', secret: '' }

/** Whether the file can be encrypted as chosen. */
export const isSealable = ({ sealing, secret }: DeliveryChoice): boolean =>
  sealing === 'none' || (sealing === 'recipient' ? recipientForm.test(secret.trim()) : secret.length >= SHORTEST_PASSPHRASE)

/** What is wrong with a key that was typed, and what to do. Its secret half is longer and belongs to nobody else. */
export function recipientProblem(typed: string): string | null {
  if (typed === '' || recipientForm.test(typed.trim())) return null
  if (/^age-secret-key-/i.test(typed.trim()))
    return 'This is the secret half, which only the recipient has: take it out here, and ask for the other half, which begins with age1.'
  return 'This is no age key: it begins with age1 and has 62 characters'
}

export function Delivery({ value, onChange }: { readonly value: DeliveryChoice; readonly onChange: (next: DeliveryChoice) => void }) {
  const choice = useRef<HTMLDivElement>(null)
  const sealable = isSealable(value)
  // What a choice brings with it begins below the foot of the view.
  useEffect(() => {
    // The line on its strength comes with a passphrase that is long enough.
    void sealable
    if (value.sealing !== 'none') choice.current?.scrollIntoView({ block: 'nearest' })
  }, [value.sealing, sealable])
  return (
    <Panel title="Contents and delivery" sub="JSON lines, CSV and the report as a page are always in">
      <div className="row gap-16">
        <Checkbox
          label="Report as PDF"
          checked={value.pdf}
          onChange={(event) => onChange({ ...value, pdf: event.currentTarget.checked })}
        />
        <Checkbox
          label="Records in Parquet"
          checked={value.parquet}
          onChange={(event) => onChange({ ...value, parquet: event.currentTarget.checked })}
        />
      </div>
      <div ref={choice} className="column gap-8" style={{ marginTop: 12, alignItems: 'flex-start' }}>
        <SegmentedControl
          size="xs"
          aria-label="Encryption"
          data={[...sealings]}
          value={value.sealing}
          onChange={(sealing) => onChange({ ...value, sealing: sealing as Sealing, secret: '' })}
        />
        {value.sealing === 'recipient' && (
          <TextInput
            w="100%"
            label="Key of the recipient"
            placeholder="age1…"
            description="Only the holder of its secret half opens the file (age format)"
            value={value.secret}
            spellCheck={false}
            error={recipientProblem(value.secret)}
            onChange={(event) => onChange({ ...value, secret: event.currentTarget.value })}
          />
        )}
        {value.sealing === 'passphrase' && (
          <PasswordInput
            w="100%"
            label="Passphrase"
            description={`At least ${SHORTEST_PASSPHRASE} characters; it is not recorded. Give it to the recipient by another way than the file.`}
            value={value.secret}
            autoComplete="off"
            error={value.secret !== '' && !sealable ? `${SHORTEST_PASSPHRASE - value.secret.length} more needed` : null}
            onChange={(event) => onChange({ ...value, secret: event.currentTarget.value })}
          />
        )}
        {value.sealing === 'passphrase' && sealable && (
          <p className="small" role="status">
            {strengthWords[strengthOf(value.secret)]}
          </p>
        )}
      </div>
    </Panel>
  )
}
