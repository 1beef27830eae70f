import { DeploymentFailed } from '../errors/deployment-failed.ts';
import type { DiskSpace } from './ports.ts';

const MEGABYTE = 1024 * 1024;

/**
 * A build begins only where there is room: one that fills the disk takes the apps that run, and the database, with it.
 * @throws DeploymentFailed disk_full, with the numbers
 */
export function requireDiskSpace({ path, freeBytes, totalBytes }: DiskSpace, floorMb: number): void {
  if (freeBytes >= floorMb * MEGABYTE) return;
  const [free, total] = [freeBytes, totalBytes].map((bytes) => Math.floor((bytes ?? 0) / MEGABYTE));
  throw new DeploymentFailed(
    'disk_full',
    `${free} MB of ${total} MB are free under ${path}, and a build needs at least ${floorMb} MB (DISK_FLOOR_MB).`,
  );
}
