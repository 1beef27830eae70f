/**
 * Settings of the built-in server: one small machine, tens of connections, idle most of the time. Passed as arguments,
 * so that a new version of Berth brings its settings with it and the data folder holds none.
 */
const SMALL: Readonly<Record<string, string>> = {
  // Loopback only: containers reach every port that is bound to 0.0.0.0 through their gateway.
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '60',
  timezone: 'UTC',
  log_timezone: 'UTC',

  shared_buffers: '32MB',
  work_mem: '4MB',
  maintenance_work_mem: '32MB',
  effective_cache_size: '128MB',
  min_wal_size: '32MB',
  max_wal_size: '256MB',
  huge_pages: 'off',
  // Fewer processes that only wait: no I/O workers, no parallel query, no replication.
  io_method: 'sync',
  max_parallel_workers_per_gather: '0',
  max_parallel_maintenance_workers: '0',
  max_logical_replication_workers: '0',
  max_worker_processes: '2',
  autovacuum_max_workers: '1',
  autovacuum_worker_slots: '1',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_replication_slots: '0',

  // A client that hangs inside a transaction must not hold its row locks for ever.
  idle_in_transaction_session_timeout: '60s',

  log_checkpoints: 'off',
  // Without DETAIL, which quotes the values of the rows at fault.
  log_error_verbosity: 'terse',
};

/** A crash may lose everything: for databases that live as long as a test run. */
const THROW_AWAY: Readonly<Record<string, string>> = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_connections: '120',
};

/** `-c name=value` pairs for postgres. */
export function postgresArguments(options: { port: number; throwAway: boolean }): string[] {
  const settings = { ...SMALL, ...(options.throwAway ? THROW_AWAY : {}), port: String(options.port) };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
