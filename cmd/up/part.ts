/** Something that runs as long as the platform does. */
export interface Part {
  readonly name: string;
  /** Resolves when it answers, with a word on it for the person who waits. @throws CannotStart */
  start(): Promise<string>;
  /** Every few seconds: what no event tells is looked after. */
  tend(): Promise<void>;
  /** Ends it and leaves nothing, also when `start()` has not ended or has failed. */
  stop(): Promise<void>;
}
