import { InvalidConfig, loadKeySettings } from '../../internal/config/load-config.ts';
import { openDatabase } from '../../internal/db/database.ts';
import { requireKey, WrongKey } from '../../internal/db/key-canary.ts';
import { migrate, SchemaMismatch } from '../../internal/db/migrate.ts';
import { type ResealedColumn, resealAll } from '../../internal/db/reseal.ts';
import { CannotStart } from '../../internal/host/cannot-start.ts';
import { createLogger } from '../../internal/logger/logger.ts';
import { SealedBox } from '../../internal/secrets/sealed-box.ts';
import { completeEnvironment } from './complete-environment.ts';

const print = (text: string) => process.stdout.write(`${text}\n`);

/**
 * `npm run rotate-key`: seals all that is stored with ENCRYPTION_KEY instead of OLD_ENCRYPTION_KEYS, while Berth runs.
 * @returns whether nothing is left with an old key
 */
async function main(): Promise<boolean> {
  const settings = loadKeySettings(await completeEnvironment());
  const logger = createLogger({ level: 'warn', process: 'up' });
  const database = openDatabase(settings.databaseUrl, logger, { maxConnections: 1 });
  try {
    await migrate(database.pool);
    const box = new SealedBox(settings.encryptionKey, settings.oldEncryptionKeys);
    await requireKey(database.prisma, box);
    const columns = await resealAll(database.prisma, box, {
      onProgress: (column, done) => print(`${column}: ${done} …`),
    });
    return tell(columns);
  } finally {
    await database.close();
  }
}

function tell(columns: readonly ResealedColumn[]): boolean {
  for (const { column, done, broken, left } of columns) {
    print(`${column}: ${done} sealed anew${left > 0 ? `, ${left} left` : ''}`);
    if (broken.length > 0) {
      print(
        `  no key opens ${broken.length}: ${broken.slice(0, 10).join(', ')}${broken.length > 10 ? ', …' : ''}`,
      );
    }
  }
  if (columns.some(({ left }) => left > 0)) {
    print(
      'Somebody still seals with an old key: restart API and workers with the new one, then run this again.',
    );
    return false;
  }
  if (columns.some(({ broken }) => broken.length > 0)) {
    print('What no key opens was left as it is; with its key in OLD_ENCRYPTION_KEYS, run this again.');
    return false;
  }
  print('All is sealed with ENCRYPTION_KEY. Take OLD_ENCRYPTION_KEYS away, and start API and workers again.');
  return true;
}

try {
  if (!(await main())) process.exitCode = 1;
} catch (error) {
  const isTold = [InvalidConfig, WrongKey, SchemaMismatch, CannotStart].some((kind) => error instanceof kind);
  if (!isTold || !(error instanceof Error)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 78;
}
