import { randomBytes } from 'node:crypto';
import { Secret } from '../../internal/secrets/secret.ts';

/** A fresh encryption key, as `bin/up` would make one. */
export const newKey = (): Secret => new Secret(randomBytes(32).toString('base64'));
