/** What each instruction does: rows of a table. A row that must wait, or run Python code inside, answers a generator that finishes the work. */
import type { Sys } from '#abi/posix/syscalls.ts'
import { deleteAttr, plainAttr, slowAttr, storeAttr } from './attributes.ts'
import type { Code } from './code.ts'
import { compareOp, plainCompare } from './compare.ts'
import { PyDict } from './dict.ts'
import { nameError, Raise } from './errors.ts'
import { importFrom, importModule, importStar } from './import.ts'
import { call, pushed } from './invoke.ts'
import { iterate, step } from './iterate.ts'
import { Iter, type Module, PyError, PyFunction, PyList, PySlice, PyTuple, type Value, type Vars } from './objects.ts'
import { OP_NAMES, type OpName } from './opcodes.ts'
import { binarySlow, plainBinary, unary } from './operators.ts'
import { printTo } from './print.ts'
import { makeClass, matches, raised } from './raise.ts'
import { execute } from './run.ts'
import { deleteItem, getItem, plainItem, storeItem } from './subscript.ts'
import { plainTruth, repr, truth } from './text.ts'
import { breakLoop, continueLoop, leave } from './unwind.ts'
import { EXCEPT, FINALLY, Frame, LOOP, type Slot, Unwind, type Vm } from './vm.ts'

type Handler = (vm: Vm, f: Frame, arg: number) => Sys<void> | undefined

const pop = (f: Frame): Value => f.stack.pop() as Value
const name = (f: Frame, arg: number): string => f.code.names[arg]!

function builtin(vm: Vm, f: Frame, id: string): Value | undefined {
  const global = f.globals.get(id)
  return global === undefined ? vm.builtins.get(id) : global
}

const outer = (f: Frame, depth: number): Vars | undefined => {
  // A class body or a module has no variables of its own: its functions' surroundings are its own.
  let vars = f.vars
  for (let i = f.code.optimized ? 0 : 1; i < depth; i++) vars = vars?.outer
  return vars
}

function free(f: Frame, arg: number): Value {
  const id = name(f, Math.floor(arg / 256))
  const value = outer(f, arg % 256)?.map.get(id)
  if (value === undefined) throw nameError(`free variable '${id}' referenced before assignment in enclosing scope`)
  return value
}

function jumpOn(sense: boolean, keep: boolean): Handler {
  const go = (f: Frame, arg: number, value: boolean): void => {
    if (value === sense) f.ip = arg
    else if (keep) f.stack.pop()
    if (!keep) f.stack.pop()
  }
  return (vm, f, arg) => {
    const value = f.stack.at(-1) as Value
    const plain = plainTruth(value)
    if (plain !== undefined) {
      go(f, arg, plain)
      return undefined
    }
    return (function* () {
      go(f, arg, yield* truth(vm, value))
    })()
  }
}

function* compareSlow(vm: Vm, f: Frame, op: string, a: Value, b: Value): Sys<void> {
  f.stack.push(yield* compareOp(vm, op, a, b))
}

