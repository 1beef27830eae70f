import type pg from 'pg';

/**
 * Notes the queries that are sent while their connection works on another one, as an `include` of two relations does in
 * a transaction. pg only queues them, and says that its next version will not.
 */
export function watchQueries(pool: pg.Pool): readonly string[] {
  const overlapping: string[] = [];
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown;
    let running = 0;
    const watched = (...args: unknown[]): unknown => {
      const text = textOf(args[0]);
      // Prisma's own, of a transaction whose time was over in the midst of a query.
      if (running > 0 && text !== 'ROLLBACK') overlapping.push(text);
      running += 1;
      const ended = () => {
        running -= 1;
      };
      const answer: unknown = args.at(-1);
      if (typeof answer !== 'function') {
        const result = query(...args);
        void Promise.resolve(result).then(ended, ended);
        return result;
      }
      const answered = (...values: unknown[]) => {
        ended();
        answer(...values);
      };
      return query(...args.slice(0, -1), answered);
    };
    client.query = watched as typeof client.query;
  });
  return overlapping;
}

function textOf(query: unknown): string {
  if (typeof query === 'object' && query !== null && 'text' in query) return String(query.text);
  return String(query);
}
