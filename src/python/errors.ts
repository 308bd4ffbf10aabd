/** The exceptions that our own code raises. Classes are one interpreter's; here they are names until `Vm` looks them up. */

/** An exception of the module `exceptions`, by name: the machine that catches it makes the instance. */
export class Raise extends Error {
  readonly exception: string
  readonly text: string
  constructor(exception: string, text: string) {
    super(text)
    this.exception = exception
    this.text = text
  }
}

/** Where a SyntaxError is: `offset` is the column behind the offending token, undefined where the compiler found it. */
export class SyntaxProblem extends Raise {
  readonly line: number
  readonly offset: number | undefined
  readonly source: string
  constructor(text: string, line: number, offset: number | undefined, source: string, exception = 'SyntaxError') {
    super(exception, text)
    this.line = line
    this.offset = offset
    this.source = source
  }
}

export const typeError = (text: string): Raise => new Raise('TypeError', text)
export const valueError = (text: string): Raise => new Raise('ValueError', text)
export const attributeError = (text: string): Raise => new Raise('AttributeError', text)
export const indexError = (text: string): Raise => new Raise('IndexError', text)
export const nameError = (text: string): Raise => new Raise('NameError', text)
export const overflowError = (text: string): Raise => new Raise('OverflowError', text)
