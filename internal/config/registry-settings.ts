import { z } from 'zod';
import { Secret } from '../secrets/secret.ts';
import type { RegistrySettings } from './config.ts';

/** The other names are those of people who come from Harbor. */
const ALIASES = [
  ['REGISTRY_URL', 'HARBOR_URL'],
  ['REGISTRY_PROJECT', 'HARBOR_PROJECT'],
] as const;

const url = z
  .string()
  .transform((text) => text.trim().replace(/\/+$/, ''))
  .refine(
    (text) => hostOf(text) !== null,
    'must be a host such as registry.example.org or 10.0.0.5:5000, with https:// or without; folders belong in REGISTRY_PROJECT',
  )
  .refine(
    (text) => !/^(?:.*\.)?docker\.(?:io|com)$/.test(hostOf(text) ?? ''),
    'must not be Docker Hub, which has no names of three parts; any other registry will do',
  )
  .optional();
const project = z
  .string()
  .transform((text) => text.replace(/^\/+|\/+$/g, ''))
  .refine(
    (text) => /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/.test(text),
    'must be lower-case letters, digits, dots, dashes and underscores; folders with slashes between them',
  )
  .optional();

/** Settings of a registry for images; all optional. */
export const registrySchema = {
  REGISTRY_URL: url,
  REGISTRY_USER: z.string().max(500).optional(),
  REGISTRY_PASSWORD: z.string().max(20_000).optional(),
  REGISTRY_PROJECT: project,
  REGISTRY_TIMEOUT_SECONDS: z
    .string()
    .regex(/^[1-9]\d{0,4}$/, 'must be a number of seconds, 1 to 99999')
    .transform(Number)
    .default(600),
  HARBOR_URL: url,
  HARBOR_PROJECT: project,
};

const schema = z.object(registrySchema);
type Values = z.output<typeof schema>;

/** A half of what belongs together is a mistake that must not wait for the first push. */
export function askForWholeRegistry(value: Values, context: z.core.$RefinementCtx): void {
  const complain = (name: keyof Values, message: string) =>
    context.addIssue({ code: 'custom', path: [name], message });
  for (const [name, alias] of ALIASES) {
    const isTwofold = value[name] !== undefined && value[alias] !== undefined && value[name] !== value[alias];
    if (isTwofold) complain(alias, `must not differ from ${name}; it is another name of it`);
  }
  const { REGISTRY_USER: user, REGISTRY_PASSWORD: password } = value;
  if (user !== undefined && password === undefined) {
    complain('REGISTRY_PASSWORD', 'is missing; REGISTRY_USER needs it');
  }
  if (user === undefined && password !== undefined) {
    complain('REGISTRY_USER', 'is missing; REGISTRY_PASSWORD needs it');
  }
  const set = (['REGISTRY_USER', 'REGISTRY_PASSWORD', 'REGISTRY_PROJECT', 'HARBOR_PROJECT'] as const).find(
    (name) => value[name] !== undefined,
  );
  if (set !== undefined && value.REGISTRY_URL === undefined && value.HARBOR_URL === undefined) {
    complain('REGISTRY_URL', `is missing; ${set} needs it`);
  }
}

/** Null: images stay on this machine. */
export function registrySettings(value: Values): RegistrySettings | null {
  const host = hostOf(value.REGISTRY_URL ?? value.HARBOR_URL ?? '');
  if (host === null) return null;
  const { REGISTRY_USER: user, REGISTRY_PASSWORD: password } = value;
  return {
    host,
    project: value.REGISTRY_PROJECT ?? value.HARBOR_PROJECT ?? null,
    credential:
      user === undefined || password === undefined ? null : { user, password: new Secret(password) },
    timeoutSeconds: value.REGISTRY_TIMEOUT_SECONDS,
  };
}

/**
 * As it stands in the name of an image; null: it cannot. Docker takes a first part without a dot or a port for a folder
 * of Docker Hub.
 */
function hostOf(url: string): string | null {
  const [, host = ''] = /^(?:https?:\/\/)?([^/@?#]+)$/.exec(url) ?? [];
  const name = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*(?::\d{1,5})?$/i;
  const isHost = name.test(host) && (/[.:]/.test(host) || host === 'localhost');
  return isHost ? host.toLowerCase() : null;
}
