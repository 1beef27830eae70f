import type { Request } from 'express';
import { AppError } from '../errors/app-error.ts';

export const EVENT_HEADER = 'X-GitHub-Event';
export const DELIVERY_HEADER = 'X-GitHub-Delivery';

/** A delivery whose signature was right, as it came. */
export interface Delivery {
  readonly event: string;
  /** GitHub's id of it: sent again, it has the same. */
  readonly deliveryId: string;
  readonly payload: Payload;
  /** The JSON that was sent. */
  readonly text: string;
}
export type Payload = Readonly<Record<string, unknown>>;

const EVENT = /^[a-z_]{1,50}$/;
const DELIVERY_ID = /^[A-Za-z0-9-]{1,100}$/;

/** @throws AppError invalid_input, unsupported_media_type, malformed_json */
export function readDelivery(request: Pick<Request, 'get'>, body: Buffer): Delivery {
  const text = jsonOf(body, request.get('content-type') ?? '');
  return {
    event: requireHeader(request, EVENT_HEADER, EVENT),
    deliveryId: requireHeader(request, DELIVERY_HEADER, DELIVERY_ID),
    payload: parsePayload(text),
    text,
  };
}

function requireHeader(request: Pick<Request, 'get'>, name: string, form: RegExp): string {
  const value = request.get(name);
  if (value !== undefined && form.test(value)) return value;
  const message = value === undefined ? 'is required' : 'is not of the form that GitHub sends';
  throw new AppError('invalid_input', `${name} ${message}.`, { fields: [{ field: name, message }] });
}

/** GitHub sends the JSON by itself, or in the field `payload` of a form, as its webhook was set up. */
function jsonOf(body: Buffer, contentType: string): string {
  const [type = ''] = contentType.split(';');
  switch (type.trim().toLowerCase()) {
    case 'application/json':
      return body.toString('utf8');
    case 'application/x-www-form-urlencoded':
      return new URLSearchParams(body.toString('utf8')).get('payload') ?? '';
    default:
      throw new AppError(
        'unsupported_media_type',
        'Set the content type of the webhook to application/json (or application/x-www-form-urlencoded).',
      );
  }
}

/** @throws AppError malformed_json unless it is an object */
export function parsePayload(text: string): Payload {
  try {
    const payload: unknown = JSON.parse(text);
    if (typeof payload === 'object' && payload !== null && !Array.isArray(payload)) return payload as Payload;
  } catch {
    // Falls through to the one answer below.
  }
  throw new AppError('malformed_json', 'The payload must be one JSON object.');
}
