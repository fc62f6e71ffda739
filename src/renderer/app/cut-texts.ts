// SPDX-License-Identifier: Apache-2.0

/** From now on a text that is cut says the whole to whoever points at it. */
export function nameCutTexts(): void {
  const named = new WeakSet<Element>()
  document.addEventListener('pointerover', ({ target }) => {
    for (let one = target instanceof Element ? target : null; one instanceof HTMLElement; one = one.parentElement) {
      // A title that was written says more than the text; what is typed into a box can be moved through.
      if ((one.title !== '' && !named.has(one)) || one instanceof HTMLInputElement) return
      if (getComputedStyle(one).textOverflow !== 'ellipsis') continue
      one.title = one.scrollWidth > one.clientWidth ? (one.textContent ?? '') : ''
      named.add(one)
      return
    }
  })
}
