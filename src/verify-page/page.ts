// SPDX-License-Identifier: Apache-2.0

import { element, fill } from '../page/dom.ts'
import type { Trust } from '../shared/evidence/verify-steps.ts'
import type { Answer, Work } from './messages.ts'
import { refusedView, verdictView } from './views.ts'

/** Files that confirm keys, by name; anything else is taken for the bundle. */
const trustNames = {
  'log.vkey': 'logVkey',
  allowed_signers: 'allowedSigners',
  'tsa-ca.pem': 'tsaCa',
  'witness.vkey': 'witnessVkeys'
} as const
const MOST_TRUST_BYTES = 1024 * 1024

const isTrustName = (name: string): name is keyof typeof trustNames => Object.hasOwn(trustNames, name)

interface State {
  bundle: File | null
  trust: { -readonly [key in Exclude<keyof Trust, 'remembered'>]?: string }
  worker: Worker | null
  /** Runs that have ended. */
  runs: number
}

/** Shows the page. @param code the text of this script, from which the worker is started */
export function startPage(code: string): void {
  const byId = (id: string): HTMLElement => document.getElementById(id) ?? document.body
  const [main, result, keys, drop] = [byId('main'), byId('result'), byId('keys'), byId('drop')]
  const state: State = { bundle: null, trust: {}, worker: null, runs: 0 }
  const workerAddress = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }))

  const ended = (view: readonly Node[]): void => {
    state.worker?.terminate()
    state.worker = null
    fill(result, view)
    result.removeAttribute('aria-busy')
    state.runs++
    main.dataset.runs = String(state.runs)
  }

  const verify = (bundle: File): void => {
    state.worker?.terminate()
    const bar = element('progress', { max: '1', 'aria-label': 'Verification' })
    fill(result, [
      element('section', { class: 'panel' }, [
        element('h2', {}, [`Verifying ${bundle.name}`]),
        bar,
        element('button', { type: 'button', id: 'stop' }, ['Stop'])
      ])
    ])
    result.setAttribute('aria-busy', 'true')
    document.getElementById('stop')?.addEventListener('click', () => ended(refusedView(bundle, 'stopped before the end')))
    const worker = new Worker(workerAddress)
    state.worker = worker
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      if (state.worker !== worker) return
      switch (data.is) {
        case 'progress':
          bar.setAttribute('value', String(data.total === 0 ? 0 : data.done / data.total))
          return
        case 'verdict':
          ended(verdictView(bundle, data.verdict))
          return
        case 'refused':
          ended(refusedView(bundle, data.message))
          return
      }
    }
    worker.onerror = () => ended(refusedView(bundle, 'this browser stopped the verification before its end'))
    const { logVkey, allowedSigners } = state.trust
    const work: Work = { bundle, trust: logVkey === undefined || allowedSigners === undefined ? undefined : { ...state.trust } }
    worker.postMessage(work)
  }

  const showKeys = (note?: string): void => {
    const given = Object.entries(trustNames)
      .filter(([, key]) => state.trust[key] !== undefined)
      .map(([name]) => name)
    const half = given.length > 0 && (state.trust.logVkey === undefined || state.trust.allowedSigners === undefined)
    keys.textContent =
      note ??
      (given.length === 0
        ? 'Without keys confirmed outside the bundle the signer stays unconfirmed.'
        : half
          ? `Given: ${given.join(', ')}. Both log.vkey and allowed_signers are needed before keys count as confirmed.`
          : `Confirmed keys: ${given.join(', ')}.`)
    keys.className = half || note !== undefined ? 'attention' : 'soft'
    byId('forget').hidden = given.length === 0
  }

  const take = async (files: readonly File[]): Promise<void> => {
    const bundles = files.filter((file) => !isTrustName(file.name))
    let note: string | undefined
    for (const file of files) {
      if (!isTrustName(file.name)) continue
      if (file.size > MOST_TRUST_BYTES) note = `${file.name} is too large for a file of keys.`
      else state.trust[trustNames[file.name]] = await file.text()
    }
    if (bundles.length > 1) note = 'One bundle at a time: nothing was verified.'
    showKeys(note)
    if (bundles.length > 1) return
    state.bundle = bundles[0] ?? state.bundle
    if (state.bundle) verify(state.bundle)
  }

  for (const id of ['bundle-file', 'key-files']) {
    const input = byId(id) as HTMLInputElement
    input.addEventListener('change', () => {
      const files = [...(input.files ?? [])]
      // The same file may be chosen again after it was changed.
      input.value = ''
      void take(files)
    })
  }
  byId('forget').addEventListener('click', () => {
    state.trust = {}
    showKeys()
    if (state.bundle) verify(state.bundle)
  })
  document.addEventListener('dragover', (event) => {
    event.preventDefault()
    drop.classList.add('over')
  })
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) drop.classList.remove('over')
  })
  document.addEventListener('drop', (event) => {
    event.preventDefault()
    drop.classList.remove('over')
    void take([...(event.dataTransfer?.files ?? [])])
  })
  showKeys()
  main.dataset.runs = '0'
}
