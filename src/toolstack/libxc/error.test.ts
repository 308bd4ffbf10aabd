import { expect, test } from 'vitest'
import { XC_INTERNAL_ERROR, XC_INVALID_KERNEL, XC_OUT_OF_MEMORY, XcError } from './error.ts'

test.each<[XcError, string]>([
  [new XcError(12), "(12, 'Cannot allocate memory')"],
  [new XcError(22, XC_INTERNAL_ERROR), "(1, 'Internal error')"],
  [
    new XcError(22, XC_INVALID_KERNEL, 'xc_dom_find_loader: no loader found\n'),
    "(2, 'Invalid kernel', 'xc_dom_find_loader: no loader found\\n')",
  ],
  [
    new XcError(12, XC_OUT_OF_MEMORY, "xc_dom_boot_mem_init: can't allocate low memory for domain\n"),
    `(4, 'Out of memory', "xc_dom_boot_mem_init: can't allocate low memory for domain\\n")`,
  ],
  [new XcError(1, XC_INTERNAL_ERROR, 'a"b\'c\\\t\x01\xff'), `(1, 'Internal error', 'a"b\\'c\\\\\\t\\x01\\xff')`],
])('an error as Python shows it', (error, tuple) => {
  expect(error.tuple).toBe(tuple)
})
