import type { WorkspacePackage } from '../plan-build.ts';
import { type Manifest, readManifest } from './node-manifest.ts';

/**
 * Folders of those packages of a workspace that the member needs and that have a script `build`: each after what it
 * needs itself. A package that is named as a dependency is taken from the workspace, as package managers do.
 */
export function packagesToBuildFirst(member: string, packages: readonly WorkspacePackage[]): string[] {
  const known = packages.flatMap(readPackage);
  const order: string[] = [];
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const found = known.find((candidate) => candidate.path === path);
    if (!found) return;
    const needs = known.filter(
      ({ manifest }) => manifest.name !== null && found.manifest.dependencies.has(manifest.name),
    );
    for (const needed of needs) visit(needed.path);
    if (path !== member && 'build' in found.manifest.scripts) order.push(path);
  };
  visit(member);
  return order;
}

/** One that cannot be read may be test data, of which the build knows nothing either. */
function readPackage({ path, packageJson }: WorkspacePackage): { path: string; manifest: Manifest }[] {
  try {
    return [{ path, manifest: readManifest(packageJson) }];
  } catch {
    return [];
  }
}