const rows: Record<OpName, Handler> = {
  CONST: (_vm, f, arg) => void f.stack.push(f.code.consts[arg] as Value),
  POP: (_vm, f) => void f.stack.pop(),
  DUP: (_vm, f) => void f.stack.push(f.stack.at(-1)!),
  DUP2: (_vm, f) => void f.stack.push(f.stack.at(-2)!, f.stack.at(-1)!),
  ROT2: (_vm, f) => void f.stack.push(f.stack.pop()!, f.stack.pop()!),
  ROT3(_vm, f) {
    const top = f.stack.pop()!
    const second = f.stack.pop()!
    f.stack.push(top, f.stack.pop()!, second)
    return undefined
  },

  LNAME(vm, f, arg) {
    const id = name(f, arg)
    let value = f.locals?.get(id)
    if (value === undefined) value = builtin(vm, f, id)
    if (value === undefined) throw nameError(`name '${id}' is not defined`)
    f.stack.push(value)
    return undefined
  },
  SNAME: (_vm, f, arg) => void f.locals!.set(name(f, arg), pop(f)),
  DNAME(_vm, f, arg) {
    if (f.locals!.delete(name(f, arg)) === undefined) throw nameError(`name '${name(f, arg)}' is not defined`)
    return undefined
  },
  LFAST(_vm, f, arg) {
    const value = f.vars!.map.get(name(f, arg))
    if (value === undefined)
      throw new Raise('UnboundLocalError', `local variable '${name(f, arg)}' referenced before assignment`)
    f.stack.push(value)
    return undefined
  },
  SFAST: (_vm, f, arg) => void f.vars!.map.set(name(f, arg), pop(f)),
  DFAST(_vm, f, arg) {
    if (!f.vars!.map.delete(name(f, arg)))
      throw new Raise('UnboundLocalError', `local variable '${name(f, arg)}' referenced before assignment`)
    return undefined
  },
  LGLOB(vm, f, arg) {
    const value = builtin(vm, f, name(f, arg))
    if (value === undefined) throw nameError(`global name '${name(f, arg)}' is not defined`)
    f.stack.push(value)
    return undefined
  },
  SGLOB: (_vm, f, arg) => void f.globals.set(name(f, arg), pop(f)),
  DGLOB(_vm, f, arg) {
    if (f.globals.delete(name(f, arg)) === undefined) throw nameError(`global name '${name(f, arg)}' is not defined`)
    return undefined
  },
  LDEREF: (_vm, f, arg) => void f.stack.push(free(f, arg)),
  LCLASSDEREF(_vm, f, arg) {
    const own = f.locals?.get(name(f, Math.floor(arg / 256)))
    f.stack.push(own === undefined ? free(f, arg) : own)
    return undefined
  },
  LDYN(vm, f, arg) {
    const id = name(f, arg)
    for (let vars = f.vars; vars; vars = vars.outer) {
      const value = vars.map.get(id)
      if (value !== undefined) {
        f.stack.push(value)
        return undefined
      }
    }
    const value = builtin(vm, f, id)
    if (value === undefined) throw nameError(`name '${id}' is not defined`)
    f.stack.push(value)
    return undefined
  },
  LOCALS: (_vm, f) => void f.stack.push(f.locals!),

  LATTR(vm, f, arg) {
    const value = pop(f)
    const found = plainAttr(vm, value, name(f, arg))
    if (found === undefined) return pushed(f, slowAttr(vm, value, name(f, arg)))
    f.stack.push(found)
    return undefined
  },
  SATTR(vm, f, arg) {
    const target = pop(f)
    return storeAttr(vm, target, name(f, arg), pop(f))
  },
  DATTR: (vm, f, arg) => deleteAttr(vm, pop(f), name(f, arg)),
  LSUB(vm, f) {
    const index = pop(f)
    const value = pop(f)
    const found = plainItem(value, index)
    if (found === undefined) return pushed(f, getItem(vm, value, index))
    f.stack.push(found)
    return undefined
  },
  SSUB(vm, f) {
    const index = pop(f)
    const target = pop(f)
    return storeItem(vm, target, index, pop(f))
  },
  DSUB(vm, f) {
    const index = pop(f)
    return deleteItem(vm, pop(f), index)
  },

  BINARY(vm, f, arg) {
    const op = f.code.consts[arg] as string
    const b = pop(f)
    const a = pop(f)
    const value = plainBinary(op, a, b)
    if (value === undefined) return pushed(f, binarySlow(vm, op, a, b, false))
    f.stack.push(value)
    return undefined
  },
  INPLACE(vm, f, arg) {
    const op = f.code.consts[arg] as string
    const b = pop(f)
    const a = pop(f)
    const value = a instanceof PyList ? undefined : plainBinary(op, a, b)
    if (value === undefined) return pushed(f, binarySlow(vm, op, a, b, true))
    f.stack.push(value)
    return undefined
  },
  UNARY: (vm, f, arg) => pushed(f, unary(vm, f.code.consts[arg] as string, pop(f))),
  NOT(vm, f) {
    const value = pop(f)
    const plain = plainTruth(value)
    if (plain === undefined)
      return (function* () {
        f.stack.push(!(yield* truth(vm, value)))
      })()
    f.stack.push(!plain)
    return undefined
  },
  COMPARE(vm, f, arg) {
    const op = f.code.consts[arg] as string
    const b = pop(f)
    const a = pop(f)
    const value = plainCompare(op, a, b)
    if (value === undefined) return compareSlow(vm, f, op, a, b)
    f.stack.push(value)
    return undefined
  },
  REPR: (vm, f) => pushed(f, repr(vm, pop(f))),

  BTUPLE: (_vm, f, arg) => void f.stack.push(new PyTuple(arg === 0 ? [] : (f.stack.splice(-arg) as Value[]))),
  BLIST: (_vm, f, arg) => void f.stack.push(new PyList(arg === 0 ? [] : (f.stack.splice(-arg) as Value[]))),
  BMAP: (_vm, f) => void f.stack.push(new PyDict()),
  MAPADD(_vm, f) {
    const key = pop(f)
    const value = pop(f)
    ;(f.stack.at(-1) as PyDict).set(key, value)
    return undefined
  },
  BSLICE(_vm, f, arg) {
    const step = arg === 3 ? pop(f) : null
    const hi = pop(f)
    f.stack.push(new PySlice(pop(f), hi, step))
    return undefined
  },
  APPEND(_vm, f) {
    const value = pop(f)
    ;(pop(f) as PyList).items.push(value)
    return undefined
  },
  UNPACK(vm, f, arg) {
    const value = pop(f)
    const spread = (items: readonly Value[]): void => {
      if (items.length > arg) throw new Raise('ValueError', 'too many values to unpack')
      if (items.length < arg)
        throw new Raise('ValueError', `need more than ${items.length} value${items.length === 1 ? '' : 's'} to unpack`)
      for (let i = items.length - 1; i >= 0; i--) f.stack.push(items[i]!)
    }
    if (value instanceof PyTuple || value instanceof PyList) {
      spread(value.items)
      return undefined
    }
    return (function* () {
      const iter = yield* iterate(vm, value, 'unpack non-sequence')
      const items: Value[] = []
      for (;;) {
        const one = yield* step(vm, iter)
        if (one === undefined || items.length > arg) break
        items.push(one)
      }
      spread(items)
    })()
  },

  JMP(_vm, f, arg) {
    f.ip = arg
    return undefined
  },
  JF: jumpOn(false, false),
  JT: jumpOn(true, false),
  JFKEEP: jumpOn(false, true),
  JTKEEP: jumpOn(true, true),
  GETITER: (vm, f) => pushed(f, iterate(vm, pop(f))),
  FORITER(vm, f, arg) {
    const iter = f.stack.at(-1) as Value
    const take = (value: Value | undefined): void => {
      if (value !== undefined) f.stack.push(value)
      else {
        f.stack.pop()
        f.ip = arg
      }
    }
    if (iter instanceof Iter) {
      take(iter.next())
      return undefined
    }
    return (function* () {
      take(yield* step(vm, iter))
    })()
  },

  SETUPLOOP: (_vm, f, arg) => void f.blocks.push({ kind: LOOP, handler: arg, level: f.stack.length }),
  SETUPEXC: (_vm, f, arg) => void f.blocks.push({ kind: EXCEPT, handler: arg, level: f.stack.length }),
  SETUPFIN: (_vm, f, arg) => void f.blocks.push({ kind: FINALLY, handler: arg, level: f.stack.length }),
  POPBLOCK(_vm, f) {
    f.stack.length = Math.min(f.stack.length, f.blocks.pop()!.level)
    return undefined
  },
  BREAK: (_vm, f) => void breakLoop(f),
  CONTINUE: (_vm, f, arg) => void continueLoop(f, arg),
  NORMAL: (_vm, f) => void f.stack.push(new Unwind('normal')),
  MATCH(_vm, f) {
    const type = pop(f)
    f.stack.push(matches(f.stack.at(-1) as Slot as PyError, type))
    return undefined
  },
  CAUGHT(_vm, f) {
    const error = f.stack.pop() as PyError
    f.stack.push(error.value)
    return undefined
  },
  ENDFIN(vm, f) {
    const top = f.stack.pop()
    if (top instanceof PyError) {
      vm.again = true
      throw top
    }
    if (!(top instanceof Unwind) || top.why === 'normal') return undefined
    if (top.why === 'return') leave(vm, f, top.value)
    else if (top.why === 'break') breakLoop(f)
    else continueLoop(f, top.value as number)
    return undefined
  },
  RAISE(vm, f, arg) {
    const trace = arg > 2 ? pop(f) : null
    const value = arg > 1 ? pop(f) : null
    const type = arg > 0 ? pop(f) : undefined
    return raised(vm, f, type, value, trace)
  },

  CALL: call,
  MKFUN(_vm, f, arg) {
    const code = f.stack.pop() as unknown as Code
    const defaults = arg === 0 ? [] : (f.stack.splice(-arg) as Value[])
    f.stack.push(new PyFunction(code, f.globals, defaults, f.vars))
    return undefined
  },
  RUNCLASS(vm, f) {
    const code = f.stack.pop() as unknown as Code
    vm.push(new Frame(code, f.globals, new PyDict(), f.vars))
    return undefined
  },
  MKCLASS(vm, f) {
    const dict = pop(f) as PyDict
    const bases = pop(f) as PyTuple
    f.stack.push(makeClass(vm, pop(f) as string, bases.items, dict))
    return undefined
  },
  RET: (vm, f) => void leave(vm, f, pop(f)),
  YIELD(vm, f) {
    f.result = pop(f)
    f.yielded = true
    f.done = true
    vm.pop()
    return undefined
  },

  PRINT(vm, f, arg) {
    const value = pop(f)
    return printTo(vm, arg ? pop(f) : null, value)
  },
  PRINTNL: (vm, f, arg) => printTo(vm, arg ? pop(f) : null, undefined),
  SHOW(vm, f) {
    const value = pop(f)
    if (value === null) return undefined
    return (function* () {
      vm.builtins.set('_', value)
      yield* printTo(vm, null, yield* repr(vm, value))
      yield* printTo(vm, null, undefined)
    })()
  },
  IMPORT: (vm, f, arg) => pushed(f, importModule(vm, name(f, Math.floor(arg / 2)), arg % 2 === 1)),
  IMPORTFROM: (vm, f, arg) => pushed(f, importFrom(vm, f.stack.at(-1) as Module, name(f, arg))),
  IMPORTSTAR(vm, f) {
    return importStar(vm, f, pop(f) as Module)
  },
  EXEC(vm, f, arg) {
    const locals = arg > 1 ? pop(f) : undefined
    const globals = arg > 0 ? pop(f) : undefined
    return execute(vm, f, pop(f), globals, locals)
  },
}

export const HANDLERS: readonly Handler[] = OP_NAMES.map((one) => rows[one])
