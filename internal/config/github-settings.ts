import { createPrivateKey } from 'node:crypto';
import { z } from 'zod';
import { Secret } from '../secrets/secret.ts';
import type { GithubSettings } from './config.ts';

const names = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((name) => name.trim().toLowerCase())
      .filter((name) => name !== ''),
  )
  .refine(
    (list) => list.every((name) => /^[a-z0-9][a-z0-9-]{0,38}$/.test(name)),
    'must be names of GitHub, with commas',
  );
const webUrl = z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' });
/** Long enough that nobody guesses it (T62). */
const webhookSecret = z.string().min(32, 'must have at least 32 characters');

/** Settings for GitHub; all optional, since everything else works without it. */
export const githubSchema = {
  GITHUB_URL: webUrl.default('https://github.com'),
  GITHUB_API_URL: webUrl.optional(),
  GITHUB_CLIENT_ID: z.string().max(200).optional(),
  GITHUB_CLIENT_SECRET: z.string().optional(),
  GITHUB_CALLBACK_URL: webUrl.optional(),
  GITHUB_ALLOWED_USERS: names,
  GITHUB_ALLOWED_ORGS: names,
  GITHUB_APP_ID: z
    .string()
    .regex(/^\d{1,20}$/, 'must be the number of the GitHub App')
    .optional(),
  GITHUB_PRIVATE_KEY: z
    .string()
    .transform(pemOf)
    .refine(
      isPrivateKey,
      'must be the private key of the GitHub App: PEM, with \\n for line ends, or in base64',
    )
    .optional(),
  GITHUB_WEBHOOK_SECRET: webhookSecret.optional(),
  WEBHOOK_BASE_URL: webUrl.optional(),
};

const schema = z.object(githubSchema);
type Values = z.output<typeof schema>;

/** A half of what belongs together is a mistake that must not wait for the first sign-in. */
export function askForWholeGithub(value: Values, context: z.core.$RefinementCtx): void {
  const parts = [
    ['GITHUB_CLIENT_ID', 'GITHUB_CLIENT_SECRET'],
    ['GITHUB_APP_ID', 'GITHUB_PRIVATE_KEY', 'GITHUB_WEBHOOK_SECRET'],
  ] as const;
  for (const part of parts) {
    const set = part.find((name) => value[name] !== undefined);
    if (set === undefined) continue;
    for (const name of part) {
      if (value[name] === undefined) {
        context.addIssue({ code: 'custom', path: [name], message: `is missing; ${set} needs it` });
      }
    }
  }
}

/** @param publicUrl without a trailing slash; what GitHub calls back and posts to lies below it unless set otherwise */
export function githubSettings(value: Values, publicUrl: string): GithubSettings {
  const url = withoutSlash(value.GITHUB_URL);
  const { GITHUB_CLIENT_ID: clientId, GITHUB_CLIENT_SECRET: clientSecret } = value;
  const { GITHUB_APP_ID: id, GITHUB_PRIVATE_KEY: privateKey, GITHUB_WEBHOOK_SECRET: secret } = value;
  return {
    url,
    apiUrl: withoutSlash(value.GITHUB_API_URL ?? apiUrlOf(url)),
    oauth:
      clientId === undefined || clientSecret === undefined
        ? null
        : {
            clientId,
            clientSecret: new Secret(clientSecret),
            callbackUrl: value.GITHUB_CALLBACK_URL ?? `${publicUrl}/auth/github/callback`,
          },
    app:
      id === undefined || privateKey === undefined || secret === undefined
        ? null
        : { id, privateKey: new Secret(privateKey), webhookSecret: new Secret(secret) },
    allowedUsers: value.GITHUB_ALLOWED_USERS,
    allowedOrgs: value.GITHUB_ALLOWED_ORGS,
    webhookBaseUrl: withoutSlash(value.WEBHOOK_BASE_URL ?? `${publicUrl}/webhooks/github`),
  };
}

/** GitHub Enterprise Server has its API under /api/v3. */
function apiUrlOf(url: string): string {
  return url === 'https://github.com' ? 'https://api.github.com' : `${url}/api/v3`;
}

function pemOf(text: string): string {
  if (text.includes('-----BEGIN')) return text.replaceAll('\\n', '\n');
  return Buffer.from(text, 'base64').toString('utf8');
}

function isPrivateKey(pem: string): boolean {
  try {
    return createPrivateKey(pem).asymmetricKeyType === 'rsa';
  } catch {
    return false;
  }
}

const withoutSlash = (url: string) => url.replace(/\/+$/, '');
