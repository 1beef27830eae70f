import { randomBytes } from 'node:crypto';
import type { SealedBox } from '../secrets/sealed-box.ts';
import { SealBroken } from '../secrets/sealed-box.ts';
import { sealContext } from '../secrets/sealed-columns.ts';
import { Secret } from '../secrets/secret.ts';

const SECRET_BYTES = 32;

/** A new one, as it is copied into GitHub's form. */
export function newWebhookSecret(): Secret {
  return new Secret(randomBytes(SECRET_BYTES).toString('hex'));
}

export function sealWebhookSecret(box: SealedBox, appId: string, secret: Secret): Uint8Array<ArrayBuffer> {
  return box.seal(secret.reveal(), sealContext('services.webhook_secret', appId));
}

/** Null where there is none, and where what is there does not open: neither signs anything. */
export function openWebhookSecret(box: SealedBox, appId: string, sealed: Uint8Array | null): Secret | null {
  if (sealed === null) return null;
  try {
    return new Secret(box.open(sealed, sealContext('services.webhook_secret', appId)));
  } catch (error) {
    if (error instanceof SealBroken) return null;
    throw error;
  }
}
