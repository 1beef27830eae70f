import { register } from 'tsx/esm/api';

/**
 * jest's globalSetup. jest loads it outside its own transform, hence JavaScript that loads the TypeScript. Two projects
 * name it, and in one run they share one server.
 */
export default async function startPostgres() {
  const unregister = register();
  try {
    const { startTestCluster } = await import('./test-cluster.ts');
    await startTestCluster();
  } finally {
    await unregister();
  }
}
