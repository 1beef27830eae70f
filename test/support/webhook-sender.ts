import { createHmac, randomUUID } from 'node:crypto';
import type { Express } from 'express';
import supertest from 'supertest';

export interface SentWebhook {
  readonly path?: string;
  readonly secret: string;
  readonly event?: string;
  readonly deliveryId?: string;
  /** Sent as JSON; a text or bytes as they are. */
  readonly payload: unknown;
  readonly contentType?: string;
  /** Instead of the right one; null: none. */
  readonly signature?: string | null;
}

/** The headers and the body of a delivery, signed as GitHub signs. */
export function signedWebhook(sent: Omit<SentWebhook, 'path'>): {
  headers: Record<string, string>;
  body: Buffer;
} {
  const { payload, secret, signature } = sent;
  const isRaw = typeof payload === 'string' || Buffer.isBuffer(payload);
  const body = Buffer.from(isRaw ? payload : JSON.stringify(payload));
  const right = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  const given = signature === undefined ? right : signature;
  return {
    headers: {
      'Content-Type': sent.contentType ?? 'application/json',
      'User-Agent': 'GitHub-Hookshot/0000000',
      'X-GitHub-Event': sent.event ?? 'push',
      'X-GitHub-Delivery': sent.deliveryId ?? randomUUID(),
      ...(given === null ? {} : { 'X-Hub-Signature-256': given }),
    },
    body,
  };
}

/** Posts it to the API as GitHub does. */
export function sendWebhook(
  app: Express,
  { path = '/webhooks/github', ...sent }: SentWebhook,
): supertest.Test {
  const { headers, body } = signedWebhook(sent);
  // superagent would send a Buffer of this type as JSON text of it.
  return supertest(app)
    .post(path)
    .set(headers)
    .serialize((bytes: unknown) => bytes as string)
    .send(body);
}
