/** The health check cannot be offered to any container: the worker must not start. The message says what to do. */
export class GateToolUnusable extends Error {
  override readonly name = 'GateToolUnusable';
}
