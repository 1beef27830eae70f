/** Where in a registry images of ours stand. */
export interface RegistryPlace {
  readonly host: string;
  readonly project: string | null;
}

/** The name of an app's image in the registry: one repository for each app, one tag for each commit. */
export function registryName(
  { host, project }: RegistryPlace,
  image: { ownerHash: string; projectName: string; appName: string; commitSha: string },
): string {
  const folders = [host, ...(project === null ? [] : [project]), `${image.ownerHash}-${image.projectName}`];
  return `${folders.join('/')}/${image.appName}:${image.commitSha}`;
}
