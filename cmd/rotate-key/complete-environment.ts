import { loadStartSettings } from '../../internal/config/start-settings.ts';
import { CannotStart } from '../../internal/host/cannot-start.ts';
import { loadSecrets } from '../../internal/host/data-dir.ts';
import { isPostgresRunning, startPostgres } from '../up/start-postgres.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The environment with what `bin/up` keeps in DATA_DIR: the keys, and the address of its Postgres. With DATABASE_URL set
 * the installation is another kind, and everything comes from outside.
 * @throws CannotStart when Berth does not run there
 */
export async function completeEnvironment(): Promise<Environment> {
  const { dataDir, databaseUrl, environment } = loadStartSettings();
  if (databaseUrl !== null) return environment;
  if (!(await isPostgresRunning(dataDir).catch(() => false))) {
    throw new CannotStart(`Berth does not run in ${dataDir}: bin/up first, or set DATABASE_URL.`);
  }
  const { url } = await startPostgres(dataDir);
  const given = Object.entries(environment).filter(([, value]) => value !== '');
  return { ...loadSecrets(dataDir), ...Object.fromEntries(given), DATABASE_URL: url.reveal() };
}
