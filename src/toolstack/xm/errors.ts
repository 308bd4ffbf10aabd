/** How a subcommand ends other than well. */

/** Options were wrong: the text, the command's help, and the parser's own usage. */
export class OptionError extends Error {
  readonly usage: string
  constructor(message: string, usage = '') {
    super(message)
    this.usage = usage
  }
}

/** Python's ValueError: a number that is none. */
export class InvalidArgument extends Error {}

/** sys.exit. */
export class ExitXm extends Error {
  readonly status: number
  constructor(status: number) {
    super(`exit ${status}`)
    this.status = status
  }
}

/** Only the text, no help: XenAPIUnsupportedException. */
export class Unsupported extends Error {}
