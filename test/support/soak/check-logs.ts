import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PrismaClient } from '../../../internal/db/database.ts';
import { dumpDatabase, needlesOf } from '../secret-search.ts';

interface LastLine {
  readonly id: string;
  readonly status: string;
  readonly source: string | null;
  readonly text: string | null;
}

/** I6: the numbers of each stream are 1, 2, … to its last one, and a deployment's stream ends with its status. */
export async function checkLogs(prisma: PrismaClient): Promise<string[]> {
  const gaps = await prisma.$queryRaw<{ what: string }[]>`
    SELECT 'stream ' || s.id || ' ends at ' || s.last_seq || ' and has ' || count(l.seq) || ' lines, '
             || coalesce(min(l.seq), 0) || ' to ' || coalesce(max(l.seq), 0) AS what
      FROM log_streams s LEFT JOIN log_lines l ON l.stream_id = s.id GROUP BY s.id
    HAVING count(l.seq) <> s.last_seq OR min(l.seq) <> 1 OR max(l.seq) <> s.last_seq`;
  const ends = await prisma.$queryRaw<LastLine[]>`
    SELECT d.id, d.status::text AS status, l.source::text AS source, l.text
      FROM deployments d LEFT JOIN log_streams s ON s.id = d.id
           LEFT JOIN log_lines l ON l.stream_id = d.id AND l.seq = s.last_seq`;
  const wrong = ends.filter(
    ({ status, source, text }) => source !== 'status' || Object(JSON.parse(text ?? '{}')).status !== status,
  );
  return [
    ...gaps.map(({ what }) => what),
    ...wrong.map(({ id, status, text }) => `the log of ${id} (${status}) ends with: ${text}`),
  ];
}

/** I8: what the apps were given and print stands in no row and in no log of a process, however it is encoded. */
export async function checkSecrets(
  prisma: PrismaClient,
  of: { dataDir: string; canaries: ReadonlyMap<string, string> },
): Promise<string[]> {
  const places = await dumpDatabase(prisma);
  for (const file of ['api.log', 'worker.log', 'traefik/traefik.log']) {
    places.set(file, await readFile(join(of.dataDir, file), 'utf8'));
  }
  const needles = [...of.canaries].map(([app, canary]) => ({ app, written: needlesOf(canary) }));
  const found = [...places].flatMap(([place, text]) =>
    needles
      .filter(({ written }) => written.some((needle) => text.includes(needle)))
      .map(({ app }) => `the secret of ${app} is in ${place}`),
  );
  const masked = await prisma.logLine.count({ where: { text: { contains: 'the token is' } } });
  // Were it never printed, nothing would be proved.
  return masked > 0 ? found : ['no app has printed its secret'];
}
