import type { Delivery, Payload } from './read-delivery.ts';

/** What lists tell of a delivery without opening its payload. */
export interface DeliverySummary {
  readonly event: string;
  readonly action: string | null;
  readonly repository: string | null;
  readonly ref: string | null;
  readonly commitSha: string | null;
  readonly sender: string | null;
}

export function summariseDelivery({ event, payload }: Pick<Delivery, 'event' | 'payload'>): DeliverySummary {
  return {
    event,
    action: textOf(payload['action']),
    repository: repositoryOf(payload),
    ref: textOf(payload['ref']),
    commitSha: textOf(payload['after']) ?? textOf(fieldOf(payload, 'pull_request', 'head', 'sha')),
    sender: textOf(fieldOf(payload, 'sender', 'login')),
  };
}

/** `owner/name`. */
export function repositoryOf(payload: Payload): string | null {
  return textOf(fieldOf(payload, 'repository', 'full_name'));
}

/** The number of the GitHub App's installation it came through. */
export function installationOf(payload: Payload): bigint | null {
  const id = fieldOf(payload, 'installation', 'id');
  return typeof id === 'number' && Number.isSafeInteger(id) ? BigInt(id) : null;
}

function fieldOf(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, name)
        ? Reflect.get(inner, name)
        : undefined,
    value,
  );
}

const LONGEST = 255;

/** Postgres takes no NUL, and nobody who reads a list wants to meet a control character. */
function textOf(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  return value.replace(/[\p{Cc}\p{Bidi_Control}]/gu, '').slice(0, LONGEST);
}
