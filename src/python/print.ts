/** The print statement. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { slowAttr } from './attributes.ts'
import { Instance, type Value } from './objects.ts'
import { str } from './text.ts'
import type { Vm } from './vm.ts'

/** Where print puts things: a file of ours at once, anything else by its write. */
export function* printTo(vm: Vm, dest: Value, value: Value | undefined): Sys<void> {
  const file = dest === null ? (vm.sys.get('stdout') ?? vm.stdout) : dest
  const native = file as { softspace?: boolean; put?: (text: string) => Sys<void> }
  const write = function* (text: string): Sys<void> {
    if (native.put) yield* native.put(text)
    else yield* vm.call(yield* slowAttr(vm, file, 'write'), [text])
  }
  const space = native.put ? native.softspace : file instanceof Instance && file.dict.get('softspace') === 1
  const setSpace = (on: boolean): void => {
    if (native.put) native.softspace = on
    else if (file instanceof Instance) file.dict.set('softspace', on ? 1 : 0)
  }
  if (value === undefined) {
    yield* write('\n')
    setSpace(false)
    return
  }
  if (space) yield* write(' ')
  yield* write(yield* str(vm, value))
  // A string that ends in white space, not a blank, wants no blank behind it.
  setSpace(!(typeof value === 'string' && /[\t\n\v\f\r]$/.test(value)))
}
