/** The worker is stopping: what can be handed back is, what is past the switch is left for the next worker. */
export class ShuttingDown extends Error {
  override readonly name = 'ShuttingDown';
}
