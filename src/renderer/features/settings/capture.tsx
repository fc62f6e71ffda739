// SPDX-License-Identifier: Apache-2.0
import { useStatus } from '../../app/engine-state.tsx'
import { Connect } from '../../ui/connect/connect.tsx'
import { Clients } from './clients.tsx'
import { Prices } from './prices.tsx'
import { Upstreams } from './upstreams.tsx'

/** How calls come in: the lines for each client, the servers behind the recorder, who may send, and what models cost. */
export function Capture() {
  const status = useStatus()
  return (
    <>
      {status && <Connect status={status} />}
      <Upstreams />
      <Clients />
      <Prices />
    </>
  )
}
