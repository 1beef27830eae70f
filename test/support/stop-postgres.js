import { register } from 'tsx/esm/api';

/** jest's globalTeardown: the counterpart of start-postgres.js. */
export default async function stopPostgres() {
  const unregister = register();
  try {
    const { stopTestCluster } = await import('./test-cluster.ts');
    await stopTestCluster();
  } finally {
    await unregister();
  }
}
