// SPDX-License-Identifier: Apache-2.0
// Changes to the files of a bundle.

/** Files of a bundle by name. */
export type Bag = Map<string, Buffer>

/** The text of a file; empty where there is none. */
export const text = (bag: Bag, name: string): string => (bag.get(name) ?? Buffer.alloc(0)).toString('utf8')

/** Changes the text of a file; a change that changes nothing is a mistake of the corpus. */
export function edit(bag: Bag, name: string, change: (text: string) => string): void {
  const before = text(bag, name)
  const after = change(before)
  if (after === before) throw new Error(`nothing was changed in ${name}`)
  bag.set(name, Buffer.from(after))
}

/** Changes the checkpoint, and its copy in each proof. */
export function editCheckpoint(bag: Bag, change: (text: string) => string): void {
  const before = text(bag, 'proof/checkpoint')
  edit(bag, 'proof/checkpoint', change)
  const after = text(bag, 'proof/checkpoint')
  for (const name of bag.keys()) if (name.startsWith('data/proofs/')) edit(bag, name, (all) => all.replace(before, after))
}

/** Changes one bit in the middle of a file. */
export function flip(bag: Bag, name: string): void {
  const bytes = Buffer.from(bag.get(name) ?? '')
  if (bytes.length === 0) bag.set(name, Buffer.alloc(1))
  else {
    const at = Math.floor(bytes.length / 2)
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
    bag.set(name, bytes)
  }
}

/** Gives two files the content of each other. */
export function swap(bag: Bag, a: string, b: string): void {
  const kept = bag.get(a)
  const other = bag.get(b)
  if (!kept || !other) throw new Error('nothing to swap')
  bag.set(a, other)
  bag.set(b, kept)
}
