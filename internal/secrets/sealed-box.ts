import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { Secret } from './secret.ts';

/** A sealed value does not open: another key, another place, or it was changed. Says which as far as can be told. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken';
}

const VERSION = 1;
const KEY_ID_BYTES = 4;
const HEADER_BYTES = 1 + KEY_ID_BYTES;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encryption at rest: AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce per value. What is stored is
 * `version (1) | key id (4) | nonce (12) | tag (16) | ciphertext`. The key id tells which key sealed it: the present one
 * seals and opens, those of before only open.
 *
 * The context (`table:row:column`, see sealed-columns.ts) is authenticated and not stored: a value copied into another
 * row does not open there.
 */
export class SealedBox {
  readonly #present: SealingKey;
  /** By header. */
  readonly #keys: ReadonlyMap<string, SealingKey>;

  /** @param key and those of before: 32 bytes in base64 each. @throws RangeError when one has another length. */
  constructor(key: Secret, before: readonly Secret[] = []) {
    this.#present = new SealingKey(key);
    const keys = [...before.map((old) => new SealingKey(old)), this.#present];
    this.#keys = new Map(keys.map((each) => [each.header.toString('hex'), each]));
  }

  /** How every value begins that the present key has sealed. */
  get header(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#present.header);
  }

  seal(plaintext: string, context: string): Uint8Array<ArrayBuffer> {
    const { key, header } = this.#present;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(bound(header, context));
    const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    return new Uint8Array(Buffer.concat([header, nonce, cipher.getAuthTag(), ciphertext]));
  }

  /** @throws SealBroken; never returns anything but what was sealed. */
  open(sealed: Uint8Array, context: string): string {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    const tagAt = HEADER_BYTES + NONCE_BYTES;
    const textAt = tagAt + TAG_BYTES;
    if (bytes.length < textAt || bytes[0] !== VERSION) {
      throw new SealBroken(`the sealed value of ${context} is damaged`);
    }
    const { key, header } = this.#keyOf(bytes, context);
    const nonce = bytes.subarray(HEADER_BYTES, tagAt);
    // Without authTagLength Node takes a tag cut to 4 bytes for a good one.
    const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(bound(header, context));
    decipher.setAuthTag(bytes.subarray(tagAt, textAt));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(textAt)), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new SealBroken(`the sealed value of ${context} was changed, or belongs to another place`, {
        cause,
      });
    }
  }

  /** Tells whether two texts are the same, and nothing else of them, to whoever has not the present key. */
  digest(text: string, purpose: string): string {
    const key = createHmac('sha256', this.#present.key).update(`berth digest of ${purpose}`).digest();
    return createHmac('sha256', key).update(text).digest('base64url');
  }

  /** Whether the present key has sealed it. */
  isPresent(sealed: Uint8Array): boolean {
    return this.#present.header.equals(sealed.subarray(0, HEADER_BYTES));
  }

  #keyOf(bytes: Buffer, context: string): SealingKey {
    const key = this.#keys.get(bytes.subarray(0, HEADER_BYTES).toString('hex'));
    if (key) return key;
    throw new SealBroken(
      `${context} was sealed with another key; start with that one as ENCRYPTION_KEY, or in OLD_ENCRYPTION_KEYS`,
    );
  }
}

class SealingKey {
  readonly key: Buffer;
  readonly header: Buffer;

  constructor(key: Secret) {
    this.key = Buffer.from(key.reveal(), 'base64');
    if (this.key.length !== 32) throw new RangeError('the encryption key must be 32 bytes in base64');
    const keyId = createHmac('sha256', this.key).update('berth key id').digest().subarray(0, KEY_ID_BYTES);
    this.header = Buffer.concat([Buffer.of(VERSION), keyId]);
  }
}

function bound(header: Buffer, context: string): Buffer {
  return Buffer.concat([header, Buffer.from(context, 'utf8')]);
}
