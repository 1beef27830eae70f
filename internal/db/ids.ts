import { randomBytes, randomInt } from 'node:crypto';

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
const LETTERS = 26;

/** A random row id, 49 bits: ten characters of lower-case base32, so that it may stand in a DNS label and a file name. */
export function newId(): string {
  return randomLabel(10);
}

/** The short name of a user in networks and host names. Unique by its column: on a collision, draw again. */
export function newUserHash(): string {
  return randomLabel(6);
}

/** The first is a letter: some that read a label take one that begins with a digit for a number. */
function randomLabel(length: number): string {
  const rest = Array.from(randomBytes(length - 1), (byte) => BASE32.charAt(byte % BASE32.length));
  return BASE32.charAt(randomInt(LETTERS)) + rest.join('');
}
