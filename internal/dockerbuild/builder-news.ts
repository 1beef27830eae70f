/** What the classic builder tells of its own work, by short ids: the container of a step, the layer that it made. */
export type BuilderNews =
  | { readonly kind: 'step_container'; readonly id: string }
  | { readonly kind: 'layer'; readonly id: string };

/**
 * Null for all other messages. A step can write such a line too, so whoever acts on one looks first at what it names.
 */
export function readBuilderNews(message: unknown): BuilderNews | null {
  const text = typeof message === 'object' && message !== null ? Reflect.get(message, 'stream') : null;
  if (typeof text !== 'string') return null;
  const [, running, layer] = /^ ---> (?:Running in ([0-9a-f]{12})|([0-9a-f]{12}))\n$/.exec(text) ?? [];
  if (running !== undefined) return { kind: 'step_container', id: running };
  return layer === undefined ? null : { kind: 'layer', id: layer };
}
