// SPDX-License-Identifier: Apache-2.0
import { Button } from '@mantine/core'
import { useState } from 'react'
import { shell } from '../client/bridge.ts'
import { Mark } from '../ui/parts.tsx'

/** On every screen of a sample: what it is, and the way out. Only the app's own sample is removed by leaving it. */
export function SampleBanner() {
  const [state, setState] = useState<'idle' | 'leaving' | 'failed'>('idle')
  return (
    <div className="banner one-line banner-attention" role="status">
      <Mark is="attention" size={15} />
      <div className="grow">
        <b>SAMPLE.</b> Generated data, no evidence. Nothing is recorded here.
        {state === 'failed' && ' The usual workspace could not be opened.'}
      </div>
      <Button
        variant="default"
        size="compact-sm"
        loading={state === 'leaving'}
        onClick={() => {
          setState('leaving')
          shell('shell.leaveSample', {}).then(
            () => setState('idle'),
            () => setState('failed')
          )
        }}
      >
        Leave the sample
      </Button>
    </div>
  )
}
