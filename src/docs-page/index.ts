// SPDX-License-Identifier: Apache-2.0
// The page on which the HTTP interface is tried: made from the OpenAPI document of the server that it came from, and asking nobody else.
import { element } from '../page/dom.ts'
import { exampleOf, kindOf, type OpenApi, type Operation, type Parameter, targetOf } from './document.ts'

/** Characters of an answer that are shown. */
const MOST_SHOWN = 200_000

const byId = (id: string): HTMLElement => document.getElementById(id) ?? document.body
const soft = (text: string): HTMLElement => element('span', { class: 'soft' }, [text])

/** Header in which a token goes, and the scope it needs; null where none is. */
function tokenOf({ security }: Operation): { readonly header: string; readonly scope: string } | null {
  for (const one of security ?? [])
    for (const [scheme, scopes] of Object.entries(one))
      return { header: scheme === 'proxyToken' ? 'x-affidavit-token' : 'authorization', scope: scopes.join(', ') }
  return null
}

function parameterField(id: string, { name, required, schema, description }: Parameter): HTMLElement {
  const input = element('input', { id, name, autocomplete: 'off', spellcheck: 'false', ...(required ? { required: '' } : {}) })
  return element('p', { class: 'field' }, [
    element('label', { for: id }, [`${name}${required ? ' *' : ''}`]),
    input,
    soft(description ?? kindOf(schema))
  ])
}

const pretty = (text: string): string => {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

/** Sends a request and shows its answer while it comes; a stream goes on until it is stopped. */
async function send(url: string, init: RequestInit, show: (status: string, text: string) => void): Promise<void> {
  const began = performance.now()
  const answer = await fetch(url, { ...init, credentials: 'omit', cache: 'no-store' })
  const status = `${answer.status} ${answer.statusText}, ${Math.round(performance.now() - began)} ms, ${answer.headers.get('content-type') ?? 'no body'}`
  show(status, '')
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (;;) {
    const piece = await reader?.read()
    if (piece === undefined || piece.done) break
    text = `${text}${piece.value}`
    if (text.length > MOST_SHOWN) text = text.slice(-MOST_SHOWN)
    show(status, text)
  }
  show(status, pretty(text))
}

function requestForm(method: string, path: string, operation: Operation): HTMLElement {
  const parameters = operation.parameters ?? []
  const types = Object.entries(operation.requestBody?.content ?? {})
  const id = (name: string): string => `${operation.operationId}.${name}`
  const fields = parameters.map((one) => parameterField(id(one.name), one))
  const type = element(
    'select',
    { id: id('type') },
    types.map(([name]) => element('option', {}, [name]))
  )
  const body = element('textarea', { id: id('body'), spellcheck: 'false' })
  const fillBody = (): void => {
    const content = types.find(([name]) => name === type.value)?.[1]
    const example = content?.example ?? exampleOf(content?.schema)
    body.value = typeof example === 'string' ? example : JSON.stringify(example, null, type.value === 'application/json' ? 2 : 0)
  }
  type.addEventListener('change', fillBody)
  fillBody()
  const go = element('button', { type: 'submit' }, ['Send'])
  const stop = element('button', { type: 'button', hidden: '' }, ['Stop'])
  const status = element('p', { class: 'status', role: 'status' })
  const text = element('pre', { hidden: '', tabindex: '0', 'aria-label': 'Answer' })
  const show = (line: string, answer: string): void => {
    status.textContent = line
    text.textContent = answer
    text.hidden = answer === ''
  }
  const form = element('form', {}, [
    ...fields,
    ...(types.length === 0
      ? []
      : [
          element('p', { class: 'field' }, [element('label', { for: type.id }, ['content-type']), type]),
          element('p', { class: 'field' }, [element('label', { for: body.id }, ['Body']), body])
        ]),
    element('p', { class: 'buttons' }, [go, stop]),
    status,
    text
  ])
  let cancel = new AbortController()
  stop.addEventListener('click', () => cancel.abort())
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const values = Object.fromEntries(parameters.map(({ name }) => [name, (byId(id(name)) as HTMLInputElement).value]))
    const headers = new Headers()
    for (const one of parameters) if (one.in === 'header' && values[one.name]) headers.set(one.name, values[one.name] ?? '')
    const token = (byId('token') as HTMLInputElement).value.trim()
    const takes = tokenOf(operation)
    if (token !== '' && takes) headers.set(takes.header, takes.header === 'authorization' ? `Bearer ${token}` : token)
    if (types.length > 0) headers.set('content-type', type.value)
    cancel = new AbortController()
    go.disabled = true
    stop.hidden = false
    show('Sent…', '')
    const init = { method: method.toUpperCase(), headers, signal: cancel.signal, ...(types.length > 0 ? { body: body.value } : {}) }
    send(targetOf(path, parameters, values), init, show)
      .catch((error: unknown) => {
        if (cancel.signal.aborted) status.textContent = `${status.textContent ?? ''}, stopped`
        else show(`No answer: ${error instanceof Error ? error.message : 'unknown'}`, '')
      })
      .finally(() => {
        go.disabled = false
        stop.hidden = true
      })
  })
  return form
}

function answersOf(operation: Operation): HTMLElement {
  const items = Object.entries(operation.responses).map(([status, { description, content }]) => {
    const schemas = Object.entries(content ?? {}).map(([type, { schema }]) =>
      element('details', {}, [
        element('summary', {}, [element('code', {}, [type])]),
        element('pre', { tabindex: '0', 'aria-label': `Schema of ${status}, ${type}` }, [JSON.stringify(schema, null, 2)])
      ])
    )
    return element('li', {}, [element('b', {}, [status]), ` ${description}`, ...schemas])
  })
  return element('ul', { class: 'answers' }, items)
}

function operationPart(method: string, path: string, operation: Operation): HTMLElement {
  const content = element('div')
  const takes = tokenOf(operation)
  const part = element('details', { class: 'operation', id: operation.operationId }, [
    element('summary', {}, [
      element('span', { class: 'method' }, [method.toUpperCase()]),
      element('code', {}, [path]),
      element('span', {}, [operation.summary]),
      element('span', { class: 'scope soft' }, [takes === null ? 'open to all' : `token: ${takes.scope}`])
    ]),
    content
  ])
  // Made when it is opened: forms of routes nobody looks at are not there.
  part.addEventListener('toggle', () => {
    if (!part.open || content.hasChildNodes()) return
    content.append(
      ...(operation.description === undefined ? [] : [element('p', { class: 'soft' }, [operation.description])]),
      element('h2', {}, ['Try it']),
      requestForm(method, path, operation),
      element('h2', {}, ['Answers']),
      answersOf(operation)
    )
  })
  return part
}

async function start(): Promise<void> {
  const place = byId('operations')
  try {
    const answer = await fetch('/openapi.json', { credentials: 'omit' })
    if (!answer.ok) throw new Error(`${answer.status}`)
    const { info, paths } = (await answer.json()) as OpenApi
    byId('title').textContent = `${info.title} ${info.version}`
    const parts = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => operationPart(method, path, operation))
    )
    place.replaceChildren(...parts)
  } catch (error) {
    place.replaceChildren(
      element('p', {}, [`The document cannot be read: ${error instanceof Error ? error.message : 'unknown'}. Load this page again.`])
    )
  }
}

void start()
