// SPDX-License-Identifier: Apache-2.0
// What the page reads of an OpenAPI document: as much of it as this program writes.

export interface Schema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly format?: string
  readonly minimum?: number
  readonly minItems?: number
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: boolean
  readonly description?: string
  readonly schema?: Schema
}

type Content = Readonly<Record<string, { readonly schema?: Schema; readonly example?: unknown }>>

export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
}

export interface OpenApi {
  readonly info: { readonly title: string; readonly version: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

/** A value that fits a schema, with what it requires and no more. */
export function exampleOf(schema: Schema | undefined): unknown {
  if (schema === undefined) return null
  if (schema.default !== undefined) return schema.default
  if (schema.const !== undefined) return schema.const
  if (schema.enum !== undefined) return schema.enum[0]
  const first = schema.anyOf?.[0] ?? schema.oneOf?.[0]
  if (first !== undefined) return exampleOf(first)
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return Object.fromEntries((schema.required ?? []).map((name) => [name, exampleOf(schema.properties?.[name])]))
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => exampleOf(schema.items))
    case 'integer':
    case 'number':
      return Math.max(0, schema.minimum ?? 0)
    case 'boolean':
      return false
    case 'string':
      return schema.format === 'date-time' ? new Date().toISOString() : ''
    default:
      return null
  }
}

/** What fits a parameter, in a few words. */
export function kindOf(schema: Schema | undefined): string {
  if (schema?.enum !== undefined) return schema.enum.map(String).join(', ')
  const type = Array.isArray(schema?.type) ? schema.type.join(' or ') : (schema?.type ?? '')
  const format = schema?.format === undefined ? '' : `, ${schema.format}`
  const otherwise = schema?.default === undefined ? '' : `, else ${String(schema.default)}`
  return `${type}${format}${otherwise}`
}

export interface Values {
  readonly [name: string]: string
}

/** The target of a request: path parameters in their places (a path in a path keeps its slashes), the query behind. */
export function targetOf(path: string, parameters: readonly Parameter[], values: Values): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name] ?? ''
    return name === 'path' ? value.split('/').map(encodeURIComponent).join('/') : encodeURIComponent(value)
  })
  const query = parameters
    .filter((one) => one.in === 'query' && values[one.name])
    .map((one) => `${encodeURIComponent(one.name)}=${encodeURIComponent(values[one.name] ?? '')}`)
  return query.length === 0 ? filled : `${filled}?${query.join('&')}`
}
