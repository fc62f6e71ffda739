// SPDX-License-Identifier: Apache-2.0
import { expect, test } from '../harness.ts'

test('every permission is refused, except writing to the clipboard', async ({ opened }) => {
  const { page } = opened
  const outcome = await page.evaluate(async () => {
    const refused = async (work: () => Promise<unknown>): Promise<boolean> => {
      try {
        await work()
        return false
      } catch {
        return true
      }
    }
    return {
      notification: await Notification.requestPermission(),
      camera: await refused(() => navigator.mediaDevices.getUserMedia({ video: true })),
      microphone: await refused(() => navigator.mediaDevices.getUserMedia({ audio: true })),
      screen: await refused(() => navigator.mediaDevices.getDisplayMedia()),
      location: await refused(() => new Promise((resolve, reject) => navigator.geolocation.getCurrentPosition(resolve, reject))),
      clipboardRead: await refused(() => navigator.clipboard.readText()),
      midi: await refused(() => navigator.requestMIDIAccess({ sysex: true })),
      idle: (await navigator.permissions.query({ name: 'persistent-storage' })).state
    }
  })
  expect(outcome).toEqual({
    notification: 'denied',
    camera: true,
    microphone: true,
    screen: true,
    location: true,
    clipboardRead: true,
    midi: true,
    idle: 'denied'
  })
})

test('a copy button may write to the clipboard', async ({ opened }) => {
  const { page, app } = opened
  await page.evaluate(() => {
    const button = document.createElement('button')
    button.id = 'copy-test'
    button.textContent = 'copy'
    button.style.cssText = 'position:fixed;z-index:9999;top:0;left:0'
    button.onclick = () => void navigator.clipboard.writeText('copied text')
    document.body.append(button)
  })
  await page.click('#copy-test')
  await expect.poll(() => app.evaluate(({ clipboard }) => clipboard.readText())).toBe('copied text')
})

test('downloads and exports by the page itself are refused', async ({ opened }) => {
  const { page, app } = opened
  const begun = app.evaluate(
    ({ session }) =>
      new Promise<string>((resolve) => {
        session.defaultSession.once('will-download', (event) => resolve(event.defaultPrevented ? 'refused' : 'begun'))
        setTimeout(() => resolve('never asked'), 2000)
      })
  )
  await page.evaluate(() => {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob(['x']))
    link.download = 'x.txt'
    link.click()
  })
  expect(['refused', 'never asked']).toContain(await begun)
})
