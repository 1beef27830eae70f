import { z } from 'zod';
import { AppError } from '../errors/app-error.ts';
import { id } from '../openapi/schemas.ts';

const topic = { deployment_id: id.optional(), app_id: id.optional() };
const messageSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('subscribe'), ...topic, after: z.int().min(0).default(0) }),
  z.strictObject({ type: z.literal('unsubscribe'), ...topic }),
  z.strictObject({ type: z.literal('ping') }),
]);

/** Whose log: of a deployment, or of an app. Repeated in every message about it. */
export type Topic = { readonly deployment_id: string } | { readonly app_id: string };

export type ClientMessage =
  | { readonly type: 'subscribe'; readonly topic: Topic; readonly after: bigint }
  | { readonly type: 'unsubscribe'; readonly topic: Topic }
  | { readonly type: 'ping' };

/** @throws AppError malformed_json, invalid_input */
export function readClientMessage(text: string): ClientMessage {
  const parsed = messageSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new AppError('invalid_input', HOW);
  const message = parsed.data;
  if (message.type === 'ping') return message;
  const about = topicOf(message);
  if (message.type === 'unsubscribe') return { type: message.type, topic: about };
  return { type: message.type, topic: about, after: BigInt(message.after) };
}

const HOW =
  'Send {"type":"subscribe","deployment_id":"…","after":0}, or "app_id" in the place of "deployment_id"; ' +
  '"unsubscribe" and "ping" are the other types.';

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AppError('malformed_json', 'A message must be one JSON object; check commas and quotes.', {
      cause,
    });
  }
}

function topicOf(of: { deployment_id?: string | undefined; app_id?: string | undefined }): Topic {
  const { deployment_id, app_id } = of;
  if (deployment_id !== undefined && app_id === undefined) return { deployment_id };
  if (app_id !== undefined && deployment_id === undefined) return { app_id };
  throw new AppError('invalid_input', HOW);
}
