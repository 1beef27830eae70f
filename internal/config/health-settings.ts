import { Secret } from '../secrets/secret.ts';

/**
 * What a health check needs, of settings that the program it checks has validated already: without the schemas, whose
 * loading would cost three times what the check does.
 */
export function loadHealthSettings(environment: Readonly<Record<string, string | undefined>> = process.env): {
  readonly apiPort: number;
  readonly databaseUrl: Secret;
} {
  return {
    apiPort: Number(environment['PORT'] || 8080),
    databaseUrl: new Secret(environment['DATABASE_URL'] ?? ''),
  };
}
