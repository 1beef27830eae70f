/** Ends `bin/up` with one line a person can act on; `details` (a log's tail) is printed under it. */
export class CannotStart extends Error {
  override readonly name = 'CannotStart';
  readonly details: readonly string[];

  constructor(message: string, details: readonly string[] = []) {
    super(message);
    this.details = details;
  }
}
