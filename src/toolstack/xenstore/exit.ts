/** err(3), errx(3): the program ends with these words. */
export class Exit extends Error {
  readonly status: number

  constructor(status: number, text: string) {
    super(text)
    this.status = status
  }
}
