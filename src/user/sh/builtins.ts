/** The table of builtins. */
import { controlBuiltins } from './builtins/control.ts'
import { ioBuiltins } from './builtins/io.ts'
import { jobBuiltins } from './builtins/jobs.ts'
import { systemBuiltins } from './builtins/system.ts'
import { testBuiltins } from './builtins/test.ts'
import type { Builtin } from './builtins/types.ts'
import { variableBuiltins } from './builtins/variables.ts'

export type { Builtin } from './builtins/types.ts'

export const builtins: ReadonlyMap<string, Builtin> = new Map(
  [...controlBuiltins, ...variableBuiltins, ...testBuiltins, ...ioBuiltins, ...jobBuiltins, ...systemBuiltins].map(
    (builtin) => [builtin.name, builtin],
  ),
)
