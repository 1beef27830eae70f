import type { AppError } from '../errors/app-error.ts';
import type { LogEvent } from '../logs/log-stream.ts';
import type { Topic } from './client-message.ts';

/** What we send, one JSON object in each message. Events are those of the server-sent streams, with the topic added. */
export type ServerMessage =
  | ({ readonly type: 'subscribed'; readonly after: number } & Topic)
  | ({ readonly type: 'unsubscribed' } & Topic)
  | ({ readonly type: LogEvent['event']; readonly id?: number; readonly data: unknown } & Topic)
  | ({ readonly type: 'error'; readonly code: string; readonly detail: string } & Partial<Topic>)
  | { readonly type: 'pong' };

export function eventMessage(topic: Topic, { id, event, data }: LogEvent): ServerMessage {
  return { type: event, ...topic, ...(id === undefined ? {} : { id: Number(id) }), data };
}

/** The same code and words as the answer of a request would have. */
export function errorMessage(error: AppError, topic?: Topic): ServerMessage {
  return { type: 'error', ...topic, code: error.code, detail: error.message };
}
