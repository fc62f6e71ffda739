// SPDX-License-Identifier: Apache-2.0
// Elements from names and texts; no text becomes markup.

/** An element with attributes and children. */
export function element<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string>> = {},
  children: readonly (Node | string)[] = []
): HTMLElementTagNameMap[K] {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

/** Replaces what an element holds. */
export const fill = (parent: Element, children: readonly (Node | string)[]): void => parent.replaceChildren(...children)
