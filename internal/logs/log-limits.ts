/** What one stream and one writer may take. */
export interface LogLimits {
  /** Of one stored line; a longer one is cut into several. */
  readonly lineBytes: number;
  /** Of a whole stream; what programs write past it is dropped behind one marker line. */
  readonly streamLines: number;
  readonly streamBytes: number;
  /** What may wait in memory, texts and bookkeeping; lines of programs beyond it are dropped behind a marker line. */
  readonly bufferBytes: number;
  /** Above this, drained() waits. */
  readonly highWaterBytes: number;
  /** What drained() waits once the stream is full, so that a flood nobody will read costs little. */
  readonly fullPauseMs: number;
  readonly batchLines: number;
  readonly batchBytes: number;
  /** The longest a line waits for company. */
  readonly intervalMs: number;
  /** How long flush() and close() wait for a database that is away. */
  readonly patienceMs: number;
}

/** bufferBytes holds 200 000 lines of 80 characters, so that a burst of that size needs no back-pressure. */
export const DEFAULT_LIMITS: LogLimits = {
  lineBytes: 16 * 1024,
  streamLines: 500_000,
  streamBytes: 50 * 1024 * 1024,
  bufferBytes: 36 * 1024 * 1024,
  highWaterBytes: 4 * 1024 * 1024,
  fullPauseMs: 20,
  batchLines: 500,
  batchBytes: 1024 * 1024,
  intervalMs: 100,
  patienceMs: 20_000,
};
