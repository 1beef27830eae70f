import { type CallerName, credentials } from './callers.ts';
import { type Answered, send } from './send.ts';
import { TABLE } from './table.ts';
import type { Tenant } from './tenant.ts';
import type { World } from './world.ts';

export interface Attempt {
  /** Of the operation. */
  readonly id: string;
  readonly as: CallerName;
  readonly mine: Tenant;
  readonly other: Tenant;
  /** In the place of the table's. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** The body as it goes over the wire. */
  readonly text?: string;
  readonly requestId?: string;
}

/** Sends the table's request for this operation as that caller. */
export async function attempt(world: World, of: Attempt): Promise<Answered> {
  const operation = world.operations.get(of.id);
  const row = TABLE[of.id];
  if (!operation || !row) throw new Error(`${of.id} is no operation, or has no row`);
  const { mine } = of;
  const params = { ...row.of?.(mine), ...row.params?.(mine), ...of.params };
  const query = new URLSearchParams(of.query);
  const path = `/api/v1${fill(operation.path, params)}${query.size > 0 ? `?${query.toString()}` : ''}`;
  // By default the same id in each, so that answers can be compared as they are.
  const headers = { 'x-request-id': of.requestId ?? 'attempt', ...credentials(world, of.as, of) };

  const raw = row.raw?.(mine, world);
  const body = of.body ?? row.body?.(mine);
  const text = of.text ?? (body && JSON.stringify(body));
  return send({
    port: world.port,
    method: operation.method.toUpperCase(),
    path,
    headers: {
      ...headers,
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
      ...raw?.headers,
      ...(of.id === 'openSocket' ? WEBSOCKET : {}),
    },
    body: raw?.body ?? text,
  });
}

/** `/apps/:id` with its parts filled in. */
export function fill(path: string, params: Readonly<Record<string, string>>): string {
  return path.replace(/:(\w+)/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined) throw new Error(`${path}: the row says nothing of ${name}`);
    return encodeURIComponent(value);
  });
}

const WEBSOCKET = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};
