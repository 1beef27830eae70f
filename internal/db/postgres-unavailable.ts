/** The built-in Postgres cannot run here. The message says why and what to do, for the person who starts Berth. */
export class PostgresUnavailable extends Error {
  override readonly name = 'PostgresUnavailable';
}
