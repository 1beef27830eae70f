import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { Secret } from '../secrets/secret.ts';

export interface DeployKey {
  /** One line, as a Git host takes it: `ssh-ed25519 AAAA… berth-shop`. */
  readonly publicKey: string;
  /** OpenSSH's own format: its releases before 9.6 read no other for Ed25519. */
  readonly privateKey: Secret;
}

const TYPE = 'ssh-ed25519';
const BLOCK_BYTES = 8;

/** A new Ed25519 key. The comment is what the host shows beside it. */
export function newDeployKey(comment: string): DeployKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { x = '', d = '' } = privateKey.export({ format: 'jwk' });
  const [point, seed] = [Buffer.from(x, 'base64url'), Buffer.from(d, 'base64url')];
  const publicBlob = Buffer.concat([string(TYPE), string(point)]);
  return {
    publicKey: `${TYPE} ${publicBlob.toString('base64')} ${comment}`,
    privateKey: new Secret(pem(privateBlob({ publicBlob, point, seed, comment }))),
  };
}

/** As hosts and `ssh-keygen -l` show it. */
export function fingerprintOf(publicKey: string): string {
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** `openssh-key-v1` (PROTOCOL.key of OpenSSH), without a passphrase: it is sealed as a whole. */
function privateBlob(key: { publicBlob: Buffer; point: Buffer; seed: Buffer; comment: string }): Buffer {
  const check = randomBytes(4);
  const secrets = Buffer.concat([
    check,
    check,
    string(TYPE),
    string(key.point),
    string(Buffer.concat([key.seed, key.point])),
    string(key.comment),
  ]);
  const missing = (BLOCK_BYTES - (secrets.length % BLOCK_BYTES)) % BLOCK_BYTES;
  const padding = Buffer.from(Array.from({ length: missing }, (_, index) => index + 1));
  return Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    string('none'),
    string('none'),
    string(''),
    uint32(1),
    string(key.publicBlob),
    string(Buffer.concat([secrets, padding])),
  ]);
}

function string(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function pem(blob: Buffer): string {
  const lines = blob.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join(
    '\n',
  );
}
