/**
 * Sorting with a comparator, the same in every engine. The language leaves open how often and in which order a comparator is called, engines (and versions of
 * one engine) differ in it, and an image's comparator costs fuel, which is virtual time. So `lockdown` puts these in the place
 * of the engine's own: a plain stable merge sort.
 */
const { apply, defineProperty, getPrototypeOf } = Reflect
const { isArray } = Array

type Compare = (a: unknown, b: unknown) => unknown

/** Sort `items` in place, stably. A comparator's answer that is no number above zero leaves the order as it is. */
export function mergeSort(items: unknown[], compare: Compare): void {
  let from = items
  let to = new Array<unknown>(items.length)
  for (let width = 1; width < items.length; width *= 2) {
    for (let low = 0; low < items.length; low += 2 * width) {
      const middle = Math.min(low + width, items.length)
      const high = Math.min(low + 2 * width, items.length)
      let left = low
      let right = middle
      for (let at = low; at < high; at++) {
        const takeLeft = left < middle && (right >= high || !(Number(compare(from[left], from[right])) > 0))
        to[at] = takeLeft ? from[left++] : from[right++]
      }
    }
    const swap = from
    from = to
    to = swap
  }
  if (from !== items) for (let i = 0; i < items.length; i++) items[i] = from[i]
}

function checked(compare: unknown): Compare {
  if (typeof compare !== 'function') throw new TypeError('the comparator is not a function')
  return compare as Compare
}

/** What Array.prototype.sort does around the sorting: undefined goes to the end, holes behind it. */
function sortArray(array: unknown[], compare: Compare): unknown[] {
  const items: unknown[] = []
  let undefineds = 0
  const { length } = array
  for (let i = 0; i < length; i++) {
    if (!(i in array)) continue
    if (array[i] === undefined) undefineds++
    else items.push(array[i])
  }
  mergeSort(items, compare)
  for (let i = 0; i < undefineds; i++) items.push(undefined)
  for (let i = 0; i < items.length; i++) array[i] = items[i]
  for (let i = items.length; i < length; i++) delete array[i]
  return array
}

type Sorter = (this: unknown, compare?: unknown) => unknown

/** Put a method of that name in place of `owner`'s, which goes on to serve calls without a comparator. */
function replace(owner: object, name: 'sort' | 'toSorted', sorted: (self: unknown, compare: Compare) => unknown): void {
  const own = (owner as Record<string, Sorter | undefined>)[name]
  if (!own) return
  const value = {
    [name](this: unknown, compare?: unknown): unknown {
      return compare === undefined ? apply(own, this, []) : sorted(this, checked(compare))
    },
  }[name]
  defineProperty(owner, name, { value, writable: true, enumerable: false, configurable: true })
}

export function replaceSorts(): void {
  const array = (self: unknown): unknown[] => {
    if (!isArray(self)) throw new TypeError('not an array')
    return self
  }
  replace(Array.prototype, 'sort', (self, compare) => sortArray(array(self), compare))
  replace(Array.prototype, 'toSorted', (self, compare) => sortArray([...array(self)], compare))

  const typedArrays = getPrototypeOf(Uint8Array.prototype) as object
  const copy = (typedArrays as { slice: Sorter }).slice
  const sortTyped = (self: unknown, compare: Compare): unknown => {
    const typed = self as Float64Array
    const items: unknown[] = [...typed]
    mergeSort(items, compare)
    typed.set(items as number[])
    return typed
  }
  replace(typedArrays, 'sort', sortTyped)
  replace(typedArrays, 'toSorted', (self, compare) => sortTyped(apply(copy, self, []), compare))
}
