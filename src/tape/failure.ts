/** Why a tape ends here, without its line. */
export class Failure {
  readonly message: string

  constructor(message: string) {
    this.message = message
  }
}
