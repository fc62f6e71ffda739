// SPDX-License-Identifier: Apache-2.0
// The focus does not fall out of the page with the element that has it: it goes back to what opened a dialog or menu, or to a neighbour.

const LAYER = '[role=dialog], [role=menu]'
/** Without the boxes whose list opens with the focus, and the hidden input that each of them has beside it. */
const STOPS =
  'a[href], button:not(:disabled, [tabindex="-1"]), input:not(:disabled, [aria-haspopup], [type=hidden]), select:not(:disabled), textarea:not(:disabled), [tabindex="0"]'

/** Where the focus was. What stood around it is kept with it: an element that is gone cannot be asked for that. */
interface Place {
  readonly element: Element
  /** From the parent outwards, to the dialog or menu that it is in or else to the body; `at`: its place among the children there. */
  readonly around: readonly { readonly node: Element; readonly at: number }[]
  readonly layer: Element | null
}

function placeOf(element: Element): Place {
  const layer = element.closest(LAYER)
  const around: { readonly node: Element; readonly at: number }[] = []
  for (let inner = element; inner !== layer && inner.parentElement && inner !== document.body; inner = inner.parentElement)
    around.push({ node: inner.parentElement, at: [...inner.parentElement.children].indexOf(inner) })
  return { element, around, layer }
}

function takes(element: Element | null | undefined): boolean {
  if (!(element instanceof HTMLElement)) return false
  element.focus({ preventScroll: true })
  return document.activeElement === element
}

/** What stands where an element was, or else the last before it. */
function neighbourIn(node: Element, at: number): Element | undefined {
  const stops = [...node.querySelectorAll(STOPS)]
  const there = node.children[at]
  const after = there && stops.find((one) => one === there || there.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING)
  return after ?? stops.at(-1)
}

/** Keeps the focus in the page from now on. */
export function keepFocus(): void {
  let last: Place | null = null
  const openers = new WeakMap<Element, Place | null>()
  /** The dialog or menu that opened last, until somebody presses something: the trap of a dialog looks for its beginning more than once. */
  let opening: Element | null = null

  const giveBack = (place: Place): boolean => {
    if (place.element.isConnected && takes(place.element)) return true
    for (const { node, at } of place.around) {
      if (!node.isConnected) continue
      // Another screen or view: its own beginning, not a control of it, nor the frame around it.
      if (node.matches('main') || node.querySelector('main')) break
      if (node.matches(STOPS) ? takes(node) : takes(neighbourIn(node, at))) return true
    }
    const opener = place.layer && openers.get(place.layer)
    return opener ? giveBack(opener) : takes(document.querySelector('main'))
  }

  document.addEventListener('focusin', ({ target }) => {
    if (!(target instanceof Element)) return
    const place = placeOf(target)
    if (place.layer && !openers.has(place.layer)) {
      openers.set(place.layer, last)
      opening = place.layer
    }
    last = place
    // A dialog begins with what it asks for, not with the cross that closes it.
    if (opening !== null && opening === place.layer && target.matches('.mantine-Modal-close'))
      takes(opening.querySelector('.mantine-Modal-body')?.querySelector(STOPS))
  })
  for (const type of ['keydown', 'pointerdown'] as const)
    document.addEventListener(
      type,
      () => {
        opening = null
      },
      true
    )
  // Whoever clicks beside everything gives the focus away.
  document.addEventListener(
    'click',
    () => {
      if (document.activeElement === document.body) last = null
    },
    true
  )
  const settle = () => {
    if (last === null || document.activeElement !== document.body) return
    // What is at work has the focus again once it is done.
    if (last.element.isConnected && last.element.matches('[data-loading]')) return
    giveBack(last)
  }
  new MutationObserver(() => {
    if (last === null) return
    if (!last.element.isConnected) settle()
    // The focus leaves what is disabled a moment later, and what can be used again gets it back.
    else if (last.element.matches(':disabled')) setTimeout(settle, 50)
    else if (last.element !== document.activeElement) settle()
  }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['disabled'] })
}
