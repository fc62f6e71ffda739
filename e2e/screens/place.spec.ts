// SPDX-License-Identifier: Apache-2.0
// Where calls were answered: in the head and the metadata of a record, in its cost, and for the filter.
import { callOk } from '../data.ts'
import { expect } from '../harness.ts'
import { oneLook } from './walk.ts'

oneLook('light', 'where calls were answered', async ({ page, go, shoot }) => {
  const call = (i: number, more: object) => ({
    model: 'llama3.2',
    prompt: `Question ${i}`,
    response: 'Yes',
    source: 'desk',
    latency_ms: 400 + i,
    ...more
  })
  await callOk(page, 'events.append', {
    events: [
      call(1, { provider: 'openai', server_address: '127.0.0.1', server_port: 1234 }),
      call(2, { provider: 'ollama', server_address: '127.0.0.1', remote_model: 'gpt-oss:120b', remote_host: 'https://ollama.com:443' }),
      call(3, { provider: 'openai', server_address: 'api.openai.com', server_port: 443 })
    ]
  })
  await go('/records?query=remote%3Ayes')
  await expect(page.getByText('Question 1')).toBeHidden()
  await page.getByText('Question 2').click()
  await expect(page.getByText('Data left to https://ollama.com:443 as gpt-oss:120b')).toBeVisible()
  await page.getByRole('tab', { name: 'Metadata' }).click()
  await expect(page.getByText('passed on by the model server to https://ollama.com:443 as gpt-oss:120b')).toBeVisible()
  await shoot('75-passed-on')
  await go('/records?query=remote%3Ano')
  await page.getByText('Question 1').click()
  await page.getByRole('tab', { name: 'Metadata' }).click()
  await expect(page.getByText('no price is set, and its server address, 127.0.0.1:1234, is loopback')).toBeVisible()
  await shoot('76-answered-here')
  await page.getByRole('button', { name: 'Filter', exact: true }).click()
  await page.getByRole('menuitem', { name: 'Not on record' }).click()
  await expect(page.getByText('0 of 3 records match')).toBeVisible()
})
