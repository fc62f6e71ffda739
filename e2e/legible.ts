// SPDX-License-Identifier: Apache-2.0
import type { Page } from '@playwright/test'

/**
 * Texts in view that cannot be read: cut off by a box that neither scrolls nor shows that something is missing, or lying on each other.
 * Each as `cut: TEXT` or `TEXT lies on TEXT`.
 */
export async function illegible(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    interface Seen {
      readonly element: Element
      readonly text: string
      readonly box: DOMRect
      readonly layer: Element | null
    }
    const problems = new Set<string>()
    const seen: Seen[] = []
    const isOpen = (value: string) => value === 'visible'
    const scrolls = (value: string) => value === 'auto' || value === 'scroll'
    /** For screen readers alone, at this width. */
    const isForReaders = (element: Element | null): boolean =>
      element !== null && (getComputedStyle(element).clipPath !== 'none' || isForReaders(element.parentElement))
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const text = node.textContent?.trim() ?? ''
      const element = node.parentElement
      if (text === '' || !element || element.closest('[aria-hidden=true], script, style, textarea, option, noscript, canvas')) continue
      if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue
      const range = document.createRange()
      range.selectNodeContents(node)
      const whole = range.getBoundingClientRect()
      if (whole.width === 0 || isForReaders(element)) continue
      let [left, top, right, bottom] = [whole.left, whole.top, whole.right, whole.bottom]
      let layer: Element | null = null
      let fits = true
      for (let box: Element | null = element; box && box !== document.body; box = box.parentElement) {
        const style = getComputedStyle(box)
        if (!layer && style.position !== 'static' && style.position !== 'relative') layer = box
        if (isOpen(style.overflowX) && isOpen(style.overflowY)) continue
        const edge = box.getBoundingClientRect()
        const overX = left < edge.left - 1 || right > edge.right + 1
        const overY = top < edge.top - 1 || bottom > edge.bottom + 1
        if (fits && overX && !scrolls(style.overflowX) && style.textOverflow !== 'ellipsis') {
          fits = false
          problems.add(`cut: ${text.slice(0, 60)}`)
        }
        // The newest rows are as many as there is room for.
        if (fits && overY && !scrolls(style.overflowY) && !box.closest('.live-rows')) {
          fits = false
          problems.add(`cut from below: ${text.slice(0, 60)}`)
        }
        left = Math.max(left, edge.left)
        right = Math.min(right, edge.right)
        top = Math.max(top, edge.top)
        bottom = Math.min(bottom, edge.bottom)
      }
      // Line by line: the box of a text that wraps covers its neighbours in the same paragraph.
      for (const line of range.getClientRects()) {
        const [x, y] = [Math.max(left, line.left), Math.max(top, line.top)]
        const [width, height] = [Math.min(right, line.right) - x, Math.min(bottom, line.bottom) - y]
        if (width > 3 && height > 3) seen.push({ element, text, box: new DOMRect(x, y, width, height), layer })
      }
    }
    for (const [at, one] of seen.entries())
      for (const other of seen.slice(at + 1)) {
        if (
          one.element === other.element ||
          one.layer !== other.layer ||
          one.element.contains(other.element) ||
          other.element.contains(one.element)
        )
          continue
        const x = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left)
        const y = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top)
        if (x > 3 && y > 5) problems.add(`${one.text.slice(0, 40)} lies on ${other.text.slice(0, 40)}`)
      }
    return [...problems]
  })
}
