import { readdir, readFile } from 'node:fs/promises';
import type { PrismaClient } from '../../internal/db/database.ts';
import { Prisma } from '../../internal/db/database.ts';

/** A secret, and the ways in which it could stand somewhere. */
export function needlesOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    // Also as part of a longer text, where padding and the first digits differ.
    ...[0, 1, 2].map((before) =>
      Buffer.concat([Buffer.alloc(before), bytes])
        .toString('base64')
        .slice(4, -4),
    ),
    bytes.toString('hex'),
  ];
}

export function findIn(text: string, needles: readonly string[]): string[] {
  return needles.filter((needle) => text.includes(needle));
}

/** The same of what is too large to hold, such as a saved image. */
export async function findInStream(
  stream: NodeJS.ReadableStream,
  needles: readonly string[],
): Promise<string[]> {
  const wanted = needles.map((needle) => Buffer.from(needle));
  const overlap = Math.max(...wanted.map(({ length }) => length));
  const found = new Set<string>();
  let rest = Buffer.alloc(0);
  for await (const chunk of stream) {
    const bytes = Buffer.concat([rest, Buffer.from(chunk)]);
    for (const needle of wanted) if (bytes.includes(needle)) found.add(needle.toString());
    rest = bytes.subarray(-overlap);
  }
  return [...found];
}

/** Every row of every table as text, as a dump has it: bytes in hex. */
export async function dumpDatabase(prisma: PrismaClient): Promise<Map<string, string>> {
  const tables = await prisma.$queryRaw<{ name: string }[]>`
    SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`;
  const dump = new Map<string, string>();
  for (const { name } of tables) {
    const rows = await prisma.$queryRaw<{ row: string }[]>`
      SELECT t::text AS "row" FROM ${Prisma.raw(`"${name}"`)} t`;
    dump.set(name, rows.map(({ row }) => row).join('\n'));
  }
  return dump;
}

/** Watches the command lines of all processes of the machine until it is told to stop. */
export function watchCommandLines(needles: readonly string[]): {
  stop(): Promise<{ seen: number; found: string[] }>;
} {
  const seen = new Set<string>();
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
      const lines = await Promise.all(
        pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
      );
      for (const line of lines) seen.add(line);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await watching;
      return { seen: seen.size, found: [...seen].filter((line) => findIn(line, needles).length > 0) };
    },
  };
}
