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
 * `version (1) | key id (4) | nonce (12) | tag (16) | ciphertext`; the key id tells, after a change of keys, which one
 * sealed it.
 *
 * The context (`table:rowId:field`) is authenticated and not stored: a value copied into another row does not open there.
 */
export class SealedBox {
  readonly #key: Buffer;
  readonly #header: Buffer;

  /** @param key 32 bytes in base64 (ENCRYPTION_KEY). @throws RangeError when it has another length. */
  constructor(key: Secret) {
    this.#key = Buffer.from(key.reveal(), 'base64');
    if (this.#key.length !== 32) throw new RangeError('the encryption key must be 32 bytes in base64');
    const keyId = createHmac('sha256', this.#key).update('berth key id').digest().subarray(0, KEY_ID_BYTES);
    this.#header = Buffer.concat([Buffer.of(VERSION), keyId]);
  }

  seal(plaintext: string, context: string): Uint8Array<ArrayBuffer> {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(this.#bound(context));
    const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
    return new Uint8Array(Buffer.concat([this.#header, nonce, cipher.getAuthTag(), ciphertext]));
  }

  /** @throws SealBroken; never returns anything but what was sealed. */
  open(sealed: Uint8Array, context: string): string {
    const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
    const tagAt = HEADER_BYTES + NONCE_BYTES;
    const textAt = tagAt + TAG_BYTES;
    if (bytes.length < textAt || bytes[0] !== VERSION) {
      throw new SealBroken(`the sealed value of ${context} is damaged`);
    }
    if (!bytes.subarray(0, HEADER_BYTES).equals(this.#header)) {
      throw new SealBroken(
        `${context} was sealed with another key; start with the ENCRYPTION_KEY it was made with`,
      );
    }
    const nonce = bytes.subarray(HEADER_BYTES, tagAt);
    // Without authTagLength Node takes a tag cut to 4 bytes for a good one.
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(this.#bound(context));
    decipher.setAuthTag(bytes.subarray(tagAt, textAt));
    try {
      return Buffer.concat([decipher.update(bytes.subarray(textAt)), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw new SealBroken(`the sealed value of ${context} was changed, or belongs to another place`, {
        cause,
      });
    }
  }

  #bound(context: string): Buffer {
    return Buffer.concat([this.#header, Buffer.from(context, 'utf8')]);
  }
}
